"""The few statistics the metrics need, in plain float64 with exactly rounded sums: the same bits on every machine.

Sources: Abramowitz and Stegun 26.2.29 (normal), 26.7.1 (Student); Lentz's method for the incomplete beta function.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

NEGLIGIBLE = 1e-12  # deviation, relative to the largest value, that is rounding noise and not variance


def mean(values: Sequence[float]) -> float:
    """Arithmetic mean of at least one value."""
    return math.fsum(values) / len(values)


def deviation(values: Sequence[float], size: float | None = None) -> float:
    """Sample standard deviation (n - 1) of at least two values; exactly 0.0 where it is rounding noise.

    `size` is the magnitude noise is judged by: 1 for returns, being differences of ratios near 1; default the largest value.
    """
    centre = mean(values)
    spread = math.sqrt(math.fsum((v - centre) * (v - centre) for v in values) / (len(values) - 1))
    largest = max(abs(v) for v in values) if size is None else size
    return spread if spread > NEGLIGIBLE * largest else 0.0


def moment(values: Sequence[float], order: int) -> float:
    """Standardised central moment of the population: order 3 is skewness, 4 is kurtosis (3 for a normal distribution)."""
    centre = mean(values)
    second = math.fsum((v - centre) * (v - centre) for v in values) / len(values)
    scale = math.sqrt(second)
    return math.fsum(math.prod([(v - centre) / scale] * order) for v in values) / len(values)


def quantile(values: Sequence[float], share: float) -> float:
    """Historical quantile with linear interpolation between the two neighbours (Hyndman and Fan type 7)."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def normal(x: float) -> float:
    """Cumulative standard normal distribution."""
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


def student(t: float, freedom: int) -> float:
    """Two-sided p-value of a Student t statistic with `freedom` >= 1 degrees of freedom."""
    return incomplete_beta(freedom / 2.0, 0.5, freedom / (freedom + t * t))


def incomplete_beta(a: float, b: float, x: float) -> float:
    """Regularised incomplete beta function I_x(a, b) for a, b > 0 and x in 0..1."""
    if x <= 0.0 or x >= 1.0:
        return 0.0 if x <= 0.0 else 1.0
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    if x < (a + 1.0) / (a + b + 2.0):
        return front * _fraction(a, b, x) / a
    return 1.0 - front * _fraction(b, a, 1.0 - x) / b


def _fraction(a: float, b: float, x: float) -> float:
    tiny = 1e-300
    c, d = 1.0, 1.0 / _away(1.0 - (a + b) * x / (a + 1.0), tiny)
    result = d
    for m in range(1, 500):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1.0 / _away(1.0 + term * d, tiny)
            c = _away(1.0 + term / c, tiny)
            result *= c * d
        if abs(c * d - 1.0) < 1e-15:
            break
    return result


def _away(value: float, tiny: float) -> float:
    return value if abs(value) > tiny else tiny
