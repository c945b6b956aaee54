"""TB303: no hard constraint bounds the value of a single order, by an amount or a share of the account.

A bound that the market sets (`2 * order.notional <= depth(10bps)`) is none: it has no end. Weights of tiers count where every
tier in use has an upper one.
"""

from __future__ import annotations

from collections.abc import Iterable

from tb.analysis.bounded import bounding, order_value, tiers_bound_positions
from tb.analysis.policy_place import policy_place
from tb.analysis.subject import Rule, Subject
from tb.core.diagnostics import Diagnostic, Severity, error

CODE = "TB303"


def check(subject: Subject) -> Iterable[Diagnostic]:
    place = policy_place(subject)
    if place is None or tiers_bound_positions(subject) or any(bounding(subject, order_value, by_market=False)):
        return
    hint = f"add `limit order_value  order.notional <= 10k {subject.program.currency}` to the policy"
    yield error(CODE, "no constraint bounds the value of an order", place, hint)


RULE = Rule(CODE, "missing-order-value", "risk", "graph", Severity.ERROR, check, suppressible=False)
