"""TB108: a constraint, or an `exit when`, beside another one with the same effect that holds in every case in which it does.

Whatever such a constraint refuses the other refuses, too: with the same verdict, for the same orders, also where an input is
missing. With the values that parameters and limits have now: another value may give it a meaning again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import permutations

from tb.analysis.subject import Rule, Subject
from tb.analysis.witness import told, witness
from tb.core.diagnostics import Diagnostic, Label, Severity, warning

CODE = "TB108"


def check(subject: Subject) -> Iterable[Diagnostic]:
    for pair in subject.covered:
        if pair.equal or pair.stricter:
            continue
        at = told(subject, witness(subject.contradictions, [(pair.one.node, False), (pair.by.node, False)]), pair.one.span)
        case = f" (both do at {at})" if at else ""
        message = f"`{pair.one.name}` never decides: what it refuses `{pair.by.name}` refuses, too{case}"
        labels = (Label(subject.head(pair.by.span), "this is as strict in every case"),)
        yield warning(CODE, message, subject.head(pair.one.span), "drop it, or make it the tighter one", labels)
    yield from _exits(subject)


def _exits(subject: Subject) -> Iterator[Diagnostic]:
    implies = subject.implications.implies
    for strategy in subject.plan.strategies:
        said = subject.program.strategies[strategy.name].exits
        exits = (strategy.exits, *(basket.exits for basket in strategy.baskets))
        pairs = (pair for part in exits for pair in permutations(enumerate(part), 2))
        told_of = set[int]()
        for (at, one), (by, other) in pairs:
            if at in told_of or not implies(one.when, other.when) or implies(other.when, one.when):
                continue
            told_of.add(at)
            case = told(subject, witness(subject.contradictions, [(one.when, True), (other.when, True)]), one.span)
            words, whole = subject.words(said[at].condition.span), subject.words(said[by].condition.span)
            message = f"`{words}` exits nothing that `{whole}` does not{f' (both do at {case})' if case else ''}"
            labels = (Label(subject.head(other.span), "this holds in every case in which the other does"),)
            yield warning(CODE, message, subject.head(one.span), "drop it, or make it the wider one", labels)


RULE = Rule(CODE, "shadowed-rule", "correctness", "intervals", Severity.WARNING, check)
