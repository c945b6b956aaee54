"""Tampering with a run in columns is found, and the run and the records are named.

The ledger: run r1 in columns, entry 1 its start, entries 2 to 8 the segments of records 1 to 12 (Decision of two shapes, Order,
Fill, Trade, Latch, Mark), then those of a second group, then its end.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from ledger_samples import TEXTS, decision, fill, latch, mark, order, refusal, run_of, trade
from tampering import alter, behind_its_back, forge, rows
from test_ledger_verify import check

from tb.core.diagnostics import Diagnostic, Refused
from tb.core.encode import canonical
from tb.core.records import Record
from tb.ledger import DecisionLog, Group, Place, open_ledger

FIRST: list[Record] = [
    decision(1),
    order("o1"),
    decision(2, strategy="reversal"),
    fill("o1"),
    decision(3),
    trade(1),
    latch(4),
    order("o2"),
    decision(4),
    mark(5),
    fill("o2"),
    refusal(5),
]
SECOND: list[Record] = [decision(6), decision(7), mark(7)]


@pytest.fixture
def path(place: Place) -> Place:
    made = place
    with open_ledger(made) as ledger:
        run, log = ledger.start_run(run_of(ledger.put_policy(TEXTS))).id, DecisionLog()
        ledger.append_group(run, Group(1, FIRST), log=log)
        ledger.append_group(run, Group(13, SECOND), log=log)
        ledger.finish_run(run, {"decision_log_hash": log.hexdigest()})
    return made


def found(path: Place) -> list[tuple[str, str]]:
    return [(d.code, d.message) for d in check(path)]


def rewrite(path: Place, entry: int, change: Callable[[bytes], bytes]) -> None:
    """Another payload for an entry, with all hashes and the head made to fit."""
    with behind_its_back(path) as run:
        payload = run("SELECT payload FROM entries WHERE seq = ?", (entry,))[1][0][0]
        run("UPDATE entries SET payload = ? WHERE seq = ?", (change(payload), entry))
    forge(path)


def test_an_untouched_run_in_columns_is_sound(path: Place) -> None:
    assert check(path) == []
    with open_ledger(path, read_only=True) as ledger:
        assert list(ledger.records("r1")) == [*FIRST, *SECOND]
        assert ledger.head().seq == 11


DECISIONS = "entry 2 (run r1, Decision in columns, records 1 to 12)"
ORDERS = "entry 3 (run r1, Order in columns, records 2 to 8)"


@pytest.mark.parametrize(("entry", "where"), [(2, DECISIONS), (3, ORDERS)])
def test_every_single_byte_counts(path: Place, entry: int, where: str) -> None:
    payload: bytes = rows(path, f"SELECT payload FROM entries WHERE seq = {entry}")[0][0]
    for at in range(0, len(payload), 23):
        with behind_its_back(path) as run:
            flipped = payload[:at] + bytes([payload[at] ^ 1]) + payload[at + 1 :]
            run("UPDATE entries SET payload = ? WHERE seq = ?", (flipped, entry))
        first: Diagnostic = check(path)[0]
        assert first.code == "TB710"
        assert first.message.startswith(f"the chain breaks at {where}: its kind, run or payload was altered")


def test_swapped_segments_break_the_chain(path: Place) -> None:
    alter(path, *(f"UPDATE entries SET seq = {to} WHERE seq = {was}" for was, to in [(2, 98), (9, 2), (98, 9)]))
    assert found(path)[0][1].startswith(f"the chain breaks at {DECISIONS}: it links to")


def test_a_tail_cut_off_is_found(path: Place) -> None:
    alter(path, "DELETE FROM entries WHERE seq > 9", "DELETE FROM segments WHERE entry > 9", "UPDATE runs SET finish = NULL")
    assert found(path) == [("TB711", "entries 10 to 11 are missing at the end")]


def test_a_segment_taken_out_leaves_a_hole(path: Place) -> None:
    alter(path, "DELETE FROM entries WHERE seq = 3", "DELETE FROM segments WHERE entry = 3")
    alter(path, "UPDATE entries SET seq = -seq WHERE seq > 3", "UPDATE entries SET seq = -seq - 1 WHERE seq < 0")
    alter(path, "UPDATE segments SET entry = -entry WHERE entry > 3", "UPDATE segments SET entry = -entry - 1 WHERE entry < 0")
    alter(path, "UPDATE runs SET finish = 10")
    forge(path)
    assert ("TB715", "record 2 is missing in the columns of run r1") in found(path)


def renumbered(first: int) -> Callable[[bytes], bytes]:
    def change(payload: bytes) -> bytes:
        numbers, table = msgspec.msgpack.decode(payload)
        return msgspec.msgpack.encode([[first, *numbers[1:]], table])

    return change


def test_a_segment_that_says_other_numbers_than_its_records_is_found(path: Place) -> None:
    rewrite(path, 3, renumbered(3))
    codes = found(path)
    assert ("TB715", f"{ORDERS} holds record 9 again") in codes
    assert any(code == "TB712" and "`segments` has first `2` for entry 3" in text for code, text in codes)


def test_forged_columns_do_not_fit_the_recorded_decision_log(path: Place) -> None:
    rewrite(path, 2, lambda payload: payload.replace(b"60000.10", b"60000.11"))
    assert [code for code, _ in found(path)] == ["TB713"]


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("UPDATE segments SET last = 11 WHERE entry = 2", "has last `11` for entry 2 (run r1, segment), the entry says `12`"),
        ("UPDATE segments SET records = 9 WHERE entry = 2", "has records `9` for entry 2"),
        ("UPDATE segments SET kind = 'Order' WHERE entry = 2", "has kind `Order` for entry 2"),
        ("UPDATE segments SET begins = 0 WHERE entry = 2", "has begins `0` for entry 2"),
        ("UPDATE segments SET high = 4 WHERE entry = 2", "has high `4` for entry 2"),
        ("UPDATE segments SET verdicts = '[]' WHERE entry = 2", "has verdicts `[]` for entry 2"),
        ("UPDATE segments SET instruments = NULL WHERE entry = 3", "has instruments `None` for entry 3"),
        ("UPDATE segments SET strategies = '[\"x\"]' WHERE entry = 4", 'has strategies `["x"]` for entry 4'),
        ("DELETE FROM segments WHERE entry = 5", "has no row for entry 5 (run r1, segment)"),
    ],
)
def test_an_altered_index_is_found(path: Place, statement: str, message: str) -> None:
    alter(path, statement)
    assert [code for code, _ in found(path)] == ["TB712"]
    assert f"`segments` {message}" in found(path)[0][1]


def add(path: Place, kind: str, payload: bytes) -> None:
    """An entry before the end of the run, all hashes made to fit."""
    with behind_its_back(path) as run:
        run("UPDATE entries SET seq = 12 WHERE seq = 11")
        run("UPDATE runs SET finish = 12")
        run("INSERT INTO entries VALUES (11, 'r1', ?, ?, zeroblob(32), zeroblob(32))", (kind, payload))
    forge(path)


@pytest.mark.parametrize(
    ("kind", "payload", "message"),
    [
        ("Mark", canonical(mark(9)), "entry 11 (run r1, Mark) is a row in a run that is recorded in columns"),
        ("segment", b"\xc0", "entry 11 (run r1, segment) has a payload that does not read as its kind"),
        ("segment", Group(1, [mark(1)]).segments[0].payload(5), "entry 11 (run r1, segment) holds record 5 again"),
    ],
)
def test_entries_that_do_not_belong_are_found(path: Place, kind: str, payload: bytes, message: str) -> None:
    add(path, kind, payload)
    assert ("TB715", message) in found(path)


def test_a_segment_in_a_run_of_rows_is_found(sample: Place) -> None:
    with behind_its_back(sample) as run:
        payload = Group(1, [mark(1)]).segments[0].payload(1)
        run("INSERT INTO entries VALUES (22, 'r2', 'segment', ?, zeroblob(32), zeroblob(32))", (payload,))
    forge(sample)
    assert ("TB715", "entry 22 (run r2, segment) is a segment in a run that is recorded in rows") in found(sample)


def test_broken_columns_are_refused_when_read(path: Place) -> None:
    text = "'text'" if isinstance(path, Path) else "x'74'"
    alter(path, "UPDATE entries SET payload = x'7b' WHERE seq = 2", f"UPDATE entries SET payload = {text} WHERE seq = 3")
    with open_ledger(path) as ledger:
        for ask in (
            lambda: ledger.decision("r1", 1),
            lambda: list(ledger.decisions("r1")),
            lambda: ledger.orders("r1"),
            lambda: ledger.decision_log_hash("r1"),
            lambda: list(ledger.records("r1")),
        ):
            with pytest.raises(Refused) as refused:
                ask()
            assert refused.value.findings[0].code == "TB710"
        assert ledger.fills("r1") == [FIRST[3], FIRST[10]]  # what is intact is still read
