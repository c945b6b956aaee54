"""Whether a plan and a market fit together: asked before a replay, so that no run starts that could not mean anything.

Errors, because nothing sensible would come of it: a period that the data cannot give, an instrument whose orders nobody
described or whose money is not the account's, data of which no strategy covers anything. An instrument without data is a
warning: the others can be traded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from tb.core.diagnostics import Diagnostic, Refused, error, has_errors, in_order, warning
from tb.core.settings import NO_RATE, quote_currency
from tb.core.span import whole_file
from tb.core.time import show_duration
from tb.engine.plan import bound, with_data

if TYPE_CHECKING:
    from tb.core.settings import Settings
    from tb.engine.plan import Plan
    from tb.replay.data import Market
    from tb.runtime.policy import Compiled

PERIOD = "TB211"
NO_DATA = "TB656"
INCOMPLETE = "TB609"
OTHER_CURRENCY = "TB606"


def check_fit(compiled: Compiled, market: Market, *, left_out: bool = False) -> list[Diagnostic]:
    """Warnings where a replay can begin. Raises Refused with all findings where it cannot.

    `left_out` says that the market is a choice of instruments, so that those without data are no surprise.
    """
    plan = bound(compiled.plan, market.bars)
    findings = [
        *_periods(with_data(compiled.plan, market.bars), market),
        *_coverage(plan, market, left_out),
        *_specifications(compiled, plan, market),
    ]
    if has_errors(findings):
        raise Refused(in_order(findings))
    return in_order(findings)


def fits(period: int, market: Market) -> bool:
    return period >= market.period and period % market.period == 0


def _periods(plan: Plan, market: Market) -> Iterator[Diagnostic]:
    """Of strategies that have something to trade, then of every `x@PERIOD` that they or the policy read."""
    reported = set()
    data = show_duration(market.period)
    for strategy in plan.strategies:
        if not fits(strategy.period, market):
            reported.add(strategy.period)
            yield error(PERIOD, f"`{strategy.name}` runs every {_misfit(strategy.period, market)}", strategy.span, _hint(data))
    roots = [
        root for strategy in plan.strategies for root in (*strategy.roots, *(r for b in strategy.baskets for r in b.roots))
    ]
    roots += [leaf for policy in plan.policies.values() for leaf in policy.leaves]
    for node in map(plan.graph.__getitem__, plan.graph.reach(tuple(roots))):
        if node.period and node.period not in reported and not fits(node.period, market):
            reported.add(node.period)
            yield error(PERIOD, f"a rule reads bars of {_misfit(node.period, market)}", node.spans[0], _hint(data))


def _misfit(period: int, market: Market) -> str:
    shown, data = show_duration(period), show_duration(market.period)
    why = "shorter than" if period < market.period else "not a whole number of"
    return f"{shown}, which is {why} the bars of {data} in `{market.folder}`"


def _hint(data: str) -> str:
    return f"use a multiple of {data}, or data of shorter bars"


def _coverage(plan: Plan, market: Market, left_out: bool) -> Iterator[Diagnostic]:
    """What strategies would trade and the data lacks; nothing is said of instruments that were left out on purpose."""
    wanted = plan.instruments()
    absent = [symbol for symbol in wanted if symbol not in market.bars]
    if plan.strategies and len(absent) == len(wanted):
        message = f"no strategy covers anything in `{market.folder}`: the data has {_named(market.bars)}"
        yield error(NO_DATA, message, plan.strategies[0].span, f"the strategies cover {_named(wanted)}")
        return
    if absent and not left_out:
        idle = [s.name for s in plan.strategies if any(symbol in absent for symbol in s.members)]
        message = f"no data of {_named(absent)}, which {_named(idle)} would trade"
        hint = f"add `{absent[0]}.parquet` to the folder, or take it out of the universe"
        yield warning(NO_DATA, message, whole_file(market.folder), hint)
    yield from _references(plan, market)


def _money(settings: Settings, plan: Plan, symbol: str, market: Market) -> Iterator[Diagnostic]:
    """What is priced in another currency needs a rate, and bars of it."""
    currency, own = quote_currency(symbol), settings.account.currency
    if not settings.is_foreign(symbol):
        return
    place, found = whole_file(settings.file), settings.conversion(symbol)
    if found is None:
        message = f"`{symbol}` is priced in {currency}, and the account is in {own}"
        pairs = f"`{currency}: {currency}_{own}` or `{currency}: {own}_{currency}`"
        hint = f"say what converts it under `rates` in `{settings.file}`: {pairs}, an instrument of the data"
        yield error(OTHER_CURRENCY, message, place, hint)
    elif found.instrument not in market.bars:
        message = f"`{symbol}` is priced in {currency}, which `{found.instrument}` converts, and the data has none of it"
        yield error(NO_RATE, message, place, f"add `{found.instrument}.parquet` to the folder")
    elif any(strategy.quotes and symbol in strategy.members for strategy in plan.strategies):
        message = f"`{symbol}` is priced in {currency}: quotes are made in the account's currency alone"
        yield error(OTHER_CURRENCY, message, place, "take it out of the universe of the strategy that quotes")


def _named(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _references(plan: Plan, market: Market) -> Iterator[Diagnostic]:
    """`close of BTC-USD` where there is no BTC-USD: the value is unknown at every bar."""
    told = set()
    for node in plan.graph.nodes:
        symbol = str(node.consts[0]) if node.op == "of" else ""
        if symbol and symbol not in market.bars and symbol not in told:
            told.add(symbol)
            message = f"a rule reads `{symbol}`, of which `{market.folder}` has no data: the value stays unknown"
            yield warning(NO_DATA, message, node.spans[0], f"add `{symbol}.parquet` there")


def _specifications(compiled: Compiled, plan: Plan, market: Market) -> Iterator[Diagnostic]:
    settings = compiled.settings
    place = whole_file(settings.file)
    for symbol in plan.instruments():
        if symbol not in market.bars:
            continue
        if settings.instrument(symbol) is None:
            message = f"`{symbol}` is traded, and `{settings.file}` does not say its tick and lot"
            hint = f"add `{symbol}: {{tick: 0.01, lot: 0.0001}}` or a `default` under `instruments`"
            yield error(INCOMPLETE, message, place, hint)
        yield from _money(settings, plan, symbol, market)
