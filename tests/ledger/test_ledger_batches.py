"""Entries that are taken many at once: every change is found, wherever it is, and told as where they are taken singly."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_samples import TEXTS, closed, decision, fill, latch, mark, order, quiet, refusal, run_of, trade
from tampering import forge

from tb.core.diagnostics import Diagnostic
from tb.core.records import Record
from tb.ledger import DecisionLog, open_ledger
from tb.ledger import batches as of_batches
from tb.ledger.walk import Walk

TABLES = ("decisions", "quiet", "orders", "fills", "trades", "latches", "marks")
ENTRIES = 120


def some(first: int, count: int) -> list[Record]:
    made: list[Record] = []
    for seq in range(first, first + count):
        made += [decision(seq) if seq % 3 else refusal(seq), order(f"o{seq}", decision=seq), fill(f"o{seq}"), trade(seq)]
        made += [closed(seq), mark(seq), latch(seq), quiet(seq, seq + 2)]
    return made


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A run in rows that is over, and one that goes on."""
    path = tmp_path_factory.mktemp("batches") / "ledger.db"
    with open_ledger(path) as ledger:
        one, other = (ledger.start_run(run_of(ledger.put_policy(TEXTS))).id for _ in range(2))
        log = DecisionLog()
        ledger.append(one, some(1, 8), log=log)
        ledger.append(other, some(1, 3))
        ledger.finish_run(one, {"decision_log_hash": log.hexdigest()})
        ledger.append(other, some(4, 4))
        assert ledger.head().seq == ENTRIES + 3
    return path.read_bytes()


def found(path: Path, *, singly: bool) -> list[Diagnostic]:
    with pytest.MonkeyPatch.context() as patched:
        if singly:
            patched.setattr(Walk, "_pass_over", lambda *_: False)
        with open_ledger(path, read_only=True) as ledger:
            return ledger.verify(processes=1)


def changed(path: Path, content: bytes, *statements: str) -> None:
    path.write_bytes(content)
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


SWAP = (
    "UPDATE entries SET seq = -1 WHERE seq = {0}",
    "UPDATE entries SET seq = {0} WHERE seq = {1}",
    "UPDATE entries SET seq = {1} WHERE seq = -1",
)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_no_change_of_an_entry_or_of_a_projection_is_missed(
    data: st.DataObject, content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "changed.db"
    path.write_bytes(content)
    at = data.draw(st.integers(1, ENTRIES + 3), label="entry")
    with closing(sqlite3.connect(path)) as connection:
        size = connection.execute("SELECT length(payload) FROM entries WHERE seq = ?", (at,)).fetchone()[0]
        tables = [name for name in TABLES if connection.execute(f"SELECT 1 FROM {name} WHERE entry = ?", (at,)).fetchone()]
        columns = {name: [row[1] for row in connection.execute(f"PRAGMA table_info({name})")] for name in tables}
    kinds = ["byte", "link", "removed", "swapped", "doubled", "run", "kind"] + ["row", "row gone"] * bool(tables)
    match data.draw(st.sampled_from(kinds), label="change"):
        case "byte":
            place = data.draw(st.integers(0, size - 1), label="byte")
            bit = 1 << data.draw(st.integers(0, 7), label="bit")
            with closing(sqlite3.connect(path)) as connection:
                (payload,) = connection.execute("SELECT payload FROM entries WHERE seq = ?", (at,)).fetchone()
                payload = payload[:place] + bytes([payload[place] ^ bit]) + payload[place + 1 :]
                connection.execute("UPDATE entries SET payload = ? WHERE seq = ?", (payload, at))
                connection.commit()
        case "link":
            column = data.draw(st.sampled_from(["previous", "hash"]))
            changed(path, content, f"UPDATE entries SET {column} = zeroblob(32) WHERE seq = {at} AND {column} != zeroblob(32)")
            if (at, column) == (1, "previous"):
                return  # it is nothing but zeros
        case "removed":
            changed(path, content, f"DELETE FROM entries WHERE seq = {at}")
        case "swapped":
            other = data.draw(st.integers(1, ENTRIES + 3).filter(lambda one: one != at))
            changed(path, content, *(statement.format(at, other) for statement in SWAP))
        case "doubled":
            last = ENTRIES + 4
            copied = f"SELECT {last}, run, kind, payload, previous, hash FROM entries WHERE seq = {at}"
            changed(path, content, f"INSERT INTO entries {copied}")
        case "run":
            changed(path, content, f"UPDATE entries SET run = run || '1' WHERE seq = {at}")
        case "kind":
            changed(path, content, f"UPDATE entries SET kind = 'Mark' || kind WHERE seq = {at}")
        case "row":
            column = data.draw(st.sampled_from(columns[tables[0]]))
            other_value = f"CASE typeof({column}) WHEN 'text' THEN {column} || 'x' ELSE ifnull({column}, 0) + 1000000007 END"
            changed(path, content, f"UPDATE {tables[0]} SET {column} = {other_value} WHERE entry = {at}")
        case "row gone":
            changed(path, content, f"DELETE FROM {tables[0]} WHERE entry = {at}")
    together = found(path, singly=False)
    assert together != []
    assert together == found(path, singly=True)


@pytest.mark.parametrize("most", [1, 2, 7, 256])
def test_an_untouched_ledger_holds_in_batches_of_any_size_and_hands_none_of_them_on(
    most: int, content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(content)
    monkeypatch.setattr(of_batches, "FEWEST", most)
    monkeypatch.setattr(of_batches, "MOST", most)
    stepped: list[str] = []
    step = Walk.step
    monkeypatch.setattr(Walk, "step", lambda walk, row: (stepped.append(row[2]), step(walk, row))[1])
    with open_ledger(path, read_only=True) as ledger:
        assert ledger.verify(processes=1, anchor=ledger.head()) == []
    if most == 1:
        assert stepped == ["start", "start", "finish"]  # every record is taken without


def test_a_forged_decision_in_a_batch_does_not_fit_the_recorded_log(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    flipped = "CAST(replace(CAST(payload AS TEXT), '60000.10', '60000.11') AS BLOB)"
    changed(path, content, f"UPDATE entries SET payload = {flipped} WHERE seq = 3")
    forge(path)
    for singly in (False, True):
        assert [finding.code for finding in found(path, singly=singly)] == ["TB713"]


def test_states_that_cannot_be_unpacked_are_found_in_a_batch(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    states = 'CAST(replace(CAST(payload AS TEXT), \'"states":"\', \'"states":"AAAA\') AS BLOB)'
    changed(path, content, f"UPDATE entries SET payload = {states} WHERE kind = 'Quiet' AND run = 'r2'")
    forge(path)
    codes = [[finding.code for finding in found(path, singly=singly)] for singly in (False, True)]
    assert codes[0] == codes[1] == ["TB715"] * 7
