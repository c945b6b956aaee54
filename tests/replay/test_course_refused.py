"""Courses go on past orders that are refused, and tell them as stepping does."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from small_projects import compiled, run, strategy
from test_course import PLAIN, VENUES, counted, same, walk, written
from test_course_past import REFUSING

from tb.core.records import Decision, Order
from tb.ledger import grouping
from tb.replay.course import columns, passing
from tb.replay.course.days import seen_until
from tb.replay.course.orders import GUESSED, NOTHING, SURE, Orders

PAST = "limit loss loss(today) <= 40% of equity at day_start\nlimit daily entries(today) < 4\n"
OF_THE_ORDER = "limit value order.notional <= 60% of equity\nlimit gross after.gross <= 70% of equity\n"
MANY = (
    "forbid odd when volume > volume[1]\n",
    "require calm rsi(close, 9) <= 55\nlimit deep drawdown <= 90%\n",
    "limit daily entries(40h) < 2\n",
    f"{PAST}{OF_THE_ORDER}forbid odd when volume > volume[1]\nforbid late when mean(close, 30) > close\n",
    f"{PAST}{OF_THE_ORDER}limit told proposals(60h) <= 2\nwarn large when volume > volume[2]\n",
    f"{PAST}forbid all when order.notional > 0 USD\n",
    f"{OF_THE_ORDER}limit poor equity >= 9_990 USD\n",
)


@pytest.fixture(autouse=True)
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passing, "WORTH", 1)
    monkeypatch.setattr(passing, "PATIENT", 1)


SIZES = ((61, 16, 1 << 15), (12, 1, 40))


@pytest.mark.parametrize(
    ("limits", "size", "window", "most"),
    [(MANY[3], 300, 4_096, 1 << 15), *((limits, *size) for limits in MANY for size in SIZES)],
)
def test_the_groups_of_a_ledger_are_those_of_stepping(
    monkeypatch: pytest.MonkeyPatch, limits: str, size: int, window: int, most: int
) -> None:
    monkeypatch.setattr(grouping, "GROUP", size)
    monkeypatch.setattr(columns, "WINDOW", window)
    monkeypatch.setattr(passing, "MOST", most)
    project, data = compiled(PLAIN, limits, venue=VENUES[1]), walk(8, 3_000 if size > 64 else 1_000)
    groups, refused = {}, 0
    for name, worth in (("course", 1), ("steps", 1 << 40)):
        monkeypatch.setattr(passing, "WORTH", worth)
        replayed = run(project, data)
        refused = replayed.outcome.counts["rejected"]
        groups[name] = [written(group) for group in replayed.records.groups]
    assert groups["course"] == groups["steps"]
    assert refused > 10


@pytest.mark.parametrize("limits", MANY)
def test_orders_that_are_refused_are_not_stepped(limits: str, monkeypatch: pytest.MonkeyPatch) -> None:
    project, data = compiled(PLAIN, limits, venue=VENUES[1]), walk(5, 1_500)
    told = same(project, data)
    refused = [record for record in told if isinstance(record, Decision) and record.verdict == "reject"]
    assert len(refused) > 20
    assert {record.approved for record in refused} == {Decimal(0)}
    assert not {record.seq for record in refused} & {record.decision for record in told if isinstance(record, Order)}
    steps = counted(monkeypatch)
    run(project, data)
    assert len(steps) < 30


@pytest.mark.parametrize("limit", REFUSING)
def test_two_entries_at_a_time_are_asked_once(limit: str) -> None:
    """Of two entries of a strategy that hold at an instant one proposes, whatever becomes of it."""
    rules = PLAIN + "  enter long when close > open\n    size   5% of equity\n    stop   1% below entry\n    target 2R\n"
    for seed in range(1):
        same(compiled(rules, limit + "\n", venue=VENUES[2]), walk(seed, 300))


@pytest.mark.parametrize("windows", [(), ("today",), ("7200000",), ("today", "14400000")])
@pytest.mark.parametrize("settled", [None, 5 * 3_600_000])
def test_a_constraint_looks_back_at_trades_past_orders_that_were_refused(windows: tuple[str, ...], settled: int | None) -> None:
    from zoneinfo import ZoneInfo

    hour = 3_600_000
    instants = np.arange(60) * hour
    decided, out = np.array([8, 12, 20, 21, 30]), np.array([8, 15, 20, 21, 33])
    is_taken = np.array([False, True, False, False, True])
    found = seen_until(instants, decided, out, is_taken, windows, settled, ZoneInfo("UTC")).tolist()
    first = -1 if settled is None else settled // hour
    ends = [24 if window == "today" else 15 + int(window) // hour for window in windows]
    after = max(ends, default=-1)
    assert found == [min(first, 7), min(first, 11), *(min(after, place - 1) for place in (20, 21, 30))]


GOING_ON = (
    ("limit daily entries(today) < 2", 6),
    ("forbid odd when volume > volume[1]", 20),
    ("limit value order.notional <= 600 USD", 12),
    ("limit deep drawdown <= 3%", 12),
    ("limit loss loss(today) <= 0.3% of equity at day_start", 3),
)


@pytest.mark.parametrize(("limit", "least"), GOING_ON)
def test_many_refusals_are_found_with_one_walk(limit: str, least: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = strategy("close > close[1]", size="10% of equity", stop="1% below entry", target="1.5R")
    project, data = compiled(rules, limit + "\n", venue=VENUES[1]), walk(4, 3_000)
    walked: list[int] = []
    passage = passing.Course._passage

    def counting(course: passing.Course, start: int, now: int | None) -> object:
        walked.append(start)
        return passage(course, start, now)

    monkeypatch.setattr(passing.Course, "_passage", counting)
    refused = run(project, data).outcome.counts["rejected"]
    assert refused > 150
    assert len(walked) * least < refused


@pytest.mark.parametrize("share", [0.2, 1.0])
@pytest.mark.parametrize(
    "limits", [*MANY, "limit gross after.gross <= 1000% of equity\n", "pause row for 9h after 2 losses in a row\n"]
)
def test_a_wrong_guess_leaves_no_trace(limits: str, share: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is taken to be refused, most of it wrongly: records, counts and days are those of stepping."""
    drawn, wrong = np.random.default_rng(3), list[int]()
    begin, guess, mend = Orders.__init__, Orders._guess, Orders._guessed_wrong

    def mark(orders: Orders) -> None:
        is_one = (orders.foreseen == NOTHING) & (drawn.random(len(orders.foreseen)) < share)
        orders.foreseen[is_one] = drawn.choice([SURE, GUESSED], int(is_one.sum()))

    def beginning(orders: Orders, *given: object) -> None:
        begin(orders, *given)  # type: ignore[arg-type]
        mark(orders)

    def guessing(orders: Orders, *given: object) -> None:
        guess(orders, *given)  # type: ignore[arg-type]
        if drawn.random() < 0.1:
            mark(orders)

    def mending(orders: Orders, entry: int) -> None:
        wrong.append(entry)
        mend(orders, entry)

    monkeypatch.setattr(Orders, "__init__", beginning)
    monkeypatch.setattr(Orders, "_guess", guessing)
    monkeypatch.setattr(Orders, "_guessed_wrong", mending)
    project, data = compiled(PLAIN, limits, venue=VENUES[1], timezone="America/New_York"), walk(5, 700)
    same(project, data)
    assert wrong or "order.notional > 0" in limits
