"""Passing over whole trades: the records of stepping, byte for byte, and few steps where nothing else happens."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as st
from small_projects import NAN, START, bars, compiled, market, run, strategy
from stepping import stepped

from tb.cli.watching import Watched, places_of_facts
from tb.core.curve import unpack
from tb.core.records import Cancel, Curve, Decision, Fill, Latch, Order, Trade
from tb.core.time import HOUR
from tb.engine import columns as market_columns
from tb.engine.columns import Columns
from tb.engine.feeds import FeedRows
from tb.ledger import Group, grouping
from tb.ledger.writing import prepare_segments
from tb.replay.course import columns, passing
from tb.replay.data import Market
from tb.replay.run import replay_market
from tb.runtime import view
from tb.runtime.policy import Compiled
from tb.runtime.session import Session

TOLD = Decision | Order | Cancel | Fill | Trade | Latch
VENUES = (
    "{fee: 0%, slippage: 0%}",
    "{fee: 10bps, slippage: 0bps, spread: 0bps}",
    "{fee: 20bps, slippage: 7bps, spread: 12bps, depth: 10k USD}",
    "{fee: 0.1%, slippage: 1%, spread: 1%}",
)
GRIDS = (
    "default: {tick: 0.01, lot: 0.001, minimum: 1 USD}",
    "default: {tick: 0.1, lot: 1, minimum: 1 USD}",
    "default: {tick: 0.00001, lot: 0.00000001, minimum: 1 USD, max_quantity: 100}",
    "default: {tick: 0.05, lot: 0.1, minimum: 1 USD}",
)
CONDITIONS = (
    "close crosses above mean(close, 5)",
    "close > close[1]",
    "close < lowest(low, 4)[1]",
    "volume > 0",
    "rsi(close, 5) < 40",
)
LEVELS = (
    ("2% below entry", "5% above entry"),
    ("3% below entry", "2R"),
    ("0.5% below entry", "1.5R"),
    ("", "4% above entry"),
    ("1% below entry", ""),
    ("7% below entry", "25% above entry"),
    ("at low", "2R"),  # not the same at every bar: no course
)
SIZES = (
    "10% of equity",
    "risking 1% of equity",
    "5% of equity if volume > volume[1]\n      12.5% of equity otherwise",
    "300% of equity",
)
MORE = (
    (),
    (),
    ("exit when close < close[1] and close[1] < close[2]",),
    ("hold at most 9h",),
    ("cool down 4h after stop",),
    ('  because "closed at {close:.2f}"',),
)
LIMITS = (
    "limit gross after.gross <= 25% of equity",
    "limit share after.exposure(order.instrument) <= 10% of equity otherwise shrink",
    "limit share after.exposure(order.instrument) <= 11% of equity otherwise shrink",
    "limit value order.notional <= 1_000 USD",
    "require paid reward_risk >= 1.9",
    "forbid busy when volume > 3 * volume[1]",
    "forbid high when rsi(close, 5) > 55",
    "require calm not (close > open for 2 bars)",
    "limit tight order.notional <= max(40 * atr(5) / close, 1) * 900 USD",
    "limit near abs(order.price / close - 1) <= 1%",
    "warn large when order.notional > 900 USD",
    "limit poor equity >= 9_700 USD otherwise pause for 5h",
    "limit some after.open_positions <= 1",
    "limit most cash >= 9_500 USD",
)


def walk(seed: int, hours: int, symbols: int = 1, *, holes: float = 0.0, unknown: float = 0.0, decimals: int = 2) -> Market:
    """Random walks with missing bars, unknown values and opens away from the last close."""
    drawn = random.Random(seed)
    series = []
    for symbol in ("BTC-USD", "ETH-USD")[:symbols]:
        price, rows = 100.0, []
        for _ in range(hours):
            before = round(price * math.exp(drawn.gauss(0, 0.02)), decimals) if drawn.random() < 0.1 else price
            price = round(before * math.exp(drawn.gauss(0, 0.008)), decimals)
            high = round(max(before, price) * (1 + abs(drawn.gauss(0, 0.004))), decimals)
            low = round(min(before, price) * (1 - abs(drawn.gauss(0, 0.004))), decimals)
            row = [before, max(high, before, price), min(low, before, price), price, float(drawn.randrange(21))]
            if drawn.random() < unknown:
                row[drawn.randrange(4)] = NAN
            rows.append(None if drawn.random() < holes else row)
        series.append(bars(symbol, rows))
    return market(*series)


def without(project: Compiled, data: Market) -> list[object]:
    """The records of a replay that knows no courses; of its own it steps or skips, which is proved in `test_skipping`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passing, "WORTH", 1 << 40)
        return list(run(project, data).records.records)


