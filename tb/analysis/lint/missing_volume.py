"""TB304: neither the policy nor the settings bound the quantity of a single order.

A value limit trusts the price: with a price a thousand times too small the same value is a thousand times the quantity. A
constraint on `order.quantity` bounds every instrument; `max_quantity` in the settings bounds one. Where nothing is known of
instruments nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterable

from tb.analysis.bounded import bounding, fact
from tb.analysis.policy_place import policy_place
from tb.analysis.subject import Rule, Subject, named
from tb.core.diagnostics import Diagnostic, Severity, error

CODE = "TB304"


def check(subject: Subject) -> Iterable[Diagnostic]:
    place = policy_place(subject)
    if place is None or subject.instruments is None:
        return
    specs = {symbol: subject.instruments(symbol) for strategy in subject.plan.strategies for symbol in strategy.members}
    lacking = [symbol for symbol, spec in specs.items() if spec is None or spec.max_quantity is None]
    if lacking and not any(bounding(subject, fact("order.quantity"), by_market=False)):
        which = named(lacking) if len(lacking) < len(specs) else "any instrument"
        message = f"nothing bounds the quantity of an order in {which}"
        where = lacking[0] if len(lacking) < len(specs) else "default"
        yield error(CODE, message, place, f"add `max_quantity: 100` to `{where}` under `instruments` in tb.yaml")


RULE = Rule(CODE, "missing-max-volume", "risk", "graph", Severity.ERROR, check, suppressible=False)
