"""Sessions of the calendar: their ends, changes of the clock, midnights, and columns against single instants."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tb.core.time import DAY, HOUR, MINUTE, parse_instant, show_instant
from tb.engine.calendar import Hours, during, hours_of, is_during, session_time, session_time_at

WEEK = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def hours(start: str, end: str, zone: str, days: tuple[str, ...] = WEEK, closed: tuple[str, ...] = ()) -> Hours:
    return hours_of(("name", start, end, zone, " ".join(days), " ".join(closed)))


def changes(of: Hours, first: str, last: str) -> list[str]:
    """The instants between two days at which the answer changes, found minute by minute."""
    start, end = parse_instant(first), parse_instant(last)
    assert start is not None
    assert end is not None
    instants = np.arange(start, end, MINUTE, dtype=np.int64)
    answers = during(of, instants)
    return [show_instant(int(instants[at])) for at in np.flatnonzero(answers[1:] != answers[:-1]) + 1]


def test_the_start_is_inside_and_the_end_is_not() -> None:
    london = hours("08:00", "16:30", "Europe/London")
    start = parse_instant("2024-01-10T08:00") or 0
    assert [is_during(london, start + after) for after in (-1, 0, 8 * HOUR + 30 * MINUTE - 1, 8 * HOUR + 30 * MINUTE)] == [
        False,
        True,
        True,
        False,
    ]


def test_hours_follow_the_clock_when_it_changes() -> None:
    london = hours("08:00", "16:30", "Europe/London")
    assert changes(london, "2024-03-30", "2024-04-01") == [
        "2024-03-30T08:00Z",
        "2024-03-30T16:30Z",
        "2024-03-31T07:00Z",
        "2024-03-31T15:30Z",
    ]
    new_york = hours("09:30", "16:00", "America/New_York", WEEK[:5])
    assert changes(new_york, "2024-11-01", "2024-11-05") == [
        "2024-11-01T13:30Z",
        "2024-11-01T20:00Z",
        "2024-11-04T14:30Z",
        "2024-11-04T21:00Z",
    ]


def test_a_session_across_midnight_belongs_to_the_day_on_which_it_starts() -> None:
    night = hours("22:00", "06:00", "UTC", ("Fri",), ("2024-01-12",))
    assert changes(night, "2024-01-04", "2024-01-21") == [
        "2024-01-05T22:00Z",
        "2024-01-06T06:00Z",
        "2024-01-19T22:00Z",
        "2024-01-20T06:00Z",
    ]


def test_a_time_that_comes_twice_counts_when_it_comes_first() -> None:
    # in New York, 01:00 to 02:00 came twice on 2024-11-03
    assert changes(hours("01:30", "04:00", "America/New_York"), "2024-11-03T04:00", "2024-11-03T12:00") == [
        "2024-11-03T05:30Z",
        "2024-11-03T09:00Z",
    ]


def test_a_time_that_is_skipped_counts_as_if_the_clock_had_not_changed() -> None:
    # in New York, 02:00 to 03:00 did not come on 2024-03-10
    assert changes(hours("02:30", "05:00", "America/New_York"), "2024-03-10T04:00", "2024-03-10T12:00") == [
        "2024-03-10T07:30Z",
        "2024-03-10T09:00Z",
    ]
    assert changes(hours("02:30", "03:15", "America/New_York"), "2024-03-10T04:00", "2024-03-10T12:00") == []


def test_a_day_that_a_zone_skipped_has_no_session() -> None:
    # Samoa went from Thursday the 29th to Saturday the 31st of December 2011
    samoa = hours("08:00", "16:00", "Pacific/Apia", ("Fri",))
    assert changes(samoa, "2011-12-28", "2012-01-03") == []


ZONES = ("UTC", "Europe/London", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Cairo")
CLOCKS = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 59]))


@given(
    st.tuples(CLOCKS, CLOCKS).filter(lambda pair: pair[0] != pair[1]),
    st.sampled_from(ZONES),
    st.sets(st.sampled_from(WEEK), min_size=1),
    st.integers(0, 60 * 365),
    st.lists(st.integers(0, 5 * 96), min_size=1, max_size=40),
)
def test_columns_equal_single_instants(
    clocks: tuple[time, time], zone: str, days: set[str], day: int, quarters: list[int]
) -> None:
    of = hours(*(f"{clock:%H:%M}" for clock in clocks), zone, tuple(d for d in WEEK if d in days))
    instants = np.array(sorted(day * DAY + quarter * 15 * MINUTE for quarter in quarters), dtype=np.int64)
    assert during(of, instants).tolist() == [1.0 if is_during(of, int(at)) else 0.0 for at in instants]


@given(CLOCKS, CLOCKS, st.sampled_from(ZONES), st.integers(0, 60 * 365 * 96))
def test_away_from_changes_it_is_what_the_clock_of_the_zone_shows(start: time, end: time, zone: str, quarter: int) -> None:
    at = datetime(1970, 1, 1, tzinfo=UTC) + quarter * timedelta(minutes=15)
    local = at.astimezone(ZoneInfo(zone))
    near = [(at + timedelta(hours=hours_)).astimezone(ZoneInfo(zone)).utcoffset() for hours_ in (-50, -25, 25, 50)]
    if start == end or any(offset != local.utcoffset() for offset in near):
        return
    shown = local.time()
    expected = start <= shown < end if start < end else shown >= start or shown < end
    assert is_during(hours(f"{start:%H:%M}", f"{end:%H:%M}", zone), quarter * 15 * MINUTE) == expected


@pytest.mark.parametrize("count", [0, 1])
def test_few_instants(count: int) -> None:
    assert during(hours("00:00", "12:00", "UTC"), np.arange(count, dtype=np.int64)).tolist() == [1.0] * count


def test_time_in_a_session_is_told_from_its_start_and_to_its_end() -> None:
    london = hours("08:00", "16:30", "Europe/London", WEEK[:5])
    at = parse_instant("2024-01-10T08:45") or 0
    assert session_time_at(london, True, at) == 45 * MINUTE
    assert session_time_at(london, False, at) == 7 * HOUR + 45 * MINUTE
    assert session_time_at(london, True, at - 45 * MINUTE) == 0
    assert session_time_at(london, True, at - 46 * MINUTE) is None
    assert session_time_at(london, False, at + 7 * HOUR + 45 * MINUTE) is None
    assert session_time_at(london, True, at + 3 * DAY) is None, "a Saturday"


@given(
    st.tuples(CLOCKS, CLOCKS).filter(lambda pair: pair[0] != pair[1]),
    st.sampled_from(ZONES),
    st.sets(st.sampled_from(WEEK), min_size=1),
    st.integers(0, 60 * 365),
    st.booleans(),
)
def test_time_in_a_session_over_columns_equals_single_instants(
    clocks: tuple[time, time], zone: str, days: set[str], day: int, since: bool
) -> None:
    of = hours(f"{clocks[0]:%H:%M}", f"{clocks[1]:%H:%M}", zone, tuple(sorted(days)))
    instants = day * DAY + np.arange(0, 3 * DAY, 45 * MINUTE, dtype=np.int64)
    found = session_time(of, since, instants)
    expected = [session_time_at(of, since, int(at)) for at in instants]
    assert [None if np.isnan(x) else float(x) for x in found] == expected
    for at, one in zip(instants, expected, strict=True):
        assert (one is not None) == is_during(of, int(at))
