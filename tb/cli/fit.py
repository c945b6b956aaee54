"""Whether a plan and a market fit together: asked before a replay, so that no run starts that could not mean anything.

Errors, because nothing sensible would come of it: a period that the data cannot give, an instrument whose orders nobody
described or whose money is not the account's, data of which no strategy covers anything. An instrument without data is a
warning: the others can be traded.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tb.core.diagnostics import Diagnostic, Refused, error, has_errors, in_order, warning
from tb.core.settings import quote_currency
from tb.core.span import whole_file
from tb.core.time import show_duration

if TYPE_CHECKING:
    from tb.engine.plan import Plan, StrategyPlan
    from tb.replay.data import Market
    from tb.runtime.policy import Compiled

PERIOD = "TB206"
NO_DATA = "TB656"
INCOMPLETE = "TB609"
OTHER_CURRENCY = "TB606"


def check_fit(compiled: Compiled, market: Market) -> list[Diagnostic]:
    """Warnings where a replay can begin. Raises Refused with all findings where it cannot."""
    plan = compiled.plan
    findings = [
        *_periods(plan, market),
        *_coverage(plan, market),
        *_specifications(compiled, market),
        *_references(plan, market),
    ]
    if has_errors(findings):
        raise Refused(in_order(findings))
    return in_order(findings)


def fits(period: int, market: Market) -> bool:
    return period >= market.period and period % market.period == 0


def _periods(plan: Plan, market: Market) -> Iterator[Diagnostic]:
    """Of strategies, then of every `x@PERIOD` inside the rules."""
    reported = set()
    data = show_duration(market.period)
    for strategy in plan.strategies:
        if not fits(strategy.period, market):
            reported.add(strategy.period)
            yield error(PERIOD, f"`{strategy.name}` runs every {_misfit(strategy.period, market)}", strategy.span, _hint(data))
    for node in plan.graph.nodes:
        if node.period and node.period not in reported and not fits(node.period, market):
            reported.add(node.period)
            yield error(PERIOD, f"a rule reads bars of {_misfit(node.period, market)}", node.spans[0], _hint(data))


def _misfit(period: int, market: Market) -> str:
    shown, data = show_duration(period), show_duration(market.period)
    why = "shorter than" if period < market.period else "not a whole number of"
    return f"{shown}, which is {why} the bars of {data} in `{market.folder}`"


def _hint(data: str) -> str:
    return f"use a multiple of {data}, or data of shorter bars"


def _coverage(plan: Plan, market: Market) -> Iterator[Diagnostic]:
    covered = [symbol for symbol in plan.instruments() if symbol in market.bars]
    if plan.strategies and not covered:
        have = ", ".join(f"`{symbol}`" for symbol in market.bars)
        wanted = ", ".join(f"`{symbol}`" for symbol in plan.instruments())
        message = f"no strategy covers anything in `{market.folder}`: the data has {have}"
        yield error(NO_DATA, message, plan.strategies[0].span, f"the strategies cover {wanted}")
        return
    for symbol, strategies in _absent(plan, market).items():
        names = ", ".join(f"`{strategy.name}`" for strategy in strategies)
        message = f"`{market.folder}` has no data of `{symbol}`, which {names} would trade"
        yield warning(NO_DATA, message, strategies[0].span, f"add `{symbol}.parquet` there, or take it out of the universe")


def _absent(plan: Plan, market: Market) -> dict[str, list[StrategyPlan]]:
    absent: dict[str, list[StrategyPlan]] = {}
    for strategy in plan.strategies:
        for symbol in strategy.members:
            if symbol not in market.bars:
                absent.setdefault(symbol, []).append(strategy)
    return absent


def _specifications(compiled: Compiled, market: Market) -> Iterator[Diagnostic]:
    settings = compiled.settings
    place = whole_file(settings.file)
    for symbol in compiled.plan.instruments():
        if symbol not in market.bars:
            continue
        if settings.instrument(symbol) is None:
            message = f"`{symbol}` is traded, and `{settings.file}` does not say its tick and lot"
            hint = f"add `{symbol}: {{tick: 0.01, lot: 0.0001}}` or a `default` under `instruments`"
            yield error(INCOMPLETE, message, place, hint)
        if quote_currency(symbol) != settings.account.currency:
            message = f"`{symbol}` is priced in {quote_currency(symbol)}, and the account is in {settings.account.currency}"
            yield error(OTHER_CURRENCY, message, place, "trade instruments priced in the account's currency")


def _references(plan: Plan, market: Market) -> Iterator[Diagnostic]:
    """`close of BTC-USD` where there is no BTC-USD: the value is unknown at every bar."""
    for node in plan.graph.nodes:
        if node.op == "of" and str(node.consts[0]) not in market.bars:
            symbol = str(node.consts[0])
            message = f"a rule reads `{symbol}`, of which `{market.folder}` has no data: the value stays unknown"
            yield warning(NO_DATA, message, node.spans[0], f"add `{symbol}.parquet` there")
