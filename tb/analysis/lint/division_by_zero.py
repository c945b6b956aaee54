"""TB117: a divisor that is always 0, an error, or that passes through 0, a warning.

A quotient by 0 is unknown: a rule does not fire, and a constraint denies for no reason that anybody meant. Differences of two
values, and measures that have both signs, pass through 0; so do a parameter whose range holds it, and what is held, lost or
counted of an account that has done nothing yet. Prices and volumes are left alone, and so is a divisor of which another part of
the same condition asks that it is not 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from fractions import Fraction

from tb.analysis.clauses import flat
from tb.analysis.gaps import ZERO, Gap, hold_together
from tb.analysis.ranges import widest
from tb.analysis.subject import Rule, Subject
from tb.core.diagnostics import Diagnostic, Severity, error, warning
from tb.engine.bounds import Bounds
from tb.engine.graph import Node

CODE = "TB117"
_NONE = Fraction(0)
# what is 0 before anything was done, and after everything was closed
_EMPTY = frozenset(
    "gross net exposure open_positions entries orders loss drawdown losses_in_a_row committed working_orders".split()
)
_BOTH_SIGNS = frozenset({"change", "momentum", "slope", "macd", "zscore", "correlation", "cci"})


def check(subject: Subject) -> Iterable[Diagnostic]:
    graph = subject.graph
    roots = [root for strategy in subject.plan.strategies for root in strategy.roots]
    roots += [root for strategy in subject.plan.strategies for basket in strategy.baskets for root in basket.roots]
    roots += [constraint.node for constraint in subject.constraints]
    for id_ in graph.reach(tuple(roots)):
        node = graph[id_]
        if node.op != "div":
            continue
        divisor = graph[node.args[1]]
        always, why = _is_zero(subject, divisor), _passes_zero(subject, divisor)
        if not always and (not why or _is_guarded(subject, id_, divisor)):
            continue
        for place in subject.places(node):
            by = subject.place_in(divisor, place)
            words = f"`{_bare(subject.words(by))}`" if by is not None else "the divisor"
            if always:
                message = f"{words} is always 0, so `{subject.words(place)}` is never known"
                yield error(CODE, message, place, "divide by another value")
            else:
                hint = f"ask for {words} to be above 0 in the same condition, or bound it, as in `max({words.strip('`')}, ...)`"
                yield warning(CODE, f"{words} {why}, and `{subject.words(place)}` is unknown then", place, hint)


def _bare(words: str) -> str:
    """Without the parentheses that stand around all of it."""
    return words[1:-1] if words.startswith("(") and words.find(")") == len(words) - 1 else words


def _is_zero(subject: Subject, divisor: Node) -> bool:
    if divisor.op == "sub" and divisor.args[0] == divisor.args[1]:
        return True
    stage = "decision" if divisor.stage == "decision" else "market"
    return subject.contradictions.ranges.fixed(divisor.id, stage) == 0 or (divisor.low, divisor.high) == (0, 0)


def _passes_zero(subject: Subject, divisor: Node) -> str:
    """How a divisor comes to be 0; empty where that is not known of it."""
    ranges = subject.contradictions.ranges
    if ranges.is_setting(divisor.id):
        low, high = widest(subject.graph, divisor.id, lambda name: _declared(subject, name))
        is_inside = low is not None and high is not None and low <= 0 <= high and low < high
        return "can be 0 within the range of its parameters" if is_inside else ""
    low, high = divisor.low, divisor.high
    if (low is not None and low > 0) or (high is not None and high < 0):
        return ""
    parts = [subject.graph[part] for part in divisor.args]
    if divisor.op == "sub" and (_is_deviation(*parts) or not any(part.op == "const" for part in parts)):
        return "is 0 where its two sides are equal"
    if divisor.op in {"fact", "derived"} and str(divisor.consts[0]) in _EMPTY:
        return "is 0 where there is nothing yet"
    if divisor.op == "apply" and str(divisor.consts[0]) in _BOTH_SIGNS:
        return "passes through 0"
    return ""


def _is_deviation(value: Node, less: Node) -> bool:
    """Whether a difference with a constant passes through 0: `close / x - 1`, or one inside of what an indicator can be."""
    if less.op != "const" or not isinstance(less.consts[0], Decimal):
        return False
    if value.op == "div":
        return less.consts[0] == 1
    return value.low is not None and value.high is not None and value.low < less.consts[0] < value.high


def _declared(subject: Subject, name: str) -> Bounds | None:
    param = subject.program.params.get(name)
    return None if param is None or param.low is None or param.high is None else (float(param.low), float(param.high))


def _is_guarded(subject: Subject, division: int, divisor: Node) -> bool:
    """Whether every conjunction that holds the division has another part that keeps the divisor from being 0."""
    holding = list(_conjunctions(subject, division))
    return bool(holding) and all(_excludes_zero(subject, others, divisor) for others in holding)


def _conjunctions(subject: Subject, division: int) -> Iterator[list[tuple[int, bool]]]:
    """The other clauses of each largest conjunction that the division stands in."""
    inner = {part for node in subject.conditions if node.op == "and" for part in node.args}
    for node in subject.conditions:
        if node.op != "and" or node.id in inner:
            continue
        clauses = flat(subject.graph, node.id, True)
        holds = [clause for clause in clauses if division in subject.graph.reach((clause[0],))]
        if holds:
            yield [clause for clause in clauses if clause not in holds]


def _excludes_zero(subject: Subject, clauses: list[tuple[int, bool]], divisor: Node) -> bool:
    zero = [Gap(divisor.id, ZERO, _NONE, False), Gap(ZERO, divisor.id, _NONE, False)]
    if divisor.op == "sub":
        left, right = divisor.args
        zero += [Gap(left, right, _NONE, False), Gap(right, left, _NONE, False)]
    terms = subject.contradictions.clauses.together(clauses) or ()
    ways = [way for term in terms for way in subject.contradictions.ways_of(term)]
    return bool(ways) and not any(hold_together([*way, *zero]) for way in ways)


RULE = Rule(CODE, "division-by-zero", "correctness", "intervals", Severity.ERROR, check)
