"""A replay's megabytes, which go straight into the file: who else comes meanwhile, and writers killed in the middle."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from threading import Timer

import pytest
from ledger_samples import TEXTS, decision, mark, order, run_of

from tb.core.diagnostics import Refused
from tb.ledger import BLOCK, Group, Grouping, open_ledger
from tb.ledger.checking import driven
from tb.ledger.store import Ledger


def groups_of(count: int) -> list[Group]:
    """So many whole groups, one after the other."""
    found: list[Group] = []
    grouping = Grouping(lambda *groups: found.extend(groups))
    for seq in range(1, count * BLOCK + 1):
        grouping.take([decision(seq), order(f"o{seq}", decision=seq)])
    return found[:count]


GROUPS = groups_of(6)


def mode_of(path: Path) -> str:
    """How the ledger is written: what opens a ledger could change that."""
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as asking:
        return {"delete": "straight", "wal": "log"}[asking.execute("PRAGMA journal_mode").fetchone()[0]]


def left_in(path: Path) -> str:
    """The same of a file that no connection of this process has open: it would lose its locks."""
    return {b"\1\1": "straight", b"\2\2": "log"}[path.read_bytes()[18:20]]


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tb.ledger.store.MUCH", 20_000)
    return tmp_path / "ledger.db"


def begin(ledger: Ledger) -> str:
    return ledger.start_run(run_of(ledger.put_policy(TEXTS))).id


def seqs(ledger: Ledger, run: str) -> list[int]:
    return [found.seq for found in ledger.decisions(run)]


def whole(groups: Sequence[Group]) -> list[int]:
    return [seq for group in groups for seq in group.decision_numbers]


def test_much_is_written_without_the_log_and_the_end_of_the_run_takes_it_back(path: Path) -> None:
    with open_ledger(path) as ledger:
        run = begin(ledger)
        ledger.append_group(run, *GROUPS[:3])
        assert mode_of(path) == "straight"
        assert not path.with_name("ledger.db-wal").exists()
        ledger.append_group(run, GROUPS[3])  # what is less follows on the same way
        assert mode_of(path) == "straight"
        ledger.finish_run(run, {})
        assert mode_of(path) == "log"
        assert (ledger.verify(), seqs(ledger, run)) == ([], whole(GROUPS[:4]))
    assert [found.name for found in path.parent.iterdir()] == ["ledger.db"]


def test_it_is_the_same_as_through_the_log(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heads = []
    for name, much in (("a.db", 1), ("b.db", 1 << 40)):
        monkeypatch.setattr("tb.ledger.store.MUCH", much)
        with open_ledger(tmp_path / name) as ledger:
            run = begin(ledger)
            ledger.append_group(run, *GROUPS[:2])
            ledger.append_group(run, *GROUPS[2:])
            ledger.finish_run(run, {})
            heads.append(ledger.head())
    assert heads[0] == heads[1]


def test_much_that_is_expected_leaves_the_log_before_it_comes(path: Path) -> None:
    with open_ledger(path) as ledger:
        run = begin(ledger)
        ledger.expect_much()
        assert mode_of(path) == "straight"
        ledger.append_group(run, *GROUPS)
        ledger.finish_run(run, {})
        assert (mode_of(path), ledger.verify(), seqs(ledger, run)) == ("log", [], whole(GROUPS))


def test_little_stays_in_the_log(path: Path) -> None:
    with open_ledger(path) as ledger:
        run = begin(ledger)
        ledger.append_group(run, GROUPS[0])
        assert mode_of(path) == "log"


def test_whoever_has_the_ledger_open_keeps_the_log(path: Path) -> None:
    with open_ledger(path) as ledger, open_ledger(path, read_only=True) as reader:
        run = begin(ledger)
        assert len(reader.runs()) == 1
        ledger.append_group(run, *GROUPS[:3])
        assert (mode_of(path), seqs(reader, run)) == ("log", whole(GROUPS[:3]))
        ledger.finish_run(run, {})
        assert reader.verify() == []


@pytest.mark.parametrize("read_only", [True, False])
def test_who_comes_meanwhile_gives_the_log_back(path: Path, read_only: bool) -> None:
    with open_ledger(path) as ledger:
        run = begin(ledger)
        ledger.append_group(run, *GROUPS[:3])
        assert mode_of(path) == "straight"
        with open_ledger(path, read_only=read_only) as other:
            assert (mode_of(path), seqs(other, run)) == ("log", whole(GROUPS[:3]))
            walk = other.decisions(run)
            assert next(walk).seq == 1
            ledger.append_group(run, *GROUPS[3:])  # does not wait for the one who reads
            assert (mode_of(path), seqs(other, run)) == ("log", whole(GROUPS))
            ledger.finish_run(run, {})
            assert other.verify() == []
    assert mode_of(path) == "log"


def test_who_reads_through_the_same_ledger_gives_it_back_too(path: Path) -> None:
    with open_ledger(path) as ledger:
        run = begin(ledger)
        ledger.append_group(run, *GROUPS[:3])
        assert (seqs(ledger, run), mode_of(path)) == (whole(GROUPS[:3]), "log")
        ledger.append_group(run, *GROUPS[3:])
        assert (seqs(ledger, run), mode_of(path)) == (whole(GROUPS), "log")


def test_what_is_no_replays_goes_into_the_log(path: Path) -> None:
    with open_ledger(path) as ledger:
        run = begin(ledger)
        ledger.append_group(run, *GROUPS[:3])
        live = ledger.start_run(run_of(ledger.put_policy(TEXTS), mode="live")).id
        assert mode_of(path) == "log"
        ledger.append_group(run, *GROUPS[3:])
        assert mode_of(path) == "straight"
        ledger.append(live, [mark(1)])
        assert mode_of(path) == "log"
        assert ledger.verify() == []


def test_an_account_that_is_held_keeps_the_log(path: Path) -> None:
    with open_ledger(path) as ledger, ledger.hold("main"):
        run = begin(ledger)
        ledger.append_group(run, *GROUPS[:3])
        assert mode_of(path) == "log"


def test_a_ledger_that_is_closed_before_the_end_of_its_run_has_its_log(path: Path) -> None:
    with open_ledger(path) as ledger:
        run = begin(ledger)
        ledger.append_group(run, *GROUPS[:3])
        assert mode_of(path) == "straight"
    assert mode_of(path) == "log"


def test_a_hand_over_that_is_refused_leaves_nothing(path: Path) -> None:
    with open_ledger(path) as ledger:
        run = begin(ledger)
        ledger.append_group(run, *GROUPS[:2])
        with pytest.raises(ValueError, match="comes next"):
            ledger.append_group(run, *GROUPS[3:])
        ledger.append_group(run, *GROUPS[2:])
        ledger.finish_run(run, {})
        assert (ledger.verify(), seqs(ledger, run)) == ([], whole(GROUPS))


def test_one_who_reads_without_the_log_is_waited_for(path: Path) -> None:
    """A reader that is no tb's, or that began in the moment in which the log was left."""
    with open_ledger(path) as ledger:
        run = begin(ledger)
        ledger.append_group(run, *GROUPS[:3])
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN")
            assert other.execute("SELECT count(*) FROM segments").fetchone() == (6,)
            with open_ledger(path, read_only=True, wait=0.1) as reader:  # reads beside it, and cannot give the log back
                assert (mode_of(path), seqs(reader, run)) == ("straight", whole(GROUPS[:3]))
            other.execute("COMMIT")
        ledger.append_group(run, *GROUPS[3:])
        ledger.finish_run(run, {})
        assert (ledger.verify(), seqs(ledger, run)) == ([], whole(GROUPS))


