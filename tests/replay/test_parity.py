"""Two decision logs side by side, against answers worked out by hand."""

from __future__ import annotations

import zlib
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_projects import PLAIN_POLICY, START, Replayed, bars, compiled, market, run, strategy

from tb.core.records import Decision, Latch, Quiet
from tb.core.time import HOUR
from tb.replay.parity import Likeness, Names, Tally, align
from tb.replay.parity.align import ORDER
from tb.runtime.entry_states import BUSY, FALSE, TRUE, UNKNOWN

PLAIN = Likeness(None, rows=True)


def decision(hour: int, instrument: str = "AAA-USD", **changes: Any) -> Decision:
    values: dict[str, Any] = {
        "seq": hour + 1,
        "at": START + hour * HOUR,
        "kind": "enter",
        "strategy": "s",
        "enter": 0,
        "instrument": instrument,
        "side": "buy",
        "row": hour,
        "verdict": "approve",
        "deciding": (),
        "proposed": Decimal(2),
        "approved": Decimal(2),
        "price": Decimal(100),
        "stop": None,
        "target": None,
        "confidence": None,
        "reason": "",
        "failed": 0,
        "unknown": 0,
        "facts": ("1",),
        "market": (1.0,),
        "ages": (0,),
        "rows": (hour,),
    }
    return Decision(**(values | changes))


def refused(hour: int, **changes: Any) -> Decision:
    return decision(hour, **({"verdict": "reject", "approved": Decimal(0), "deciding": ("gross",), "failed": 1} | changes))


def latch(hour: int, rule: str = "drawdown", **changes: Any) -> Latch:
    values: dict[str, Any] = {"verdict": "halt", "until": None, "lifted": False, "by": "", "reason": "10%"}
    return Latch(at=START + hour * HOUR, rule=rule, **(values | changes))


def quiet(*states: int, instrument: str = "AAA-USD", rows: int | None = None) -> Quiet:
    count = len(states) if rows is None else rows
    return Quiet(
        strategy="s",
        instrument=instrument,
        first=START,
        last=START + (count - 1) * HOUR,
        rows=count,
        states=zlib.compress(bytes(states)),
    )


def aligned(a: list[Decision], b: list[Decision], **more: Any) -> Tally:
    latches = more.get("latches", ([], []))
    stretches = more.get("quiet", ([], []))
    return align((a, b), latches, stretches, more.get("likeness", PLAIN))


def counts(tally: Tally) -> tuple[int, ...]:
    found = tally.decisions
    return found.same, found.value, found.verdict, found.only_a, found.only_b


def test_each_way_to_differ_is_counted_once() -> None:
    a = [decision(0), decision(1), decision(2), decision(3), decision(5)]
    b = [decision(0), decision(1, market=(2.0,)), refused(2), decision(4), decision(5, seq=99)]
    tally = aligned(a, b)
    assert counts(tally) == (2, 1, 1, 1, 1)  # the number of a decision is its place, and no difference
    assert tally.score == pytest.approx(2 / 6)
    assert tally.verdict_score == pytest.approx(3 / 6)
    assert tally.first is not None
    assert (tally.first.how, tally.first.at, tally.first.names) == ("value", START + HOUR, ("market",))


def test_a_size_cut_to_nothing_is_another_verdict() -> None:
    assert counts(aligned([decision(0, verdict="shrink")], [decision(0, verdict="shrink", approved=Decimal(0))])) == (
        0,
        0,
        1,
        0,
        0,
    )
    assert counts(aligned([decision(0, verdict="shrink")], [decision(0, verdict="shrink", approved=Decimal(1))])) == (
        0,
        1,
        0,
        0,
        0,
    )


def test_the_order_at_an_instant_counts() -> None:
    one, other = decision(0, "AAA-USD", seq=1), decision(0, "BBB-USD", seq=2)
    turned = aligned([one, other], [other, one])
    assert counts(turned) == (0, 2, 0, 0, 0)
    assert turned.first is not None
    assert turned.first.names == (ORDER,)
    # what one run has alone moves no partner out of its place
    assert counts(aligned([one, other], [other])) == (1, 0, 0, 1, 0)


def test_two_entries_of_one_strategy_at_once_face_their_like() -> None:
    bid, ask = decision(0), decision(0, enter=1, side="sell")
    assert counts(aligned([bid, ask], [ask])) == (1, 0, 0, 1, 0)
    assert counts(aligned([bid], [ask])) == (0, 1, 0, 0, 0)  # nothing alike is left, so what is there faces it


def test_exits_and_entries_do_not_face_each_other() -> None:
    assert counts(aligned([decision(0)], [decision(0, kind="exit")])) == (0, 0, 0, 1, 1)


