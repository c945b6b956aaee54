"""Refused entries followed through their bars: by hand, and against what the simulated venue made of entries that went."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from small_projects import NAN, START, Replayed, bars, compiled, flat, market, run, strategy
from small_runs import Drawn, Written, markets, projects

from tb.core.records import Decision
from tb.core.time import HOUR
from tb.replay import metrics_refused
from tb.replay.figures import Group
from tb.replay.run import markets_of
from tb.replay.what_if import Followed, WhatIf, follow

NOBODY = "limit gross  after.gross <= 0% of equity\n"  # refuses every entry


def refused(rules: str, rows: list[Any], **more: Any) -> WhatIf:
    played = run(compiled(rules, NOBODY, **more), market(bars("BTC-USD", rows)))
    assert played.decisions
    assert not any(decision.approved for decision in played.decisions)
    return followed(played, played.decisions)


def followed(played: Replayed, decisions: list[Decision]) -> WhatIf:
    plan, chosen = played.compiled.plan, played.compiled.settings
    return follow(decisions, plan, chosen, markets_of(plan, played.market, chosen))


def first(found: WhatIf) -> Followed:
    return found.followed[0]


UP = strategy("close > close[1]", target="10% above entry")
BEFORE = [flat(100), flat(110)]  # decided at the close of the second, filled at the open of the third


def test_a_target_that_is_reached() -> None:
    one = first(refused(UP, [*BEFORE, flat(100), (100, 112, 99, 105)]))
    assert (one.cause, one.entry_at, one.exit_at) == ("target", START + 2 * HOUR, START + 4 * HOUR)
    assert one.decision.proposed == Decimal("9.09")  # 10 % of 10,000 USD at 110, on a lot of 0.001 below
    assert one.profit == Decimal("90.9")
    assert one.r == 1


def test_a_bar_that_touches_both_takes_the_stop() -> None:
    one = first(refused(UP, [*BEFORE, flat(100), (100, 112, 89, 105)]))
    assert (one.cause, one.profit, one.r) == ("stop", Decimal("-90.9"), Decimal(-1))


def test_a_bar_that_opens_beyond_the_stop_fills_at_its_open() -> None:
    one = first(refused(UP, [*BEFORE, flat(100), (80, 85, 79, 84)]))
    assert (one.cause, one.exit_at, one.profit) == ("stop", START + 3 * HOUR, Decimal("-181.8"))


def test_slippage_and_fees_are_paid_as_at_the_venue() -> None:
    venue = "{fee: 1%, slippage: 1%, spread: 0%, depth: 1B USD}"
    one = first(refused(UP, [*BEFORE, flat(100), (101, 120, 100, 115)], venue=venue))
    entry, out = Decimal(101), Decimal("111.1")  # a target pays no slippage
    quantity = one.decision.proposed
    assert one.profit == quantity * (out - entry) - quantity * (entry + out) * Decimal("0.01")


def test_what_is_still_open_is_valued_at_the_last_close_that_is_known() -> None:
    one = first(refused(UP, [*BEFORE, flat(100), flat(104), (103, 103, 103, NAN)]))
    assert (one.cause, one.profit) == ("end of data", Decimal("36.36"))


def test_an_exit_of_the_strategy_and_a_time_limit_end_it() -> None:
    exits = strategy("close > close[1]", more=["exit when close < close[1]"])
    one = first(refused(exits, [*BEFORE, flat(111), flat(105), flat(104)]))
    assert (one.cause, one.exit_at, one.profit) == ("exit when", START + 4 * HOUR, Decimal("-63.63"))
    holds = strategy("close > close[1]", more=["hold at most 2h"])
    one = first(refused(holds, [*BEFORE, flat(100), flat(100), flat(103), flat(100)]))
    assert (one.cause, one.exit_at, one.profit) == ("hold", START + 4 * HOUR, Decimal("27.27"))


def test_shorts_turn_it_round() -> None:
    one = first(
        refused(strategy("close > close[1]", direction="short", stop="10% above entry"), [*BEFORE, flat(100), flat(95)])
    )
    assert (one.cause, one.profit) == ("end of data", Decimal("45.45"))


@pytest.mark.parametrize(
    ("rules", "rows", "reason"),
    [
        (strategy("close > close[1]", more=["  order limit at low, valid 3h"]), [*BEFORE, flat(100)], "orders that rest"),
        (strategy("close > close[1]", more=["  take 50% at 1R"]), [*BEFORE, flat(100)], "stops that move, exits in parts"),
        (UP, [*BEFORE, None, flat(100)], "no open in time"),
        (UP, BEFORE, "no open in time"),
    ],
)
def test_what_cannot_be_followed_is_counted_by_its_reason(rules: str, rows: list[Any], reason: str) -> None:
    found = refused(rules, rows)
    assert found.followed == []
    assert found.left_out == Counter({reason: 1})


# against what went


def went(played: Replayed) -> list[tuple[Followed, Any]]:
    """The entries that went, followed at the size they went with, each with the trade that came of it."""
    approved = [
        msgspec.structs.replace(decision, proposed=decision.approved)
        for decision in played.decisions
        if decision.kind == "enter" and decision.approved
    ]
    trades = {trade.decision: trade for trade in played.trades}
    return [(one, trades.get(one.decision.seq)) for one in followed(played, approved).followed]


@settings(max_examples=40, deadline=None)
@given(projects(), markets())
def test_entries_that_went_come_to_what_became_of_them(project: Written, drawn: Drawn) -> None:
    played = run(project.compiled, drawn.market)
    for one, trade in went(played):
        if trade is None:
            continue  # a pause or halt took the order back before it filled
        assert one.entry_at == trade.entry_at
        if trade.exit_at is None:
            assert one.cause == "end of data"
        else:
            assert (one.cause, one.exit_at, one.profit, one.r) == (trade.cause, trade.exit_at, trade.profit, trade.r)


# figures


def values(group: Group) -> dict[str, float | None]:
    return {metric.name: metric.value for metric in group.metrics}


def test_figures_of_refused_entries() -> None:
    one = first(refused(UP, [*BEFORE, flat(100), (100, 112, 99, 105)]))
    other = Followed(one.decision, one.entry_at, one.exit_at, Decimal("-30.9"), None, "end of data")
    found = WhatIf([one, other], Counter({"orders that rest": 2}))
    group = metrics_refused.refused(found)
    assert values(group) == {
        "refused_followed": 2,
        "refused_left_out": 2,
        "refused_profit": pytest.approx(60.0),
        "refused_win_rate": 0.5,
        "refused_expectancy": pytest.approx(30.0),
        "refused_expectancy_r": 1.0,
    }
    notes = {metric.name: metric.note for metric in group.metrics}
    assert notes["refused_left_out"] == "orders that rest 2"
    assert notes["refused_profit"] == "1 of 2 still open at the end, valued at the last close"
    assert metrics_refused.by_rule(found) == {"gross": pytest.approx(60.0)}


def test_nothing_refused_and_nothing_to_follow_it_by_are_told() -> None:
    nothing = metrics_refused.refused(WhatIf())
    assert values(nothing)["refused_followed"] == 0
    assert {metric.note for metric in nothing.metrics if metric.value is None} == {"no entry was refused"}
    absent = metrics_refused.refused(WhatIf(absent="the bars are gone"))
    assert {metric.note for metric in absent.metrics} == {"the bars are gone"}
    assert set(values(absent).values()) == {None}