def test_it_waits_for_one_who_reads_without_the_log(path: Path) -> None:
    with open_ledger(path, wait=0.0) as ledger, closing(sqlite3.connect(path, check_same_thread=False)) as other:
        run = begin(ledger)
        ledger.append_group(run, *GROUPS[:3])
        assert mode_of(path) == "straight"
        rows = other.execute("SELECT seq FROM entries")
        assert rows.fetchone() == (1,)
        end = Timer(0.2, rows.close)
        end.start()
        ledger.append_group(run, *GROUPS[3:])
        end.join()
        assert (mode_of(path), seqs(ledger, run)) == ("straight", whole(GROUPS))


def test_each_hand_over_is_flushed(path: Path) -> None:
    with open_ledger(path) as ledger:
        run = begin(ledger)
        ledger.append_group(run, GROUPS[0])
        assert ledger._kept is not None
        said = [driven(ledger._kept).execute("PRAGMA synchronous").fetchone()[0]]
        ledger.append_group(run, *GROUPS[1:])
        said.append(driven(ledger._kept).execute("PRAGMA synchronous").fetchone()[0])
        assert said == [1, 2]  # normal, full


KILLED_BETWEEN = """
from test_ledger_direct import *
import tb.ledger.store
tb.ledger.store.MUCH = 1
ledger = open_ledger(Path(sys.argv[1]))
run = begin(ledger)
ledger.append_group(run, *GROUPS[:3])
os._exit(0)
"""
# pages go into the file before the end of a transaction where few of them may be held
KILLED_WITHIN = KILLED_BETWEEN.replace(
    "os._exit(0)",
    """
def end(connection, transaction):
    os._exit(0)
tb.ledger.store.driven(ledger._kept).execute("PRAGMA cache_size = 4")
tb.ledger.store.end = end
ledger.append_group(run, *GROUPS[3:])
""",
)
KILLED_SOMEWHERE = KILLED_BETWEEN.replace("os._exit(0)", "").replace(
    "ledger.append_group(run, *GROUPS[:3])",
    """
print(run, flush=True)
for group in GROUPS:
    ledger.append_group(run, group)
    print(len(seqs_of(group)), flush=True)
ledger.finish_run(run, {})
""",
)


