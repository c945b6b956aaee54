"""A chain walked in stretches holds exactly where it holds when it is walked alone, wherever it is cut."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from ledger_samples import TEXTS, closed, decision, fill, latch, mark, order, quiet, refusal, run_of, trade
from tampering import alter, forge, rows

from tb.core.records import Record
from tb.ledger import BLOCK, DecisionLog, Group, Place, open_ledger
from tb.ledger.boundaries import standing
from tb.ledger.part import walk, write
from tb.ledger.store import Ledger
from tb.ledger.streaming import Streams
from tb.ledger.together import fit, processes_for


def some(first: int, count: int) -> list[Record]:
    made: list[Record] = []
    for seq in range(first, first + count):
        made.append(decision(seq) if seq % 3 else refusal(seq))
        if seq % 5 == 0:
            made += [
                order(f"o{seq}", decision=seq),
                fill(f"o{seq}"),
                trade(seq),
                closed(seq),
                mark(seq),
                latch(seq),
                quiet(seq, seq + 2),
            ]
    return made


def filled(ledger: Ledger, parts: int = 6) -> None:
    """Two runs in rows that were recorded at once, the second of which goes on, and one in columns before, one after them."""

    def started() -> str:
        return ledger.start_run(run_of(ledger.put_policy(TEXTS))).id

    before, log = started(), DecisionLog()
    ledger.append_group(before, Group(1, some(1, 30)), log=log)
    ledger.finish_run(before, {"decision_log_hash": log.hexdigest()})
    killed = started()
    ledger.append_group(killed, Group(1, some(1, 20)))
    one, other = started(), started()
    logs = {one: DecisionLog(), other: DecisionLog()}
    for part in range(parts):
        for run, count in ((one, 120), (other, 170)):
            ledger.append(run, some(part * count + 1, count), log=logs[run])
    ledger.finish_run(one, {"decision_log_hash": logs[one].hexdigest()})
    ledger.append(other, some(parts * 170 + 1, 40))
    after, log = started(), DecisionLog()
    ledger.append_group(after, Group(1, some(1, 90)), log=log)
    ledger.append_group(after, Group(len(Group(1, some(1, 90)).kept) + 1, some(91, 90)), log=log)
    ledger.finish_run(after, {"decision_log_hash": log.hexdigest()})


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("together") / "ledger.db"
    with open_ledger(path) as ledger:
        filled(ledger)
        assert ledger.verify(processes=1) == []
    return path.read_bytes()


@pytest.fixture
def path(tmp_path: Path, content: bytes) -> Path:
    made = tmp_path / "ledger.db"
    made.write_bytes(content)
    return made


def hold(place: Place, cuts: Sequence[int]) -> bool | None:
    """Whether stretches between these cuts hold together; None where one of them is no place to cut."""
    with (
        open_ledger(place, read_only=True) as ledger,
        ledger._open_engine().connect() as connection,
        connection.begin(),
        Streams(connection) as streams,
        Path(os.devnull).open("wb") as nowhere,
    ):
        if any(standing(connection, cut) is None for cut in cuts):
            return None
        total: int = connection.exec_driver_sql("SELECT max(seq) FROM entries").scalar_one()
        stretches = list(zip([0, *cuts], [*cuts, total], strict=True))
        outs = [io.BytesIO() for _ in stretches]
        for (after, until), out in zip(stretches, outs, strict=True):
            if not walk(connection, place, after, until, out, nowhere.fileno()):
                return False
            write(out, "end", "", until)
        return fit(streams, stretches, outs)


def test_it_holds_wherever_it_is_cut(path: Path) -> None:
    with open_ledger(path, read_only=True) as ledger:
        total = ledger.head().seq
    found = {cut: hold(path, [cut]) for cut in [*range(1, 60, 4), *range(60, total, 397), total - 1]}
    assert set(found.values()) == {True, None}
    assert sum(one is None for one in found.values()) < 30  # inside of runs in columns alone
    assert [one for cut, one in found.items() if 120 < cut < total - 100 and one is not True] == []
    assert hold(path, [300, 301, 302, 900, 1500]) is True
    assert total > 4 * BLOCK


TAMPERED = [
    "UPDATE entries SET payload = CAST(replace(CAST(payload AS TEXT), '60000.10', '60000.11') AS BLOB) WHERE seq = {}",
    "DELETE FROM entries WHERE seq = {}",
    "UPDATE entries SET previous = zeroblob(32) WHERE seq = {}",
    "UPDATE entries SET run = 'r1' WHERE seq = {}",
    "UPDATE decisions SET verdict = 'warn' WHERE entry = {}",
    "DELETE FROM decisions WHERE entry = {}",
    "UPDATE decisions SET entry = 99999 WHERE entry = {}",
]


def a_decision(path: Path, beyond: int, run: str = "r3") -> int:
    (found,) = rows(path, f"SELECT min(entry) FROM decisions WHERE run = '{run}' AND verdict = 'approve' AND entry > {beyond}")[
        0
    ]
    return int(found)


@pytest.mark.parametrize("statement", TAMPERED)
@pytest.mark.parametrize("where", ["before", "at", "after"])
def test_what_is_found_alone_is_found_together(path: Path, statement: str, where: str) -> None:
    entry = a_decision(path, 700)
    cut = {"before": entry + 200, "at": entry, "after": entry - 1}[where]
    assert hold(path, [cut]) is True
    alter(path, statement.format(entry))
    with open_ledger(path, read_only=True) as ledger:
        assert ledger.verify(processes=1) != []
    assert hold(path, [cut]) in {False, None}


@pytest.mark.parametrize("cut", [400, 1100, 1700])
@pytest.mark.parametrize("beyond", [150, 1000, 1600])
def test_forged_decisions_do_not_fit_the_recorded_log_on_either_side_of_a_cut(path: Path, cut: int, beyond: int) -> None:
    alter(path, TAMPERED[0].format(a_decision(path, beyond)))
    forge(path)
    with open_ledger(path, read_only=True) as ledger:
        assert [finding.code for finding in ledger.verify(processes=1)] == ["TB713"]
    assert hold(path, [cut]) is False


def test_a_runs_table_that_says_otherwise_is_found(path: Path) -> None:
    for statement in (
        "UPDATE runs SET finish = NULL WHERE run = 'r3'",
        "UPDATE runs SET policy = 'x' WHERE run = 'r4'",
        "UPDATE runs SET finish = 5 WHERE run = 'r4'",
    ):
        made = path.with_name("copy.db")
        made.write_bytes(path.read_bytes())
        alter(made, statement)
        assert hold(made, [900]) in {False, None}


def test_processes_walk_a_ledger_and_say_how_far_they_are(path: Path) -> None:
    calls: list[tuple[int, int]] = []
    with open_ledger(path, read_only=True) as ledger:
        head = ledger.head()
        assert ledger.verify(lambda done, total: calls.append((done, total)), processes=2, anchor=head) == []
        assert {total for _, total in calls} == {head.seq}
        assert [done for done, _ in calls] == sorted(done for done, _ in calls)
        assert (processes_for(1_000), processes_for(10**7) >= 1) == (1, True)
    entry = a_decision(path, 1000)
    alter(path, TAMPERED[4].format(entry))
    with open_ledger(path, read_only=True) as ledger:
        assert ledger.verify(processes=2) == ledger.verify(processes=1) != []


def test_processes_walk_a_ledger_on_a_server(new_database) -> None:  # type: ignore[no-untyped-def]  # a fixture
    place = new_database()
    with open_ledger(place) as ledger:
        filled(ledger, parts=2)
        assert ledger.verify(processes=2) == []
    alter(place, "UPDATE orders SET id = 'x' WHERE entry = (SELECT max(entry) FROM orders)")
    with open_ledger(place) as ledger:
        assert [finding.code for finding in ledger.verify(processes=2)] == ["TB712"]
