"""Courses under limits that read the account's past, and under those that are watched while a trade is held."""

from __future__ import annotations

import math
import operator
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as st
from small_projects import bars, compiled, market, run, strategy
from stepping import stepped
from test_course import GRIDS, LEVELS, PLAIN, TOLD, VENUES, Written, counted, same, walk, written

from tb.core.records import Decision, Latch
from tb.ledger import grouping
from tb.replay.course import passing
from tb.replay.course.judging import Number, compared
from tb.replay.course.passage import Passage

# some bind now and then, some never; each takes numbers that are drawn
RARE = ("close crosses above mean(close, 5)", "close crosses below mean(close, 3)", "rsi(close, 5) crosses below 40")
ORDERS = ("entries", "orders", "messages", "proposals")
WINDOWS = ("today", "1h", "4h", "30h")
COUNTS = ("< 2", "<= 2", "< 4", "<= 9", "< 40")
SHARES = ("0.2%", "0.5%", "1%", "2.5%", "60%", "70%")
ACTS = ("", "", " otherwise pause for 7h", " otherwise halt until tomorrow")
OTHERS = (
    "limit deepest drawdown <= 9% otherwise halt",
    "pause streak for 9h after 2 losses in a row",
    "pause streak for 60m after 3 losses in a row",
    "pause row for 2h when losses_in_a_row >= 3 and since_last_loss < 2h",
    "forbid soon when since_last_loss is set and since_last_loss < 5h",
    "require earlier since_last_stop is not set or since_last_stop >= 3h",
    "forbid stopped when stops_in_a_row >= 3 and since_last_stop < 40h",
    "pause stopping for 10h when since_last_stop < 2h and stops_in_a_row >= 3",
    "warn busy_day when entries(today) >= 2",
    "limit poorer cash >= 3_000 USD otherwise pause for 5h",
    "limit poor equity >= 9_900 USD otherwise pause for 5h",
    "limit wide gross <= 500% of equity otherwise pause for 5h",
    "limit few open_positions <= 1 otherwise pause for 5h",
    "limit started equity at day_start >= 9_500 USD",
    "limit worth loss(today) <= max(1% of equity at day_start, 0.2 * order.notional)",
    "require refused since_last_reject is not set and rejects_in_a_row < 1",
)


# some refuse every other order, some are not known at times, some depend on what was refused
REFUSING = (
    "forbid busy when volume > volume[1]",
    "forbid busier when volume > 3 * volume[1]",
    "forbid thin when volume < mean(volume, 4)",
    "require calm rsi(close, 9) <= 55",
    "forbid late when mean(close, 30) > close",
    "require paid reward_risk >= 1.95",
    "limit near abs(order.price / close - 1) <= 0.1%",
    "forbid all when order.notional > 0 USD",
    "limit slow proposals(today) <= 5",
    "limit told proposals(4h) <= 1 + entries(today)",
    "warn large when volume > volume[2]",
    "warn rising when close > close[1] and entries(today) >= 1",
    "limit share order.notional <= 900 USD otherwise shrink",
    "pause busiest for 3h when volume > 9 * volume[1]",
)


@st.composite
def limits_of_the_past(draw: st.DrawFn) -> str:
    kind, act = draw(st.integers(0, 3)), draw(st.sampled_from(ACTS))
    if kind == 0:
        fact = f"{draw(st.sampled_from(ORDERS))}({draw(st.sampled_from(WINDOWS))})"
        return f"limit c{draw(st.integers(0, 3))} {fact} {draw(st.sampled_from(COUNTS))}{act}"
    if kind == 1:
        return f"limit loss loss(today) <= {draw(st.sampled_from(SHARES))} of equity at day_start{act}"
    if kind == 2:
        return f"limit deep drawdown <= {draw(st.sampled_from(SHARES))}{act}"
    return draw(st.sampled_from(OTHERS))


