"""One writer for each account: a second is refused with who holds it, a dead one is followed, a lost lock refuses writes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from ledger_samples import TEXTS, decision, run_of
from tampering import behind_its_back

from tb.core.diagnostics import Diagnostic, Refused
from tb.ledger import Database, Place, open_ledger
from tb.ledger.holding import lock_path

ACCOUNT = "coinbase main/1"
CODE = """
import sys
from ledger_samples import *
ledger = open_ledger({place}, wait=30.0)
held = ledger.hold({account!r})
run = ledger.start_run(run_of(ledger.put_policy(TEXTS))).id
ledger.append(run, [decision(1)])
print("holding", flush=True)
sys.stdin.read()
"""


@contextmanager
def another_session(place: Place) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the account and has recorded a decision; it goes on until its input ends or it is killed."""
    said = f"Path({str(place)!r})" if isinstance(place, Path) else repr(place)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    started = subprocess.Popen(
        [sys.executable, "-c", CODE.format(place=said, account=ACCOUNT)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert started.stdout is not None
    assert started.stdout.readline() == "holding\n"
    try:
        yield started
    finally:
        started.kill()
        started.communicate()


def refusal_of(ask: Callable[[], object]) -> Diagnostic:
    with pytest.raises(Refused) as refused:
        ask()
    (found,) = refused.value.findings
    return found


def test_a_second_session_is_refused_while_the_first_lives_and_follows_it_when_it_was_killed(place: Place) -> None:
    with open_ledger(place) as ledger:
        with another_session(place) as first:
            found = refusal_of(lambda: ledger.hold(ACCOUNT))
            assert found.code == "TB887"
            said = rf"the account `{ACCOUNT}` is held by process {first.pid} of \S+ on \S+ since 20\d\d-\d\d-\d\dT\S+Z"
            assert re.fullmatch(said, found.message)
            assert found.hint.startswith(f"stop process {first.pid} first")
            assert refusal_of(lambda: ledger.hold(ACCOUNT)).code == "TB887"  # asking does not take it away
            ledger.hold("another account").release()
            first.kill()
            first.wait()
        hold = ledger.hold(ACCOUNT)
        if isinstance(place, Path):
            assert hold.before is not None
            assert hold.before.process == first.pid
        run = ledger.start_run(run_of(ledger.put_policy(TEXTS))).id
        ledger.append(run, [decision(1)])
        assert [d.seq for d in ledger.decisions("r1")] == [1]
        assert ledger.verify() == []


def test_a_session_that_ends_well_leaves_nothing(place: Place) -> None:
    with open_ledger(place) as ledger:
        with another_session(place) as first:
            first.communicate()
            assert first.returncode == 0
        with ledger.hold(ACCOUNT) as hold:
            again = open_ledger(place)
            assert refusal_of(lambda: again.hold(ACCOUNT)).code == "TB887"  # within one process, too
        hold.release()
        taken = again.hold(ACCOUNT)
        assert taken.before is None or isinstance(place, Path)
        again.close()  # gives it back
        ledger.hold(ACCOUNT).release()


def test_other_writers_of_the_ledger_need_no_account(place: Place) -> None:
    with open_ledger(place) as ledger, open_ledger(place) as replaying, ledger.hold(ACCOUNT):
        runs = [one.start_run(run_of(one.put_policy(TEXTS))).id for one in (ledger, replaying, ledger)]
        assert runs == ["r1", "r2", "r3"]
        assert ledger.verify() == []


def test_accounts_whose_names_look_alike_are_not_the_same(tmp_path: Path) -> None:
    names = ["a b", "a-b", "a/b", "../a", "A b", "a" * 300, "a" * 301, "市场"]
    paths = {lock_path(tmp_path / "ledger.db", name) for name in names}
    assert len(paths) == len(names)
    assert {path.parent for path in paths} == {tmp_path}
    with open_ledger(tmp_path / "ledger.db") as ledger:
        holds = [ledger.hold(name) for name in names]
        for hold in holds:
            hold.release()


def test_a_lock_that_somebody_removed_refuses_writes(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with open_ledger(path) as ledger:
        run = ledger.start_run(run_of(ledger.put_policy(TEXTS))).id
        hold = ledger.hold(ACCOUNT)
        ledger.append(run, [decision(1)])
        lock_path(path, ACCOUNT).unlink()
        found = refusal_of(lambda: ledger.append(run, [decision(2)]))
        assert (found.code, "somebody removed" in found.message) == ("TB888", True)
        with open_ledger(path) as other, other.hold(ACCOUNT):
            assert refusal_of(lambda: ledger.append(run, [decision(2)])).code == "TB888"
        hold.release()
        assert [d.seq for d in ledger.decisions(run)] == [1]


def test_a_folder_that_cannot_be_written_holds_nothing(tmp_path: Path) -> None:
    with open_ledger(tmp_path / "ledger.db") as ledger:
        lock_path(tmp_path / "ledger.db", ACCOUNT).mkdir()
        found = refusal_of(lambda: ledger.hold(ACCOUNT))
        assert (found.code, "is a directory" in found.message) == ("TB706", True)


def test_a_connection_that_was_cut_loses_the_account_and_the_right_to_write(new_database: Callable[[], Database]) -> None:
    place = new_database()
    with open_ledger(place) as ledger, open_ledger(place) as other:
        run = ledger.start_run(run_of(ledger.put_policy(TEXTS))).id
        ledger.hold(ACCOUNT)
        ledger.append(run, [decision(1)])
        with behind_its_back(place) as say:
            (ended,) = say(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1"
                " AND pid != pg_backend_pid()"
            )[1][0]
        assert ended >= 1
        first = refusal_of(lambda: ledger.append(run, [decision(2)]))
        assert first.code in {"TB886", "TB888"}
        with other.hold(ACCOUNT):
            assert refusal_of(lambda: ledger.append(run, [decision(2)])).code == "TB888"
            assert [d.seq for d in ledger.decisions(run)] == [1]  # reading goes on
            other.append(run, [decision(2)])
        assert other.verify() == []


def killed_after(path: Path, decisions: int) -> None:
    """A session that recorded so many decisions one by one and was killed: nothing went from the log into the file."""
    code = f"""
import os
from ledger_samples import *
ledger = open_ledger(Path({str(path)!r}))
held = ledger.hold({ACCOUNT!r})
run = ledger.start_run(run_of(ledger.put_policy(TEXTS))).id
for seq in range(1, {decisions + 1}):
    ledger.append(run, [decision(seq)])
os._exit(0)
"""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)


def test_nobody_goes_on_where_a_damaged_log_lost_what_was_confirmed(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    killed_after(path, 20)
    log = path.with_name(path.name + "-wal")
    content = bytearray(log.read_bytes())
    content[len(content) // 2] ^= 1
    log.write_bytes(content)
    with open_ledger(path) as ledger:
        left = ledger.head().seq
        assert left < 21
        assert ledger.verify() == []  # by itself it holds
        for _ in range(2):
            found = refusal_of(lambda: ledger.hold(ACCOUNT))
            assert (found.code, found.message.split(",")[0]) == ("TB711", "entry 21")
            assert found.hint.endswith(f"remove `{lock_path(path, ACCOUNT).name}`")
        lock_path(path, ACCOUNT).unlink()
        with ledger.hold(ACCOUNT):
            ledger.append("r1", [decision(left)])
        assert ledger.verify() == []


def test_nobody_goes_on_with_an_older_copy(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with open_ledger(path) as ledger:
        ledger.start_run(run_of(ledger.put_policy(TEXTS)))
    older = path.read_bytes()
    killed_after(path, 3)
    path.with_name(path.name + "-wal").unlink()
    path.write_bytes(older)
    with open_ledger(path) as ledger:
        assert refusal_of(lambda: ledger.hold(ACCOUNT)).code == "TB711"
        ledger.hold("another account").release()


def test_the_last_entry_is_noted_until_a_session_ends_well_and_by_the_next_one_too(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    killed_after(path, 12)
    with open_ledger(path) as ledger:
        head = ledger.head()
        hold = ledger.hold(ACCOUNT)
        assert hold.before is not None
        assert (hold.before.entry, hold.before.link) == (13, head.hash)
        noted = lock_path(path, ACCOUNT).read_text()
        assert f'"entry":13,"link":"{head.hash}"' in noted
        ledger.append("r1", [decision(seq) for seq in range(13, 120)])
        assert f'"entry":120,"link":"{ledger.head().hash}"' in lock_path(path, ACCOUNT).read_text()
        hold.release()
        assert lock_path(path, ACCOUNT).read_bytes() == b""
