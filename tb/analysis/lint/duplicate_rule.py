"""TB111: a rule that says what another one says: constraints, exits of a strategy, triggers, or whole entries.

Conditions are compared by what they mean, not by how they are written: `a and b` is `b and a`, `not x > 5` is `x <= 5`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from tb.analysis.edits import without_lines
from tb.analysis.subject import Rule, Subject
from tb.core.diagnostics import Diagnostic, Edit, Label, Severity, warning
from tb.core.span import Span
from tb.engine.plan import EnterPlan, StrategyPlan

CODE = "TB111"


def check(subject: Subject) -> Iterable[Diagnostic]:
    for pair in subject.covered:
        if pair.equal:
            message = f"`{pair.one.name}` says what `{pair.by.name}` says"
            edits = () if pair.one.exemptions else without_lines(subject.file(pair.one.span.file), pair.one.span)
            yield _finding(subject, message, pair.one.span, pair.by.span, edits)
    for strategy in subject.plan.strategies:
        yield from _exits(subject, strategy)
    yield from _triggers(subject)
    yield from _entries(subject)


def _finding(subject: Subject, message: str, one: Span, by: Span, edits: Iterable[Edit] = ()) -> Diagnostic:
    labels = (Label(subject.head(by), "the same is said here"),)
    return warning(CODE, message, subject.head(one), "remove one of the two", labels, edits)


def _exits(subject: Subject, strategy: StrategyPlan) -> Iterator[Diagnostic]:
    exits = strategy.exits
    for one, by in _equal(subject, [exit_.when for exit_ in exits]):
        same_words = exits[one].because in {exits[by].because, ()}
        edits = without_lines(subject.file(exits[one].span.file), exits[one].span) if same_words else ()
        yield _finding(subject, f"`{strategy.name}` says this exit twice", exits[one].span, exits[by].span, edits)


def _triggers(subject: Subject) -> Iterator[Diagnostic]:
    """Triggers that strategies use. Those nothing uses are not in the graph, and are told as unused."""
    triggers = subject.program.triggers
    seen: dict[str, int] = {}
    for strategy in subject.plan.strategies:
        for enter in strategy.enters:
            for name, node in enter.triggers:
                seen.setdefault(name, node)
    names = [name for name in triggers if name in seen]
    for one, by in _equal(subject, [seen[name] for name in names]):
        message = f"the triggers `{names[one]}` and `{names[by]}` fire in the same cases"
        yield _finding(subject, message, triggers[names[one]].span, triggers[names[by]].span)


def _entries(subject: Subject) -> Iterator[Diagnostic]:
    """Strategies that enter in the same cases and do the same then and later, so that every order is sent twice."""
    found = [(strategy, enter) for strategy in subject.plan.strategies for enter in strategy.enters]
    for one, by in _equal(subject, [enter.when for _, enter in found], lambda a, b: _does(*found[a]) == _does(*found[b])):
        (strategy, enter), (other, twin) = found[one], found[by]
        message = f"`{strategy.name}` enters {enter.direction} in the same cases as `{other.name}`, and does the same then"
        yield _finding(subject, message, enter.span, twin.span)


def _does(strategy: StrategyPlan, enter: EnterPlan) -> tuple[object, ...]:
    exits = tuple(sorted(exit_.when for exit_ in strategy.exits))
    of_strategy = (strategy.universe, strategy.period, strategy.membership, exits, strategy.holds, strategy.cool_downs)
    return (*of_strategy, enter.direction, enter.sizes, enter.stop, enter.target, enter.order, enter.manage)


def _equal(
    subject: Subject, conditions: Sequence[int], alike: Callable[[int, int], bool] = lambda a, b: True
) -> Iterator[tuple[int, int]]:
    """Numbers of conditions that mean the same as an earlier one."""
    implies = subject.implications.implies
    for one, condition in enumerate(conditions):
        for by in range(one):
            other = conditions[by]
            if alike(one, by) and implies(condition, other) and implies(other, condition):
                yield one, by
                break


RULE = Rule(CODE, "duplicate-rule", "correctness", "intervals", Severity.WARNING, check)
