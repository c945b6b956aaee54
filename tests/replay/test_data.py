"""Market data: what is read, and that CSV and Parquet are the same."""

from __future__ import annotations

import math
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from market_files import HEAD, MS0, T0, csv, frame, lines, load_bars, quotes, said, warned

from tb.core.time import DAY, HOUR, MINUTE, parse_instant
from tb.replay.data import load_market

REAL = Path(__file__).parents[3] / "shared" / "data"


# --- what is read


def test_bars_are_read_with_times_in_ms_and_rows_from_0(tmp_path: Path) -> None:
    frame().write_parquet(tmp_path / "ETH-USD.parquet")
    csv(tmp_path, lines())
    market = load_market(tmp_path)
    assert list(market.bars) == ["BTC-USD", "ETH-USD"]
    assert (market.period, market.rows, market.warnings) == (HOUR, 12, ())
    assert (market.first, market.last) == (MS0 + HOUR, MS0 + 6 * HOUR)
    bars = market.bars["BTC-USD"]
    assert bars.time.tolist() == [MS0 + row * HOUR for row in range(6)]
    assert bars.close.tolist() == [100.25, 101.25, 102.25, 103.25, 104.25, 105.25]
    assert bars.rows.tolist() == list(range(6))
    assert (bars.symbol, bars.source, bars.period, bars.bid, bars.ask) == ("BTC-USD", "BTC-USD.csv", HOUR, None, None)


TIMES = {
    "zoned ms": pl.Datetime("ms", "UTC"),
    "zoned us": pl.Datetime("us", "Europe/Berlin"),
    "naive ns": pl.Datetime("ns"),
    "naive ms": pl.Datetime("ms"),
}


@pytest.mark.parametrize("kind", TIMES)
def test_times_of_any_unit_and_zone_are_the_same_instants(tmp_path: Path, kind: str) -> None:
    expected = load_bars(tmp_path / "a", frame())
    column = frame()["time"]
    dtype = TIMES[kind]
    column = column.cast(dtype) if dtype.time_zone else column.dt.replace_time_zone(None).cast(dtype)
    assert load_bars(tmp_path / "b", frame().with_columns(column)).hash == expected.hash


