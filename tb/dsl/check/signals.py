"""Signals: producers that say long or short, how sure they are from 1 to 10, and why.

A signal is asked by its direction (`rsi_reversion is long`), for its conviction (`rsi_reversion.conviction`), together with
others (`agree(long, rsi_reversion, whale) >= 2`), and for its words in a `because` (`{rsi_reversion.because}`).
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from tb.core.diagnostics import did_you_mean
from tb.core.span import Span
from tb.core.units import ANY, NUMBER, SIGNAL, TRUTH, Kind
from tb.dsl import checked, checked_cases, syntax
from tb.dsl.check import units
from tb.dsl.check.literals import fold
from tb.dsl.check.templates import template

if TYPE_CHECKING:
    from tb.dsl.check.expressions import Expressions

DIRECTIONS = ("long", "short", "neutral")
LEAST, MOST = Decimal(1), Decimal(10)


def signal(using: Expressions, node: syntax.Signal) -> None:
    """Defines the signal: its cases as a value, and the words of each beside it."""
    scope = using.scope
    before = len(scope.findings)
    conditions = tuple(_condition(using, case.when) for case in node.cases)
    convictions = tuple(_conviction(using, case.conviction) for case in node.cases)
    words = tuple(template(using, case.because) for case in node.cases)
    if len(scope.findings) > before:
        scope.broken.add(node.name)
    directions = tuple(case.direction for case in node.cases)
    spans = tuple(case.span for case in node.cases)
    value = checked.Signal(directions, conditions, convictions, SIGNAL, node.span)
    scope.lets[node.name] = checked.Let(node.name, value, node.span)
    scope.signals[node.name] = checked_cases.Producer(node.name, directions, words, spans, node.doc or "", node.span)


def _condition(using: Expressions, node: syntax.Expr) -> checked.Expr:
    found = using.condition(node)
    return found if found.unit == TRUTH else checked.Const("?", ANY, "?", None, found.span)


def _conviction(using: Expressions, node: syntax.Expr) -> checked.Expr:
    value = using.check(node)
    if using.excused(value):
        return value
    if value.unit.kind not in {Kind.NUMBER, Kind.QUOTIENT, Kind.ANY}:
        message = f"a conviction is a number from 1 to 10, not {units.phrase(value.unit)}"
        return using.refuse("TB081", message, value.span, "write `conviction 7`")
    folded = fold(value)
    if folded is not None and isinstance(folded.value, Decimal) and not LEAST <= folded.value <= MOST:
        hint = "write `conviction 7`: 1 is a hunch, 10 is sure"
        return using.refuse("TB081", f"a conviction lies between 1 and 10, not at {folded.text}", value.span, hint)
    return value


def named(using: Expressions, name: str) -> checked.Ref | None:
    """A use of the signal of that name where this file sees one; None where it sees none."""
    scope = using.scope
    if not scope.visible(name, using.file, using.in_policy):
        return None
    if isinstance(scope.pending.get(name), syntax.Signal):
        using.settle(name)
    unit = ANY if name in scope.broken else SIGNAL
    return checked.Ref(name, "let", unit, scope.defined[name][0]) if name in scope.signals else None


def is_direction(using: Expressions, signal_: checked.Ref, node: syntax.Is) -> checked.Expr:
    """`rsi_reversion is long`."""
    if signal_.unit == ANY:
        return checked.Const("?", ANY, "?", None, node.span)
    if node.word not in DIRECTIONS:
        hint = did_you_mean(node.word, DIRECTIONS) or f"write `{signal_.name} is long`"
        return using.refuse("TB080", f"a signal is long, short or neutral, not `{node.word}`", node.span, hint)
    return checked.SignalIs(_at(signal_, node.span), node.word, TRUTH, node.span)


def part(using: Expressions, node: syntax.Name) -> checked.Expr | None:
    """`rsi_reversion.conviction`; None where the first part is no signal."""
    if len(node.parts) != 2:
        return None
    found = named(using, node.parts[0])
    if found is None and node.parts[0] not in using.scope.broken:
        return None
    if found is None or found.unit == ANY:
        return checked.Const("?", ANY, "?", None, node.span)
    if node.parts[1] == "conviction":
        return checked.Conviction(_at(found, node.span), NUMBER, node.span)
    name = node.parts[0]
    if node.parts[1] == "because":
        message, hint = "the words of a signal stand in texts alone", f'write `because "{{{name}.because}}"`'
    else:
        message = f"the signal `{name}` has no part `{node.parts[1]}`"
        hint = did_you_mean(node.parts[1], ["conviction", "because"]) or f"write `{name}.conviction`, or `{name} is long`"
    return using.refuse("TB080", message, node.span, hint)


def _at(signal_: checked.Ref, span: Span) -> checked.Ref:
    return checked.Ref(signal_.name, signal_.kind, signal_.unit, span)


def agree(using: Expressions, node: syntax.Call) -> checked.Expr:
    """`agree(long, rsi_reversion, whale)`: how many of the signals named say so."""
    example = "write `agree(long, SIGNAL, SIGNAL) >= 2`"
    words = [argument.text if isinstance(argument, syntax.Name) else "" for argument in node.arguments]
    if node.named or not words or words[0] not in {"long", "short"}:
        return using.refuse("TB083", "`agree` needs a direction, `long` or `short`, first", node.span, example)
    if len(words) < 2:
        return using.refuse("TB083", "`agree` names no signal", node.span, example)
    found: list[checked.Ref] = []
    for argument, name in zip(node.arguments[1:], words[1:], strict=True):
        one = named(using, name) if name else None
        if one is None and name in using.scope.broken:
            one = checked.Ref(name, "let", ANY, argument.span)
        if one is None:
            return _no_signal(using, argument, name)
        if name in [other.name for other in found]:
            return using.refuse("TB083", f"`{name}` stands twice, and would count twice", argument.span, "remove one")
        found.append(_at(one, argument.span))
    if any(one.unit == ANY for one in found):
        return checked.Const("?", ANY, "?", None, node.span)
    return checked.Agree(words[0], tuple(found), NUMBER, node.span)


def _no_signal(using: Expressions, argument: syntax.Expr, name: str) -> checked.Expr:
    scope = using.scope
    seen = [other for other in scope.signals if scope.visible(other, using.file, using.in_policy)]
    hint = scope.elsewhere(name, using.file) or did_you_mean(name, seen) or "define it: `signal NAME` and its cases"
    what = f"`{name}` is not a signal" if name else "`agree` takes names of signals"
    return using.refuse("TB083", what, argument.span, hint)
