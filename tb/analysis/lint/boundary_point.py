"""TB115: two rules that meet in exactly one value, which both leave out or both take.

Looked at are the cases of `regime` and `size`, which leave such a value to `otherwise`; the two sides of a strategy; and
constraints, which let nothing pass but that value. Cases are tried from the top, so there a value may be in two of them; and
two sides may leave out a price or an indicator, which meets no value exactly, but not a count such as an hour.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations

from tb.analysis.clauses import Clause
from tb.analysis.subject import Rule, Subject, enters, named
from tb.analysis.thresholds import Meeting, meeting
from tb.analysis.witness import in_units
from tb.core.diagnostics import Diagnostic, Label, Severity, warning
from tb.core.span import Span

CODE = "TB115"


def check(subject: Subject) -> Iterable[Diagnostic]:
    for node in subject.graph.nodes:
        if node.op == "regime":
            yield from _cases(subject, node.args, [case.span for case in subject.program.regime])
    for strategy, at, enter in enters(subject):
        sizes = subject.plan.strategy(strategy.name).enters[at].sizes
        conditions = [size.condition for size in sizes if size.condition is not None]
        yield from _cases(subject, conditions, [size.span for size in enter.sizes])
    for plan in subject.plan.strategies:
        both = () if plan.quotes else plan.enters  # both sides are what a quote is
        for one, other in combinations(both, 2):
            if one.direction != other.direction and (found := meeting(subject.contradictions, one.when, other.when)):
                if found.both:
                    yield _finding(subject, found, "both sides are entered", other.span, "let one of the two leave it out")
                elif found.is_count:
                    yield _finding(subject, found, "neither side is entered", other.span, _include(subject, found, other.span))
    yield from _constraints(subject)


def _cases(subject: Subject, conditions: Sequence[int], spans: Sequence[Span]) -> Iterator[Diagnostic]:
    contradictions = subject.contradictions
    for one, other in combinations(range(len(conditions)), 2):
        found = meeting(contradictions, conditions[one], conditions[other])
        if found is None or found.both or contradictions.never_together([(case, False) for case in conditions]):
            continue
        yield _finding(subject, found, "neither case holds", spans[other], _include(subject, found, spans[other]))


def _constraints(subject: Subject) -> Iterator[Diagnostic]:
    said: set[tuple[str, str]] = set()
    for policy in subject.plan.policies.values():
        judging = [c for c in policy.constraints if c.span.file in subject.policy_files and c.acts not in {None, "warn"}]
        for one, other in combinations(judging, 2):
            if (one.name, other.name) in said or not (
                subject.implications.values(one.node) & subject.implications.values(other.node)
            ):
                continue
            found = meeting(subject.contradictions, one.node, other.node)
            if found is not None and found.both:
                said.add((one.name, other.name))
                what = f"`{one.name}` and `{other.name}` let an order pass"
                hint = "widen one of the two: nothing else passes both"
                yield _finding(subject, found, what, other.span, hint, only=True)


def _include(subject: Subject, found: Meeting, around: Span) -> str:
    """The edit: one of the two signs with its `=`."""
    for clause in reversed(found.clauses):
        words = _words(subject, clause, around)
        for sign in ("<", ">"):
            if words.count(sign) == 1 and f"{sign}=" not in words:
                return f"write `{words.replace(sign, f'{sign}=')}` in one of the two"
    return "let one of the two include it"


def _words(subject: Subject, clause: Clause, around: Span) -> str:
    place = subject.place_in(subject.graph[clause[0]], around)
    return "" if place is None else subject.words(place)


def _finding(subject: Subject, found: Meeting, what: str, place: Span, hint: str, *, only: bool = False) -> Diagnostic:
    said = [_words(subject, clause, place) for clause in found.clauses]
    point = f"where `{said[0]}` and `{said[1]}` meet"
    if len(found.quantity) == 1:
        node = subject.graph[found.quantity[0][0]]
        written = subject.place_in(node, place)
        if written is not None:
            point = f"at exactly {subject.words(written)} {in_units(found.at, node.unit)}"
    labels = []
    for clause in found.clauses:
        span = subject.place_in(subject.graph[clause[0]], place)
        if span is not None:
            labels.append(Label(span, "ends at this value" if not only else "leaves this value alone"))
    message = f"{what} {point} alone" if only else f"{what} {point}: {named(said)}"
    return warning(CODE, message, subject.head(place), hint, labels)


RULE = Rule(CODE, "boundary-point", "correctness", "intervals", Severity.WARNING, check)
