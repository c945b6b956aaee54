"""Pauses and halts: what sets them, what ends them, and that records alone bring them back."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_projects import START, Replayed, bars, compiled, flat, market, run, strategy

from tb.core.records import Latch
from tb.core.time import HOUR, parse_instant
from tb.runtime.latches import Latches

D = Decimal

RULES = strategy(size="50% of equity", stop="2% below entry")
LOSS = [flat(100, 1), flat(100), flat(90)]  # enters at hour 1, is stopped by the close of hour 3


def hours(done: Replayed) -> list[tuple[str, bool, int]]:
    return [(latch.rule, latch.lifted, (latch.at - START) // HOUR) for latch in done.latches]


def verdicts(done: Replayed) -> list[tuple[int, str, tuple[str, ...]]]:
    return [((d.at - START) // HOUR, d.verdict, d.deciding) for d in done.decisions if d.kind == "enter"]


def after_a_loss(policy: str, later: int = 40, **settings: str) -> Replayed:
    """Proposes at every later bar."""
    return run(compiled(RULES, policy, **settings), market(bars("BTC-USD", [*LOSS, *[flat(90, 1)] * later])))


def test_a_halt_until_tomorrow_ends_with_the_day_and_the_day_begins_where_the_account_is() -> None:
    policy = "limit daily loss(today) <= 1% of equity at day_start otherwise halt until tomorrow\n"
    done = after_a_loss(policy)
    assert hours(done)[:2] == [("daily", False, 3), ("daily", True, 24)]
    assert done.latches[1].by == "time"
    assert {v for h, v, _ in verdicts(done) if 4 <= h < 24} == {"halt"}
    assert next(v for h, v, _ in verdicts(done) if h == 24) == "approve"
    # midnight in New York is 05:00 UTC
    done = after_a_loss(policy, timezone="America/New_York")
    assert hours(done)[:2] == [("daily", False, 3), ("daily", True, 5)]
    assert done.latches[0].until == parse_instant("2024-01-01T05:00")


def test_a_plain_halt_lasts() -> None:
    done = after_a_loss("limit deep drawdown <= 1% otherwise halt\n")
    assert hours(done) == [("deep", False, 3)]
    assert verdicts(done)[-1] == (42 + 1, "halt", ("not_halted", "deep"))
    assert done.outcome.halted_by == "deep since 2024-01-01T03:00Z"


def test_a_simulated_operator_lifts_it_and_the_drawdown_is_measured_anew() -> None:
    done = after_a_loss("limit deep drawdown <= 1% otherwise halt\n", lifted_after="10h")
    assert hours(done)[:2] == [("deep", False, 3), ("deep", True, 13)]
    assert done.latches[1].by == "simulated operator"
    assert next(v for h, v, _ in verdicts(done) if h == 13) == "approve"
    assert done.outcome.halted_by is None or done.latches[2].at > done.latches[1].at


def test_a_pause_ends_after_its_time_from_the_last_bar_at_which_its_reason_held() -> None:
    done = after_a_loss("pause bad for 5h when loss(2h) > 10 USD\n")
    # lost by hour 3; from hour 5 on the window begins after the loss
    last = max(latch.at for latch in done.latches if not latch.lifted and latch.at < START + 20 * HOUR)
    assert (last - START) // HOUR == 4
    assert (True, 9) in [(lifted, hour) for _, lifted, hour in hours(done)]
    assert {v for h, v, _ in verdicts(done) if 3 <= h < 9} == {"pause"}
    assert next(v for h, v, _ in verdicts(done) if h == 9) == "approve"


def test_losses_in_a_row_pause_for_a_time_after_the_last_of_them() -> None:
    rules = strategy(size="1% of equity", stop="2% below entry")
    fall = [flat(100, 1), flat(100), flat(90, 1), flat(90), flat(80, 1), *[flat(80, 1)] * 8]
    done = run(compiled(rules, "pause streak for 3h after 2 losses in a row\n"), market(bars("BTC-USD", fall)))
    lost = [trade.exit_at for trade in done.trades if trade.profit is not None and trade.profit < 0]
    assert [(at - START) // HOUR for at in lost if at is not None] == [2, 4]
    # a stop at the open of hour 4; the third hour after it is free again
    assert [(h, v) for h, v, _ in verdicts(done)] == [
        (1, "approve"),
        (3, "approve"),
        (5, "pause"),
        (6, "pause"),
        (7, "approve"),
    ]
    assert done.latches == []


def test_an_order_that_breaks_a_halting_limit_latches_too() -> None:
    policy = "limit biggest order.notional <= 100 USD otherwise halt until tomorrow\n"
    done = run(compiled(RULES, policy), market(bars("BTC-USD", [flat(100, 1), flat(100, 1), flat(100)])))
    assert hours(done) == [("biggest", False, 1)]
    assert done.latches[0].reason == "judging s BTC-USD"
    assert verdicts(done) == [(1, "halt", ("biggest",)), (2, "halt", ("not_halted", "biggest"))]


def test_open_positions_keep_their_stops_during_a_halt_and_exits_are_allowed() -> None:
    rules = strategy(
        size="20% of equity", stop="30% below entry", members="BTC-USD, ETH-USD", more=["exit when close > 2 * open"]
    )
    policy = "limit deep drawdown <= 1% otherwise halt\n"
    data = market(
        bars("BTC-USD", [flat(100, 1), flat(100), flat(90), flat(90), (90, 90, 60, 65), flat(65)]),
        bars("ETH-USD", [flat(10, 1), flat(10), flat(10), flat(10), (10, 22, 10, 22), flat(23)]),
    )
    done = run(compiled(rules, policy), data)
    assert hours(done) == [("deep", False, 3)]
    assert [(f.instrument, f.cause, f.price) for f in done.fills[2:]] == [
        ("BTC-USD", "stop", D("70")),
        ("ETH-USD", "exit when", D("23")),
    ]
    assert [(d.kind, d.verdict) for d in done.decisions] == [("enter", "approve"), ("enter", "approve"), ("exit", "approve")]


def constraint(name: str, verdict: str, lasts: int | None, until_tomorrow: bool) -> SimpleNamespace:
    return SimpleNamespace(name=name, verdict=verdict, lasts=lasts, until_tomorrow=until_tomorrow)


RULE_KINDS = {
    "halt": constraint("halt", "halt", None, False),
    "day": constraint("day", "halt", None, True),
    "pause": constraint("pause", "pause", 5, False),
    "short": constraint("short", "pause", 1, False),
}


@given(st.lists(st.tuples(st.sampled_from([*RULE_KINDS, "expire", "lift"]), st.integers(0, 4)), max_size=30))
def test_the_records_alone_bring_the_same_state_back(events: list[tuple[str, int]]) -> None:
    latches, records, at = Latches(), [], 0
    for what, later in events:
        at += later
        if what == "expire":
            records += latches.expire(at)
        elif what == "lift":
            records += [latches.lift(rule, at, "ann", "looked at it") for rule in list(latches.active)[:1]]
        else:
            latch = latches.set(RULE_KINDS[what], at, (at // 10 + 1) * 10, "because")  # type: ignore[arg-type]
            records += [] if latch is None else [latch]
        again = Latches.restore(records)
        assert again.active == latches.active
        for verdict in ("halt", "pause"):
            assert again.words(verdict) == latches.words(verdict)
    assert all(latch.until is None or latch.until > at for latch in after(latches, at))


def after(latches: Latches, at: int) -> list[Latch]:
    latches.expire(at)
    return list(latches.active.values())


def test_a_longer_pause_replaces_a_shorter_and_an_equal_one_is_not_written_again() -> None:
    latches = Latches()
    rule = RULE_KINDS["pause"]
    assert latches.set(rule, 10, 99, "x") is not None  # type: ignore[arg-type]
    assert latches.set(rule, 10, 99, "x") is None  # type: ignore[arg-type]
    later = latches.set(rule, 12, 99, "x")  # type: ignore[arg-type]
    assert later is not None
    assert latches.active["pause"].until == 17
    assert latches.expire(16) == []
    assert [latch.at for latch in latches.expire(30)] == [17]


def test_only_what_is_there_is_lifted() -> None:
    with pytest.raises(KeyError):
        Latches().lift("daily", 1, "ann", "x")
