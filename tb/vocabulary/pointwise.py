"""Functions of one bar: `abs`, `min`, `max`, `sign`, `log`, `exp`, `sqrt`.

An unknown argument gives an unknown value, and so does an argument outside the function's domain. `value` is the definition for
one bar; the compiled loop named by `kernel` gives the same bits:

    kernel(inputs[arguments, n], output[n]) -> None
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from tb.core.units import Kind
from tb.vocabulary import unit_rules
from tb.vocabulary.unit_rules import UnitRule

NAN = math.nan
_PLAIN = (Kind.NUMBER, Kind.RATIO, Kind.QUOTIENT, Kind.ANY)


@dataclass(frozen=True, slots=True)
class Pointwise:
    """One function of a bar's values.

    It takes `arity` arguments, or more where it `is_variadic`. Several arguments must have the same unit. `kinds` lists the
    kinds accepted (empty: any numeric kind). `value` takes finite numbers or NaN and never gives an infinity.
    """

    name: str
    arity: int
    unit: UnitRule
    value: Callable[..., float]
    kernel: str
    doc: str
    example: str
    kinds: tuple[Kind, ...] = ()
    is_variadic: bool = False
    output_range: tuple[float | None, float | None] = (None, None)


def _absolute(x: float) -> float:
    return abs(x) if math.isfinite(x) else NAN


def _least(*xs: float) -> float:
    if not all(map(math.isfinite, xs)):
        return NAN
    return min(xs)


def _greatest(*xs: float) -> float:
    if not all(map(math.isfinite, xs)):
        return NAN
    return max(xs)


def _sign(x: float) -> float:
    if not math.isfinite(x):
        return NAN
    return 1.0 if x > 0.0 else -1.0 if x < 0.0 else 0.0


def _logarithm(x: float) -> float:
    return math.log(x) if math.isfinite(x) and x > 0.0 else NAN


def _exponential(x: float) -> float:
    try:
        return math.exp(x) if math.isfinite(x) else NAN
    except OverflowError:
        return NAN


def _root(x: float) -> float:
    return math.sqrt(x) if math.isfinite(x) and x >= 0.0 else NAN


_ALL = (
    Pointwise(
        "abs",
        1,
        unit_rules.same,
        _absolute,
        "pointwise:absolute",
        "size without sign",
        "abs(change(close)) > 5%",
        (),
        False,
        (0, None),
    ),
    Pointwise("min", 2, unit_rules.same, _least, "pointwise:least", "smallest of its arguments", "min(open, close)", (), True),
    Pointwise(
        "max", 2, unit_rules.same, _greatest, "pointwise:greatest", "greatest of its arguments", "max(open, close)", (), True
    ),
    Pointwise(
        "sign",
        1,
        unit_rules.number,
        _sign,
        "pointwise:sign",
        "1 above zero, -1 below, 0 at zero",
        "sign(close - open)",
        (),
        False,
        (-1, 1),
    ),
    Pointwise(
        "log",
        1,
        unit_rules.number,
        _logarithm,
        "pointwise:logarithm",
        "natural logarithm; unknown at or below zero",
        "log(close / open)",
        _PLAIN,
    ),
    Pointwise(
        "exp",
        1,
        unit_rules.number,
        _exponential,
        "pointwise:exponential",
        "e to the power of x",
        "exp(-x)",
        _PLAIN,
        False,
        (0, None),
    ),
    Pointwise(
        "sqrt",
        1,
        unit_rules.number,
        _root,
        "pointwise:root",
        "square root; unknown below zero",
        "sqrt(x)",
        _PLAIN,
        False,
        (0, None),
    ),
)

POINTWISE: Mapping[str, Pointwise] = MappingProxyType({function.name: function for function in _ALL})