@st.composite
def projects(draw: st.DrawFn) -> Written:
    """Plans that have courses, under limits of the past."""
    plain = draw(st.sampled_from((PLAIN, None)))
    symbols = "BTC-USD" if plain else draw(st.sampled_from(("BTC-USD", "BTC-USD, ETH-USD")))
    rules = plain or f"universe u on venue\n  tier t {symbols}\n\n"
    if not plain:
        stop, target = draw(st.sampled_from([levels for levels in LEVELS if all(levels) and levels[0] != "at low"]))
        is_short = draw(st.booleans())
        swapped = {"below": "above", "above": "below"} if is_short else {}
        stop, target = (" ".join(swapped.get(word, word) for word in text.split()) for text in (stop, target))
        size = draw(st.sampled_from(("10% of equity", "risking 1% of equity", "60% of equity")))
        rules += (
            f"strategy s on u every 1h\n  enter {'short' if is_short else 'long'} when {draw(st.sampled_from(RARE))}\n"
            f"    size   {size}\n    stop   {stop}\n    target {target}\n"
        )
    kinds = limits_of_the_past(), st.sampled_from(REFUSING)
    limits = draw(st.lists(st.one_of(*kinds), min_size=1, max_size=4, unique_by=lambda line: line.split()[1]))
    chosen = {"venue": VENUES, "instruments": GRIDS, "timezone": ("UTC", "UTC", "America/New_York")}
    chosen["equity"] = ("10_000 USD", "9_876.543 USD")
    return Written(rules, "\n".join(limits) + "\n", tuple((name, draw(st.sampled_from(of))) for name, of in chosen.items()))


@pytest.fixture(autouse=True)
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passing, "WORTH", 1)
    monkeypatch.setattr(passing, "FEW", 2)
    monkeypatch.setattr(passing, "MOST", 40)
    monkeypatch.setattr(passing, "PATIENT", 1)


@how(max_examples=40, deadline=None)
@given(
    projects(),
    st.integers(0, 10_000),
    st.sampled_from((0.0, 0.0, 0.03)),
    st.sampled_from((0.0, 0.02)),
    st.sampled_from((0, 1, 2, 2, 5)),
)
def test_a_course_leaves_the_records_of_stepping(
    written: Written, seed: int, holes: float, unknown: float, decimals: int
) -> None:
    symbols = sum(symbol in written.rules for symbol in ("BTC-USD", "ETH-USD")) or 1
    same(written.compiled(), walk(seed, 240, symbols, holes=holes, unknown=unknown, decimals=decimals))


NEVER = (
    "limit daily entries(today) < 30",
    "limit rate orders(30h) <= 40 on every order",
    "limit often entries(today) <= 30 otherwise halt until tomorrow",
    "limit loss loss(today) <= 30% of equity at day_start",
    "limit lost loss(today) <= 40% of equity at day_start otherwise halt until tomorrow",
    "limit deep drawdown <= 80%",
    "limit deeper drawdown <= 75% otherwise halt",
    "pause streak for 9h after 50 losses in a row",
    "limit poorer cash >= 100 USD otherwise pause for 5h",
)


