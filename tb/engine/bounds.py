"""Intervals: between which two numbers the result of an operation lies, None where open."""

from __future__ import annotations

from collections.abc import Sequence

Bounds = tuple[float | None, float | None]
_TRUTHS = frozenset(
    {"lt", "le", "gt", "ge", "eq", "ne", "and", "or", "not", "regime_is", "member", "first_is", "signal_is", "agrees"}
)


def bounds_of(op: str, args: Sequence[Bounds]) -> Bounds:
    """The bounds of `op` over arguments with those bounds. Never narrower than the truth."""
    if op in _TRUTHS:
        return (0.0, 1.0)
    match op, args:
        case "neg", [(low, high)]:
            return (None if high is None else -high, None if low is None else -low)
        case "add", [(a, b), (c, d)]:
            return (None if a is None or c is None else a + c, None if b is None or d is None else b + d)
        case "sub", [(a, b), (c, d)]:
            return (None if a is None or d is None else a - d, None if b is None or c is None else b - c)
        case "mul", [one, two]:
            return _product(one, two)
        case "div", [(a, b), (c, d)] if c is not None and c >= 0 and a is not None and a >= 0:
            return (0.0, b / c if b is not None and c > 0 else None)
        case "abs", [(low, high)]:
            if low is not None and low >= 0:
                return (low, high)
            return (0.0, max(-low, high) if low is not None and high is not None else None)
        case "min", _:
            highs = [high for _, high in args if high is not None]
            lows = [low for low, _ in args if low is not None]
            return (min(lows) if len(lows) == len(args) else None, min(highs, default=None))
        case "max", _:
            lows = [low for low, _ in args if low is not None]
            highs = [high for _, high in args if high is not None]
            return (max(lows, default=None), max(highs) if len(highs) == len(args) else None)
        case "sign", _:
            return (-1.0, 1.0)
        case (("exp" | "sqrt"), _):
            return (0.0, None)
        case (("ramp" | "best"), _):
            return (0.0, 1.0)
        case "pick", [_, *outcomes]:
            lows = [low for low, _ in outcomes if low is not None]
            highs = [high for _, high in outcomes if high is not None]
            whole = len(lows) == len(outcomes), len(highs) == len(outcomes)
            return (min(lows) if whole[0] else None, max(highs) if whole[1] else None)
        case "signal", _:
            return (-10.0, 10.0)
        case "strength", _:
            return (0.0, 10.0)
        case "conviction", _:
            return (1.0, 10.0)
        case "agree", _:
            return (0.0, float(len(args)))
        case _:
            return (None, None)


def _product(one: Bounds, two: Bounds) -> Bounds:
    if None not in one and None not in two:
        ends = [x * y for x in one for y in two if x is not None and y is not None]
        return (min(ends), max(ends))
    (a, b), (c, d) = one, two
    if a is not None and a >= 0 and c is not None and c >= 0:
        return (a * c, b * d if b is not None and d is not None else None)
    return (None, None)
