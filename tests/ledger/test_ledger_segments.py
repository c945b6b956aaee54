"""Runs in columns: the same answers and the same decision log as in rows, the same bytes however they were handed over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_records import anything
from ledger_samples import HOUR, TEXTS, closed, decision, fill, latch, mark, one_of_each, order, quiet, refusal, run_of, trade
from tampering import rows

from tb.core.diagnostics import Refused
from tb.core.records import Decision, Quiet, Record, Trade
from tb.ledger import BLOCK, GROUP, DecisionLog, Group, Grouping, Place, open_ledger
from tb.ledger.store import Ledger


def started(ledger: Ledger) -> str:
    return ledger.start_run(run_of(ledger.put_policy(TEXTS))).id


def in_columns(ledger: Ledger, records: Sequence[Record], size: int = 1000) -> tuple[str, DecisionLog]:
    """A run of these records, handed over in parts of a size."""
    run, log = started(ledger), DecisionLog()
    grouping = Grouping(lambda group: ledger.append_group(run, group, log=log))
    for at in range(0, len(records), size):
        grouping.take(records[at : at + size])
    grouping.close()
    return run, log


def in_rows(ledger: Ledger, records: Sequence[Record]) -> tuple[str, DecisionLog]:
    run, log = started(ledger), DecisionLog()
    ledger.append(run, records, log=log)
    return run, log


def numbered(records: Sequence[Any]) -> list[Record]:
    """Decisions and orders under numbers of their own, as a session gives them."""
    made: list[Record] = []
    for seen, record in enumerate(records, 1):
        if isinstance(record, Decision):
            record = msgspec.structs.replace(record, seq=seen)
        elif record.__class__.__name__ == "Order":
            record = msgspec.structs.replace(record, id=f"o{seen}", decision=max(1, seen - 1))
        elif isinstance(record, Trade):
            record = msgspec.structs.replace(record, seq=seen % 4 + 1)
        made.append(record)
    return made


def kept(records: Sequence[Any]) -> list[Record]:
    """What a group keeps: of each trade the last record."""
    last = {record.seq: at for at, record in enumerate(records) if isinstance(record, Trade)}
    return [record for at, record in enumerate(records) if not isinstance(record, Trade) or last[record.seq] == at]


def answers(ledger: Ledger, run: str) -> dict[str, object]:
    """Everything that can be asked of a run."""
    decisions = list(ledger.decisions(run))
    orders, trades, fills = ledger.orders(run), ledger.trades(run), ledger.fills(run)
    some = decisions[len(decisions) // 2 : len(decisions) // 2 + 1]
    found: dict[str, object] = {
        "decisions": decisions,
        "one by one": [ledger.decision(run, one.seq) for one in decisions],
        "refused": list(ledger.decisions(run, refused_only=True)),
        "limited": list(ledger.decisions(run, limit=3)),
        "orders": orders,
        "each order": [ledger.order(run, one.id) for one in orders],
        "orders of decisions": [ledger.orders(run, decision=one.seq) for one in decisions],
        "fills": fills,
        "fills of orders": [ledger.fills(run, order=one.order) for one in fills],
        "trades": trades,
        "each trade": [ledger.trade(run, one.seq) for one in trades],
        "cancels": ledger.cancels(run),
        "marks": ledger.marks(run),
        "last marks": [ledger.marks(run, last=count) for count in (0, 1, 2, 99)],
        "open trades": ledger.trades(run, is_open=True),
        "of some kinds": list(ledger.records(run, kinds={Decision, Quiet})),
        "latches": ledger.latches(run),
        "curves": ledger.curves(run),
        "quiet": ledger.quiet(run, "ETH-USD") + ledger.quiet(run, "BTC-USD"),
        "log": ledger.decision_log_hash(run),
    }
    for one in some:
        found["of an instrument"] = list(ledger.decisions(run, instrument=one.instrument))
        found["of a strategy"] = list(ledger.decisions(run, strategy=one.strategy, verdict=one.verdict))
        found["since"] = list(ledger.decisions(run, since=one.at))
        found["until"] = list(ledger.decisions(run, until=one.at))
    for kind in (orders, trades, fills):
        for one in kind[:1]:
            found[type(one).__name__] = (
                ledger.orders(run, instrument=one.instrument),
                ledger.trades(run, instrument=one.instrument),
                ledger.fills(run, instrument=one.instrument),
            )
    return found


@settings(max_examples=8, deadline=None)
@given(st.lists(anything, min_size=1, max_size=40))
def test_rows_and_columns_give_the_same_answers(new_place: Callable[[], Place], records: list[Any]) -> None:
    made = numbered(records)
    with open_ledger(new_place()) as ledger:
        rows, row_log = in_rows(ledger, made)
        columns, column_log = in_columns(ledger, made)
        assert answers(ledger, rows) == answers(ledger, columns)
        assert list(ledger.records(rows)) == made
        assert list(ledger.records(columns)) == kept(made)
        assert row_log.hexdigest() == column_log.hexdigest() == ledger.decision_log_hash(columns)
        assert ledger.verify() == []


def a_long_run() -> list[Record]:
    """More than two blocks of decisions of three shapes, with stretches in which much else happens."""
    made: list[Record] = []
    for seq in range(1, 2 * BLOCK + 90):
        made.append(decision(seq) if seq % 3 else refusal(seq, strategy="reversal", facts=("1", "2")))
        made += [order(f"o{seq}", decision=seq), fill(f"o{seq}", at=seq * HOUR)]
        made += [trade(seq, decision=seq)] * (seq % 2)
        if seq % 100 == 0:
            made += [latch(seq), quiet(seq, seq + 3)]
        if seq == 300:
            made += [mark(at) for at in range(3 * GROUP // 2)]
    return made


def test_a_long_run_gives_the_same_answers(place: Place) -> None:
    made = a_long_run()
    with open_ledger(place) as ledger:
        rows, row_log = in_rows(ledger, made)
        columns, column_log = in_columns(ledger, made)
        assert list(ledger.records(columns)) == list(ledger.records(rows)) == made
        assert row_log.hexdigest() == column_log.hexdigest()
        assert ledger.decision_log_hash(rows) == ledger.decision_log_hash(columns) == row_log.hexdigest()
        middle = decision(BLOCK)
        for wanted in (
            {},
            {"strategy": "reversal"},
            {"verdict": "reject", "limit": 70},
            {"since": middle.at},
            {"since": middle.at, "until": middle.at + 5 * HOUR},
            {"refused_only": True},
            {"instrument": "none"},
        ):
            found = [list(ledger.decisions(run, **wanted)) for run in (rows, columns)]  # type: ignore[arg-type]
            assert found[0] == found[1]
        for seq in (1, BLOCK, BLOCK + 1, 2 * BLOCK + 89):
            assert ledger.decision(columns, seq) == ledger.decision(rows, seq)
            assert ledger.orders(columns, decision=seq) == ledger.orders(rows, decision=seq) == [order(f"o{seq}", decision=seq)]
        assert ledger.trades(columns) == ledger.trades(rows)
        assert ledger.verify() == []


def payloads(place: Place) -> list[tuple[Any, ...]]:
    return rows(place, "SELECT kind, payload FROM entries ORDER BY seq")


@pytest.mark.parametrize("size", [1, 7, 1999, 5000])
def test_the_bytes_do_not_depend_on_how_records_are_handed_over(tmp_path: Path, size: int) -> None:
    made, found = a_long_run(), []
    for name, parts in (("one", len(made)), ("other", size)):
        with open_ledger(tmp_path / name) as ledger:
            in_columns(ledger, made, parts)
        found.append(payloads(tmp_path / name))
    assert found[0] == found[1]


def test_a_group_ends_with_its_block_or_when_it_is_full() -> None:
    groups: list[Group] = []
    grouping = Grouping(groups.append)
    grouping.take([mark(at) for at in range(GROUP - 1)])
    assert groups == []
    grouping.take([decision(1), decision(2)])
    grouping.take([decision(seq) for seq in range(3, 2 * BLOCK + 2)])
    grouping.close()
    grouping.close()
    assert [(group.first, len(group.records)) for group in groups] == [
        (1, GROUP),
        (GROUP + 1, BLOCK - 1),
        (GROUP + BLOCK, BLOCK),
        (GROUP + 2 * BLOCK, 1),
    ]


def test_a_group_is_written_whole_or_not_at_all(place: Place) -> None:
    with open_ledger(place) as ledger:
        run, log = started(ledger), DecisionLog()
        nothing = log.hexdigest()
        for group, message in (
            (Group(2, [decision(1)]), "record 1 comes next, not 2"),
            (Group(1, [decision(1), mark(1), decision(1)]), "decision 1 after 1"),
            (Group(1, [decision(1), trade(1, best=float("nan"))]), "must be finite"),
        ):
            with pytest.raises(ValueError, match=message):
                ledger.append_group(run, group, log=log)
        with pytest.raises(TypeError, match="not a record"):
            ledger.append_group(run, Group(1, [decision(1), run_of("")]), log=log)  # type: ignore[list-item]
        with pytest.raises(UnicodeEncodeError):
            ledger.append_group(run, Group(1, [decision(1), decision(2, reason="\ud800")]), log=log)
        assert (list(ledger.records(run)), log.hexdigest(), ledger.head().seq) == ([], nothing, 1)
        ledger.append_group(run, Group(1, [decision(1)]), log=log)
        with pytest.raises(ValueError, match="record 2 comes next"):
            ledger.append_group(run, Group(1, [decision(2)]))
        with pytest.raises(ValueError, match="decision 1 after 1"):
            ledger.append_group(run, Group(2, [decision(1)]))
        with pytest.raises(ValueError, match="in columns"):
            ledger.append(run, [decision(2)])
        rows = started(ledger)
        ledger.append(rows, [decision(1)])
        with pytest.raises(ValueError, match="in rows"):
            ledger.append_group(rows, Group(1, [decision(2)]))
        ledger.finish_run(run, {})
        with pytest.raises(ValueError, match="finished"):
            ledger.append_group(run, Group(2, [decision(2)]))
        with pytest.raises(Refused):
            ledger.append_group("r9", Group(1, [decision(1)]))
        assert ledger.verify() == []


def test_a_trade_that_closes_in_its_group_is_written_once(place: Place) -> None:
    with open_ledger(place) as ledger:
        run, _ = in_columns(ledger, [trade(1), fill("a"), trade(2), closed(1), fill("b")])
        assert list(ledger.records(run)) == [fill("a"), trade(2), closed(1), fill("b")]
        ledger.append_group(run, Group(5, [closed(2)]))
        assert ledger.trades(run) == [closed(1), closed(2)]
        assert ledger.trade(run, 2) == closed(2)
        assert ledger.verify() == []


def test_an_iteration_over_columns_does_not_hold_up_a_writer(place: Place) -> None:
    with open_ledger(place) as ledger:
        run = started(ledger)
        ledger.append_group(run, Group(1, [decision(i) for i in range(1, 600)]))
        reading = ledger.decisions(run)
        assert next(reading).seq == 1
        ledger.append_group(run, Group(600, [decision(600)]))
        assert [d.seq for d in reading][-1] == 599
        assert len(list(ledger.decisions(run))) == 600


def test_many_names_are_not_listed_but_found(place: Place) -> None:
    made: list[Record] = [decision(seq, instrument=f"{seq}-USD") for seq in range(1, 60)]
    with open_ledger(place) as ledger:
        run, _ = in_columns(ledger, [*made, *one_of_each()[3:5]])
        assert list(ledger.decisions(run, instrument="40-USD")) == [made[39]]
        assert list(ledger.decisions(run, instrument="400-USD")) == []


def test_a_digest_that_was_worked_out_before_is_the_same() -> None:
    records = [*(decision(seq) for seq in range(1, 40)), quiet(HOUR, 40 * HOUR)]
    for follows in (False, True):
        log, plain = DecisionLog(), DecisionLog()
        group = Group(1, records)
        log.expect_last(group)
        assert log.hexdigest() == plain.hexdigest()  # it was not taken
        log.take(group)
        for record in records:
            plain.add(record)
        if follows:
            more = Group(41, [decision(40)])
            log.expect_last(more)
            log.take(more)
            plain.add(decision(40))
        assert log.hexdigest() == plain.hexdigest()
