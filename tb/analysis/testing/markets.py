"""Bars that a test plays: the whole of them is replayed from a fresh account, and the last one is looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from tb.analysis.testing.given_feeds import given_feeds
from tb.analysis.testing.orders import LastBar
from tb.analysis.testing.ports import History
from tb.analysis.testing.tables import bars_of
from tb.core.diagnostics import Refused, error
from tb.core.settings import Settings
from tb.core.time import show_duration
from tb.dsl import checked
from tb.dsl.checked_tests import Test
from tb.engine.bars import Bars
from tb.engine.columns import Columns, evaluate
from tb.engine.graph import RuleGraph
from tb.engine.leaves import leaves_of
from tb.engine.markets import Markets
from tb.engine.plan import Plan, with_data
from tb.engine.recording import Recording

NO_FIT = "TB723"


@dataclass(frozen=True, slots=True)
class Played:
    """The bars of a test as the engine reads them; `at` is the close of the last one."""

    settings: Settings
    recording: Recording
    markets: Markets
    period: int
    at: int

    @property
    def bars(self) -> Mapping[str, Bars]:
        return self.recording.bars

    @property
    def subject(self) -> str | None:
        """The instrument that conditions are about where they name none; None where there are several."""
        return next(iter(self.bars)) if len(self.bars) == 1 else None


def recording_for(test: Test, history: History) -> Recording | None:
    """The bars that a test writes down or names, None where it has none. Raises Refused where they cannot be read."""
    if test.bars:
        return Recording({table.instrument: bars_of(table) for table in test.bars})
    if test.recorded is None:
        return None
    return history.load(test.recorded.path, test.recorded.first, test.recorded.last)


def played(test: Test, settings: Settings, history: History, recording: Recording, plan: Plan) -> Played:
    """Raises Refused where the plan cannot run on bars of that period."""
    bars = recording.bars
    period = next(iter(bars.values())).period
    _fits(test, plan, bars, period)
    quoted = next((symbol for symbol, each in bars.items() if each.bid is not None), None)
    spread = next((given for given in test.given if isinstance(given.what, checked.Field)), None)
    if quoted is not None and spread is not None:
        message = f"the bars of `{quoted}` have quotes, so the spread is theirs"
        raise Refused([error(NO_FIT, message, spread.span, "remove it, or the columns `bid` and `ask`")])
    said = stated(settings, test)
    at = max(int(each.closes[-1]) for each in bars.values() if len(each))
    with_given = replace(recording, feeds={**recording.feeds, **given_feeds(test, bars)})
    return Played(said, with_given, history.markets(said, with_given), period, at)


def _fits(test: Test, plan: Plan, bars: Mapping[str, Bars], period: int) -> None:
    for strategy in with_data(plan, bars).strategies:
        if not strategy.can_trade(bars):
            continue
        periods = [strategy.period, *(plan.graph[node].period for node in plan.graph.reach(strategy.roots))]
        wrong = next((other for other in periods if other and (other < period or other % period)), None)
        if wrong is not None:
            message = (
                f"`{strategy.name}` reads bars of {show_duration(wrong)}, which bars of {show_duration(period)} cannot give"
            )
            hint = f"give bars of {show_duration(min(wrong, strategy.period))}"
            raise Refused([error(NO_FIT, message, test.span, hint)])


def values_at_the_end(graph: RuleGraph, play: Played, symbol: str, nodes: Sequence[int], period: int) -> LastBar | None:
    """Values of market nodes, and of what is below them, at the instrument's bar that closed last of all in that period.

    None where the instrument has no such bar.
    """
    if symbol not in play.bars:
        return None
    closes = play.markets.bars(symbol, period).closes
    if not len(closes) or int(closes[-1]) != play.at:
        return None
    below = dict.fromkeys([*nodes, *leaves_of(graph, nodes, in_policy=False)])
    wanted = tuple(node for node in below if graph[node].stage == "market")
    columns: Columns = evaluate(graph, {symbol: wanted}, play.markets)
    return LastBar(play.at, lambda node: columns.at(node, symbol, len(closes) - 1))


def stated(settings: Settings, test: Test) -> Settings:
    """The settings of a replay with what a test states beside its bars: equity, spread and depth."""
    account, venue = settings.account, settings.venue
    venues = dict(settings.venue_of)
    for given in test.given:
        value = None if given.value is None else given.value.value
        number = value if isinstance(value, Decimal) else None
        match given.what:
            case checked.FactRef(name="equity") if number is not None:
                account = replace(account, equity=number)
            case checked.Field(name="spread"):
                venue = replace(venue, spread=number)
                venues = {name: replace(own, spread=number) for name, own in venues.items()}
            case checked.Depth():
                venue = replace(venue, depth=number)
                venues = {name: replace(own, depth=number) for name, own in venues.items()}
    return replace(settings, account=account, venue=venue, venue_of=venues)