def run_script(script: str, path: Path) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    return subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True, env=environment)


def seqs_of(group: Group) -> Sequence[int]:
    return group.decision_numbers


@pytest.mark.parametrize("read_only", [True, False])
@pytest.mark.parametrize("script", [KILLED_BETWEEN, KILLED_WITHIN])
def test_a_killed_writer_leaves_its_whole_groups(path: Path, script: str, read_only: bool) -> None:
    writer = run_script(script, path)
    assert (writer.communicate()[0], writer.returncode) == ("", 0)
    journal = path.with_name("ledger.db-journal")
    assert (left_in(path), journal.exists()) == ("straight", script is KILLED_WITHIN)
    with open_ledger(path, read_only=read_only) as ledger:
        assert (ledger.verify(), seqs(ledger, "r1"), ledger.run("r1").unfinished) == ([], whole(GROUPS[:3]), True)
    assert (left_in(path), journal.exists()) == ("log", False)
    with open_ledger(path) as ledger:
        ledger.append_group("r1", *GROUPS[3:])
        ledger.finish_run("r1", {})
        assert (ledger.verify(), seqs(ledger, "r1")) == ([], whole(GROUPS))


def test_a_journal_without_its_ledger_is_not_taken_into_a_new_one(path: Path) -> None:
    run_script(KILLED_WITHIN, path).communicate()
    path.rename(path.with_name("kept.db"))
    with pytest.raises(Refused) as refused:
        open_ledger(path)
    found = refused.value.findings[0]
    assert (found.code, found.hint) == ("TB703", "put the file back, or move `ledger.db-journal` away to start a new ledger")
    path.with_name("kept.db").rename(path)
    with open_ledger(path) as ledger:
        assert (ledger.verify(), seqs(ledger, "r1")) == ([], whole(GROUPS[:3]))


def test_a_writer_that_is_killed_anywhere_leaves_a_sound_ledger(path: Path) -> None:
    chance, told = random.Random(11), {}
    for _ in range(3):
        writer = run_script(KILLED_SOMEWHERE, path)
        assert writer.stdout is not None
        run = writer.stdout.readline().strip()
        for _ in range(chance.randint(0, 4)):
            writer.stdout.readline()
        try:
            writer.wait(chance.uniform(0.0, 0.01))
        except subprocess.TimeoutExpired:
            writer.kill()
        writer.communicate()
        told[run] = None
    assert list(told) == ["r1", "r2", "r3"]
    with open_ledger(path) as ledger:
        assert ledger.verify() == []
        for run in told:
            kept = seqs(ledger, run)
            assert kept == whole(GROUPS)[: len(kept)]
            assert len(kept) in [sum(len(seqs_of(group)) for group in GROUPS[:count]) for count in range(7)]
            assert not ledger.run(run).unfinished or len(kept) <= len(whole(GROUPS))


def test_a_database_that_is_no_ledger_stays_as_it_is(tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as made:
        made.execute("CREATE TABLE entries (x)")
    before = other.read_bytes()
    for read_only in (True, False):
        with pytest.raises(Refused):
            open_ledger(other, read_only=read_only)
    assert other.read_bytes() == before
