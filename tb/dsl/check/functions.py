"""Functions of rules and policy: `let above_mean(x, n) = x / mean(x, n) - 1`, put in place where they are used.

A function is checked twice. Once by itself, with arguments of which nothing is known: that finds what is wrong whoever uses it,
and that it does not need itself. Then at each use with the arguments given there, because only those have units; what is wrong
then is told at the use, with the place in the definition beside it.

A use becomes a `let` that is called as the use is written, so that explanations show `above_mean(close, 24)` and its value.
INVARIANT: no use grows beyond LONGEST parts, so a chain of functions that double their argument is refused, not computed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from tb.core.diagnostics import Diagnostic, Label, did_you_mean
from tb.core.span import Span
from tb.core.units import ANY
from tb.dsl import checked, syntax
from tb.dsl.check.literals import fold
from tb.dsl.check.walk import parts_of
from tb.dsl.format_expression import spell
from tb.vocabulary.facts import FACTS
from tb.vocabulary.fields import FIELDS

if TYPE_CHECKING:
    from tb.dsl.check.expressions import Expressions

LONGEST = 10_000  # parts of an expression once its functions are put in place
_WORDS = frozenset({"tier", "regime", "limits", "restricted", "today"})


def function(using: Expressions, node: syntax.Function) -> None:
    """Checks the definition by itself."""
    before = len(using.scope.findings)
    _parameters(using, node)
    unknown = {name: checked.Const("?", ANY, name, None, node.span) for name in node.parameters}
    replace(using, arguments=unknown).check(node.value)
    if len(using.scope.findings) > before:
        using.scope.broken.add(node.name)


def _parameters(using: Expressions, node: syntax.Function) -> None:
    for at, name in enumerate(node.parameters):
        what = ""
        if name in node.parameters[:at]:
            what = "an argument"
        elif name in FIELDS:
            what = "a market field"
        elif name in _WORDS or (using.in_policy and name in FACTS):
            what = "a word of the language" if name in _WORDS else "a fact"
        elif using.scope.visible(name, using.file, using.in_policy):
            what = "defined"
        if what:
            hint = "choose another name, such as `x`"
            using.scope.report("TB050", f"the argument `{name}` of `{node.name}` is {what} already", node.span, hint)


def call(using: Expressions, node: syntax.Call) -> checked.Expr | None:
    """The use of a function of the project in place, or None where the name is not one that this file sees."""
    name, scope = node.name.text, using.scope
    function_ = scope.functions.get(name)
    if function_ is None or not scope.visible(name, using.file, using.in_policy):
        return None
    if name in scope.pending:
        using.settle(name)
    nothing = checked.Const("?", ANY, "?", None, node.span)
    given = _match(using, node, function_)
    if given is None:
        return nothing
    arguments = {parameter: using.check(value) for parameter, value in given.items()}
    if name in scope.broken or any(using.excused(argument) for argument in arguments.values()):
        return nothing
    title = spell(node)
    if not using.arguments and title in scope.lets:
        return checked.Ref(title, "let", scope.lets[title].value.unit, node.span)
    value = _in_place(using, node, function_, arguments)
    if value is None:
        return nothing
    if using.arguments or fold(value) is not None or isinstance(value, checked.FactRef):
        return value
    scope.lets[title] = checked.Let(title, value, node.span)
    return checked.Ref(title, "let", value.unit, node.span)


def example(function_: syntax.Function) -> str:
    """The edit that gives a use its arguments."""
    return f"write `{function_.name}({', '.join(function_.parameters)})`"


def _match(using: Expressions, node: syntax.Call, function_: syntax.Function) -> dict[str, syntax.Expr] | None:
    names, written = function_.parameters, example(function_)
    if len(node.arguments) > len(names):
        takes = f"takes {len(names)} argument{'s' if len(names) != 1 else ''}, not {len(node.arguments)}"
        _refuse(using, f"`{function_.name}` {takes}", node.span, written, function_)
        return None
    given = dict(zip(names, node.arguments, strict=False))
    for name, value in node.named:
        if name not in names or name in given:
            wrong = "is given twice" if name in given else "is not one of its arguments"
            _refuse(using, f"`{name}` {wrong}", node.span, did_you_mean(name, names) or written, function_)
            return None
        given[name] = value
    for name in names:
        if name not in given:
            _refuse(using, f"`{function_.name}` needs its `{name}`", node.span, written, function_)
            return None
    return given


def _refuse(using: Expressions, message: str, span: Span, hint: str, function_: syntax.Function) -> None:
    using.scope.report("TB051", message, span, hint, (Label(function_.span, f"`{function_.name}` is defined here"),))


def _in_place(
    using: Expressions, node: syntax.Call, function_: syntax.Function, arguments: Mapping[str, checked.Expr]
) -> checked.Expr | None:
    """The body with the arguments in it; None, and the findings at the use, where they do not go together."""
    scope = using.scope
    before = len(scope.findings)
    value = replace(using.files[function_.span.file], arguments=arguments).check(function_.value)
    found, scope.findings[before:] = scope.findings[before:], []
    if not found and sum(1 for _ in islice(parts_of(value), LONGEST + 1)) > LONGEST:
        message = f"`{function_.name}` grows beyond {LONGEST:,} parts here"
        scope.report("TB059", message, node.span, "put fewer functions into one another")
        scope.broken.update([*scope.open, function_.name])  # whoever uses it would only say so again
        return None
    scope.findings += [_told_at(node.span, function_, finding) for finding in found]
    return None if found or using.excused(value) else value


def _told_at(use: Span, function_: syntax.Function, finding: Diagnostic) -> Diagnostic:
    """The finding at the use; the place in the definition becomes a label. What points at an argument stays there."""
    words = f"in the definition of `{function_.name}`"
    inside = finding.span.file == use.file and _start(use) <= _start(finding.span) and _end(finding.span) <= _end(use)
    if inside:
        return replace(finding, labels=(Label(function_.value.span, words), *finding.labels))
    label = Label(finding.span, words)
    return replace(finding, span=use, labels=(label, *finding.labels))


def _start(span: Span) -> tuple[int, int]:
    return span.line, span.column


def _end(span: Span) -> tuple[int, int]:
    return span.end_line, span.end_column