def same(project: Compiled, data: Market) -> list[object]:
    """The records of both, compared as they are written: a number has the same digits after the point. Of curves the last bit
    may differ."""
    fast, slow = list(run(project, data).records.records), without(project, data)
    assert [repr(record) for record in fast if not isinstance(record, Curve)] == [
        repr(record) for record in slow if not isinstance(record, Curve)
    ]
    for one, other in zip(
        *([mark for r in of if isinstance(r, Curve) for mark in unpack(r)] for of in (fast, slow)), strict=True
    ):
        assert one.at == other.at
        assert float(one.equity) == pytest.approx(float(other.equity), rel=1e-14)
        assert float(one.exposure) == pytest.approx(float(other.exposure), rel=1e-14, abs=1e-9)
    return fast


@pytest.fixture(autouse=True)
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passing, "WORTH", 1)
    monkeypatch.setattr(passing, "FEW", 2)
    monkeypatch.setattr(passing, "MOST", 40)
    monkeypatch.setattr(passing, "PATIENT", 1)


@dataclass(frozen=True)
class Written:
    """The texts of a project."""

    rules: str
    policy: str
    settings: tuple[tuple[str, str], ...]

    def compiled(self) -> Compiled:
        return compiled(self.rules, self.policy, **dict(self.settings))


@st.composite
def projects(draw: st.DrawFn) -> Written:
    symbols = draw(st.sampled_from(("BTC-USD", "BTC-USD", "BTC-USD, ETH-USD")))
    rules = f"universe u on venue\n  tier t {symbols}\n\n"
    for name in ("s", "r")[: draw(st.sampled_from((1, 1, 1, 2)))]:
        stop, target = draw(st.sampled_from(LEVELS))
        direction = draw(st.sampled_from(("long", "long", "short")))
        if direction == "short":
            swapped = {"below": "above", "above": "below"}
            stop, target = (" ".join(swapped.get(word, word) for word in text.split()) for text in (stop, target))
            stop = stop.replace("at low", "at high")
        rules += strategy(
            draw(st.sampled_from(CONDITIONS)),
            name=name,
            direction=direction,
            size=draw(st.sampled_from(SIZES if stop else SIZES[:1])),
            stop=stop,
            target=target,
            more=draw(st.sampled_from(MORE)),
            period=draw(st.sampled_from(("1h", "1h", "2h"))),
            universe=False,
        )
    limits = draw(st.lists(st.sampled_from(LIMITS), max_size=2, unique_by=lambda line: line.split()[1]))
    policy = "\n".join(limits or ["limit gross after.gross <= 1000% of equity"]) + "\n"
    chosen = {"venue": VENUES, "instruments": GRIDS, "timezone": ("UTC", "UTC", "America/New_York")}
    chosen["equity"] = ("10_000 USD", "9_876.543 USD")
    return Written(rules, policy, tuple((name, draw(st.sampled_from(of))) for name, of in chosen.items()))


@how(max_examples=40, deadline=None)
@given(
    projects(),
    st.integers(0, 10_000),
    st.sampled_from((0.0, 0.0, 0.03)),
    st.sampled_from((0.0, 0.0, 0.02)),
    st.sampled_from((0, 1, 2, 2, 5)),
)
def test_a_course_leaves_the_records_of_stepping(
    written: Written, seed: int, holes: float, unknown: float, decimals: int
) -> None:
    symbols = sum(symbol in written.rules for symbol in ("BTC-USD", "ETH-USD"))
    same(written.compiled(), walk(seed, 160, symbols, holes=holes, unknown=unknown, decimals=decimals))


