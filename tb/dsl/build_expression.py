"""Expressions: from the grammar's tree to `tb.dsl.syntax`.

Guarantees: every node's span covers exactly the text that says it, parentheses included; mistakes that the grammar cannot
see (a look ahead, an instrument used as a value) are collected with the edit that mends them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from lark import Token, Tree

from tb.core.span import Span
from tb.dsl import syntax
from tb.dsl.numbers import MAX_DIGITS, read_number
from tb.dsl.reading import MAX_DEPTH, Node, Reading, TooDeep, first_token
from tb.dsl.syntax import Expr

_BARE_UNITS = frozenset({"bar", "bars", "hour", "hours", "minute", "minutes", "day", "days"})
_ESCAPED = re.compile(r"\\(.)")


def build_expression(node: Node, reading: Reading) -> Expr:
    """Raises TooDeep; every other mistake is added to `reading`."""
    if isinstance(node, Token):
        return _build_word(node, reading)
    reading.depth += 1
    if reading.depth > MAX_DEPTH:
        raise TooDeep(reading.span(first_token(node)))
    built = _BUILDERS[node.data](node.children, reading)
    reading.depth -= 1
    return built


def build_number(token: Node, reading: Reading) -> syntax.Number:
    span = reading.span(token)
    number = read_number(str(token), span)
    if number is not None:
        return number
    reading.mistake("TB021", f"a number has at most {MAX_DIGITS} digits", span, "write fewer digits")
    return replace(read_number("0", span) or _never(token), span=span)


def build_duration(token: Node, reading: Reading, *, bars: bool = True) -> syntax.Number:
    """A NUMBER that is a length of time: `6h`, `3 bars`."""
    number = build_number(token, reading)
    _check_duration(number, reading, bars=bars)
    return number


def _check_duration(length: Expr, reading: Reading, *, bars: bool) -> None:
    if isinstance(length, syntax.Name) and length.text in _BARE_UNITS:
        hint = f"write how many, as in `{'3 bars' if length.text.startswith('bar') else '6h'}`"
        reading.mistake("TB012", f"`{length.text}` has no number before it", length.span, hint)
    if isinstance(length, syntax.Number) and length.unit not in ("s", "m", "h", "d", "w", "bars" if bars else "h"):
        plain = length.text if length.unit is None else "4"
        hint = f"write `{plain}h`, or `{plain} bars`" if bars else f"write `{plain}h`, or with `s`, `m`, `d` or `w`"
        reading.mistake("TB012", f"`{length.text}` is no length of time", length.span, hint)


def build_text(token: Node, reading: Reading) -> syntax.Text:
    value = str(token)[1:-1]
    if "\\" in value:
        value = _ESCAPED.sub(r"\1", value)
    return syntax.Text(value, reading.span(token))


def _build_word(token: Node, reading: Reading) -> Expr:
    match token.type:
        case "NAME":
            return syntax.Name(tuple(token.split(".")), reading.span(token))
        case "NUMBER":
            return build_number(token, reading)
        case "SYMBOL":
            return syntax.Symbol(str(token), reading.span(token))
        case _:
            return build_text(token, reading)


def _never(token: Token) -> syntax.Number:
    raise AssertionError(f"not a number: {token!r}")


def _parenthesised(children: list[Node], reading: Reading) -> Expr:
    inner = build_expression(children[1], reading)
    return replace(inner, span=reading.span(children[0], children[2]))


def _binary(children: list[Node], reading: Reading) -> Expr:
    left, right = build_expression(children[0], reading), build_expression(children[2], reading)
    span = left.span.to(right.span)
    operator = str(children[1])
    if operator in "+-*/":
        _refuse_instruments(left, operator, right, span, reading)
    return syntax.Binary(operator, left, right, span)


def _refuse_instruments(left: Expr, operator: str, right: Expr, span: Span, reading: Reading) -> None:
    """`BTC-usd` is no subtraction, and an instrument has no value of its own."""
    instrument = left if isinstance(left, syntax.Symbol) else right
    if not isinstance(instrument, syntax.Symbol):
        return
    hint = f"write `close of {instrument.symbol}` for its price"
    if (
        isinstance(left, syntax.Symbol)
        and isinstance(right, syntax.Name)
        and span.end_column - span.column == (len(left.symbol) + len(right.text) + 1)
    ):
        hint = f"an instrument is written in capitals: `{left.symbol}{operator}{right.text.upper()}`"
    reading.mistake("TB023", f"`{instrument.symbol}` is an instrument, not a value to reckon with", instrument.span, hint)


def _unary(children: list[Node], reading: Reading) -> Expr:
    operand = build_expression(children[1], reading)
    return syntax.Unary(str(children[0]), operand, reading.span(children[0]).to(operand.span))


def _compare(children: list[Node], reading: Reading) -> Expr:
    left, right = build_expression(children[0], reading), build_expression(children[2], reading)
    return syntax.Compare(str(children[1]), left, right, left.span.to(right.span))


def _between(children: list[Node], reading: Reading) -> Expr:
    value, low, high = (build_expression(child, reading) for child in (children[0], children[-3], children[-1]))
    return syntax.Between(value, low, high, value.span.to(high.span))


def _not_between(children: list[Node], reading: Reading) -> Expr:
    between = _between(children, reading)
    return syntax.Unary("not", between, between.span)


def _member(children: list[Node], reading: Reading) -> Expr:
    value, of = build_expression(children[0], reading), build_expression(children[-1], reading)
    if isinstance(of, syntax.Number) or (isinstance(of, syntax.Binary) and isinstance(of.left, syntax.Number)):
        hint = "write a range with two dots, as in `40..60`"
        reading.mistake("TB002", "`in` needs a range or a list of instruments", of.span, hint)
    return syntax.Member(value, of, len(children) == 4, value.span.to(of.span))


def _is(children: list[Node], reading: Reading) -> Expr:
    value = build_expression(children[0], reading)
    span = value.span.to(reading.span(children[-1]))
    return syntax.Is(value, str(children[-1]), len(children) == 4, span)


def _crosses(children: list[Node], reading: Reading) -> Expr:
    left, right = build_expression(children[0], reading), build_expression(children[3], reading)
    return syntax.Crosses(left, str(children[2]), right, left.span.to(right.span))


def _during(children: list[Node], reading: Reading) -> Expr:
    return syntax.During(str(children[1]), reading.span(children[0], children[1]))


def _held_for(children: list[Node], reading: Reading) -> Expr:
    condition, length = build_expression(children[0], reading), build_expression(children[2], reading)
    _check_duration(length, reading, bars=True)
    return syntax.ForBars(condition, length, condition.span.to(length.span))


def _held_within(children: list[Node], reading: Reading) -> Expr:
    condition, length = build_expression(children[0], reading), build_expression(children[2], reading)
    _check_duration(length, reading, bars=True)
    return syntax.WithinBars(condition, length, condition.span.to(length.span))


def _of(children: list[Node], reading: Reading) -> Expr:
    value, whole = build_expression(children[0], reading), build_expression(children[2], reading)
    return syntax.Of(value, whole, value.span.to(whole.span))


def _at_moment(children: list[Node], reading: Reading) -> Expr:
    value = build_expression(children[0], reading)
    return syntax.AtMoment(value, str(children[2]), value.span.to(reading.span(children[2])))


def _shift(children: list[Node], reading: Reading) -> Expr:
    value, bars = build_expression(children[0], reading), build_expression(children[2], reading)
    span = value.span.to(reading.span(children[3]))
    if isinstance(bars, syntax.Unary):
        back = f"x[{bars.operand.text}]" if isinstance(bars.operand, syntax.Number) else "x[1]"
        name = value.text if isinstance(value, syntax.Name) else "x"
        hint = f"look back with `{name}{back[1:]}`"
        reading.mistake("TB014", "only closed bars are visible: nothing can be read ahead of time", bars.span, hint)
    if isinstance(value, syntax.Symbol):
        _refuse_bars(value, f"[{_spell(bars)}]", span, reading)
    return syntax.Shift(value, bars, span)


def _at_period(children: list[Node], reading: Reading) -> Expr:
    value, period = build_expression(children[0], reading), build_duration(children[2], reading, bars=False)
    span = value.span.to(period.span)
    if isinstance(value, syntax.Symbol):
        _refuse_bars(value, f"@{period.text}", span, reading)
    return syntax.AtPeriod(value, period, span)


def _spell(bars: Expr) -> str:
    return bars.text if isinstance(bars, syntax.Number | syntax.Name) else "1"


def _refuse_bars(instrument: syntax.Symbol, suffix: str, span: Span, reading: Reading) -> None:
    message = f"`{instrument.symbol}{suffix}` says nothing: an instrument is not a series of values"
    reading.mistake("TB023", message, span, f"write `close{suffix} of {instrument.symbol}`")


def _part(children: list[Node], reading: Reading) -> Expr:
    value = build_expression(children[0], reading)
    return syntax.Part(value, str(children[1])[1:], value.span.to(reading.span(children[1])))


def _call(children: list[Node], reading: Reading) -> Expr:
    name = syntax.Name(tuple(children[0].split(".")), reading.span(children[0]))
    arguments: list[Expr] = []
    named: list[tuple[str, Expr]] = []
    for child in children[2:-1]:
        if isinstance(child, Token) and child.type == "COMMA":
            continue
        if isinstance(child, Tree) and child.data == "named":
            named.append((str(child.children[0]), build_expression(child.children[2], reading)))
            _check_named(child.children[0], [key for key, _ in named[:-1]], reading)
            continue
        argument = build_expression(child, reading)
        if named:
            hint = f"put it before `{named[0][0]}: ...`"
            reading.mistake("TB022", "a value without a name stands after one with a name", argument.span, hint)
        arguments.append(argument)
    return syntax.Call(name, tuple(arguments), tuple(named), reading.span(children[0], children[-1]))


def _check_named(token: Node, before: list[str], reading: Reading) -> None:
    if "." in token:
        reading.mistake(
            "TB017", f"`{token}` cannot name a value given to a function", reading.span(token), "write a name without dots"
        )
    if str(token) in before:
        reading.mistake("TB018", f"`{token}` is given twice", reading.span(token), "remove one of the two")


_BUILDERS: dict[str, Callable[[list[Node], Reading], Expr]] = {
    "either": _binary,
    "both": _binary,
    "arithmetic": _binary,
    "denied": _unary,
    "negative": _unary,
    "held_for": _held_for,
    "held_within": _held_within,
    "compare": _compare,
    "between": _between,
    "not_between": _not_between,
    "member": _member,
    "not_member": _member,
    "is_word": _is,
    "is_not_word": _is,
    "crosses": _crosses,
    "during": _during,
    "of": _of,
    "at_moment": _at_moment,
    "shift": _shift,
    "at_period": _at_period,
    "part": _part,
    "parenthesised": _parenthesised,
    "call": _call,
}
