"""Tampering with every table is found, and the first broken entry is named.

The sample ledger: run r1 is entries 1 (start), 2 to 10 (Quiet, Decision, Order, Fill, Trade, Decision, Latch, Trade, Mark) and
11 (finish); run r2 is entries 12 to 21, without an end.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from ledger_samples import TEXTS, decision, run_of, sample_ledger
from tampering import alter, behind_its_back, forge, rows

from tb.core.diagnostics import Diagnostic, Refused
from tb.core.encode import canonical
from tb.ledger import Database, Head, Place, open_ledger, policy_hash


def check(path: Place, anchor: Head | None = None) -> list[Diagnostic]:
    with open_ledger(path, read_only=True) as ledger:
        return ledger.verify(anchor=anchor)


def content(place: Place) -> list[tuple[object, ...]]:
    return rows(place, "SELECT seq, run, kind, payload, previous, hash FROM entries ORDER BY seq")


def codes(path: Place, anchor: Head | None = None) -> list[str]:
    return [d.code for d in check(path, anchor)]


def test_an_untouched_ledger_is_sound(sample: Place, tmp_path: Place) -> None:
    assert check(sample) == []
    with open_ledger(tmp_path / "empty.db") as empty:
        assert empty.verify() == []
        assert (empty.head().seq, empty.head().hash) == (0, "0" * 64)


def test_progress_counts_up_to_all_entries(place: Place) -> None:
    calls: list[tuple[int, int]] = []
    with open_ledger(place) as ledger:
        run = ledger.start_run(run_of(ledger.put_policy(TEXTS))).id
        ledger.append(run, [decision(i) for i in range(1, 2500)])
        assert ledger.verify(lambda done, total: calls.append((done, total))) == []
    assert {total for _, total in calls} == {2500}
    done = [0] + [count for count, _ in calls]
    assert done[-1] == 2500
    assert all(250 <= after - before < 1500 for before, after in pairwise(done))


FLIP = "UPDATE entries SET payload = CAST(replace(CAST(payload AS TEXT), {}, {}) AS BLOB) WHERE seq = {}"


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (FLIP.format("'60000.10'", "'60000.11'", 3), "entry 3 (run r1, Decision): its kind, run or payload was altered"),
        ("UPDATE entries SET payload = 'text' WHERE seq = 3", "entry 3 (run r1, Decision): its content was replaced"),
        ("UPDATE entries SET payload = x'' WHERE seq = 21", "entry 21 (run r2, Mark): its kind, run or payload was altered"),
        ("UPDATE entries SET kind = 'Order' WHERE seq = 5", "entry 5 (run r1, Order): its kind, run or payload was altered"),
        ("UPDATE entries SET run = 'r2' WHERE seq = 5", "entry 5 (run r2, Fill): its kind, run or payload was altered"),
        (
            "UPDATE entries SET hash = zeroblob(32) WHERE seq = 5",
            "entry 5 (run r1, Fill): its stored hash `000000000000` was altered",
        ),
        ("UPDATE entries SET previous = zeroblob(32) WHERE seq = 5", "entry 5 (run r1, Fill): it links to `000000000000`"),
        ("UPDATE entries SET previous = 'x' WHERE seq = 1", "entry 1 (run r1, start): it links to `x`"),
        ("DELETE FROM entries WHERE seq = 1", "entry 2 (run r1, Quiet): entry 1 is missing before it"),
        ("DELETE FROM entries WHERE seq = 5", "entry 6 (run r1, Trade): entry 5 is missing before it"),
        ("DELETE FROM entries WHERE seq BETWEEN 5 AND 7", "entry 8 (run r1, Latch): entries 5 to 7 are missing before it"),
        ("UPDATE entries SET seq = 99 WHERE seq = 21", "entry 99 (run r2, Mark): entries 21 to 98 are missing before it"),
    ],
)
def test_the_first_broken_entry_is_named(sample: Place, statement: str, message: str) -> None:
    if (isinstance(sample, Database) and "'text'" in statement + message) or (
        "'x'" in statement and isinstance(sample, Database)
    ):
        pytest.skip("a server keeps no value of another type")
    alter(sample, statement, "UPDATE entries SET payload = x'00' WHERE seq = 20")  # a later break is not the first
    first = check(sample)[0]
    if "seq = 21" in statement:  # here the later one is
        message = "entry 20 (run r2, Trade): its kind, run or payload was altered"
    assert first.code == "TB710"
    assert first.message.startswith(f"the chain breaks at {message}")
    assert first.span.file == str(sample)
    assert "intact" in first.hint


def test_every_single_byte_of_a_payload_counts(sample: Place) -> None:
    def put(changed: bytes) -> None:
        with behind_its_back(sample) as run:
            run("UPDATE entries SET payload = ? WHERE seq = 4", (changed,))

    payload: bytes = rows(sample, "SELECT payload FROM entries WHERE seq = 4")[0][0]
    for at in range(0, len(payload), 7):
        put(payload[:at] + bytes([payload[at] ^ 1]) + payload[at + 1 :])
        first = check(sample)[0]
        assert (first.code, "entry 4 (run r1, Order)" in first.message) == ("TB710", True)
    put(payload)
    assert check(sample) == []


def test_swapped_entries_break_the_chain(sample: Place) -> None:
    moves = [(4, 98), (5, 4), (98, 5)]
    alter(sample, *(f"UPDATE entries SET seq = {to} WHERE seq = {was}" for was, to in moves))
    assert check(sample)[0].message.startswith("the chain breaks at entry 4 (run r1, Fill): it links to")


def test_a_tail_cut_off_is_found_by_the_noted_head(sample: Place) -> None:
    alter(
        sample,
        "DELETE FROM entries WHERE seq > 19",
        "DELETE FROM marks WHERE entry > 19",
        "DELETE FROM trades WHERE entry > 19",
    )
    found = check(sample)
    assert [(d.code, d.message) for d in found] == [("TB711", "entries 20 to 21 are missing at the end")]
    with open_ledger(sample) as ledger, pytest.raises(Refused) as refused:
        ledger.append("r2", [decision(7)])
    assert refused.value.findings[0].message == "the ledger ends at entry 19, but its head says 21: nothing is added to it"


def test_a_summary_cut_off_is_found_even_with_the_head_moved(tmp_path: Place) -> None:
    path = tmp_path / "ledger.db"
    with open_ledger(path) as ledger:
        run = ledger.start_run(run_of(ledger.put_policy(TEXTS))).id
        ledger.finish_run(run, {})
    alter(path, "DELETE FROM entries WHERE seq = 2")
    forge(path)
    assert [d.message for d in check(path)] == ["`runs` has finish `2` for entry 1 (run r1, start), the entry says `None`"]


def test_a_careful_forger_is_caught_by_an_anchor_alone(sample: Place) -> None:
    with open_ledger(sample, read_only=True) as ledger:
        anchor = ledger.head()
    assert codes(sample, anchor) == []
    alter(sample, FLIP.format("'600.001'", "'600.002'", 21))
    forge(sample)
    assert codes(sample) == []
    assert [(d.code, d.message) for d in check(sample, anchor)] == [
        ("TB711", "entry 21 is not the one that was noted, or it is gone")
    ]


def test_an_anchor_holds_while_the_ledger_grows(sample: Place) -> None:
    with open_ledger(sample) as ledger:
        anchor = ledger.head()
        ledger.append("r2", [decision(7)])
        assert ledger.verify(anchor=anchor) == []
        assert ledger.verify(anchor=Head(22, anchor.hash))[0].code == "TB711"
        assert ledger.verify(anchor=Head(23, anchor.hash))[0].code == "TB711"


def test_forged_decisions_do_not_fit_the_recorded_decision_log(sample: Place) -> None:
    alter(sample, FLIP.format("'60000.10'", "'60000.11'", 3))
    forge(sample)
    found = check(sample)
    assert [d.code for d in found] == ["TB713"]
    assert found[0].message.startswith("run r1 recorded decision log ")


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("UPDATE decisions SET verdict = 'approve' WHERE entry = 7", "has verdict `approve` for entry 7 (run r1, Decision)"),
        ("UPDATE decisions SET seq = 9 WHERE entry = 7", "has seq `9` for entry 7"),
        ("UPDATE decisions SET deciding = '' WHERE entry = 7", "has deciding `` for entry 7"),
        ("UPDATE decisions SET refused = 0 WHERE entry = 7", "has refused `0` for entry 7"),
        ("UPDATE decisions SET run = 'r2', seq = 8 WHERE entry = 7", "has run `r2` for entry 7 (run r1, Decision)"),
        ("UPDATE quiet SET last = last + 1 WHERE entry = 2", "has last `10800001` for entry 2 (run r1, Quiet)"),
        ("UPDATE orders SET id = 'o2' WHERE entry = 4", "has id `o2` for entry 4 (run r1, Order), the entry says `o1`"),
        ("UPDATE fills SET order_id = 'o2' WHERE entry = 5", "has order_id `o2` for entry 5 (run r1, Fill)"),
        ("UPDATE trades SET closed = 1 WHERE entry = 6", "has closed `1` for entry 6 (run r1, Trade)"),
        ("UPDATE latches SET lifted = 1 WHERE entry = 8", "has lifted `1` for entry 8 (run r1, Latch)"),
        ("UPDATE marks SET at = 0 WHERE entry = 10", "has at `0` for entry 10 (run r1, Mark)"),
        (
            "UPDATE runs SET finish = NULL WHERE run = 'r1'",
            "has finish `None` for entry 1 (run r1, start), the entry says `11`",
        ),
        ("UPDATE runs SET policy = 'x' WHERE run = 'r1'", "has policy `x` for entry 1"),
        ("UPDATE runs SET number = 9 WHERE run = 'r2'", "has number `9` for entry 12 (run r2, start)"),
        ("DELETE FROM runs WHERE run = 'r2'", "has no row for entry 12 (run r2, start)"),
    ],
)
def test_altered_projections_are_found(sample: Place, statement: str, message: str) -> None:
    alter(sample, statement)
    found = check(sample)
    assert [d.code for d in found] == ["TB712"]
    assert f"`{statement.split()[2 if statement.startswith('DELETE') else 1]}` {message}" in found[0].message


PROJECTED = {"decisions": 3, "quiet": 2, "orders": 4, "fills": 5, "trades": 6, "latches": 8, "marks": 10}


@pytest.mark.parametrize(("table", "entry"), PROJECTED.items())
def test_missing_and_extra_rows_are_found(sample: Place, table: str, entry: int) -> None:
    alter(sample, f"UPDATE {table} SET entry = 99 WHERE entry = {entry}")
    assert [(d.code, d.message.split(" (")[0]) for d in check(sample)] == [("TB712", f"`{table}` has no row for entry {entry}")]
    alter(sample, f"UPDATE {table} SET entry = {entry} WHERE entry = 99")
    assert check(sample) == []
    row = list(rows(sample, f"SELECT * FROM {table} WHERE entry = {entry}")[0])
    row[:2] = [11, "r7"]
    with behind_its_back(sample) as run:
        run(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)
    assert "has a row for entry 11, which is no" in check(sample)[0].message


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("UPDATE policies SET texts = CAST(replace(CAST(texts AS TEXT), '100%', '900%') AS BLOB)", "TB709"),
        ("UPDATE policies SET texts = 'x'", "TB709"),
        ("UPDATE policies SET hash = 'abc'", "TB708"),
        ("DELETE FROM policies", "TB708"),
    ],
)
def test_altered_policies_are_found_and_not_used(sample: Place, statement: str, code: str) -> None:
    if isinstance(sample, Database):
        statement = statement.replace("'x'", "x'78'")
    alter(sample, statement)
    assert code in codes(sample)
    with open_ledger(sample) as ledger:
        with pytest.raises(Refused) as refused:
            ledger.policy(policy_hash(TEXTS))
        assert refused.value.findings[0].code == code
        if code == "TB709":
            with pytest.raises(Refused):
                ledger.put_policy(TEXTS)


def add(path: Place, run: str, kind: str, payload: bytes) -> None:
    """Puts an entry at the end whose links all fit."""
    with behind_its_back(path) as say:
        last = "SELECT max(seq) + 1, ?, ?, CAST(? AS BLOB), zeroblob(32), zeroblob(32) FROM entries"
        say(f"INSERT INTO entries {last}", (run, kind, payload))
    forge(path)


@pytest.mark.parametrize(
    ("run", "kind", "payload", "message"),
    [
        ("r1", "Decision", canonical(decision(3)), "entry 22 (run r1, Decision) stands outside of its run"),
        ("r3", "Decision", canonical(decision(3)), "entry 22 (run r3, Decision) stands outside of its run"),
        ("r2", "Gift", b"{}", "entry 22 (run r2, Gift) is of no kind that this tb knows"),
        ("r2", "Order", b"{}", "entry 22 (run r2, Order) has a payload that does not read as its kind"),
        ("r2", "Mark", canonical(decision(3)), "entry 22 (run r2, Mark) has a payload that does not read as its kind"),
        ("r2", "finish", b"[]", "entry 22 (run r2, finish) has a payload that does not read as its kind"),
        ("r3", "start", b"", "entry 22 (run r3, start) has a payload that does not read as its kind"),
        ("r3", "start", canonical(run_of("x", id="r4")), "entry 22 (run r3, start) starts run `r4` where r3 comes next"),
    ],
)
def test_entries_that_do_not_belong_are_found(sample: Place, run: str, kind: str, payload: bytes, message: str) -> None:
    add(sample, run, kind, payload)
    assert [(d.code, d.message) for d in check(sample)] == [("TB715", message)]


def test_a_broken_payload_is_refused_when_read(sample: Place) -> None:
    text = "'text'" if isinstance(sample, Path) else "x'74'"
    alter(sample, "UPDATE entries SET payload = x'7b' WHERE seq = 3", f"UPDATE entries SET payload = {text} WHERE seq = 10")
    with open_ledger(sample) as ledger:
        for ask in (lambda: ledger.decision("r1", 1), lambda: ledger.marks("r1")):
            with pytest.raises(Refused) as refused:
                ask()
            assert refused.value.findings[0].code == "TB710"


def test_reading_needs_no_right_to_write(sample: Place) -> None:
    before = content(sample)
    with open_ledger(sample, read_only=True) as ledger:
        assert len(ledger.runs()) == 2
        assert ledger.run("r1").summary == {
            "decision_log_hash": ledger.decision_log_hash("r1"),
            "final_equity": str(Decimal("10002.80")),
        }
        with pytest.raises(Refused) as refused:
            ledger.append("r2", [decision(7)])
        assert refused.value.findings[0].code == "TB706"
    assert content(sample) == before


def test_two_ledgers_of_the_same_records_are_the_same_chain(sample: Place, tmp_path: Place) -> None:
    sample_ledger(tmp_path / "twin.db")
    with open_ledger(sample) as one, open_ledger(tmp_path / "twin.db") as other:
        assert one.head() == other.head()
