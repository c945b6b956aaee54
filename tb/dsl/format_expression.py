"""Expressions as canonical text: one space round operators, parentheses only where the precedence asks for them.

Guarantees: the text parses to an equal tree. Numbers are spelled as `Number.text` says.
"""

from __future__ import annotations

from typing import assert_never

from tb.dsl import syntax
from tb.dsl.syntax import Expr

# How closely an expression holds together, as in the grammar from `condition` down to an atom.
OR, AND, NOT, LASTING, COMPARISON, SUM, PRODUCT, MINUS, SHARE, MOMENT, POSTFIX, ATOM = range(1, 13)

_BINARY = {"or": OR, "and": AND, "+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT}


def spell(expression: Expr, least: int = OR) -> str:
    """The text; in parentheses where it holds together less closely than `least`."""
    written = _spell(expression)
    return written if binding(expression) >= least else f"({written})"


def spell_text(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def spell_range(low: Expr, high: Expr) -> str:
    """`40..60`, with spaces where an end is more than a number or a name."""
    left, right = spell(low, SUM), spell(high, SUM)
    return f"{left}..{right}" if " " not in left + right else f"{left} .. {right}"


def binding(expression: Expr) -> int:
    match expression:
        case syntax.Number() | syntax.Text() | syntax.Name() | syntax.Symbol() | syntax.Call():
            return ATOM
        case syntax.Part() | syntax.Shift() | syntax.AtPeriod():
            return POSTFIX
        case syntax.AtMoment():
            return MOMENT
        case syntax.Of():
            return SHARE
        case syntax.Unary(operator="not", operand=syntax.Between()):
            return COMPARISON  # spelled `x not in 40..60`
        case syntax.Unary(operator=operator):
            return NOT if operator == "not" else MINUS
        case syntax.Binary(operator=operator):
            return _BINARY[operator]
        case syntax.Compare() | syntax.Between() | syntax.Member() | syntax.Is() | syntax.Crosses() | syntax.During():
            return COMPARISON
        case syntax.ForBars() | syntax.WithinBars():
            return LASTING
        case _ as never:
            assert_never(never)


def _spell(expression: Expr) -> str:
    match expression:
        case syntax.Number(text=text) | syntax.Name(text=text):
            return text
        case syntax.Text(value=value):
            return spell_text(value)
        case syntax.Symbol(symbol=symbol):
            return symbol
        case syntax.Call():
            return _spell_call(expression)
        case syntax.Part(value=value, name=name):
            # a name with dots is one name: its part needs parentheses to stay a part
            plain = isinstance(value, syntax.Name | syntax.Number | syntax.Symbol)
            return f"({spell(value)}).{name}" if plain else f"{spell(value, POSTFIX)}.{name}"
        case syntax.Shift(value=value, bars=bars):
            return f"{spell(value, POSTFIX)}[{spell(bars, SUM)}]"
        case syntax.AtPeriod(value=value, period=period):
            return f"{spell(value, POSTFIX)}@{period.text}"
        case syntax.AtMoment(value=value, moment=moment):
            return f"{spell(value, POSTFIX)} at {moment}"
        case syntax.Of(value=value, whole=whole):
            return f"{spell(value, MOMENT)} of {spell(whole, SHARE)}"
        case syntax.Unary(operator="not", operand=syntax.Between(value=value, low=low, high=high)):
            return f"{spell(value, SUM)} not in {spell_range(low, high)}"
        case syntax.Unary(operator=operator, operand=operand):
            return f"not {spell(operand, NOT)}" if operator == "not" else f"-{spell(operand, MINUS)}"
        case syntax.Binary(operator=operator, left=left, right=right):
            level = _BINARY[operator]
            return f"{spell(left, level)} {operator} {spell(right, level + 1)}"
        case _:
            return _spell_condition(expression)


def _spell_condition(
    expression: syntax.Compare
    | syntax.Between
    | syntax.Member
    | syntax.Is
    | syntax.Crosses
    | syntax.ForBars
    | syntax.WithinBars
    | syntax.During,
) -> str:
    match expression:
        case syntax.Compare(operator=operator, left=left, right=right):
            return f"{spell(left, SUM)} {operator} {spell(right, SUM)}"
        case syntax.Between(value=value, low=low, high=high):
            return f"{spell(value, SUM)} in {spell_range(low, high)}"
        case syntax.Member(value=value, of=of, negated=negated):
            return f"{spell(value, SUM)} {'not in' if negated else 'in'} {spell(of, SUM)}"
        case syntax.Is(value=value, word=word, negated=negated):
            return f"{spell(value, SUM)} {'is not' if negated else 'is'} {word}"
        case syntax.Crosses(left=left, direction=direction, right=right):
            return f"{spell(left, SUM)} crosses {direction} {spell(right, SUM)}"
        case syntax.ForBars(condition=condition, length=length):
            return f"{spell(condition, LASTING)} for {spell(length, ATOM)}"
        case syntax.WithinBars(condition=condition, length=length):
            return f"{spell(condition, LASTING)} within {spell(length, ATOM)}"
        case syntax.During(session=session):
            return f"during {session}"
        case _ as never:
            assert_never(never)


def _spell_call(call: syntax.Call) -> str:
    arguments = [spell(argument) for argument in call.arguments]
    arguments += [f"{name}: {spell(value)}" for name, value in call.named]
    return f"{call.name.text}({', '.join(arguments)})"
