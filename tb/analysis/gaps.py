"""Whether comparisons of numbers can hold together: differences of two values, each bounded.

Every fact is brought into the form `left - right <= most` (or `<`), a single value being compared with the value 0 that stands
at ZERO. Such facts contradict each other exactly where a circle of them adds up to less than nothing, which Bellman and Ford's
algorithm finds (R. Bellman, On a routing problem, 1958). Arithmetic is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

ZERO = -1


@dataclass(frozen=True, slots=True)
class Gap:
    """`left - right <= most`, or `< most` where strict."""

    left: int
    right: int
    most: Fraction
    strict: bool


@dataclass(frozen=True, slots=True)
class Apart:
    """`left - right != by`."""

    left: int
    right: int
    by: Fraction


def hold_together(gaps: Sequence[Gap], aparts: Sequence[Apart] = ()) -> bool:
    """Whether some values satisfy all of these, values being any rational numbers."""
    if _circle(gaps):
        return False
    # a convex set of values is covered by the points that several `!=` leave out only if one of them leaves out all of it
    for apart in aparts:
        below = Gap(apart.left, apart.right, apart.by, True)
        above = Gap(apart.right, apart.left, -apart.by, True)
        if _circle([*gaps, below]) and _circle([*gaps, above]):
            return False
    return True


def _circle(gaps: Sequence[Gap]) -> bool:
    """Whether a circle of gaps adds up to less than nothing, or to nothing with a strict one among them."""
    by = lcm(*(gap.most.denominator for gap in gaps))
    whole_gaps = [(gap.left, gap.right, gap.most.numerator * (by // gap.most.denominator), gap.strict) for gap in gaps]
    values: dict[int, tuple[int, int]] = {ZERO: (0, 0)}
    for left, right, _, _ in whole_gaps:
        values.setdefault(left, (0, 0))
        values.setdefault(right, (0, 0))
    for _ in range(len(values) + 1):
        changed = False
        for left, right, gap, is_strict in whole_gaps:
            most, strict = values[right]
            reached = (most + gap, strict - is_strict)
            if reached < values[left]:
                values[left] = reached
                changed = True
        if not changed:
            return False
    return True


def whole(gap: Gap) -> Gap:
    """The same gap where its difference is a whole number."""
    most = gap.most
    floor = most.numerator // most.denominator
    return Gap(gap.left, gap.right, Fraction(floor - 1 if gap.strict and floor == most else floor), False)
