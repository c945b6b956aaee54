"""TB307: nothing stops a strategy that keeps doing the same thing, with nobody looking.

A bound on entries within a window does, as `entries(1h) <= 10`; so does a pause or limit after losses, stops or rejects in a
row, and the control `repeated_execution` of the library. A limit on the rate of orders does not: a slow loop passes it.
"""

from __future__ import annotations

from collections.abc import Iterable

from tb.analysis.bounded import bounding, fact
from tb.analysis.policy_place import policy_place
from tb.analysis.subject import Rule, Subject
from tb.core.diagnostics import Diagnostic, Severity, error

CODE = "TB307"
THROTTLED = fact(
    "entries",
    "committed",
    "proposals",
    "strategy.committed",
    "strategy.unattended",
    "losses_in_a_row",
    "stops_in_a_row",
    "rejects_in_a_row",
)


def check(subject: Subject) -> Iterable[Diagnostic]:
    place = policy_place(subject)
    if place is not None and not any(bounding(subject, THROTTLED)):
        hint = "add `limit entries_rate  entries(1h) <= 10` to the policy, or `pause streak  for 1h after 3 losses in a row`"
        yield error(CODE, "no constraint throttles a strategy that keeps entering", place, hint)


RULE = Rule(CODE, "missing-repeat-throttle", "risk", "graph", Severity.ERROR, check, suppressible=False)
