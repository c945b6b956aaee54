"""Instants and durations as text, and days that cut time without gap or overlap."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tb.core.time import DAY, day_start, next_day_start, parse_duration, parse_instant, parse_since, show_duration, show_instant

FIVE = int(datetime(2024, 1, 1, 5, tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("2024-01-01", FIVE - 5 * 3_600_000),
        ("2024-01-01T05:00", FIVE),
        ("2024-01-01T05:00Z", FIVE),
        ("2024-01-01 05:00", FIVE),
        (" 2024-01-01T05:00:30Z ", FIVE + 30_000),
        ("2024-01-01T05:00:30.25Z", FIVE + 30_250),
        ("2024-01-01T05:00:30.250000", FIVE + 30_250),
        ("2024-01-01T07:00+02:00", FIVE),
        ("2024-01-01T07:00 +0200", FIVE),
        ("2024-01-01T00:30-04:30", FIVE),
        ("2024-01-01T07:00+02", FIVE),
        ("1970-01-01", 0),
        ("1969-12-31T23:59Z", -60_000),
    ],
)
def test_an_instant_is_read(text: str, ms: int) -> None:
    assert parse_instant(text) == ms


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2024-02-30",
        "2024-01-01T25:00",
        "2024-01-01T05",
        "2024-1-1",
        "2024-01-01Z",
        "2024-01-01T05:00+25:00",
        "2024-01-01T05:00:30.0001Z",
        "0000-01-01",
        "2024-01-01T05:00Zulu",
        "２024-01-01",
    ],
)
def test_what_is_no_instant_gives_none(text: str) -> None:
    assert parse_instant(text) is None


@given(st.integers(-62_135_596_800_000, 253_402_300_799_999))
def test_an_instant_shown_reads_back(ms: int) -> None:
    assert parse_instant(show_instant(ms)) == ms


def test_an_instant_shows_no_more_than_it_has() -> None:
    assert show_instant(FIVE) == "2024-01-01T05:00Z"
    assert show_instant(FIVE + 7_000) == "2024-01-01T05:00:07Z"
    assert show_instant(FIVE + 7_005) == "2024-01-01T05:00:07.005Z"
    assert show_instant(-62_135_596_800_000) == "0001-01-01T00:00Z"


@pytest.mark.parametrize(
    ("text", "ms"),
    [("72h", 3 * DAY), ("90m", 5_400_000), ("1.5h", 5_400_000), ("2w", 14 * DAY), ("10 s", 10_000), ("1_000s", 1_000_000)],
)
def test_a_duration_is_read(text: str, ms: int) -> None:
    assert parse_duration(text) == ms


@pytest.mark.parametrize("text", ["", "72", "h", "-1h", "1.2345s", "1h30m", "3 bars", "1e3s", "5M", "9" * 30 + "w"])
def test_what_is_no_duration_gives_none(text: str) -> None:
    assert parse_duration(text) is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("tuesday", "2024-02-27T00:00Z"),
        ("Tue", "2024-02-27T00:00Z"),
        ("thursday", "2024-02-22T00:00Z"),  # it ends as this Thursday begins: nothing of it has passed
        ("today", "2024-02-28T00:00Z"),
        ("yesterday", "2024-02-27T00:00Z"),
        ("7d", "2024-02-22T00:00Z"),
        ("90m", "2024-02-28T22:30Z"),
        ("2024-01-31T05:00", "2024-01-31T05:00Z"),
    ],
)
def test_a_span_begins_where_people_say(text: str, says: str) -> None:
    end = parse_instant("2024-02-29")  # a Thursday
    assert end is not None
    assert show_instant(parse_since(text, end, ZoneInfo("UTC")) or 0) == says


def test_days_back_are_those_of_the_zone() -> None:
    end = parse_instant("2024-03-12T02:00")  # Monday evening in New York, where the clock changed on the 10th
    assert end is not None
    assert show_instant(parse_since("monday", end, ZoneInfo("America/New_York")) or 0) == "2024-03-11T04:00Z"
    assert show_instant(parse_since("sunday", end, ZoneInfo("America/New_York")) or 0) == "2024-03-10T05:00Z"


@pytest.mark.parametrize("text", ["", "tu", "someday", "7", "tuesdays"])
def test_what_begins_no_span_gives_none(text: str) -> None:
    assert parse_since(text, DAY, ZoneInfo("UTC")) is None


def test_a_duration_shows_in_its_longest_unit() -> None:
    assert [show_duration(ms) for ms in (3 * DAY, 5 * 3_600_000, 5_400_000, 7 * DAY, 8 * DAY, 250, 0)] == [
        "3d", "5h", "90m", "1w", "8d", "250ms", "0s",
    ]  # fmt: skip


@given(st.integers(0, 10**12).map(lambda seconds: seconds * 1000))
def test_a_duration_shown_reads_back(ms: int) -> None:
    assert parse_duration(show_duration(ms)) == ms


def at(text: str) -> int:
    ms = parse_instant(text)
    assert ms is not None
    return ms


@pytest.mark.parametrize(
    ("zone", "instant", "start", "following"),
    [
        ("UTC", "2024-01-01T05:00Z", "2024-01-01", "2024-01-02"),
        ("UTC", "2024-01-01T00:00Z", "2024-01-01", "2024-01-02"),
        # clocks go forward at 02:00: a day of 23 hours
        ("America/New_York", "2024-03-10T12:00Z", "2024-03-10T05:00Z", "2024-03-11T04:00Z"),
        # clocks go back: a day of 25 hours
        ("America/New_York", "2024-11-03T12:00Z", "2024-11-03T04:00Z", "2024-11-04T05:00Z"),
        # midnight itself is skipped
        ("America/Santiago", "2023-09-03T12:00Z", "2023-09-03T04:00Z", "2023-09-04T03:00Z"),
        # midnight comes twice, an hour apart: the day begins when it comes first
        ("America/Havana", "2023-11-05T04:30Z", "2023-11-05T04:00Z", "2023-11-06T05:00Z"),
        ("America/Havana", "2023-11-05T05:30Z", "2023-11-05T04:00Z", "2023-11-06T05:00Z"),
        # the 30th of December 2011 was left out
        ("Pacific/Apia", "2011-12-30T09:59Z", "2011-12-29T10:00Z", "2011-12-30T10:00Z"),
        ("Pacific/Apia", "2011-12-30T10:00Z", "2011-12-30T10:00Z", "2011-12-31T10:00Z"),
        # one minute of the new day, then back to 23:01 of the old one
        ("America/St_Johns", "2009-11-01T02:45Z", "2009-11-01T02:30Z", "2009-11-02T03:30Z"),
    ],
)
def test_a_day_begins_at_local_midnight(zone: str, instant: str, start: str, following: str) -> None:
    assert show_instant(day_start(at(instant), ZoneInfo(zone))) == show_instant(at(start))
    assert show_instant(next_day_start(at(instant), ZoneInfo(zone))) == show_instant(at(following))


ZONES = ("UTC", "America/New_York", "America/Havana", "America/St_Johns", "Pacific/Apia", "Asia/Kolkata", "America/Toronto")


@given(st.integers(-(10**12), 4 * 10**12), st.sampled_from(ZONES).map(ZoneInfo))
def test_days_cut_time_without_gap_or_overlap(ms: int, zone: ZoneInfo) -> None:
    start, following = day_start(ms, zone), next_day_start(ms, zone)
    assert start <= ms < following
    assert day_start(start, zone) == start
    assert day_start(following, zone) == following
    assert day_start(following - 1, zone) == start
