"""TB110: rules that want opposite things of the same case.

An error where two constraints refuse every order between them, so that nothing is ever approved. A warning where both sides of
a strategy can be entered at the same instant, which only the order of its lines decides, and where an entry holds only together
with an exit of the same strategy. Whether two conditions can meet is said only where a case was found and checked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tb.analysis.clauses import Clause
from tb.analysis.implied import shared
from tb.analysis.subject import Rule, Subject
from tb.analysis.thresholds import meeting
from tb.analysis.witness import Witness, told, witness
from tb.core.diagnostics import Diagnostic, Label, Severity, error, warning
from tb.engine.plan import ConstraintPlan, StrategyPlan

CODE = "TB110"


def check(subject: Subject) -> Iterable[Diagnostic]:
    yield from _constraints(subject)
    for strategy in subject.plan.strategies:
        yield from _sides(subject, strategy)
        yield from _exits(subject, strategy)


# --- constraints ----------------------------------------------------------------------------------------------------------


def _constraints(subject: Subject) -> Iterator[Diagnostic]:
    said: set[tuple[str, str]] = set()
    for policy in subject.plan.policies.values():
        judging = [c for c in policy.constraints if c.span.file in subject.policy_files and c.acts not in {None, "warn"}]
        near = shared(subject.implications, [c.node for c in judging])
        for at, one in enumerate(judging):
            for other in judging[at + 1 :]:
                if (one.name, other.name) not in said and other.node in near[one.node] and _refuse_all(subject, one, other):
                    said.add((one.name, other.name))
                    yield _nothing_passes(subject, one, other)


def _refuse_all(subject: Subject, one: ConstraintPlan, other: ConstraintPlan) -> bool:
    first, second = (subject.implications.directions(constraint.node) for constraint in (one, other))
    if all(first[value] == second[value] != 0 for value in first.keys() & second.keys()):
        return False  # what is small enough for both passes both
    never = subject.contradictions.never
    if never(one.node, True) or never(other.node, True):
        return False  # said already, of that one alone
    return subject.contradictions.never_together([(one.node, True), (other.node, True)])


def _nothing_passes(subject: Subject, one: ConstraintPlan, other: ConstraintPlan) -> Diagnostic:
    case = told(subject, witness(subject.contradictions, [(one.node, True)]), one.span)
    message = f"`{one.name}` and `{other.name}` refuse every order between them"
    if case:
        message += f": one at {case} passes `{one.name}`, and `{other.name}` refuses it"
    labels = (Label(subject.head(one.span), "passes only where the other does not"),)
    return error(CODE, message, subject.head(other.span), "drop one of the two, or let their bounds meet", labels)


# --- strategies -----------------------------------------------------------------------------------------------------------


def _sides(subject: Subject, strategy: StrategyPlan) -> Iterator[Diagnostic]:
    if strategy.quotes:
        return  # both sides are what a quote is
    member: list[Clause] = [] if strategy.membership is None else [(strategy.membership, True)]
    for at, one in enumerate(strategy.enters):
        for other in strategy.enters[at + 1 :]:
            if one.direction == other.direction or meeting(subject.contradictions, one.when, other.when):
                continue  # a single point is told as such
            found = witness(subject.contradictions, [(one.when, True), (other.when, True), *member])
            case = told(subject, found, other.span)
            if case and found is not None and _is_sure(subject, found):
                message = f"`{strategy.name}` would enter long and short at once, as at {case}"
                labels = (Label(subject.head(one.span), "holds there as well, and comes first"),)
                hint = "let the two exclude each other: the order of lines decides now"
                yield warning(CODE, message, subject.head(other.span), hint, labels)


def _is_sure(subject: Subject, found: Witness) -> bool:
    """Whether the values of a case are free of each other: no two of them come from the same column of data."""
    read: set[tuple[object, ...]] = set()
    for id_ in found.values:
        leaves = [subject.graph[leaf] for leaf in subject.graph.reach((id_,)) if not subject.graph[leaf].args]
        columns = {(node.op, node.consts) for node in leaves if node.op != "const"}
        prices = {("price",)} if any(column in _PRICES for _, (column, *_) in columns if column) else set()
        if (columns | prices) & read:
            return False
        read |= columns | prices
    plain = {"lt", "le", "gt", "ge", "eq", "ne", "tier_is", "regime_is"}
    regimes = any(subject.graph[id_].op == "regime_is" for id_, _ in found.clauses)
    return all(subject.graph[id_].op in plain for id_, _ in found.clauses) and not regimes


_PRICES = frozenset({"open", "high", "low", "close", "bid", "ask", "mid"})


def _exits(subject: Subject, strategy: StrategyPlan) -> Iterator[Diagnostic]:
    for enter in strategy.enters:
        for exit_ in strategy.exits:
            if subject.contradictions.never(exit_.when, False) or not subject.implications.implies(enter.when, exit_.when):
                continue
            case = told(subject, witness(subject.contradictions, [(enter.when, True)]), enter.span)
            message = f"where `{strategy.name}` enters {enter.direction} it wants to leave as well"
            message += f", as at {case}" if case else ""
            labels = (Label(subject.head(enter.span), "this holds only where the exit does"),)
            yield warning(CODE, message, subject.head(exit_.span), "let the exit begin where the entry has ended", labels)


RULE = Rule(CODE, "conflicting-effects", "correctness", "intervals", Severity.ERROR, check)
