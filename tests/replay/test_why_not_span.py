"""why-not over a span: every count equals that of taking the condition apart at each bar, one after the other."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from math import isnan
from pathlib import Path

import pytest
from hypothesis import given, settings
from small_projects import NAN, START, Replayed, bars, between, compiled, flat, market, run, strategy
from small_runs import Drawn, Written, markets, projects

from tb.core.time import DAY, HOUR, show_instant
from tb.engine.columns import evaluate
from tb.engine.explain.clauses import Clause, blame, clause_tree, sides
from tb.engine.instant import Exact, market_value
from tb.engine.interpret import from_leaves
from tb.engine.markets import Markets
from tb.engine.plan import EnterPlan, StrategyPlan, bound
from tb.replay.data import load_market
from tb.replay.run import markets_of
from tb.replay.stopped.model import OfInstrument, StoppedSpan
from tb.replay.stopped.page import page
from tb.replay.stopped.span import why_not_over
from tb.runtime.policy import compile_project
from tb.runtime.project import load_project


def asked(done: Replayed, first: int, last: int, **options: object) -> StoppedSpan:
    plan = done.compiled.plan
    places = markets_of(plan, done.market, done.compiled.settings)
    noted = {"quiet": done.quiet, "decisions": done.decisions, "latches": done.latches}
    noted["settings"] = done.compiled.settings  # type: ignore[assignment]
    return why_not_over(plan, places, first, last, run="r1", **noted, **options)  # type: ignore[arg-type]


@dataclass
class Counted:
    """A clause as bars are gone through one by one."""

    missed: list[int] = field(default_factory=list)  # rows
    alone: int = 0
    unknown: int = 0
    distances: dict[int, float] = field(default_factory=dict)


def truth(clause: Clause, fixed: int, wanted: float, values: dict[int, Exact | float], done: Replayed) -> float:
    """The truth of a tree with one clause of it as wanted, by three-valued logic over the tree."""
    if clause.at == fixed:
        return wanted
    node = done.compiled.plan.graph[clause.at]
    if not clause.parts or clause.node != -1:
        value = values[clause.at]
        return float(value) if isinstance(value, float | bool) else NAN
    parts = [truth(part, fixed, wanted, values, done) for part in clause.parts]
    if node.op == "member":
        names = [str(const) for const in done.compiled.plan.graph[node.args[0]].consts[1:]]
        assert all(":" not in name for name in names)  # one that lists is below, by hand
        return next((part for part in parts if part != 0.0), 0.0)
    return market_value(node.op, node.consts, parts)


def by_bars(
    done: Replayed, places: Markets, owner: StrategyPlan, enter: EnterPlan, symbol: str, rows: range
) -> dict[tuple[int, str], Counted]:
    graph = done.compiled.plan.graph
    membership = owner.membership_of(symbol)
    roots = [enter.when] if membership is None else [membership, enter.when]
    others = () if owner.tier is None else graph[owner.tier].args
    columns = evaluate(graph, {symbol: owner.reads(symbol)}, places)
    found: dict[tuple[int, str], Counted] = defaultdict(Counted)
    for row in rows:
        leaves: dict[int, Exact | float] = {}
        for leaf in enter.leaves:
            value = columns.at(leaf, symbol, row)
            leaves[leaf] = NAN if value is None else value
        values = from_leaves(graph, leaves, [*roots, *others])
        trees = [clause_tree(graph, root, values) for root in roots]
        for key, clause in {(clause.at, clause.wanted): clause for tree in trees for clause in blame(tree)}.items():
            counted = found[key]
            counted.missed.append(row)
            counted.unknown += clause.truth == "unknown"
            fixed = 1.0 if clause.wanted == "true" else 0.0
            counted.alone += all(truth(tree, clause.at, fixed, values, done) == 1.0 for tree in trees)
            if graph[clause.at].op in {"lt", "le", "gt", "ge", "eq", "ne"}:
                measured, threshold = (values[side] for side in sides(graph, graph[clause.at]))
                distance = NAN if None in {measured, threshold} else abs(float(measured) - float(threshold))  # type: ignore[arg-type]
                if not isnan(distance):
                    counted.distances[row] = distance
    return found


def check_instrument(
    done: Replayed, places: Markets, owner: StrategyPlan, which: int, one: OfInstrument, span: tuple[int, int]
) -> None:
    symbol, graph = one.instrument, done.compiled.plan.graph
    closes = places.bars(symbol, owner.period).closes
    start, stop = (int(closes.searchsorted(at, side="right")) for at in span)
    enter = owner.entries_of(symbol)[which]
    found = by_bars(done, places, owner, enter, symbol, range(start, stop))
    wanted = {key: counted for key, counted in found.items() if counted.missed}
    said = [clause for clause in one.clauses if clause.times]
    assert len(said) == len(wanted)
    by_words = sorted((len(c.missed), c.alone, c.unknown, *_streak(c.missed, closes)) for c in wanted.values())
    assert sorted((c.times, c.alone, c.unknown, c.streak.length, c.streak.first) for c in said if c.streak) == by_words
    for (id_, _), counted in wanted.items():
        place = f"{graph[id_].spans[0].file}:{graph[id_].spans[0].line}"
        same = [c for c in said if c.place == place and (c.times, c.alone) == (len(counted.missed), counted.alone)]
        assert same
        if not counted.distances:
            assert any(c.closest is None for c in same)
            continue
        if graph[id_].args and graph[graph[id_].args[0]].unit.kind.name in {"NUMBER", "RATIO"}:
            nearest = min(counted.distances, key=lambda row: (counted.distances[row], row))
            assert any(c.closest is not None and c.closest.at == show_instant(int(closes[nearest])) for c in same)
    s = one.states
    assert s.bars == stop - start == s.held + s.busy + s.cooling + s.false + s.unknown + s.outside
    assert s.differing == 0


def _streak(rows: list[int], closes) -> tuple[int, str]:  # type: ignore[no-untyped-def]
    best: list[int] = []
    current: list[int] = []
    for row in rows:
        current = [*current, row] if current and current[-1] == row - 1 else [row]
        best = current if len(current) > len(best) else best
    return len(best), show_instant(int(closes[best[0]]))


def check(done: Replayed, first: int, last: int) -> StoppedSpan:
    answer = asked(done, first, last)
    plan = bound(done.compiled.plan, done.market.bars)
    places = markets_of(plan, done.market, done.compiled.settings)
    seen: dict[str, int] = defaultdict(int)
    for entry in answer.entries:
        owner = plan.strategy(entry.strategy)
        for one in entry.instruments:
            check_instrument(done, places, owner, seen[entry.strategy], one, (first, last))
        seen[entry.strategy] += 1
        for clause in entry.clauses:
            parts = [
                c for one in entry.instruments for c in one.clauses if (c.clause, c.place) == (clause.clause, clause.place)
            ]
            assert clause.times == sum(part.times for part in parts)
            assert clause.alone == sum(part.alone for part in parts)
    assert page(answer) == page(asked(done, first, last, chunk=7))
    return answer


def test_on_recorded_markets_every_count_is_that_of_each_bar(root: Path, recorded_data: Path) -> None:
    whole = load_market(recorded_data / "crypto_1h")
    project = compile_project(load_project(root))
    done = run(project, between(whole, whole.first + 230 * DAY, whole.first + 238 * DAY))
    last = done.market.last
    answer = check(done, last - 5 * DAY, last)
    assert sum(entry.states.bars for entry in answer.entries) == 3 * 5 * 120
    assert any(clause.alone for entry in answer.entries for clause in entry.clauses)
    # from the first bar on, where nothing is ready yet
    check(done, done.market.first - HOUR, done.market.first + 30 * HOUR)


@settings(max_examples=12)
@given(projects(), markets())
def test_of_any_project(written: Written, drawn: Drawn) -> None:
    done = run(written.compiled, drawn.market)
    if any(strategy.tier is not None for strategy in done.compiled.plan.strategies):
        return
    check(done, done.market.first - HOUR, done.market.last)


def at(close: float, volume: float = 0.0) -> tuple[float, float, float, float, float]:
    """A bar that opens at 100."""
    return 100, max(100, close), min(100, close), close, volume


def only(rules: str, rows: list, policy: str = "limit gross  after.gross <= 1000% of equity\n"):  # type: ignore[no-untyped-def,type-arg]
    done = run(compiled(rules, policy), market(bars("BTC-USD", rows)))
    return asked(done, START, START + len(rows) * HOUR).entries[0]


def test_a_strategy_that_never_proposed() -> None:
    entry = only(strategy("volume > 0 and close > 2 * open"), [at(100, 9), at(150), at(199), at(201)])
    assert (entry.states.held, entry.proposals, entry.refused_by) == (0, {}, ())
    told = [(c.clause, c.times, c.alone, c.streak and c.streak.length) for c in entry.clauses]
    assert told == [("volume > 0", 3, 1, 3), ("close > 2 * open", 3, 1, 3)]
    closest = entry.clauses[1].closest
    assert closest is not None
    assert (closest.value, closest.threshold, closest.distance, closest.at) == ("199", "200", "1", "2024-01-01T03:00Z")
    assert entry.clauses[1].timeline == (100, 100, 100, 0)


def test_of_alternatives_each_alone_would_have_done() -> None:
    entry = only(strategy("volume > 0 or close > 2 * open"), [at(100), at(300), at(100, 9)])
    assert [(c.clause, c.times, c.alone) for c in entry.clauses] == [("volume > 0", 1, 1), ("close > 2 * open", 1, 1)]


def test_what_must_not_be_counts_as_what_it_is() -> None:
    entry = only(strategy("not (volume > 0) and close > 0.5 * open"), [at(100, 9), at(40, 9), at(100)])
    told = [(c.clause, c.wanted, c.times, c.alone) for c in entry.clauses]
    assert told == [("volume > 0", "false", 2, 1), ("close > 0.5 * open", "true", 1, 0)]


def test_unknown_counts_and_has_no_distance() -> None:
    entry = only(strategy("close > 2 * open"), [(100, 101, 99, NAN, 5), at(100)])
    assert [(c.times, c.alone, c.unknown) for c in entry.clauses] == [(2, 2, 1)]
    assert (entry.states.false, entry.states.unknown) == (1, 1)


def test_constraints_that_refused_are_counted_beside_the_clauses() -> None:
    policy = "limit small order.notional <= 100 USD\nforbid dear when order.price > 1.5 * open\n"
    entry = only(strategy(), [at(100, 1), at(200, 1), at(100, 1)], policy)
    assert entry.proposals == {"reject": 3}
    told = [(c.clause, c.times, c.alone, c.streak and c.streak.length) for c in entry.refused_by]
    assert told == [("limit small", 3, 2, 3), ("forbid dear", 1, 0, 1)]
    assert entry.refused_by[0].closest is not None
    assert entry.refused_by[0].closest.distance == "900.00 USD"


def test_two_limits_that_leave_less_than_the_venue_takes_stop_none_alone() -> None:
    policy = "limit small order.notional <= 0.5 USD otherwise shrink\nlimit tiny order.notional <= 0.4 USD otherwise shrink\n"
    entry = only(strategy(), [at(100, 1)], policy)
    assert [(c.name, c.times, c.alone) for c in entry.refused_by] == [("small", 1, 0), ("tiny", 1, 0)]
    one = only(strategy(), [at(100, 1)], policy.split("\n", maxsplit=1)[0] + "\n")
    assert [(c.name, c.times, c.alone) for c in one.refused_by] == [("small", 1, 1)]


def test_busy_bars_are_told_from_the_run_and_another_policy_differs() -> None:
    rules = strategy(more=["cool down 3h after stop"], stop="5% below entry")
    rows = [flat(100, 1), flat(100, 1), (100, 100, 90, 91, 1), flat(91, 1), flat(91), flat(91, 1)]
    entry = only(rules, rows)
    assert (entry.states.held, entry.states.busy, entry.states.cooling, entry.states.false) == (2, 1, 2, 1)
    done = run(compiled(strategy()), market(bars("BTC-USD", rows)))
    other = compiled(strategy("volume > 0 and close > open"))
    found = why_not_over(
        other.plan, markets_of(other.plan, done.market, other.settings), START, START + 6 * HOUR, quiet=done.quiet
    )
    assert found.entries[0].states.differing == 5


def test_the_condition_of_a_tier_is_a_clause() -> None:
    universe = "universe u on venue\n  tier listed ETH-USD\n  tier moving where close > 2 * open\n\n"
    rules = universe + strategy("volume > 0", universe=False)
    rows = [at(300, 1), at(100, 1), at(100), at(NAN, 1)]
    done = run(compiled(rules), market(bars("BTC-USD", rows), bars("ETH-USD", rows)))
    btc, eth = asked(done, START, START + 4 * HOUR).entries[0].instruments
    assert (btc.states.held + btc.states.busy, btc.states.outside, btc.states.unknown) == (1, 2, 1)
    told = [(c.clause, c.times, c.alone, c.unknown) for c in btc.clauses]
    assert told == [("moving where close > 2 * open", 3, 2, 1), ("volume > 0", 1, 0, 0)]
    assert [c.times for c in eth.clauses] == [0, 1]
    assert (eth.states.outside, eth.states.unknown, eth.states.false) == (0, 0, 1)


@pytest.mark.parametrize("length", [1, 2, 700])
def test_the_timeline_has_a_stretch_for_each_bar_or_240(length: int) -> None:
    entry = only(strategy("close > 2 * open"), [flat(100)] * length)
    assert entry.clauses[0].timeline == (100,) * min(length, 240)


def test_halts_are_told() -> None:
    policy = "limit loss  loss(today) <= 1% of equity at day_start  otherwise halt until tomorrow\n"
    done = run(compiled(strategy(size="50% of equity"), policy), market(bars("BTC-USD", [flat(100, 1), flat(100), flat(92)])))
    stops = asked(done, START, START + 3 * HOUR).stops
    assert [(stop.rule, stop.verdict, stop.first, stop.to) for stop in stops] == [("loss", "halt", "2024-01-01T03:00Z", "")]