@pytest.mark.parametrize("limit", NEVER)
def test_under_a_limit_that_never_binds_trades_are_not_stepped(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    project, data = compiled(PLAIN, limit + "\n", venue=VENUES[1]), walk(5, 1500)
    told = [record for record in same(project, data) if isinstance(record, TOLD)]
    assert told == [record for record in stepped(project, data, interpreted=False).records if isinstance(record, TOLD)]
    assert len([record for record in told if isinstance(record, Decision)]) > 100
    steps = counted(monkeypatch)
    run(project, data)
    assert len(steps) < 60


def test_a_day_that_began_with_equity_unknown_has_no_loss_that_is_known() -> None:
    """What is unknown denies, in a course as in a step."""
    levels = {"size": "60% of equity", "stop": "3% below entry", "target": "2R", "members": "BTC-USD, ETH-USD"}
    words = strategy("close crosses above mean(close, 5)", **levels)  # type: ignore[arg-type]
    project = compiled(words, "limit loss loss(today) <= 1% of equity at day_start\n", instruments=GRIDS[2])
    found = same(project, walk(21, 2_500, 2, unknown=0.01, decimals=5))
    assert any(record.unknown for record in found if isinstance(record, Decision))


MEASURED = (
    *(limit for limit in NEVER if limit.startswith("limit")),
    "limit told proposals(4h) <= 40 + 0.5 * entries(today)",
    "limit near abs(order.price / close - 1) <= 1%",
    "limit nearest abs(close - order.price) <= 2 * close",
    "limit risk order.risk <= 50% of equity",
    "limit ratio reward_risk <= 9",
    "limit least min(order.notional, loss(today)) <= max(50% of equity at day_start, 1_000 USD)",
    "limit less equity at day_start - equity <= 5_000 USD",
    "limit daily loss(today) / equity at day_start <= 40%",
    "limit tiny order.quantity <= 90 * volume",
)


@pytest.mark.parametrize("limit", MEASURED)
@pytest.mark.parametrize("decimals", [2, 0])
def test_the_use_of_limits_is_that_of_stepping(limit: str, decimals: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a ledger writes it: by columns, whose numbers are not those that records are made of."""
    monkeypatch.setattr(grouping, "GROUP", 61)
    monkeypatch.setattr(passing, "MOST", 1 << 15)
    project, data = compiled(PLAIN, limit + "\n", venue=VENUES[1]), walk(8, 2_500, decimals=decimals)
    groups = {}
    for name, worth in (("course", 1), ("steps", 1 << 40)):
        monkeypatch.setattr(passing, "WORTH", worth)
        groups[name] = [written(group) for group in run(project, data).records.groups]
    assert groups["course"] == groups["steps"]


BINDING = (
    ("limit daily entries(today) < 3", 0),
    ("limit sent messages(10h) <= 2 otherwise pause for 7h", 0),
    ("limit often entries(today) <= 3 otherwise halt until tomorrow", 2),
    ("limit loss loss(today) <= 0.3% of equity at day_start", 0),
    ("limit lost loss(today) <= 0.4% of equity at day_start otherwise halt until tomorrow", 10),
    ("limit deepest drawdown <= 2.5% otherwise halt", 1),
    ("pause streak for 9h after 2 losses in a row", 0),
)


@pytest.mark.parametrize(("limit", "latches"), BINDING)
def test_a_limit_that_binds_now_and_then_ends_courses_there(limit: str, latches: int, monkeypatch: pytest.MonkeyPatch) -> None:
    passed: list[int] = []
    leave = passing.Course._leave_behind

    def counting(course: passing.Course, passage: Passage, *more: int | None) -> None:
        passed.append(len(passage))
        leave(course, passage, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(passing.Course, "_leave_behind", counting)
    found = same(compiled(PLAIN, limit + "\n", venue=VENUES[1]), walk(5, 1500))
    decisions = [record for record in found if isinstance(record, Decision)]
    assert sum(isinstance(record, Latch) for record in found) >= latches
    assert len(decisions) >= sum(passed) > 30


@how(max_examples=300, deadline=None)
@given(
    st.sampled_from(("lt", "le", "gt", "ge", "eq", "ne")),
    st.integers(0, 4),
    st.integers(0, 4),
    st.integers(0, 6),
    st.booleans(),
)
def test_a_span_may_be_on_either_side_of_what_lies_in_it(op: str, low: int, more: int, bound: int, turned: bool) -> None:
    span = Number.counted(np.array([float(low)]), np.array([float(low + more)]))
    sides = (span, Number(np.float64(bound), np.float64(0.0)))
    found = compared(op, *(sides[::-1] if turned else sides), np.False_)
    values = [low + more * part / 8 for part in range(9)]
    told = {getattr(operator, op)(*((bound, value) if turned else (value, bound))) for value in values}
    assert bool(np.ravel(found.true)[0]) == (True in told) or op in {"eq", "ne"}
    assert bool(np.ravel(found.false)[0]) == (False in told) or op in {"eq", "ne"}
    assert told <= {truth for truth, may in ((True, np.ravel(found.true)[0]), (False, np.ravel(found.false)[0])) if may}


@pytest.mark.parametrize(("seed", "hours"), [(0, 9), (7, 6), (9, 13)])
def test_the_last_trade_of_a_course_is_watched_to_the_close_of_its_exit(
    monkeypatch: pytest.MonkeyPatch, seed: int, hours: int
) -> None:
    """A target that a bar opens beyond is filled then; constraints are watched at the bar's close."""
    monkeypatch.setattr(passing, "FEW", 1)
    monkeypatch.setattr(passing, "MOST", 1)
    drawn, price, rows = random.Random(seed), 100.0, []
    for _ in range(200):
        first = round(price * math.exp(drawn.gauss(0, 0.03)), 2) if drawn.random() < 0.5 else price
        price = round(first * math.exp(drawn.gauss(0, 0.004)), 2)
        rows.append([first, max(first, price), min(first, price), price, 10.0])
    pause = f"pause idle for 2h when since_last_loss > {hours - 1}h and since_last_loss <= {hours}h"
    same(compiled(PLAIN, f"{pause} and entries(200h) >= 1 and equity > 10 USD\n"), market(bars("BTC-USD", rows)))