def test_rows_count_where_both_read_the_same_files() -> None:
    a, b = [decision(0)], [decision(0, row=7, rows=(7,))]
    assert counts(aligned(a, b)) == (0, 1, 0, 0, 0)
    assert counts(aligned(a, b, likeness=Likeness(None, rows=False))) == (1, 0, 0, 0, 0)


def test_pauses_and_halts_are_part_of_the_score() -> None:
    tally = aligned([decision(5)], [decision(5)], latches=([latch(1), latch(2)], [latch(1), latch(2, reason="11%")]))
    assert (tally.latches.same, tally.latches.value) == (1, 1)
    assert tally.score == pytest.approx(2 / 3)
    assert tally.first is not None
    assert (tally.first.at, tally.first.names) == (START + 2 * HOUR, ("reason",))
    late = aligned([decision(5)], [decision(5)], latches=([latch(3), latch(1)], [latch(1)]))  # recorded at one step
    assert (late.latches.same, late.latches.only_a, late.latches.only_b) == (1, 1, 0)
    gone = aligned([decision(0)], [decision(0)], latches=([latch(1)], []))
    assert (gone.latches.only_a, gone.same) == (1, False)


def test_bars_without_a_proposal_are_part_of_the_score_where_they_differ() -> None:
    a, b = quiet(FALSE, FALSE, TRUE, BUSY), quiet(FALSE, UNKNOWN, BUSY, BUSY)
    tally = aligned([decision(9)], [decision(9)], quiet=([a], [b]))
    assert (tally.quiet_bars, tally.quiet_differing, tally.quiet_apart) == (4, 1, 0)  # where one proposed, it has a decision
    assert tally.score == pytest.approx(1 / 2)
    assert tally.first is None
    assert aligned([], [], quiet=([a], [a])).score == 1.0


def test_stretches_of_another_length_face_nothing() -> None:
    tally = aligned([decision(9)], [decision(9)], quiet=([quiet(FALSE)], [quiet(FALSE, FALSE)]))
    assert (tally.quiet_apart, tally.same) == (1, False)
    assert aligned([], [], quiet=([quiet(FALSE)], [])).quiet_apart == 1
    assert aligned([], [], quiet=([quiet(FALSE)], [quiet(FALSE, FALSE, rows=1)])).quiet_apart == 1  # of two entries


hours = st.lists(st.tuples(st.integers(0, 6), st.sampled_from(("AAA-USD", "BBB-USD")), st.booleans()), max_size=12)


def log_of(drawn: list[tuple[int, str, bool]]) -> list[Decision]:
    ordered = sorted(drawn)
    return [(decision if good else refused)(hour, instrument=name, seq=at) for at, (hour, name, good) in enumerate(ordered, 1)]


@given(hours, hours)
def test_every_decision_is_counted_once_whatever_the_logs(first: list[Any], second: list[Any]) -> None:
    a, b = log_of(first), log_of(second)
    tally, turned = aligned(a, b), aligned(b, a)
    found = tally.decisions
    both = found.same + found.value + found.verdict
    assert (both + found.only_a, both + found.only_b) == (len(a), len(b))
    assert tally.score == turned.score
    assert (tally.first is None) == tally.same
    plain = [[msgspec.structs.replace(d, seq=0) for d in log] for log in (a, b)]
    assert tally.same == (plain[0] == plain[1])


# runs under different policies

ROWS = [(100, 104, 98, 100 + at % 3, 5) for at in range(12)]
SPREAD = "forbid wide  when spread > 5%\n"


def played(policy: str) -> Replayed:
    return run(compiled(strategy("close > close[1]"), policy), market(bars("BTC-USD", ROWS)))


def parity_of(a: Replayed, b: Replayed) -> Tally:
    names = Names(a.compiled.plan), Names(b.compiled.plan)
    return aligned(
        a.decisions, b.decisions, latches=(a.latches, b.latches), quiet=(a.quiet, b.quiet), likeness=Likeness(names, rows=True)
    )


def test_a_policy_that_reads_more_and_refuses_nothing_more_decides_the_same() -> None:
    a, b = played(PLAIN_POLICY), played(SPREAD + PLAIN_POLICY)
    assert a.decisions
    assert a.outcome.decision_log_hash != b.outcome.decision_log_hash  # the records hold other facts in another order
    tally = parity_of(a, b)
    assert (tally.same, tally.decisions.same) == (True, len(a.decisions))


def test_a_policy_that_refuses_differs_in_the_verdict() -> None:
    a, b = played(PLAIN_POLICY), played("limit gross  after.gross <= 1% of equity\n")
    tally = parity_of(a, b)
    assert tally.first is not None
    assert (tally.first.how, tally.first.at) == ("verdict", a.decisions[0].at)
    assert {"verdict", "deciding", "approved", "failed"} <= set(tally.first.names)
