"""The best of a row and the words of a difference, case by case."""

from __future__ import annotations

import pytest

from tb.replay import metrics_policy, metrics_returns, metrics_trades
from tb.replay.comparing.model import HIGHER, LOWER, best
from tb.replay.comparing.text import apart, shown


@pytest.mark.parametrize(
    ("name", "values", "places"),
    [
        ("sharpe", (1.0, 2.0, 1.5), (1,)),
        ("sharpe", (2.0, 2.0, 1.5), (0, 1)),
        ("sharpe", (None, -2.0, None), ()),
        ("sharpe", (None, -2.0, -3.0), (1,)),
        ("sharpe", (2.0, 2.0), ()),
        ("max_drawdown", (0.2, 0.1, None), (1,)),
        ("worst_day", (-0.2, -0.1), (1,)),
        ("worst_trade", (-30.0, -10.0), (1,)),
        ("average_loss", (-30.0, -10.0), (1,)),
        ("trades", (5.0, 7.0), ()),
    ],
)
def test_the_best_of_a_row(name: str, values: tuple[float | None, ...], places: tuple[int, ...]) -> None:
    assert best(name, values) == places


def test_only_metrics_have_a_better_side_and_only_one() -> None:
    known = {*metrics_returns.MEANINGS, *metrics_trades.MEANINGS, *metrics_policy.MEANINGS}
    assert known >= HIGHER | LOWER
    assert set() == HIGHER & LOWER


@pytest.mark.parametrize(
    ("difference", "unit", "told"),
    [
        (0.0027, "ratio", "+0.27pp"),
        (-0.5, "ratio", "-50.00pp"),
        (-41.594, "money", "-41.59"),
        (3.0, "count", "+3"),
        (-0.041, "R", "-0.04 R"),
        (0.25, "number", "+0.25"),
        (-5_400_000.0, "duration", "-1 h 30 min"),
        (2.5, "bps", "+2.5 bps"),
        (0.00001, "ratio", ""),
        (-0.01, "bps", ""),
        (None, "money", ""),
    ],
)
def test_a_difference_has_sign_and_unit(difference: float | None, unit: str, told: str) -> None:
    assert apart(difference, unit) == told  # type: ignore[arg-type]


def test_values_are_plain_text() -> None:
    assert shown(-1234.5, "money", "USD") == "-1,234.50 USD"
    assert shown(None, "ratio", "USD") == "n/a"
    assert shown(0.00001, "number", "USD") == "< 0.0001"
