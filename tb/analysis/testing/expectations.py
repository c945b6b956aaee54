"""What was expected beside what came: nothing where they agree, else a failure in the words of the test.

A verdict has to be that verdict; a rule named has to be among the deciding ones, a clause among those that failed, a margin
exactly how far that clause is from its threshold.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import isnan

from tb.analysis.testing.asked import Asked, amount
from tb.analysis.testing.model import Failure
from tb.analysis.testing.silence import Silence
from tb.core.encode import plain
from tb.core.records import Decision
from tb.core.units import Kind
from tb.dsl.checked_tests import ExpectNoProposal, ExpectThat, ExpectVerdict
from tb.engine.explain.clauses import Clause, blame, clause_tree, sides, truth_of
from tb.engine.explain.words import show_value
from tb.engine.graph import RuleGraph
from tb.engine.instant import EXACT, Exact
from tb.engine.interpret import from_leaves
from tb.engine.plan import ConstraintPlan
from tb.gate.gate import Gate
from tb.vocabulary.std import TEXTS

Values = dict[int, Exact | float]
_COMPARISONS = frozenset({"lt", "le", "gt", "ge", "eq", "ne"})
_ORDER = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}


@dataclass(frozen=True)
class Came:
    """One decided order, with the value of every node of the policy."""

    graph: RuleGraph
    gate: Gate
    decision: Decision
    values: Values

    def deciding(self) -> tuple[ConstraintPlan, ...]:
        return tuple(c for c in self.gate.policy.constraints if c.name in self.decision.deciding)

    def blamed(self, constraint: ConstraintPlan) -> tuple[Clause, ...]:
        """The clauses that keep a constraint from passing."""
        return tuple(blame(clause_tree(self.graph, constraint.node, self.values)))


def came(graph: RuleGraph, gate: Gate, decision: Decision, inputs: Sequence[Exact]) -> Came:
    leaves: Values = dict(zip(gate.policy.leaves, inputs, strict=True))
    return Came(graph, gate, decision, from_leaves(graph, leaves, [c.node for c in gate.policy.constraints]))


def verdict(expected: ExpectVerdict, at: int, asked: Asked, decided: Sequence[Came]) -> Failure | None:
    """Held against every order that was decided: one that is as expected is enough."""
    if any(_differs(expected, at, asked, one) is None for one in decided):
        return None
    if not decided:
        hint = "write `expect no proposal`, or edit the rules until one proposes"
        return Failure(expected=expected.text, actual="no proposal", span=expected.span, hint=hint)
    actual = "; ".join(said(one, expected) for one in decided)
    nearest = decided[0]
    why = _differs(expected, at, asked, nearest) or ""
    hint = f"{why}; {_edit(expected, nearest)}" if why else _edit(expected, nearest)
    return Failure(expected=expected.text, actual=actual, span=expected.span, hint=hint)


def no_proposal(expected: ExpectNoProposal, decided: Sequence[Came], silence: Silence) -> Failure | None:
    """That a strategy proposed nothing says nothing where its conditions were not known."""
    found = [one for one in decided if expected.by is None or one.decision.strategy == expected.by]
    if found:
        actual = "; ".join(proposed(one.decision) for one in found)
        where = ", ".join(dict.fromkeys(one.decision.strategy for one in found))
        hint = f"edit the entry of {where}, or expect its order"
        return Failure(expected=expected.text, actual=actual, span=expected.span, hint=hint)
    silent = [one for name, one in silence.unknown.items() if expected.by in {None, name}]
    if not silent:
        return None
    actual = "; ".join(f"no entry condition of `{one.strategy}` is known: {one.why}" for one in silent)
    hint = silent[0].hint
    if expected.by is None and silence.ready is not None:
        hint += f", or name the strategy: `expect no proposal by {silence.ready}`"
    return Failure(expected=expected.text, actual=actual, span=expected.span, hint=hint)


def condition(graph: RuleGraph, expected: ExpectThat, at: int, asked: Asked, values: Values) -> Failure | None:
    """A condition at the last bar, or on what is given."""
    node = asked.conditions[at]
    if expected.is_unknown:
        return _unknown(graph, expected, node, values)
    truth = truth_of(values.get(node))
    if truth != "true":
        failing = [_clause(clause) for clause in blame(clause_tree(graph, node, values))]
        hint = "; ".join(failing)
        return Failure(expected=expected.text, actual=truth, span=expected.span, hint=hint)
    if expected.operator is None or expected.confidence is None:
        return None
    found = values.get(asked.confidences[at])
    if isinstance(found, float | Decimal) and _holds(expected.operator, float(found), float(expected.confidence)):
        return None
    actual = "true with an unknown confidence" if not isinstance(found, float | Decimal) else f"true with confidence {found:g}"
    hint = f"edit the confidence of the trigger, or expect `with confidence {_ORDER[expected.operator]} ...`"
    return Failure(expected=expected.text, actual=actual, span=expected.span, hint=hint)


def _unknown(graph: RuleGraph, expected: ExpectThat, node: int, values: Values) -> Failure | None:
    found = values.get(node)
    if found is None or (isinstance(found, float) and isnan(found)):
        return None
    actual = f"it is {show_value(found, graph[node].unit)}"
    hint = "take away what makes it known, or expect what it is"
    return Failure(expected=expected.text, actual=actual, span=expected.span, hint=hint)


# --- in words ------------------------------------------------------------------------------------------------------------


def proposed(decision: Decision) -> str:
    return f"{decision.strategy} proposed {decision.side} {plain(decision.proposed)} {decision.instrument}"


def said(one: Came, like: ExpectVerdict) -> str:
    """What came, as a test would expect it: as far as the expectation says anything of it."""
    decision = one.decision
    words = str(decision.verdict)
    if decision.verdict == "approve":
        return f"approve {decision.side} {decision.instrument} by {decision.strategy}"
    if decision.verdict == "shrink":
        words += f" to {plain(decision.approved)}"
    words += f" by {', '.join(decision.deciding)}"
    if like.clause is None and like.margin is None:
        return words
    clauses = [_margin_words(one, clause) for constraint in one.deciding() for clause in one.blamed(constraint)]
    return words + (f" clause {'; '.join(clauses)}" if clauses else "")


def _margin_words(one: Came, clause: Clause) -> str:
    return f"{clause.text} with margin {clause.distance}" if clause.distance else f"{clause.text} is {clause.truth}"


def _clause(clause: Clause) -> str:
    if not clause.value:
        return f"`{clause.text}` is {clause.truth} ({clause.place})"
    apart = f", {clause.distance} apart" if clause.distance else ""
    return f"`{clause.text}` is {clause.truth}: {clause.value} against {clause.threshold}{apart} ({clause.place})"


def _edit(expected: ExpectVerdict, one: Came) -> str:
    """What can be edited: the rule of the project that is expected or that decided, not one that comes with every project."""
    own = [c for c in one.gate.policy.constraints if c.span.file not in TEXTS]
    expected_one = [c for c in own if c.name == expected.by]
    shown = next(iter(expected_one or [c for c in own if c.name in one.decision.deciding]), None)
    if shown is None:
        return "edit the order or what is given, or what is expected"
    return f"edit `{shown.name}` ({shown.span.file}:{shown.span.line}), what is given, or what is expected"


# --- differences ---------------------------------------------------------------------------------------------------------


def _differs(expected: ExpectVerdict, at: int, asked: Asked, one: Came) -> str | None:
    """The first difference in words; None where the order came out as expected."""
    return next(_differences(expected, at, asked, one), None)


def _differences(expected: ExpectVerdict, at: int, asked: Asked, one: Came) -> Iterator[str]:
    decision = one.decision
    if expected.side is not None and (decision.side, decision.instrument) != (expected.side, expected.instrument):
        yield f"the order is to {decision.side} {decision.instrument}"
    if decision.verdict != expected.verdict:
        yield _other_verdict(expected, one)
    if expected.to is not None and decision.approved != expected.to:
        yield f"it shrinks to {plain(decision.approved)}"
    if expected.by is None and expected.clause is None and expected.margin is None:
        return
    if expected.verdict == "approve":
        if expected.by is not None and decision.strategy != expected.by:
            yield f"`{decision.strategy}` proposed it"
        return
    if expected.by is not None and expected.by not in decision.deciding:
        yield _other_verdict(expected, one)
    rules = [c for c in one.deciding() if expected.by in {None, c.name}]
    yield from _clause_differs(expected, at, asked, one, rules)


def _other_verdict(expected: ExpectVerdict, one: Came) -> str:
    rule = next((c for c in one.gate.policy.constraints if c.name == expected.by), None)
    if rule is None:
        return f"the verdict is {one.decision.verdict}"
    passes = one.values.get(rule.node)
    status = {"true": "passed", "false": f"failed, which means {rule.verdict}", "unknown": "cannot be known"}[truth_of(passes)]
    return f"`{rule.name}` {status}"


def _clause_differs(
    expected: ExpectVerdict, at: int, asked: Asked, one: Came, rules: Sequence[ConstraintPlan]
) -> Iterator[str]:
    if expected.clause is None and expected.margin is None:
        return
    found = [clause for rule in rules for clause in one.blamed(rule)]
    if expected.clause is not None:
        node = asked.clauses[at][one.gate.policy.period]
        if not any(same(one.graph, node, part) for rule in rules for part in one.graph.reach((rule.node,))):
            yield f"it is no clause of {' or '.join(f'`{rule.name}`' for rule in rules)}"
            return
        found = [clause for clause in found if same(one.graph, node, clause.at)]
        if not found:
            yield "that clause did not fail"
            return
    if expected.margin is None:
        return
    wanted = amount(expected.margin, one.gate.policy.period)
    measured = [margin for clause in found if (margin := _margin(one, clause)) is not None]
    if len(measured) > 1:
        yield "several clauses failed: name one with `clause`"
    elif measured != [wanted]:
        yield "the margin is another" if measured else "no margin can be measured"


def _margin(one: Came, clause: Clause) -> Decimal | None:
    """How far a comparison's measured side is from its threshold, exactly; None where it is unknown or measures nothing."""
    node = one.graph[clause.at]
    if node.op not in _COMPARISONS:
        return None
    measured, bound = (one.values[side] for side in sides(one.graph, node))
    if not isinstance(measured, Decimal) or not isinstance(bound, Decimal):
        return None
    return abs(EXACT.subtract(measured, bound))


def same(graph: RuleGraph, one: int, other: int) -> bool:
    """Whether two nodes compute the same, whatever names their constants have: `60bps` is `limits.max_spread` of 60bps."""
    if one == other:
        return True
    left, right = graph[one], graph[other]
    if left.op == right.op == "const":
        return left.consts[0] == right.consts[0] and Kind.TEXT not in {left.unit.kind, right.unit.kind}
    alike = (left.op, left.consts, left.period, len(left.args)) == (right.op, right.consts, right.period, len(right.args))
    return alike and all(same(graph, a, b) for a, b in zip(left.args, right.args, strict=True))


def _holds(operator: str, left: float, right: float) -> bool:
    return {
        "lt": left < right,
        "le": left <= right,
        "gt": left > right,
        "ge": left >= right,
        "eq": left == right,
        "ne": left != right,
    }[operator]
