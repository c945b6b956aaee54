"""Market data that cannot be used: the exact words for everything that can be wrong."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from market_files import HEAD, MS0, csv, frame, lines, load_bars, said, warned

from tb.core.time import DAY, HOUR, MINUTE, show_instant
from tb.replay.data import load_market

# --- folders and files that cannot be used

NAME_ONE = "name a folder with files such as `BTC-USD.parquet` or `BTC-USD.csv`"


def test_no_folder_and_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "empty").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "other/README.md").write_text("")
    assert said(tmp_path / "none") == [f"DATA:1 TB640 the folder `DATA` does not exist | {NAME_ONE}"]
    assert said(tmp_path / "file") == [f"DATA:1 TB640 `DATA` is a file, not a folder | {NAME_ONE}"]
    assert said(tmp_path / "empty") == [f"DATA:1 TB641 the folder `DATA` is empty | {NAME_ONE}"]
    assert said(tmp_path / "other") == [f"DATA:1 TB641 the folder `DATA` has no `.parquet` or `.csv` file | {NAME_ONE}"]


def test_names_that_are_not_an_instruments(tmp_path: Path) -> None:
    for name in ("btc-usd.csv", "EUR USD.parquet", "fear_greed_1d.v2.parquet", "README.md"):
        (tmp_path / name).write_text("")
    assert said(tmp_path) == [
        "EUR USD.parquet:1 TB642 the name of `EUR USD.parquet` is not that of an instrument | rename it to `EUR-USD.parquet`",
        "btc-usd.csv:1 TB642 the name of `btc-usd.csv` is not that of an instrument | rename it to `BTC-USD.csv`",
        (
            "fear_greed_1d.v2.parquet:1 TB642 the name of `fear_greed_1d.v2.parquet` is not that of an instrument"
            " | name bars `BTC-USD.parquet` and quotes `BTC-USD.quote.parquet`, or move the file away"
        ),
    ]


def test_two_files_for_the_same_bars(tmp_path: Path) -> None:
    for name in ("BTC-USD.csv", "BTC-USD.parquet", "ETH-USD.parquet", "ETH-USD.trade.parquet"):
        (tmp_path / name).write_text("")
    assert said(tmp_path) == [
        "BTC-USD.parquet:1 TB643 `BTC-USD.csv` and `BTC-USD.parquet` both hold bars of `BTC-USD` | keep one of them",
        (
            "ETH-USD.trade.parquet:1 TB643 `ETH-USD.parquet` and `ETH-USD.trade.parquet` both hold bars of `ETH-USD`"
            " | keep one of them"
        ),
    ]


def test_files_that_are_not_what_their_name_says(tmp_path: Path) -> None:
    frame(200).write_parquet(tmp_path / "A-USD.parquet")
    whole = (tmp_path / "A-USD.parquet").read_bytes()
    contents = {
        "A-USD.parquet": whole[:-100],
        "B-USD.parquet": b"PAR1" + b"\xff" * 100 + whole[-8:],
        "C-USD.parquet": "\n".join([HEAD, *lines()]).encode(),
        "D-USD.parquet": b"",
        "E-USD.csv": b"",
        "F-USD.csv": whole,
        "G-USD.csv": HEAD.encode() + b"\n\xe9,1,1,1,1,1\n",
        "H-USD.csv": HEAD.encode() + b"\n",
        "I-USD.csv": HEAD.encode() + b'\n2024-01-01,"1,000",1,1,1,1\n',
        "J-USD.csv": HEAD.replace(",", ";").encode() + b"\n2024-01-01;1;1;1;1;1\n",
        "K-USD.csv": b"time,open\0\n",
    }
    for name, data in contents.items():
        (tmp_path / name).write_bytes(data)
    frame(0).write_parquet(tmp_path / "L-USD.parquet")
    (tmp_path / "M-USD.parquet").mkdir()
    assert said(tmp_path) == [
        "A-USD.parquet:1 TB644 the Parquet file is cut off: its end is missing | copy or download it again",
        "B-USD.parquet:1 TB644 the Parquet file is damaged | copy or download it again",
        "C-USD.parquet:1 TB644 this is not a Parquet file | rename it to end in `.csv`",
        "D-USD.parquet:1 TB646 the file is empty | remove the file, or fill it",
        "E-USD.csv:1 TB646 the file is empty | remove the file, or fill it",
        "F-USD.csv:1 TB644 line 1 is not UTF-8 text | save the file as UTF-8",
        "G-USD.csv:1 TB644 line 2 is not UTF-8 text | save the file as UTF-8",
        "H-USD.csv:1 TB646 the file has no rows of data | remove the file, or fill it",
        "I-USD.csv:1 TB644 line 2 has a value with a `,` or a line end in it | write numbers as `1234.5`",
        "J-USD.csv:1 TB645 the columns are divided by `;` | divide them by `,`",
        "K-USD.csv:1 TB644 this is not a CSV file: it has zero bytes | write it as text",
        "L-USD.parquet:1 TB646 the file has no rows of data | remove the file, or fill it",
        "M-USD.parquet:1 TB644 the file cannot be read: is a directory",
    ]


@pytest.mark.parametrize(
    ("head", "messages"),
    [
        ("timestamp,open,high,low,close,volume", ["TB645 the column `time` is missing | rename `timestamp` to `time`"]),
        ("time,open,high,low,closing,volume", ["TB645 the column `close` is missing | did you mean `closing`?"]),
        (
            "time,open,high,low,x,y",
            [
                "TB645 the column `close` is missing | the file has `time`, `open`, `high`, `low`, `x`, `y`",
                "TB645 the column `volume` is missing | the file has `time`, `open`, `high`, `low`, `x`, `y`",
            ],
        ),
        ("time,open,high,low,close,close", ["TB645 the column `close` is there twice | remove one of them"]),
        (
            "time,open,high,low,close,Close",
            [
                "TB645 the column `close` is there twice | remove one of them",
                "TB645 the column `volume` is missing | the file has `time`, `open`, `high`, `low`, `close`, `Close`",
            ],
        ),
    ],
)
def test_missing_columns(tmp_path: Path, head: str, messages: list[str]) -> None:
    assert said(csv(tmp_path, lines(), head=head)) == [f"BTC-USD.csv:1 {message}" for message in messages]


def test_a_first_line_with_values(tmp_path: Path) -> None:
    rows = lines()
    assert said(csv(tmp_path, rows[1:], head=rows[0]))[-1] == (
        "BTC-USD.csv:1 TB645 the first line holds values | name the columns in it: `time,open,high,low,close,volume`"
    )


# --- rows that cannot be

ROWS = [
    # row 4 is line 5; its time is 03:00, its open 103
    (
        {"open": "0"},
        [
            "TB649 row 4 (line 5): `open` is 0, which is not greater than 0 | leave what is not known empty",
            "TB650 row 4 (line 5): `open` 0 is below `low` 102 | correct the row, or leave empty what is not known",
        ],
    ),
    ({"low": "-1"}, ["TB649 row 4 (line 5): `low` is -1, which is not greater than 0 | leave what is not known empty"]),
    ({"high": "inf"}, ["TB649 row 4 (line 5): `high` is inf, which is infinite | leave what is not known empty"]),
    ({"volume": "-0.5"}, ["TB649 row 4 (line 5): `volume` is -0.5, which is negative | leave what is not known empty"]),
    (
        {"high": "102", "low": "104.5"},
        ["TB650 row 4 (line 5): `high` 102 is lower than `low` 104.5 | check whether the two are swapped"],
    ),
    (
        {"open": "105"},
        ["TB650 row 4 (line 5): `open` 105 is above `high` 104.5 | correct the row, or leave empty what is not known"],
    ),
    (
        {"close": "101.5"},
        ["TB650 row 4 (line 5): `close` 101.5 is below `low` 102 | correct the row, or leave empty what is not known"],
    ),
    (
        {"close": "abc"},
        ["TB647 row 4 (line 5): `close` is `abc`, not a number | write numbers as `1234.5`, and leave what is not known empty"],
    ),
    (
        {"time": "2024-01-01T02:00:00Z"},
        ["TB651 row 4 (line 5): the time 2024-01-01T02:00Z is there twice | remove one of the rows"],
    ),
    (
        {"time": "2024-01-01T01:00:00Z"},
        ["TB651 row 4 (line 5): 2024-01-01T01:00Z stands after 2024-01-01T02:00Z | sort the rows by time"],
    ),
    (
        {"time": "2024-01-01T03:30:00Z"},
        ["TB652 row 4 (line 5): 2024-01-01T03:30Z is not the start of a bar of 1h | remove the row"],
    ),
    (
        {"time": "2024-13-01T03:00:00Z"},
        ["TB647 row 4 (line 5): `2024-13-01T03:00:00Z` is not a time | such as `2024-01-01T05:00Z`"],
    ),
    (
        {"time": "1924-01-01T03:00:00Z"},
        [
            (
                "TB647 row 4 (line 5): the time is not between 1970 and 2200"
                " | count seconds, milliseconds, microseconds or nanoseconds since 1970, in all rows alike"
            )
        ],
    ),
    ({"time": ""}, ["TB647 row 4 (line 5): the time is missing | remove the row, or give its time"]),
]


def spoiled(change: dict[str, str]) -> list[str]:
    rows = lines(12)
    values = dict(zip(HEAD.split(","), rows[3].split(","), strict=True)) | change
    return [*rows[:3], ",".join(values.values()), *rows[4:]]


@pytest.mark.parametrize(("change", "messages"), ROWS)
def test_a_row_that_cannot_be_is_named(tmp_path: Path, change: dict[str, str], messages: list[str]) -> None:
    assert said(csv(tmp_path, spoiled(change))) == [f"BTC-USD.csv:5 {message}" for message in messages]


def test_in_parquet_rows_count_from_1(tmp_path: Path) -> None:
    table = frame().with_columns(pl.Series("low", [99.0, 100.0, -1.0, 102.0, 103.0, 104.0]))
    table.write_parquet(tmp_path / "BTC-USD.parquet")
    assert said(tmp_path) == [
        "BTC-USD.parquet:3 TB649 row 3: `low` is -1, which is not greater than 0 | leave what is not known empty"
    ]


@pytest.mark.parametrize("word", ["", "NaN", "nan", "NA", "null", " "])
def test_a_missing_value_is_a_warning_and_unknown(tmp_path: Path, word: str) -> None:
    market = load_market(csv(tmp_path, spoiled({"close": word, "volume": word})))
    assert warned(market, tmp_path) == [
        "BTC-USD.csv:5 TB648 row 4 (line 5): `close`, `volume` are missing, so rules that need it do not fire here"
    ]
    close = market.bars["BTC-USD"].close
    assert np.isnan(close).nonzero()[0].tolist() == [3]
    assert np.isnan(market.bars["BTC-USD"].volume).nonzero()[0].tolist() == [3]


def test_nulls_and_nan_in_parquet_are_the_same(tmp_path: Path) -> None:
    null = load_bars(tmp_path / "a", frame().with_columns(pl.Series("close", [100.0, None, 102.0, 103.0, 104.0, 105.0])))
    nan = load_bars(tmp_path / "b", frame().with_columns(pl.Series("close", [100.0, math.nan, 102.0, 103.0, 104.0, 105.0])))
    assert null.hash == nan.hash
    assert [w.message for w in null.warnings] == ["row 2: `close` is missing, so rules that need it do not fire here"]


def test_a_line_with_too_few_or_too_many_values(tmp_path: Path) -> None:
    rows = lines()
    rows[1] += ",7"
    rows[4] = "2024-01-01T04:00:00Z,104,10"
    assert said(csv(tmp_path, rows)) == [
        "BTC-USD.csv:3 TB659 row 2 (line 3): 7 values, and the first line names 6 columns",
        "BTC-USD.csv:6 TB659 row 5 (line 6): 3 values, and the first line names 6 columns",
    ]


def test_blank_lines_do_not_shift_line_numbers(tmp_path: Path) -> None:
    rows = spoiled({"low": "-1"})
    assert said(csv(tmp_path, ["", *rows[:2], "", *rows[2:]])) == [
        "BTC-USD.csv:7 TB649 row 4 (line 7): `low` is -1, which is not greater than 0 | leave what is not known empty"
    ]


def test_parquet_columns_of_a_wrong_kind(tmp_path: Path) -> None:
    frame().with_columns(close=frame()["time"], time=pl.lit(True)).write_parquet(tmp_path / "BTC-USD.parquet")
    assert said(tmp_path) == [
        "BTC-USD.parquet:1 TB647 the column `close` holds no numbers",
        "BTC-USD.parquet:1 TB647 the column `time` holds no times | such as `2024-01-01T05:00Z`",
    ]


def test_times_finer_than_a_millisecond_or_not_whole(tmp_path: Path) -> None:
    fine = frame()["time"].cast(pl.Datetime("us", "UTC")).cast(pl.Int64) + pl.Series([0, 0, 1, 0, 0, 0])
    frame().with_columns(time=fine.cast(pl.Datetime("us", "UTC"))).write_parquet(tmp_path / "BTC-USD.parquet")
    assert said(tmp_path) == ["BTC-USD.parquet:3 TB647 row 3: the time is not a whole millisecond | round it"]
    seconds = frame()["time"].cast(pl.Int64) / 1000 + pl.Series([0.0, 0.0, 0.5, math.nan, 0.0, 0.0])
    frame().with_columns(time=seconds).write_parquet(tmp_path / "BTC-USD.parquet")
    assert said(tmp_path) == [
        "BTC-USD.parquet:3 TB647 row 3: the time `1704074400.5` is not a whole number",
        "BTC-USD.parquet:4 TB647 row 4: the time `nan` is not a whole number",
    ]


def test_mixed_units_of_time_in_one_column(tmp_path: Path) -> None:
    rows = [",".join([str(MS0 + row * HOUR), *line.split(",")[1:]]) for row, line in enumerate(lines())]
    rows[0] = ",".join([str(MS0 * 1000), *rows[0].split(",")[1:]])
    assert said(csv(tmp_path, rows)) == [
        (
            "BTC-USD.csv:2 TB647 row 1 (line 2): the time is not between 1970 and 2200"
            " | count seconds, milliseconds, microseconds or nanoseconds since 1970, in all rows alike"
        )
    ]


def test_thousands_of_bad_rows_are_counted(tmp_path: Path) -> None:
    table = frame(3000).with_columns(low=-pl.col("low"))
    table.write_parquet(tmp_path / "BTC-USD.parquet")
    found = said(tmp_path)
    assert len(found) == 21
    assert (
        found[0] == "BTC-USD.parquet:1 TB649 row 1: `low` is -99, which is not greater than 0 | leave what is not known empty"
    )
    assert found[-1] == "BTC-USD.parquet:20 TB658 and 2980 more problems in this file"


# --- periods


def test_a_file_that_goes_on_in_another_period_is_refused(tmp_path: Path) -> None:
    hourly = lines(200)
    later = [",".join([show_instant(MS0 + (200 + 4 * row) * HOUR), *lines(1)[0].split(",")[1:]]) for row in range(150)]
    assert said(csv(tmp_path, [*hourly, *later])) == [
        (
            "BTC-USD.csv:1 TB653 from 2024-01-09T08:00Z (row 201 (line 202)) on rows are 4h apart, elsewhere 1h: the file mixes"
            " periods | give each period a file of its own"
        )
    ]


def test_times_in_minutes_since_1970_are_refused(tmp_path: Path) -> None:
    rows = [",".join([str(MS0 // 60_000 + row * 60), *line.split(",")[1:]]) for row, line in enumerate(lines())]
    found = said(csv(tmp_path, rows))
    assert found[0].startswith("BTC-USD.csv:2 TB651 row 1 (line 2): 1970-")
    assert "lies before 1990: the unit of the time is not what it seems" in found[0]


def test_files_of_different_periods(tmp_path: Path) -> None:
    csv(tmp_path, lines(), "BTC-USD.csv")
    csv(tmp_path, lines(), "ETH-USD.csv")
    csv(tmp_path, lines(step=5 * MINUTE), "SOL-USD.csv")
    assert said(tmp_path) == [
        (
            "SOL-USD.csv:1 TB653 bars of 5m, and those of `BTC-USD.csv` are of 1h"
            " | put data of another period into another folder, or name the instruments to use"
        )
    ]


def test_a_period_that_is_none(tmp_path: Path) -> None:
    known = ", ".join(
        [
            "1s, 2s, 5s, 10s, 15s, 20s, 30s, 1m, 2m, 3m, 4m, 5m, 6m, 10m, 12m, 15m, 20m, 30m, 45m",
            "1h, 2h, 3h, 4h, 6h, 8h, 12h, 1d, 1w",
        ]
    )
    assert said(csv(tmp_path, lines(step=7 * MINUTE))) == [
        f"BTC-USD.csv:1 TB652 most rows are 7m apart, which is no period that is read | known are {known}"
    ]
    assert said(csv(tmp_path, lines(1))) == [
        "BTC-USD.csv:1 TB652 one row is not enough to tell the period of the bars | give two rows or more"
    ]


def test_days_that_do_not_start_at_midnight_and_weeks_that_do_not_on_monday(tmp_path: Path) -> None:
    rows = [line.replace("T00:00", "T22:00") for line in lines(step=DAY)]
    give = "give bars of a shorter period; tb makes longer ones of them"
    assert said(csv(tmp_path, rows)) == [f"BTC-USD.csv:1 TB652 every bar starts 22h after a multiple of 1d in UTC | {give}"]
    assert len(load_market(csv(tmp_path, lines(step=7 * DAY))).bars["BTC-USD"]) == 6
    sundays = [f"2024-01-{day:02d},1,1,1,1,1" for day in (7, 14, 21)]
    assert said(csv(tmp_path, sundays)) == [f"BTC-USD.csv:1 TB652 every bar starts 6d after Monday in UTC | {give}"]


def test_gaps_stay_gaps(tmp_path: Path) -> None:
    rows = [line for row, line in enumerate(lines(12)) if row not in {3, 4, 9}]
    bars = load_market(csv(tmp_path, rows)).bars["BTC-USD"]
    assert ((bars.time - MS0) // HOUR).tolist() == [0, 1, 2, 5, 6, 7, 8, 10, 11]
