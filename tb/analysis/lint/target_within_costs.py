"""TB316: a target so near that reaching it pays no more than the order costs.

A round trip costs two fees, two times the slippage and the spread, as `venue` and `instruments` in tb.yaml state them. The
largest distance that a target can have over the declared ranges is compared; a target in R is that multiple of the stop's
distance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal

from tb.analysis.ranges import shown, widest
from tb.analysis.subject import Costs, Rule, Subject, enters, named
from tb.core.diagnostics import Diagnostic, Severity, warning
from tb.core.units import RATIO
from tb.engine.bounds import Bounds
from tb.engine.plan import EnterPlan

CODE = "TB316"


def check(subject: Subject) -> Iterable[Diagnostic]:
    if subject.costs is None:
        return
    for strategy, at, enter in enters(subject):
        plan = subject.plan.strategy(strategy.name)
        farthest = _farthest(subject, plan.enters[at])
        if enter.target is None or farthest is None:
            continue
        costs = {symbol: round_trip(subject.costs, symbol) for symbol in plan.members}
        dear = [symbol for symbol, cost in costs.items() if cost is not None and farthest <= float(cost)]
        if dear:
            highest = max(cost for cost in (costs[symbol] for symbol in dear) if cost is not None)
            message = (
                f"the target of `{strategy.name}` lies {shown(farthest, RATIO)} away, and a round trip in {named(dear)} costs "
                f"{shown(float(highest), RATIO)}"
            )
            hint = f"set the target well beyond {shown(float(highest), RATIO)}, or state lower costs under `venue` in tb.yaml"
            yield warning(CODE, message, enter.target.span, hint)


def round_trip(costs: Callable[[str], Costs | None], symbol: str) -> Decimal | None:
    """What buying and selling again costs as a share of the value; None where nothing is known."""
    venue = costs(symbol)
    if venue is None:
        return None
    return 2 * (venue.fee + venue.slippage) + (venue.spread or Decimal(0))


def _farthest(subject: Subject, enter: EnterPlan) -> float | None:
    """The largest distance of the target, as a share of the entry; None where it has no end or is a price."""
    params = subject.program.params

    def declared(name: str) -> Bounds | None:
        param = params.get(name)
        return None if param is None or param.low is None or param.high is None else (float(param.low), float(param.high))

    if enter.target is None or enter.target.kind not in {"ratio", "r"}:
        return None
    most = widest(subject.graph, enter.target.node, declared)[1]
    if enter.target.kind == "ratio" or most is None:
        return most
    if enter.stop is None or enter.stop.kind != "ratio":
        return None
    distance = widest(subject.graph, enter.stop.node, declared)[1]
    return None if distance is None else most * distance


RULE = Rule(CODE, "fees-exceed-edge", "risk", "intervals", Severity.WARNING, check)
