"""Feeds: when a row counts, what makes it unknown, what is refused, and whole runs on recorded ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pytest
from small_projects import START, bars, between, compiled, cut, flat, market, run, strategy

from tb.core.diagnostics import Diagnostic, Refused, Severity
from tb.core.time import DAY, HOUR, show_instant
from tb.engine.columns import evaluate
from tb.engine.feeds import FeedRows
from tb.replay.data import Market, load_market
from tb.replay.feeds import FeedPlaces
from tb.replay.publication import KNOWN
from tb.replay.recordings import feed_places, with_recordings
from tb.replay.run import markets_of
from tb.replay.why_not import text, why_not
from tb.runtime.policy import Compiled

REAL = Path(__file__).parents[3] / "shared" / "data"
NEEDS_DATA = pytest.mark.skipif(not REAL.is_dir(), reason="recorded markets are not here (../shared/data)")
DAILY = "feed mood: number in 0..100 every 1d, stale after 2d\n"
PLAIN = "feed mood: number in 0..100, stale after 6h\n"


def at(hours: float) -> str:
    return show_instant(START + int(hours * HOUR))


def written(folder: Path, **files: str) -> FeedPlaces:
    for name, body in files.items():
        (folder / f"{name.replace('__', '.')}.csv").write_text(body, encoding="utf-8")
    return FeedPlaces(folder)


def project(feed: str, when: str = "mood > 0", policy: str = "limit gross after.gross <= 100% of equity\n") -> Compiled:
    return compiled(f"{feed}\n{strategy(when, members='BTC-USD, ETH-USD', size='1% of equity')}", policy)


def hours(count: int, *symbols: str) -> Market:
    return market(*(bars(symbol, [flat(100)] * count) for symbol in symbols or ("BTC-USD",)))


def seen(here: Compiled, data: Market, symbol: str = "BTC-USD") -> list[float | None]:
    """The value of the first feed at every close."""
    [node] = [node for node in here.plan.graph.nodes if node.op == "feed"]
    markets = markets_of(here.plan, data, here.settings)
    column = evaluate(here.plan.graph, {symbol: [node.id]}, markets)[node.id, symbol]
    return [None if value != value else float(value) for value in column]  # noqa: PLR0124 - NaN differs from itself


def findings(here: Compiled, data: Market, places: FeedPlaces) -> list[Diagnostic]:
    try:
        return list(with_recordings(data, here.plan, places).warnings)
    except Refused as refused:
        return list(refused.findings)


# --- when a row counts -------------------------------------------------------------------------------------------------


def test_the_value_of_a_day_is_known_when_the_day_is_over(tmp_path: Path) -> None:
    here = project(DAILY)
    data = with_recordings(hours(50), here.plan, written(tmp_path, mood=f"time,mood\n{at(0)},10\n{at(24)},20\n"))
    # bars close at +1h .. +50h
    assert seen(here, data) == [None] * 23 + [10.0] * 24 + [20.0] * 3


def test_a_feed_without_a_period_is_known_at_its_time_and_stale_after_its_age(tmp_path: Path) -> None:
    here = project(PLAIN)
    data = with_recordings(hours(12), here.plan, written(tmp_path, mood=f"time,value\n{at(2)},10\n{at(3.5)},11\n"))
    assert seen(here, data) == [None, 10.0, 10.0, *[11.0] * 6, None, None, None]


def test_the_only_column_of_a_file_that_is_named_is_the_feed_whatever_it_is_called(tmp_path: Path) -> None:
    here = project(PLAIN)
    rows = f"time,index_of_fear\n{at(1)},10\n"
    named = FeedPlaces(written(tmp_path, other=rows).folder, {"mood": "other.csv"})
    assert seen(here, with_recordings(hours(3), here.plan, named)) == [10.0, 10.0, 10.0]


def test_when_a_row_was_published_wins_over_the_period(tmp_path: Path) -> None:
    here = project(DAILY)
    rows = f"time,mood,published\n{at(0)},10,{at(2)}\n{at(0)},12,{at(4)}\n{at(24)},20,{at(25)}\n"
    data = with_recordings(hours(26), here.plan, written(tmp_path, mood=rows))
    assert seen(here, data) == [None, 10.0, 10.0, *[12.0] * 21, 20.0, 20.0]


@pytest.mark.parametrize("cell", ["", "101", "-1", "nan", "inf"])
def test_a_newest_row_that_says_nothing_possible_is_unknown_and_told(tmp_path: Path, cell: str) -> None:
    here = project(PLAIN)
    places = written(tmp_path, mood=f"time,mood\n{at(1)},10\n{at(2)},{cell}\n{at(4)},30\n")
    data = with_recordings(hours(5), here.plan, places)
    assert seen(here, data) == [10.0, None, None, 30.0, 30.0]
    [told] = data.warnings
    assert told.code == ("TB648" if cell in {"", "nan"} else "TB672")
    assert told.message.startswith("row 2 (line 3): `mood` is ")


def test_truth_is_read_from_words_and_numbers_and_nothing_else(tmp_path: Path) -> None:
    here = project("feed alarm: truth, stale after 1d\n", "not alarm")
    rows = f"time,alarm\n{at(1)},true\n{at(2)},no\n{at(3)},1\n{at(4)},2\n"
    data = with_recordings(hours(4), here.plan, written(tmp_path, alarm=rows))
    assert seen(here, data) == [1.0, 0.0, 1.0, None]


def test_a_feed_per_instrument_comes_from_a_file_each_or_from_one_with_a_column(tmp_path: Path) -> None:
    here = project("feed mood: number per instrument, stale after 6h\n")
    data = hours(2, "BTC-USD", "ETH-USD")
    one = f"time,instrument,mood\n{at(1)},BTC-USD,1\n{at(1)},ETH-USD,2\n{at(2)},BTC-USD,3\n"
    (tmp_path / "one").mkdir()
    (tmp_path / "each").mkdir()
    each = {"mood__BTC-USD": f"time,mood\n{at(1)},1\n{at(2)},3\n", "mood__ETH-USD": f"time,value\n{at(1)},2\n"}
    for places in (written(tmp_path / "one", mood=one), written(tmp_path / "each", **each)):
        read = with_recordings(data, here.plan, places)
        assert read.warnings == ()
        assert (seen(here, read), seen(here, read, "ETH-USD")) == ([1.0, 3.0], [2.0, 2.0])


def test_a_file_may_be_called_otherwise(tmp_path: Path) -> None:
    here = project(PLAIN)
    written(tmp_path, index_1h=f"time,mood\n{at(1)},7\n")
    data = with_recordings(hours(1), here.plan, FeedPlaces(tmp_path, {"mood": "index_1h.csv"}))
    assert seen(here, data) == [7.0]


def test_where_feeds_are_looked_for(tmp_path: Path) -> None:
    here = compiled(PLAIN + strategy("mood > 0"))
    assert feed_places(here.settings, tmp_path / "data", tmp_path).folder == tmp_path / "data" / "feeds"
    named = replace(here.settings, feeds="recorded")
    assert feed_places(named, tmp_path / "data", tmp_path).folder == tmp_path / "recorded"
    assert feed_places(named, tmp_path / "data", tmp_path, tmp_path / "x").folder == tmp_path / "x"


# --- what is refused, and what is told -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "code", "says"),
    [
        ("time,mood\n{1},1\n{1},2\n", "TB671", "row 2 (line 3): the time {1} is there twice"),
        ("time,mood\n{2},1\n{1},2\n", "TB671", "row 2 (line 3): {1} stands after a later time"),
        ("time,mood,known\n{1},1,{3}\n{2},2,{2}\n", "TB671", "row 2 (line 3): it was known at {2}, before the row above it"),
        ("time,mood,known\n{2},1,{1}\n", "TB671", "row 1 (line 2): known at {1}, before its own time {2}"),
        ("time,feeling\n{1},1\n", "TB645", "the column `mood` is missing"),
        ("time,mood,value\n{1},1,1\n", "TB645", "`mood` and `value` are both columns of the value"),
        ("time,mood,instrument\n{1},1,BTC-USD\n", "TB645", "the rows have a column `instrument`, and here all are of one"),
        ("time,mood\n{1},high\n", "TB647", "row 1 (line 2): `mood` is `high`, not a number"),
        ("time,mood\nsoon,1\n", "TB647", "row 1 (line 2): `soon` is not a time"),
        ("time,mood\n", "TB646", "the file has no rows of data"),
    ],
)
def test_a_file_that_cannot_be_read_for_sure_is_refused(tmp_path: Path, rows: str, code: str, says: str) -> None:
    shown = {str(hour): at(hour) for hour in (1, 2, 3)}
    body, message = rows, says
    for hour, instant in shown.items():
        body, message = body.replace(f"{{{hour}}}", instant), message.replace(f"{{{hour}}}", instant)
    found = findings(project(PLAIN), hours(3), written(tmp_path, mood=body))
    assert (found[0].code, found[0].message) == (code, message)


@pytest.mark.parametrize("column", [*KNOWN, "Published_At"])
def test_when_a_row_became_known_is_read_however_it_is_called(tmp_path: Path, column: str) -> None:
    here = project(PLAIN)
    rows = f"time,mood,{column},source\n{at(1)},10,{at(3)},a wire\n"
    data = with_recordings(hours(4), here.plan, written(tmp_path, mood=rows))
    assert seen(here, data) == [None, None, 10.0, 10.0]


@pytest.mark.parametrize(
    ("column", "cell", "says"),
    [
        ("publish_ts", "soon", "its name says when a row became known"),
        ("release_date", "2", "its name says when a row became known"),
        ("first_availability", "x", "its name says when a row became known"),
        ("PublicationDate", "x", "its name says when a row became known"),
        ("stamp", "{3}", "it holds times"),
        ("stamp", "03.01.2024 14:00", "it holds times"),
        ("stamp", "14:00", "it holds times"),
        ("stamp", "20240103", "it holds times"),
        ("stamp", str(START // 1000 + 7200), "it holds times"),
        ("stamp", f"{START + 7_200_000}000000", "it holds times"),
    ],
)
def test_a_column_that_may_say_when_a_row_became_known_is_not_passed_over(
    tmp_path: Path, column: str, cell: str, says: str
) -> None:
    rows = f"time,mood,{column}\n{at(1)},10,{cell.replace('{3}', at(3))}\n"
    [told] = findings(project(PLAIN), hours(3), written(tmp_path, mood=rows))
    assert (told.code, told.severity) == ("TB645", Severity.ERROR)
    assert told.message == f"the column `{column}` is not read, and {says}"
    assert "name it `known`" in told.hint


@pytest.mark.parametrize("cell", ["", "1.5", "reuters", "20249905", "12345678", "12 wires", "v1.2.30"])
def test_columns_that_say_something_else_are_passed_over(tmp_path: Path, cell: str) -> None:
    here = project(PLAIN)
    data = with_recordings(hours(2), here.plan, written(tmp_path, mood=f"time,mood,more\n{at(1)},10,{cell}\n"))
    assert (seen(here, data), data.warnings) == ([10.0, 10.0], ())


def test_times_in_a_further_column_of_a_parquet_file_are_refused(tmp_path: Path) -> None:
    instants = pl.Series([START + HOUR], dtype=pl.Datetime("ms", "UTC"))
    pl.DataFrame({"time": instants, "mood": [1.0], "stamp": instants}).write_parquet(tmp_path / "mood.parquet")
    [told] = findings(project(PLAIN), hours(3), FeedPlaces(tmp_path))
    assert told.message == "the column `stamp` is not read, and it holds times"


def test_the_only_column_of_a_named_file_is_the_feed_though_its_name_speaks_of_releases(tmp_path: Path) -> None:
    here = project(PLAIN)
    named = FeedPlaces(written(tmp_path, other=f"time,releases\n{at(1)},10\n").folder, {"mood": "other.csv"})
    assert seen(here, with_recordings(hours(1), here.plan, named)) == [10.0]


def test_a_feed_may_be_called_as_a_column_of_publication(tmp_path: Path) -> None:
    here = compiled(strategy("released > 0"), "feed released: number, stale after 6h\nforbid low when released < 0\n")
    data = with_recordings(hours(2), here.plan, written(tmp_path, released=f"time,released\n{at(1)},10\n"))
    assert seen(here, data) == [10.0, 10.0]


@pytest.mark.parametrize(
    ("feed", "rows", "hint"),
    [
        (PLAIN, "time,mood\n2024-01-01,1\n2024-01-02,2\n", "write `every 1d`"),
        (DAILY, "time,mood,known\n2024-01-01,1,2024-01-01\n2024-01-02,2,2024-01-02\n", "write the hour"),
        (DAILY, "time,mood\n2024-01-01,1\n2024-01-02,2\n", ""),
        (PLAIN, "time,mood\n2024-01-01,1\n", ""),
        (PLAIN, "time,mood\n2024-01-01,1\n2024-01-02T01:00,2\n", ""),
        (PLAIN, "time,mood,known\n2024-01-01,1,2024-01-02\n2024-01-02,2,2024-01-03\n", ""),
    ],
)
def test_days_that_would_be_known_when_they_begin_are_told(tmp_path: Path, feed: str, rows: str, hint: str) -> None:
    found = findings(project(feed), hours(3), written(tmp_path, mood=rows))
    assert [(told.code, told.severity) for told in found] == ([("TB674", Severity.WARNING)] if hint else [])
    assert all(told.hint.startswith(hint) for told in found)


def test_a_feed_without_a_file_is_unknown_everywhere_and_the_warning_names_the_path(tmp_path: Path) -> None:
    here = project(PLAIN)
    [told] = findings(here, hours(3), FeedPlaces(tmp_path))
    assert (told.code, told.message) == ("TB670", "no file for the feed `mood`: it is unknown everywhere")
    assert str(tmp_path / "mood.parquet") in told.hint
    data = with_recordings(hours(3), here.plan, FeedPlaces(tmp_path))
    assert seen(here, data) == [None] * 3
    assert run(here, data).decisions == []


def test_an_instrument_without_rows_is_named(tmp_path: Path) -> None:
    here = project("feed mood: number per instrument, stale after 6h\n")
    data = hours(2, "BTC-USD", "ETH-USD")
    [told] = findings(here, data, written(tmp_path, mood=f"time,instrument,mood\n{at(1)},BTC-USD,1\n"))
    assert told.message == "no row of `ETH-USD` in the feed `mood`: it is unknown there"
    [told] = findings(here, data, FeedPlaces(tmp_path / "elsewhere"))
    assert told.message == "no file for the feed `mood`: it is unknown for BTC-USD, ETH-USD"


# --- decisions -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (f"time,mood\n{at(1)},50\n", "mood (7h old, stale after 6h)"),
        (f"time,mood\n{at(1)},50\n{at(7)},\n", "mood (row 2 is empty or outside of its range)"),
        (f"time,mood\n{at(1)},50\n{at(7)},500\n", "mood (row 2 is empty or outside of its range)"),
        (f"time,mood\n{at(9)},50\n", "mood (no row known yet)"),
        ("", "mood (no row known yet)"),
    ],
)
def test_a_limit_on_a_feed_that_is_unknown_denies_and_names_it(tmp_path: Path, rows: str, why: str) -> None:
    here = compiled(strategy("hour == 8"), f"{PLAIN}forbid low when mood < 20\n")
    places = written(tmp_path, mood=rows) if rows else FeedPlaces(tmp_path)
    done = run(here, with_recordings(hours(9), here.plan, places))
    [decision] = done.decisions
    assert (decision.verdict, decision.deciding) == ("reject", ("low",))
    explained = done.explained(decision)
    assert explained.missing == (why,)
    assert explained.reproduced
    [reading] = [reading for reading in explained.readings if reading.name == "mood"]
    assert reading.value == "unknown" + why.removeprefix("mood")
    assert reading.source == "feed mood"


@pytest.mark.parametrize("read", [(), ((8 * HOUR, 0),), ((HOUR, None),), ((2 * HOUR, 0),)])
def test_a_record_whose_feeds_cannot_be_is_not_reproduced(tmp_path: Path, read: tuple[tuple[int, int | None], ...]) -> None:
    here = compiled(strategy("mood > 30"), f"{PLAIN}forbid low when mood < 20\n")
    done = run(here, with_recordings(hours(3), here.plan, written(tmp_path, mood=f"time,mood\n{at(2)},50\n")))
    decision = done.decisions[0]
    assert decision.feeds == ((0, 0),)
    assert not done.explained(msgspec.structs.replace(decision, feeds=read)).reproduced


def test_what_a_rule_made_of_a_feed_shows_the_feed_beside_it(tmp_path: Path) -> None:
    here = project(PLAIN, "change(mood, 2) > 10%")
    data = with_recordings(hours(5), here.plan, written(tmp_path, mood=f"time,mood\n{at(1)},10\n{at(3)},12\n"))
    done = run(here, data)
    decision = done.decisions[0]
    assert decision.at == START + 3 * HOUR
    [reading] = [reading for reading in done.explained(decision).readings if reading.name == "mood"]
    assert (reading.value, reading.age, reading.row, reading.source) == ("12", "0s", 1, "feed mood")


@pytest.mark.parametrize(
    ("hour", "says"),
    [
        (1, "`mood` is not known yet: its first row becomes known at {2}"),
        (9, "`mood` is stale: row 1 of mood.csv is known since {2}, 7h ago; stale after 6h"),
        (10, "`mood` is unknown: row 2 of mood.csv says 120, which is outside of its range"),
        (11, "`mood` is missing in row 3 of mood.csv"),
    ],
)
def test_why_not_says_why_a_feed_is_unknown(tmp_path: Path, hour: int, says: str) -> None:
    here = project(PLAIN)
    rows = f"time,mood\n{at(2)},10\n{at(10)},120\n{at(11)},\n"
    data = with_recordings(hours(12), here.plan, written(tmp_path, mood=rows))
    found = why_not(here.plan, markets_of(here.plan, data, here.settings), "BTC-USD", START + hour * HOUR)
    assert says.replace("{2}", at(2)) in text(found)


# --- recorded feeds ------------------------------------------------------------------------------------------------------

RULES = """
universe u on venue
  tier t BTC-USD, ETH-USD

