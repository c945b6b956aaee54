"""Fields of the calendar and of funding, held against Python's own calendar and plain loops."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tb.core.time import DAY, HOUR, MINUTE
from tb.engine.clock import calendar_field
from tb.engine.feeds import FeedRows
from tb.engine.funding import Funding, paid_within
from tb.vocabulary.fields import FIELDS

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CALENDAR = [field.name for field in FIELDS.values() if field.is_calendar]


def plainly(name: str, at: int) -> int:
    moment = EPOCH + timedelta(milliseconds=at)
    return {
        "hour": moment.hour,
        "weekday": moment.weekday(),
        "minute_of_hour": moment.minute,
        "minute_of_day": moment.hour * 60 + moment.minute,
        "day_of_month": moment.day,
        "day_of_year": moment.timetuple().tm_yday,
        "week_of_year": moment.isocalendar().week,
        "month_of_year": moment.month,
        "day_number": (moment - timedelta(milliseconds=1) - EPOCH).days,
    }[name]


@given(st.lists(st.integers(0, 4_102_444_800_000 // MINUTE), max_size=20))
def test_the_calendar_is_that_of_python(minutes: list[int]) -> None:
    closes = np.array(sorted(minutes), dtype=np.int64) * MINUTE
    for name in CALENDAR:
        found = calendar_field(name, closes)
        assert found is not None
        assert found.dtype == np.float64
        assert found.tolist() == [plainly(name, int(at)) for at in closes]


@pytest.mark.parametrize("year", [1999, 2000, 2004, 2009, 2015, 2020, 2024, 2026])
def test_weeks_around_new_year(year: int) -> None:
    first = (datetime(year, 12, 20, tzinfo=UTC) - EPOCH) // timedelta(milliseconds=1)
    closes = first + np.arange(25, dtype=np.int64) * DAY
    for name in ("week_of_year", "day_of_year", "month_of_year"):
        assert calendar_field(name, closes).tolist() == [plainly(name, int(at)) for at in closes]  # type: ignore[union-attr]


def test_a_bar_that_closes_at_midnight_lies_in_the_day_before() -> None:
    assert calendar_field("day_number", np.array([DAY, DAY + HOUR])).tolist() == [0, 1]  # type: ignore[union-attr]


def test_other_names_are_none_of_the_calendar() -> None:
    assert calendar_field("close", np.array([DAY])) is None


def funding(rates: list[float], every: int = 8 * HOUR) -> Funding:
    known = np.arange(1, len(rates) + 1, dtype=np.int64) * every
    values = np.array(rates)
    return Funding(FeedRows(known, values, values, np.arange(len(rates)), "BTC-PERP.funding.csv"), every)


def test_funding_is_paid_in_the_bar_in_which_it_falls_due() -> None:
    closes = np.arange(1, 26, dtype=np.int64) * HOUR
    found = paid_within(funding([0.1, 0.2, -0.3]), closes, HOUR)
    assert np.isnan(found[:7]).all(), "nothing is known before the first instant"
    assert {at + 1: rate for at, rate in enumerate(found) if rate and not math.isnan(rate)} == {8: 0.1, 16: 0.2, 24: -0.3}


def test_a_long_bar_holds_several_payments() -> None:
    assert paid_within(funding([0.1, 0.2, 0.3, 0.4]), np.array([DAY]), DAY).tolist() == [(0.1 + 0.2) + 0.3]


def test_what_was_not_recorded_is_unknown() -> None:
    closes = np.array([8, 16, 24, 48], dtype=np.int64) * HOUR
    found = paid_within(funding([0.1, math.nan, 0.3]), closes, 8 * HOUR)
    assert found.tolist() == pytest.approx([0.1, math.nan, 0.3, math.nan], nan_ok=True)
    assert np.isnan(paid_within(funding([0.1, math.nan, 0.3]), np.array([DAY]), DAY)).all()
    assert np.isnan(paid_within(None, closes, HOUR)).all()


@given(st.lists(st.sampled_from([0.0, 1e-4, -2e-4, math.nan]), min_size=1, max_size=12), st.integers(1, 30))
def test_payments_add_up_whatever_the_chunks(rates: list[float], size: int) -> None:
    closes = np.arange(1, 31, dtype=np.int64) * 4 * HOUR
    whole = paid_within(funding(rates), closes, 4 * HOUR)
    parts = [paid_within(funding(rates), closes[at : at + size], 4 * HOUR) for at in range(0, len(closes), size)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