@pytest.mark.parametrize("per_ms", [(1000, 1), (1, 1), (1, 1000), (1, 1_000_000)], ids=["s", "ms", "us", "ns"])
@pytest.mark.parametrize("as_float", [False, True])
def test_counts_since_1970_are_told_apart_by_their_size(tmp_path: Path, per_ms: tuple[int, int], as_float: bool) -> None:
    counts = [(MS0 + row * HOUR) // per_ms[0] * per_ms[1] for row in range(6)]
    column = pl.Series("time", counts).cast(pl.Float64) if as_float else pl.Series("time", counts)
    assert load_bars(tmp_path / "b", frame().with_columns(column)).hash == load_bars(tmp_path / "a", frame()).hash


@pytest.mark.parametrize(
    "form",
    ["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%MZ", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S+00:00", "%s", "%s000"],
)
def test_times_as_text(tmp_path: Path, form: str) -> None:
    seconds = form.startswith("%s")
    texts = [str(MS0 // 1000 + row * 3600) + form[2:] if seconds else f"{T0 + timedelta(hours=row):{form}}" for row in range(6)]
    rows = [",".join([text, *line.split(",")[1:]]) for text, line in zip(texts, lines(), strict=True)]
    assert load_market(csv(tmp_path, rows)).bars["BTC-USD"].time.tolist() == [MS0 + row * HOUR for row in range(6)]


def test_dates_alone_are_days(tmp_path: Path) -> None:
    rows = [line.replace("T00:00:00Z", "") for line in lines(step=DAY)]
    market = load_market(csv(tmp_path, rows))
    assert (market.period, market.bars["BTC-USD"].time.tolist()) == (DAY, [MS0 + row * DAY for row in range(6)])


def test_column_names_without_regard_to_case_and_extra_columns_ignored(tmp_path: Path) -> None:
    rows = [f"{line},junk" for line in lines()]
    named = load_market(csv(tmp_path, rows, head="Time, Open,HIGH,Low,Close,Volume,note"))
    (tmp_path / "b").mkdir()
    assert named.hash == load_market(csv(tmp_path / "b", lines())).hash


def test_blank_lines_quotes_and_a_byte_order_mark_are_harmless(tmp_path: Path) -> None:
    quoted = [",".join(f'"{value}"' for value in line.split(",")) for line in lines()]
    text = "\ufeff" + "\r\n".join([HEAD, "", *quoted, "", ""])
    (tmp_path / "BTC-USD.csv").write_bytes(text.encode())
    (tmp_path / "b").mkdir()
    assert load_market(tmp_path).hash == load_market(csv(tmp_path / "b", lines())).hash


price = st.floats(1e-6, 1e9, allow_nan=False)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(
    st.lists(st.tuples(price, price, price, price, st.one_of(st.floats(0, 1e15), st.just(math.nan))), min_size=2, max_size=30)
)
def test_csv_and_parquet_are_the_same_bars(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[float, float, float, float, float]]
) -> None:
    folder = tmp_path_factory.mktemp("data")
    bars = [(*sorted(row[:4]), row[4]) for row in rows]
    table = pl.DataFrame(
        {
            "time": pl.Series([MS0 + row * HOUR for row in range(len(bars))]).cast(pl.Datetime("ms", "UTC")),
            "open": [bar[1] for bar in bars],
            "high": [bar[3] for bar in bars],
            "low": [bar[0] for bar in bars],
            "close": [bar[2] for bar in bars],
            "volume": [bar[4] for bar in bars],
        }
    )
    from_parquet = load_bars(folder / "parquet", table)
    (folder / "csv").mkdir()
    texts = [f"{MS0 + row * HOUR},{bar[1]!r},{bar[3]!r},{bar[0]!r},{bar[2]!r},{bar[4]!r}" for row, bar in enumerate(bars)]
    from_csv = load_market(csv(folder / "csv", texts))
    assert from_csv.hash == from_parquet.hash
    np.testing.assert_array_equal(from_csv.bars["BTC-USD"].close, np.array([bar[2] for bar in bars]))


def test_the_hash_is_of_the_bars_and_not_of_the_files(tmp_path: Path) -> None:
    one = load_bars(tmp_path / "a", frame())
    assert load_bars(tmp_path / "b", frame().with_columns(pl.lit("x").alias("note"))).hash == one.hash
    assert load_bars(tmp_path / "c", frame(first=101.0)).hash != one.hash
    assert load_market(tmp_path / "a", last=one.last - HOUR).hash != one.hash


# --- the span and the instruments


def test_a_span_keeps_bars_that_start_and_close_inside(tmp_path: Path) -> None:
    csv(tmp_path, lines())
    market = load_market(tmp_path, first=MS0 + HOUR, last=MS0 + 4 * HOUR)
    assert market.bars["BTC-USD"].time.tolist() == [MS0 + HOUR, MS0 + 2 * HOUR, MS0 + 3 * HOUR]
    assert market.bars["BTC-USD"].rows.tolist() == [1, 2, 3]
    assert (market.first, market.last) == (MS0 + 2 * HOUR, MS0 + 4 * HOUR)
    inside = load_market(tmp_path, first=MS0 + 1, last=MS0 + 4 * HOUR - 1)
    assert inside.bars["BTC-USD"].rows.tolist() == [1, 2]


def test_an_instrument_without_bars_in_the_span_is_left_out(tmp_path: Path) -> None:
    csv(tmp_path, lines(12))
    csv(tmp_path, lines(3), "ETH-USD.csv")
    market = load_market(tmp_path, first=MS0 + 6 * HOUR)
    assert list(market.bars) == ["BTC-USD"]
    gone = "no bars of `ETH-USD` in the span asked for: they go from 2024-01-01T00:00Z to 2024-01-01T03:00Z"
    assert warned(market, tmp_path) == [f"DATA:1 TB657 {gone}"]
    assert said(tmp_path, first=MS0 + DAY, instruments=["ETH-USD"]) == [f"DATA:1 TB657 {gone} | move --from or --to"]


def test_only_the_instruments_asked_for_are_looked_at(tmp_path: Path) -> None:
    csv(tmp_path, lines())
    csv(tmp_path, ["broken"], "ETH-USD.csv")
    csv(tmp_path, ["broken"], "notes.csv")
    assert list(load_market(tmp_path, instruments=["BTC-USD"]).bars) == ["BTC-USD"]
    assert said(tmp_path, instruments=["BTC-USD", "BTC-EUR", "SOL_X"]) == [
        "DATA:1 TB656 no data of `BTC-EUR` in `DATA` | did you mean `BTC-USD`?",
        "DATA:1 TB656 no data of `SOL_X` in `DATA` | the folder has `BTC-USD`, `ETH-USD`",
    ]
    assert said(tmp_path, instruments=[]) == ["DATA:1 TB656 no instrument is asked for | name one, or none to use all"]


# --- quotes


def test_quotes_beside_bars_are_joined_by_time(tmp_path: Path) -> None:
    frame().write_parquet(tmp_path / "BTC-USD.trade.parquet")
    quotes()[[0, 1, 3, 4, 5]].write_parquet(tmp_path / "BTC-USD.quote.parquet")
    market = load_market(tmp_path)
    bars = market.bars["BTC-USD"]
    np.testing.assert_array_equal(bars.bid, [99.75, 100.75, math.nan, 102.75, 103.75, 104.75])
    np.testing.assert_array_equal(bars.ask, [100.25, 101.25, math.nan, 103.25, 104.25, 105.25])
    assert warned(market, tmp_path) == [
        (
            "BTC-USD.quote.parquet:1 TB654 no quote for 1 of 6 bars in `BTC-USD.trade.parquet`,"
            " first for row 3 (2024-01-01T02:00Z);"
            " the spread is unknown there"
        )
    ]


def test_columns_bid_and_ask_are_quotes_too(tmp_path: Path) -> None:
    rows = [f"{line},{99 + row},{101 + row}" for row, line in enumerate(lines())]
    rows[2] = lines()[2] + ",105,101"
    rows[3] = lines()[3] + ",,101"
    market = load_market(csv(tmp_path, rows, head=HEAD + ",bid,ask"))
    np.testing.assert_array_equal(market.bars["BTC-USD"].bid, [99, 100, math.nan, math.nan, 103, 104])
    np.testing.assert_array_equal(market.bars["BTC-USD"].ask, [101, 102, math.nan, math.nan, 105, 106])
    assert warned(market, tmp_path) == [
        (
            "BTC-USD.csv:1 TB654 the bid is above the ask in 1 of 6 quotes, first in row 3 (line 4) (2024-01-01T02:00Z);"
            " the spread is unknown there"
        ),
        "BTC-USD.csv:5 TB648 row 4 (line 5): `bid` is missing, so rules that need it do not fire here",
    ]


def test_quotes_alone_make_bars_of_mid_prices(tmp_path: Path) -> None:
    quotes().write_parquet(tmp_path / "EUR_USD.quote.parquet")
    market = load_market(tmp_path)
    bars, expected = market.bars["EUR_USD"], frame()
    for name in ("open", "high", "low", "close"):
        assert getattr(bars, name).tolist() == expected[name].to_list()
    assert np.isnan(bars.volume).all()
    assert bars.bid is not None
    assert bars.bid.tolist() == (expected["close"] - 0.25).to_list()
    assert warned(market, tmp_path) == [
        (
            "EUR_USD.quote.parquet:1 TB655 there are no bars of `EUR_USD`, so mid prices of the quotes stand in"
            " and the volume is unknown"
        )
    ]


def test_a_crossed_quote_is_unknown_but_its_middle_is_a_price(tmp_path: Path) -> None:
    quotes(spread=-0.5).write_parquet(tmp_path / "EUR_USD.quote.parquet")
    market = load_market(tmp_path)
    assert market.bars["EUR_USD"].close.tolist() == frame()["close"].to_list()
    assert np.isnan(market.bars["EUR_USD"].bid).all()
    assert warned(market, tmp_path)[0] == (
        "EUR_USD.quote.parquet:1 TB654 the bid is above the ask in 6 of 6 quotes, first in row 1 (2024-01-01T00:00Z);"
        " the spread is unknown there"
    )


def test_quotes_of_another_period_or_twice(tmp_path: Path) -> None:
    csv(tmp_path, [f"{line},99,101" for line in lines()], head=HEAD + ",bid,ask")
    csv(tmp_path, ["2024-01-01T00:00Z,1,2", "2024-01-01T00:05Z,1,2"], "BTC-USD.quote.csv", "time,bid,ask")
    assert said(tmp_path) == [
        "BTC-USD.csv:1 TB645 `bid` and `ask` stand here and in `BTC-USD.quote.csv` | keep one of the two",
        "BTC-USD.quote.csv:1 TB653 quotes of 5m, and bars of 1h in `BTC-USD.csv` | give quotes of the same period",
    ]


def test_one_side_of_a_quote_is_no_quote(tmp_path: Path) -> None:
    csv(tmp_path, [f"{line},99" for line in lines()], head=HEAD + ",bid")
    assert said(tmp_path) == ["BTC-USD.csv:1 TB645 there is a column `bid`, and none `ask` | add `ask`, or remove `bid`"]


# --- real markets


@pytest.mark.skipif(not REAL.is_dir(), reason="recorded markets are not here (../shared/data)")
@pytest.mark.parametrize(
    ("folder", "rows", "period"),
    [
        ("crypto_1h", 213_832, HOUR),
        ("crypto_5m", 129_600, 5 * MINUTE),
        ("crypto_1m", 86_400, MINUTE),
        ("fx_1h", 20_000, HOUR),
        ("fx_15m", 20_000, 15 * MINUTE),
        ("fx_1h_quotes", 69_928, HOUR),
        ("coinbase_1m_2018", 12_549, MINUTE),
    ],
)
def test_recorded_markets_load(folder: str, rows: int, period: int) -> None:
    market = load_market(REAL / folder)
    assert (market.rows, market.period) == (rows, period)
    assert all(len(bars) == len(bars.close) == len(bars.rows) for bars in market.bars.values())


@pytest.mark.skipif(not REAL.is_dir(), reason="recorded markets are not here (../shared/data)")
def test_series_are_not_bars_and_funding_is_known_as_such() -> None:
    [found] = said(REAL / "series")
    assert found.split(" ")[1] == "TB642"
    assert "fear_greed_1d.parquet" in found


@pytest.mark.skipif(not REAL.is_dir(), reason="recorded markets are not here (../shared/data)")
def test_a_span_of_a_recorded_market() -> None:
    first, last = parse_instant("2021-01-01"), parse_instant("2021-02-01")
    market = load_market(REAL / "crypto_1h", instruments=["BTC-USD"], first=first, last=last)
    assert (market.rows, market.first, market.last) == (31 * 24, first + HOUR if first else None, last)