strategy fearful on u every 4h
  enter long when fear_greed < 25 and change(fear_greed@1d, 3) < 0% and age of fear_greed < 1d
    size 5% of equity
    stop 8% below entry
    because "fear at {fear_greed:.0f}"
  exit when fear_greed > 40
"""
POLICY = """
feed fear_greed: number in 0..100 every 1d, stale after 2d
limit gross after.gross <= 50% of equity
forbid panic when fear_greed < 8
"""


def recorded() -> tuple[Compiled, Market]:
    here = compiled(RULES, POLICY)
    whole = load_market(REAL / "crypto_1h", instruments=["BTC-USD", "ETH-USD"])
    some = between(whole, START - 700 * DAY, START - 500 * DAY)
    return here, with_recordings(some, here.plan, FeedPlaces(REAL / "series", {"fear_greed": "fear_greed_1d.parquet"}))


def without_what_came_later(feeds: Mapping[tuple[str, str], FeedRows], last: int) -> dict[tuple[str, str], FeedRows]:
    found = {}
    for key, rows in feeds.items():
        kept = rows.known <= last
        found[key] = FeedRows(rows.known[kept], rows.values[kept], rows.raw[kept], rows.rows[kept], rows.source)
    return found


@NEEDS_DATA
def test_a_run_on_the_recorded_index_explains_its_trades_and_looks_at_nothing_later() -> None:
    here, data = recorded()
    done = run(here, data)
    assert len([d for d in done.decisions if d.approved]) >= 10
    assert {d.verdict for d in done.decisions} >= {"approve", "reject"}
    rows = data.feeds["fear_greed", ""]
    for decision in done.decisions:
        assert done.explained(decision, deep=False).reproduced
        if decision.kind == "enter":
            [(age, row)] = decision.feeds
            known = int(rows.known[int(np.flatnonzero(rows.rows == row)[0])])
            assert known + age == decision.at
            assert f"fear at {rows.raw[row]:.0f}" == decision.reason
    for instant in (done.decisions[3].at, done.decisions[len(done.decisions) // 2].at):
        early = replace(cut(data, instant), feeds=without_what_came_later(data.feeds, instant))
        assert run(here, early).decisions == [d for d in done.decisions if d.at <= instant]
    small, large = (run(here, data, chunk=chunk).outcome.decision_log_hash for chunk in (7, 100_000))
    assert small == large == done.outcome.decision_log_hash