PLAIN = strategy("close crosses above mean(close, 5)", stop="2% below entry", target="3% above entry")


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    steps: list[int] = []
    step = Session.step

    def stepping(session: Session, at: int, *given: object) -> object:
        steps.append(at)
        return step(session, at, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(Session, "step", stepping)
    return steps


def test_trades_that_are_alone_are_not_stepped(monkeypatch: pytest.MonkeyPatch) -> None:
    project, data = compiled(PLAIN), walk(3, 4000)
    told = [record for record in same(project, data) if isinstance(record, TOLD)]
    assert told == [record for record in stepped(project, data, interpreted=False).records if isinstance(record, TOLD)]
    steps = counted(monkeypatch)
    outcome = run(project, data).outcome
    assert outcome.counts["trades"] > 150
    assert len(steps) < 150  # the last trade, which may be open at the end


@pytest.mark.parametrize("limit", ["limit value order.notional <= 1_000 USD", "limit most equity >= 9_950 USD"])
def test_a_limit_that_refuses_ends_a_course_before_its_trade(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = same(compiled(PLAIN, limit + "\n"), walk(5, 1500))
    verdicts = {record.verdict for record in found if isinstance(record, Decision)}
    assert verdicts == {"approve", "reject"}


@pytest.mark.parametrize(
    "limit", ["forbid high when rsi(close, 14) > 90", "forbid rising when close > open for 9 bars and order.notional > 10 USD"]
)
def test_what_the_market_computes_is_a_leaf_and_nothing_below_it_is_looked_at(
    limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, data = compiled(PLAIN, limit + "\n"), walk(3, 1500)
    same(project, data)
    steps = counted(monkeypatch)
    assert run(project, data).outcome.counts["trades"] > 50
    assert len(steps) < 150


@pytest.mark.parametrize("size", [grouping.GROUP, 64, 61, 12])
@pytest.mark.parametrize(("most", "window"), [(2, 1), (50, 4_096), (1 << 15, 4_096), (1 << 15, 16)])
def test_the_groups_of_a_ledger_are_those_of_stepping(
    monkeypatch: pytest.MonkeyPatch, size: int, most: int, window: int
) -> None:
    """Segments, and with them the chain of the ledger, depend on nothing but the records and their order."""
    monkeypatch.setattr(grouping, "GROUP", size)
    monkeypatch.setattr(columns, "WINDOW", window)
    monkeypatch.setattr(passing, "MOST", most)
    words = strategy("close crosses above mean(close, 5)", target="3% above entry", stop="2% below entry", more=MORE[-1])
    project, data = compiled(words, venue=VENUES[1]), walk(8, 12_000 if size > 64 else 2_000)
    groups = {}
    for name, worth in (("course", 1), ("steps", 1 << 40)):
        monkeypatch.setattr(passing, "WORTH", worth)
        kept = run(project, data).records.groups
        groups[name] = [written(group) for group in kept]
    course, steps = groups["course"], groups["steps"]
    assert len(course) >= 2
    assert course == steps


def written(group: Group) -> object:
    """What a ledger writes of a group; of the points of a curve, which are floats, only where they stand."""
    entries = [entry for entry, segment in zip(prepare_segments(group), group.segments, strict=True) if segment.kind != "Curve"]
    numbers = [[group.first + place for place in segment.places] for segment in group.segments]
    return group.first, group.size, list(group.decision_numbers), entries, numbers


@pytest.mark.parametrize("size", [64, 61, 12])
@pytest.mark.parametrize("limit", ["limit gross after.gross <= 1000% of equity", "limit most equity >= 9_950 USD"])
def test_what_a_summary_counts_is_counted_by_columns_too(monkeypatch: pytest.MonkeyPatch, size: int, limit: str) -> None:
    monkeypatch.setattr(grouping, "GROUP", size)
    monkeypatch.setattr(passing, "MOST", 1 << 15)
    project, data = compiled(PLAIN, limit + "\n", venue=VENUES[1]), walk(5, 4_000)
    by_columns, by_records = (Watched(places=places_of_facts(project.plan)) for _ in range(2))
    sheets = 0
    for group in run(project, data).records.groups:
        sheets += len(group.sheets)
        by_columns.see_group(group)
        for record in group.records:
            by_records.see(record)
        assert by_columns.equity == by_records.equity
        assert [(at, Decimal(equity)) for at, equity in by_columns.marks] == by_records.marks
        assert replace(by_columns, marks=[]) == replace(by_records, marks=[])
    assert sheets > 4
    assert bool(by_columns.refused) == limit.startswith("limit most")
    assert by_columns.not_filled == by_records.not_filled
    assert len(by_columns.equity) > 100


def test_what_a_plan_says_besides_entries_keeps_it_from_courses(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = counted(monkeypatch)
    levels = {"stop": "2% below entry", "target": "3% above entry", "more": ("cool down 4h after stop",)}
    project = compiled(strategy("close crosses above mean(close, 5)", **levels))  # type: ignore[arg-type]
    trades = run(project, walk(3, 1000)).outcome.counts["trades"]
    assert len(steps) > 2 * trades


def test_a_run_that_keeps_nothing_comes_to_the_same() -> None:
    project, data = compiled(PLAIN, venue=VENUES[2]), walk(8, 3000)
    kept = run(project, data).outcome
    bare = replay_market(run="r1", plan=project.plan, settings=project.settings, market=data, policy_hash="0" * 64, keep=False)
    assert bare == replace(kept, decision_log_hash="")
    assert kept.counts["trades"] > 100


def test_of_columns_that_matter_at_entries_alone_nothing_else_is_kept_or_evaluated_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[Columns] = []

    def noted(*given: object, **named: object) -> Columns:
        made.append(evaluated(*given, **named))  # type: ignore[arg-type]
        return made[-1]

    evaluated = market_columns.evaluate
    for place in (market_columns, view):
        monkeypatch.setattr(place, "evaluate", noted)
    run(compiled(PLAIN, venue=VENUES[2]), walk(8, 3000))
    [found] = made
    assert found.truths
    assert found.picked
    assert all(len(one.rows) < 1000 for one in found.picked.values())
    assert {found.graph[node].op for node, _ in found.values} <= {"field"}


@pytest.mark.parametrize("holds", ["1 bar", "20m"])
def test_a_trade_is_held_too_long_at_the_close_of_another_period_or_instrument_too(holds: str) -> None:
    """A bar of half an hour ends where the second bar of a quarter is missing: nothing else happens at that instant."""
    quiet, falls, reaches = (100.0, 100.2, 99.8, 100.0, 1.0), (100.0, 100.1, 98.9, 99.0, 1.0), (100.0, 103.0, 99.8, 102.0, 1.0)
    rows = [quiet, falls, quiet, None, reaches, quiet, quiet, quiet] * 60
    words = strategy("close < 0.995 * open", stop="3% below entry", target="2% above entry", period="30m")
    both = words.replace("tier t BTC-USD", "tier t BTC-USD, ETH-USD")
    for rules, others in ((words, []), (both, [bars("ETH-USD", [quiet] * 480, period=HOUR // 4)])):
        project = compiled(f"{rules}  hold at most {holds}\n")
        assert same(project, market(bars("BTC-USD", rows, period=HOUR // 4), *others))


def test_a_decision_keeps_how_old_a_feed_of_policy_was() -> None:
    feed = "feed fear: number in 0..100, stale after 90d\nforbid greedy when fear > 90\n"
    known = np.array([START, START + 300 * HOUR], dtype=np.int64)
    rows = FeedRows(known, np.array([40.0, 50.0]), np.array([40.0, 50.0]), np.arange(2), "fear.csv")
    data = replace(walk(3, 600), feeds={("fear", ""): rows})
    found = same(compiled(PLAIN, feed), data)
    kept = [record.feeds for record in found if isinstance(record, Decision) and record.kind == "enter"]
    assert len(kept) > 10
    assert all(len(one) == 1 for one in kept)
