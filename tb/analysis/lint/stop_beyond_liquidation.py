"""TB315: a stop so far away that a venue closes the position before it, at the leverage that policy allows.

A position financed N times by its own margin has lost that margin when the price has moved by 1/N. The leverage is that of the
strategy's book, or the limit on gross exposure where there are no books; 1 and less finances nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from tb.analysis.ranges import shown, widest
from tb.analysis.shares import share_limits
from tb.analysis.subject import Rule, Subject, enters
from tb.core.diagnostics import Diagnostic, Severity, error
from tb.core.units import RATIO

CODE = "TB315"


def check(subject: Subject) -> Iterable[Diagnostic]:
    whole = min((share for _, share in share_limits(subject, "after.gross")), default=Decimal(0))
    for strategy, at, enter in enters(subject):
        book = next((b for b in subject.program.capital.books if strategy.name in b.strategies), None)
        leverage = whole if book is None else min(book.leverage, whole) if whole else book.leverage
        stop = subject.plan.strategy(strategy.name).enters[at].stop
        if leverage <= 1 or enter.stop is None or stop is None or stop.kind != "ratio":
            continue
        nearest = widest(subject.graph, stop.node, lambda name: None)[0]
        if nearest is not None and nearest >= float(1 / leverage):
            message = (
                f"the stop of `{strategy.name}` lies {shown(nearest, RATIO)} away, and at {shown(float(leverage), RATIO)} of "
                f"equity a position is liquidated {shown(float(1 / leverage), RATIO)} away"
            )
            hint = f"bring the stop nearer than {shown(float(1 / leverage), RATIO)}, or allow less leverage"
            yield error(CODE, message, enter.stop.span, hint)


RULE = Rule(CODE, "stop-beyond-liquidation", "risk", "intervals", Severity.ERROR, check)
