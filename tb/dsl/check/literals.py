"""Numbers with units, and what is known before the run.

A literal becomes a `Const` in base units: ratios as fractions, durations in milliseconds, money in currency units. Parameters
and limits are constants too and say where they come from. Arithmetic of constants is folded exactly, in Decimal.
"""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal, localcontext

from tb.core.encode import plain
from tb.core.units import ANY, BARS, DURATION, NUMBER, PRICE, RATIO, Kind, R, Unit, money
from tb.dsl import checked, syntax

COMPUTED = "of "  # begins the origin of a constant that is computed from named ones
_SIGNS = {"add": "+", "sub": "-", "mul": "*", "div": "/"}
MILLISECONDS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}


def constant(number: syntax.Number, currency: str, assets: Collection[str] = ()) -> checked.Const | checked.Pips:
    """The value of a literal. `assets` are the base assets of the project's instruments: `0.01 BTC` is a quantity of one."""
    value, unit = number.value, number.unit
    match unit:
        case None:
            return checked.Const(value, ANY if value == 0 else NUMBER, number.text, None, number.span)
        case "%":
            return checked.Const(value / 100, RATIO, number.text, None, number.span)
        case "bps":
            return checked.Const(value / 10_000, RATIO, number.text, None, number.span)
        case "bars":
            return checked.Const(value, BARS, number.text, None, number.span)
        case "R":
            return checked.Const(value, R, number.text, None, number.span)
        case "pips":
            return checked.Pips(value, PRICE, number.span)
        case _ if unit in MILLISECONDS:
            return checked.Const(value * MILLISECONDS[unit], DURATION, number.text, None, number.span)
        case _ if "/" in unit:
            quote, base = unit.split("/", 1)
            return checked.Const(value, Unit(Kind.PRICE, f"{base}-{quote}"), number.text, None, number.span)
        case _ if unit in assets and unit != currency:
            return checked.Const(value, Unit(Kind.QUANTITY, None), number.text, None, number.span)
        case _:
            return checked.Const(value, money(unit), number.text, None, number.span)


def fold(expression: checked.Expr) -> checked.Const | None:
    """The constant an expression amounts to, or None where it depends on the market or the account."""
    match expression:
        case checked.Const():
            return expression
        case checked.Pointwise(name=name, arguments=arguments) if name in {"add", "sub", "mul", "div", "neg"}:
            parts = [fold(argument) for argument in arguments]
            values = [part.value for part in parts if part is not None and isinstance(part.value, Decimal)]
            kinds = {part.unit.kind for part in parts if part is not None}
            if len(values) != len(parts) or kinds >= {Kind.BARS, Kind.DURATION}:
                return None  # how long a bar is depends on who asks
            result = _calculate(name, values)
            if result is None:
                return None
            named = [part for part in parts if part is not None]
            text = _spelled(name, named) if any(part.origin for part in named) else _show(result, expression.unit)
            return checked.Const(result, expression.unit, text, _origin(named), expression.span)
        case _:
            return None


def _origin(parts: list[checked.Const]) -> str | None:
    """Where a computed value comes from: `of param fast, limits.max_spread`, so that nobody takes it for the value itself."""
    names = [part.origin.removeprefix(COMPUTED) for part in parts if part.origin]
    return COMPUTED + ", ".join(dict.fromkeys(names)) if names else None


def _spelled(name: str, parts: list[checked.Const]) -> str:
    """The calculation as a rule would write it, with the names of what it is computed from."""
    words = [_word(part) for part in parts]
    return f"-{words[0]}" if name == "neg" else f" {_SIGNS[name]} ".join(words)


def _word(part: checked.Const) -> str:
    if part.origin is None:
        return part.text
    if part.origin.startswith(COMPUTED):
        return f"({part.text})"
    return part.origin.removeprefix("param ")


def _calculate(name: str, values: list[Decimal]) -> Decimal | None:
    with localcontext(prec=28):
        match name, values:
            case "add", [left, right]:
                return left + right
            case "sub", [left, right]:
                return left - right
            case "mul", [left, right]:
                return left * right
            case "div", [left, right]:
                return left / right if right != 0 else None
            case "neg", [value]:
                return -value
            case _:
                return None


def _show(value: Decimal, unit: Unit) -> str:
    if unit.kind is Kind.RATIO:
        return f"{plain(value * 100)}%"
    if unit.kind is Kind.DURATION:
        return f"{plain(value / 1000)}s"
    return plain(value)
