"""TB306: no hard constraint bounds how many orders are sent in a stretch of time.

It has to judge every order: a rule that misfires sends exits as fast as entries.
"""

from __future__ import annotations

from collections.abc import Iterable

from tb.analysis.bounded import bounding, fact
from tb.analysis.policy_place import policy_place
from tb.analysis.subject import Rule, Subject
from tb.core.diagnostics import Diagnostic, Severity, error

CODE = "TB306"


def check(subject: Subject) -> Iterable[Diagnostic]:
    place = policy_place(subject)
    rates = [*bounding(subject, fact("orders")), *bounding(subject, fact("messages"))]
    if place is None or any(rate.every_order for rate in rates):
        return
    if rates:
        message = f"`{rates[0].name}` bounds the rate of entries alone: exits are not counted against it"
        yield error(CODE, message, subject.head(rates[0].span), "add `on every order` to it")
    else:
        hint = "add `limit orders_rate  orders(10s) <= 20  on every order` to the policy"
        yield error(CODE, "no constraint bounds the rate of orders", place, hint)


RULE = Rule(CODE, "missing-order-rate", "risk", "graph", Severity.ERROR, check, suppressible=False)
