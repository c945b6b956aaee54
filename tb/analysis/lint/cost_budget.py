"""TB506: a plan that costs more to keep than its budget.

The cost is the sum over every value of every instrument: the window that a function looks at for each bar, and the bars that
`x[n]`, `for` and `within` keep. Equal values are computed once. The budget is a million, or `lint.budget` in tb.yaml.
"""

from __future__ import annotations

from collections.abc import Iterable

from tb.analysis.subject import Rule, Subject
from tb.core.diagnostics import Diagnostic, Severity, warning
from tb.core.span import Span
from tb.engine.graph import Node
from tb.vocabulary.catalogue import FUNCTIONS

CODE = "TB506"
BUDGET = 1_000_000


def check(subject: Subject) -> Iterable[Diagnostic]:
    costs = [(cost(subject.graph[id_]), id_) for id_, _ in _computed(subject)]
    total, budget = sum(amount for amount, _ in costs), subject.budget or BUDGET
    if total <= budget:
        return
    shares: dict[int, int] = {}
    for amount, id_ in costs:
        shares[id_] = shares.get(id_, 0) + amount
    dearest = max(shares, key=lambda id_: (shares[id_], -id_))
    place = next(iter(subject.places(subject.graph[dearest])), Span("rules", 1, 1, 1, 1))
    message = (
        f"the plan looks at {total} values a bar, and its budget is {budget}; `{subject.words(place)}` alone takes "
        f"{shares[dearest]}"
    )
    yield warning(
        CODE, message, place, "shorten the longest windows, trade fewer instruments, or raise `lint.budget` in tb.yaml"
    )


def cost(node: Node) -> int:
    """How many values a node looks at or keeps for each bar of one instrument."""
    match node.op:
        case "apply":
            return FUNCTIONS[str(node.consts[0])].window(tuple(float(c) for c in node.consts[2:] if c is not None))
        case "shift" | "every" | "some":
            return int(node.consts[0] or 0)
        case _:
            return 1


def _computed(subject: Subject) -> Iterable[tuple[int, str]]:
    """Every market value that a strategy or the policy needs, with the instrument it is of, each once."""
    stack = [(node, symbol) for s in subject.plan.strategies for symbol in s.members for node in s.reads(symbol)]
    seen: dict[tuple[int, str], None] = {}
    while stack:
        pair = stack.pop()
        node = subject.graph[pair[0]]
        if pair in seen or node.stage != "market":
            continue
        seen[pair] = None
        symbol = str(node.consts[0]) if node.op == "of" else pair[1]
        stack += [(argument, symbol) for argument in node.args]
    return seen


RULE = Rule(CODE, "cost-budget-exceeded", "hygiene", "graph", Severity.WARNING, check)
