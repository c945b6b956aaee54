"""Whether nothing was proposed because conditions said so, or because none of them could be known.

`expect no proposal` says nothing of a strategy whose every entry is unknown at the last bar: it would pass whatever the rules
say. A test that itself writes `unknown`, of a value or as what it expects, means it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from math import nan

from tb.analysis.testing.markets import Played, values_at_the_end
from tb.core.time import show_duration
from tb.dsl.checked_tests import ExpectThat, Test
from tb.engine.explain.clauses import truth_of, unknown_leaves
from tb.engine.explain.words import describe
from tb.engine.graph import RuleGraph
from tb.engine.instant import Exact
from tb.engine.interpret import from_leaves
from tb.engine.leaves import leaves_of
from tb.engine.plan import Plan, StrategyPlan, with_data


@dataclass(frozen=True, slots=True)
class Silent:
    """A strategy of which no entry could be known, why, and the edit of the test."""

    strategy: str
    why: str
    hint: str


@dataclass(frozen=True, slots=True)
class Silence:
    """Those strategies, by name; `ready` is the first that trades an instrument of the bars and is none of them."""

    unknown: Mapping[str, Silent] = field(default_factory=dict)
    ready: str | None = None


def silence(plan: Plan, play: Played, test: Test) -> Silence:
    """The strategies that trade an instrument of the bars and knew no entry condition of any at the last one."""
    if _means_unknown(test):
        return Silence()
    unknown, ready = {}, None
    for strategy in with_data(plan, play.bars).strategies:
        told = list(_looks(plan.graph, play, strategy))
        whys = [one for one in told if one is not None]
        if whys and len(whys) == len(told):
            unknown[strategy.name] = whys[0]
        elif told:
            ready = ready or strategy.name
    return Silence(unknown, ready)


def _means_unknown(test: Test) -> bool:
    rows = (row for table in test.bars for row in table.rows)
    says = any(isinstance(expected, ExpectThat) and expected.is_unknown for expected in test.expects)
    return says or any(given.value is None for given in test.given) or any(None in row.values for row in rows)


def _looks(graph: RuleGraph, play: Played, strategy: StrategyPlan) -> Iterator[Silent | None]:
    """For each of its instruments that has bars why none of its entries is known; None where one is."""
    for symbol in strategy.members:
        entries = strategy.entries_of(symbol) if symbol in play.bars else ()
        if not entries:
            continue
        membership = strategy.membership_of(symbol)
        within = [] if membership is None else [membership]
        whens = [enter.when for enter in entries]
        looked_at = strategy.looked_at(symbol)
        values = _at_the_end(graph, play, looked_at, [*within, *whens], strategy.period)
        if values is None:
            yield _no_bar(strategy, looked_at)
        elif any(truth_of(values[node]) == "false" for node in within) or any(
            all(truth_of(values[node]) != "unknown" for node in (*within, when)) for when in whens
        ):
            yield None
        else:
            yield _unknown(graph, play, strategy, looked_at, [*within, *whens], values)


def _at_the_end(
    graph: RuleGraph, play: Played, symbol: str, roots: Sequence[int], period: int
) -> dict[int, Exact | float] | None:
    last_bar = values_at_the_end(graph, play, symbol, roots, period)
    if last_bar is None:
        return None
    leaves: dict[int, Exact | float] = {}
    for leaf in leaves_of(graph, roots, in_policy=False):
        value = last_bar.value(leaf)
        leaves[leaf] = float(value) if isinstance(value, float | Decimal) else nan
    return from_leaves(graph, leaves, roots)


def _no_bar(strategy: StrategyPlan, symbol: str) -> Silent:
    length = show_duration(strategy.period)
    why = f"no bar of {length} of {symbol} closes at the last bar"
    return Silent(strategy.name, why, f"let the bars end where one of {length} does")


def _unknown(
    graph: RuleGraph,
    play: Played,
    strategy: StrategyPlan,
    symbol: str,
    roots: Sequence[int],
    values: Mapping[int, Exact | float],
) -> Silent:
    before = len(play.markets.bars(symbol, strategy.period).closes) - 1
    leaves = dict.fromkeys(leaf for root in roots for leaf in unknown_leaves(graph, root, values))
    short = [leaf for leaf in leaves if graph[leaf].look_back > before]
    if short:
        told = [
            f"`{describe(graph, leaf)}` is not ready: it looks back {graph[leaf].look_back} bars, {before} have closed before"
            for leaf in short
        ]
        return Silent(strategy.name, "; ".join(told), "give more bars, or say that you mean it: `expect CONDITION is unknown`")
    told = [f"`{describe(graph, leaf)}` is unknown for {symbol}" for leaf in leaves]
    return Silent(strategy.name, "; ".join(told), "give what is unknown, or write `unknown` where the test means it")
