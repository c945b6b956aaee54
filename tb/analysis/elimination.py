"""Whether linear inequalities hold together, by eliminating one variable after the other (Fourier, 1826; Motzkin, 1936).

Arithmetic is exact. Pairs of rows multiply, so there is a cap: beyond it the answer is that they may hold together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm

MOST_ROWS = 240


@dataclass(frozen=True, slots=True)
class Row:
    """The sum of `weights[x] * x`, and `constant`, is at most 0, or below 0 where strict. All whole, without a common part."""

    weights: tuple[tuple[int, int], ...]  # in order of variable, none of them 0
    constant: int
    strict: bool

    @property
    def is_false(self) -> bool:
        return not self.weights and (self.constant > 0 or (self.strict and self.constant == 0))


def row(weights: Mapping[int, Fraction], constant: Fraction, strict: bool = False) -> Row:
    by = lcm(constant.denominator, *(weight.denominator for weight in weights.values()))
    whole = {x: weight.numerator * (by // weight.denominator) for x, weight in weights.items()}
    return _row(whole, constant.numerator * (by // constant.denominator), strict)


def _row(weights: Mapping[int, int], constant: int, strict: bool) -> Row:
    common = gcd(constant, *weights.values()) or 1
    return Row(tuple((x, weight // common) for x, weight in sorted(weights.items()) if weight), constant // common, strict)


def can_hold(rows: Sequence[Row]) -> bool:
    """False only where no rational values satisfy all rows."""
    left = dict.fromkeys(rows)
    while True:
        if any(each.is_false for each in left):
            return False
        uses: dict[int, list[int]] = {}
        for each in left:
            for x, weight in each.weights:
                uses.setdefault(x, [0, 0])[weight > 0] += 1
        if not uses:
            return True
        cheapest = min(uses, key=lambda x: (uses[x][0] * uses[x][1] - sum(uses[x]), x))
        left = _without(cheapest, list(left))
        if len(left) > MOST_ROWS:
            return True


def _without(x: int, rows: list[Row]) -> dict[Row, None]:
    """What follows for the other variables."""
    kept: dict[Row, None] = {}
    above: list[tuple[Row, int]] = []
    below: list[tuple[Row, int]] = []
    for each in rows:
        weight = next((w for y, w in each.weights if y == x), 0)
        if weight:
            (above if weight > 0 else below).append((each, abs(weight)))
        else:
            kept[each] = None
    for upper, a in above:
        for lower, b in below:
            weights = {y: w * b for y, w in upper.weights if y != x}
            for y, w in lower.weights:
                if y != x:
                    weights[y] = weights.get(y, 0) + w * a
            kept[_row(weights, upper.constant * b + lower.constant * a, upper.strict or lower.strict)] = None
    return kept
