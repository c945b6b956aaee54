"""The texts of `because`: words with holes, `"volume {relative_volume:.1f}x, {volume_spike.because}"`.

A hole holds an expression and, after a `:`, how its value is shown: an optional `+` (a sign always), an optional `,`
(thousands apart), an optional `.N` (digits after the point, up to 12; 2 where it is left out) and `f` (plain), `%` (as
percent) or `g` (N significant digits). Without any of `.N f % g` a number has six significant digits and no exponent.
`{{` and `}}` are braces. Guarantees: no text and no value raises; an unknown value is shown as `unknown`.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from decimal import Decimal

from tb.core.diagnostics import Diagnostic, error
from tb.core.span import Span
from tb.dsl.parse import parse_expression
from tb.dsl.syntax import Expr, Text

MAX_PLACES = 12
UNKNOWN = "unknown"

_SPEC = re.compile(r"(?P<sign>\+)?(?P<comma>,)?(?:\.(?P<places>[0-9]{1,2}))?(?P<kind>[f%g])?")
_SPEC_HINT = "write `.2f` for digits, `.1%` for percent, `+` before it for a sign, `,` for thousands"


@dataclass(frozen=True, slots=True)
class Hole:
    """One `{expression:spec}` of a text; `spec` is empty where there is none. The span covers the braces."""

    expression: Expr
    spec: str
    span: Span = field(compare=False)


def parse_template(text: Text) -> tuple[tuple[str | Hole, ...], list[Diagnostic]]:
    """The pieces of a text in order, literal text merged, and the mistakes in its holes. A hole with a mistake is left out."""
    pieces: list[str | Hole] = []
    mistakes: list[Diagnostic] = []
    literal: list[str] = []
    value, index = text.value, 0
    while index < len(value):
        character = value[index]
        if value[index : index + 2] in ("{{", "}}"):
            literal.append(character)
            index += 2
        elif character == "}":
            mistakes.append(error("TB025", "this `}` closes nothing", _place(text, index, index + 1), "write `}}` for a brace"))
            index += 1
        elif character == "{":
            end = _end_of_hole(value, index + 1)
            if end is None:
                span = _place(text, index, index + 1)
                mistakes.append(error("TB025", "this `{` is never closed", span, "add `}`, or write `{{` for a brace"))
                break
            hole = _read_hole(text, index, end, mistakes)
            if hole is not None:
                if literal:
                    pieces.append("".join(literal))
                    literal = []
                pieces.append(hole)
            index = end + 1
        else:
            literal.append(character)
            index += 1
    if literal:
        pieces.append("".join(literal))
    return tuple(pieces), mistakes


def render_value(value: float | Decimal | str | None, spec: str) -> str:
    """The value as a text for people: `unknown` for a value that is not known or not finite."""
    if value is None:
        return UNKNOWN
    if isinstance(value, str):
        return value
    if not math.isfinite(value):
        return UNKNOWN
    match = _SPEC.fullmatch(spec)
    sign, comma, places, kind = match.groups() if match else (None, None, None, None)
    flags = f"{sign or ''}{comma or ''}"
    if kind is None and places is None:
        return _positive_zero(format(_six_digits(value), f"{flags}f"))
    return _positive_zero(format(value, f"{flags}.{places or 2}{kind or 'f'}"))


def _six_digits(value: float | Decimal) -> Decimal:
    rounded = Decimal(format(value, ".0f" if abs(float(value)) >= 1e6 else ".6g"))
    return rounded.normalize() if rounded.as_tuple().exponent != 0 else rounded


def _positive_zero(shown: str) -> str:
    """`-0.0` says nothing that `0.0` does not."""
    return shown[1:] if shown.startswith("-") and not re.search(r"[1-9]", shown) else shown


def _end_of_hole(value: str, start: int) -> int | None:
    """The index of the `}` that closes the hole; quoted text inside it does not count."""
    quoted = False
    for index in range(start, len(value)):
        if value[index] == '"':
            quoted = not quoted
        elif not quoted and value[index] == "}":
            return index
    return None


def _read_hole(text: Text, opening: int, end: int, mistakes: list[Diagnostic]) -> Hole | None:
    inside = text.value[opening + 1 : end]
    colon = _spec_colon(inside)
    code, spec = (inside, "") if colon is None else (inside[:colon], inside[colon + 1 :].strip())
    span = _place(text, opening, end + 1)
    if not code.strip():
        mistakes.append(error("TB025", "nothing stands between `{` and `}`", span, "write a value, or `{{` for a brace"))
        return None
    start = _place(text, opening + 1, opening + 1)
    expression, found = parse_expression(code, span.file, start.line, start.column)
    mistakes.extend(found)
    match = _SPEC.fullmatch(spec)
    if match is None or int(match["places"] or 0) > MAX_PLACES:
        where = _place(text, end - len(inside) + (colon or 0), end)
        mistakes.append(error("TB026", f"`:{spec}` is no way to show a value", where, _SPEC_HINT))
        return None
    return None if expression is None else Hole(expression, spec, span)


def _spec_colon(inside: str) -> int | None:
    """The last `:` outside parentheses and quotes: `{f(x, length: 14):.1f}`."""
    depth, quoted, found = 0, False, None
    for index, character in enumerate(inside):
        if character == '"':
            quoted = not quoted
        elif not quoted:
            depth += (character in "([") - (character in ")]")
            if character == ":" and depth == 0:
                found = index
    return found


def _place(text: Text, start: int, end: int) -> Span:
    """Of a stretch of the value, in the file: after the opening quote, a `"` or `\\` of the value takes two columns."""

    def column(index: int) -> int:
        before = text.value[:index]
        return text.span.column + 1 + len(before) + before.count('"') + before.count("\\")

    line = text.span.line
    return Span(text.span.file, line, column(start), line, column(end))
