"""Funding of perpetuals: read beside the bars, known at its instant, stale after a period; what is paid between instants."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from small_projects import START, bars, between, compiled, cut, flat, market, run, strategy

from tb.core.diagnostics import Refused
from tb.core.time import DAY, HOUR, show_instant
from tb.engine.columns import evaluate
from tb.engine.funding import Payment, payments
from tb.replay.data import Market, load_market
from tb.replay.feeds import FeedPlaces
from tb.replay.recordings import with_recordings
from tb.replay.run import markets_of
from tb.replay.why_not import text, why_not
from tb.runtime.policy import Compiled

REAL = Path(__file__).parents[3] / "shared" / "data"
YEARLY = "funding_rate * (365d / funding_period) > 20%"


def funded(folder: Path, rows: dict[float, str], here: Compiled, hours: int = 30, name: str = "BTC-USD.funding_8h") -> Market:
    lines = [f"{show_instant(START + int(hour * HOUR))},{rate}" for hour, rate in rows.items()]
    (folder / f"{name}.csv").write_text("\n".join(["time,funding_rate", *lines]), encoding="utf-8")
    return with_recordings(market(bars("BTC-USD", [flat(100)] * hours)), here.plan, FeedPlaces(folder))


def test_a_rate_is_known_at_its_instant_and_stale_after_one_period(tmp_path: Path) -> None:
    here = compiled(strategy("funding_rate > 0%"))
    data = funded(tmp_path, {0: "0.0001", 8: "0.0002", 16: ""}, here)
    assert data.funding["BTC-USD"].period == 8 * HOUR
    [node] = [node.id for node in here.plan.graph.nodes if node.op == "field"]
    column = evaluate(here.plan.graph, {"BTC-USD": [node]}, markets_of(here.plan, data, here.settings))[node, "BTC-USD"]
    seen = [None if value != value else float(value) for value in column]  # noqa: PLR0124 - NaN differs from itself
    assert seen == [0.0001] * 7 + [0.0002] * 8 + [None] * 15


@pytest.mark.parametrize("yearly", [YEARLY, "annualised(funding_rate) > 20%", "annualised(funding_rate, every: 8h) > 20%"])
def test_a_year_of_funding_follows_from_rate_and_period(tmp_path: Path, yearly: str) -> None:
    here = compiled(strategy(yearly))
    # 0.02 % three times a day are 21.9 % a year, 0.018 % are 19.7 %
    done = run(here, funded(tmp_path, {0: "0.00018", 8: "0.0002", 16: "0.00018"}, here))
    assert {d.at for d in done.decisions if d.kind == "enter"} == {START + 8 * HOUR}
    explained = done.explained(done.decisions[0])
    assert explained.reproduced
    [reading] = [reading for reading in explained.readings if reading.name == "funding_rate"]
    assert (reading.value, reading.source, reading.age, reading.row) == ("2bps", "funding of BTC-USD", "0s", 1)


def test_payments_between_two_instants_leave_out_the_first_and_keep_the_last(tmp_path: Path) -> None:
    here = compiled(strategy("funding_rate > 0%"))
    funding = funded(tmp_path, {0: "0.0001", 8: "", 16: "-0.0003", 24: "0.0004"}, here).funding["BTC-USD"]
    assert payments(funding, START, START + 16 * HOUR) == (
        Payment(START + 8 * HOUR, None),
        Payment(START + 16 * HOUR, -0.0003),
    )
    assert payments(funding, START + 16 * HOUR, START + 23 * HOUR) == ()


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ({}, "nothing gives"),
        ({12: "0.0001", 20: "0.0001"}, "the first funding is at 2024-01-01T12:00Z"),
        ({0: "0.0001", 1: "0.0001"}, "the last funding was at 2024-01-01T01:00Z (row 2 of BTC-USD.funding_8h.csv)"),
        ({0: "0.0001", 8: "", 16: "0.0001"}, "in row 2 of BTC-USD.funding_8h.csv"),
    ],
)
def test_missing_funding_denies_and_is_told(tmp_path: Path, rows: dict[float, str], says: str) -> None:
    here = compiled(strategy("hour == 10"), "forbid dear when funding_rate > 0.1%\n")
    plain = market(bars("BTC-USD", [flat(100)] * 12))
    data = funded(tmp_path, rows, here, 12) if rows else plain
    done = run(here, data)
    [decision] = done.decisions
    assert (decision.verdict, decision.deciding) == ("reject", ("dear",))
    explained = done.explained(decision)
    assert explained.reproduced
    assert explained.missing[0].startswith("funding_rate")
    asks = compiled(strategy("funding_rate > 0%"))
    told = text(why_not(asks.plan, markets_of(asks.plan, data, asks.settings), "BTC-USD", START + 10 * HOUR))
    assert (says if rows else "no file of funding holds it") in told


def test_means_of_a_day_are_no_funding(tmp_path: Path) -> None:
    here = compiled(strategy("funding_rate > 0%"))
    with pytest.raises(Refused) as refused:
        funded(tmp_path, {0: "0.0001", 24: "0.0001", 48: "0.0001"}, here)
    assert [finding.code for finding in refused.value.findings] == ["TB673"]


@pytest.mark.skipif(not REAL.is_dir(), reason="recorded markets are not here (../shared/data)")
def test_recorded_means_of_funding_are_a_feed_and_recorded_rates_are_funding(tmp_path: Path) -> None:
    rules = "feed carry: ratio every 1d, stale after 2d\n" + strategy("carry > 0.05%", more=["exit when carry < 0.01%"])
    here = compiled(rules)
    whole = between(load_market(REAL / "crypto_1h", instruments=["BTC-USD"]), START - 1100 * DAY, START - 950 * DAY)
    data = with_recordings(whole, here.plan, FeedPlaces(REAL / "series", {"carry": "BTC-PERP.funding_1d.parquet"}))
    done = run(here, data)
    assert len(done.trades) >= 1
    assert all(done.explained(decision, deep=False).reproduced for decision in done.decisions)
    # the rates of 2026, moved back by whole days to where there are bars of the same instrument
    rates = pl.read_parquet(REAL / "series" / "BTC-PERP.funding_8h.parquet")
    moved = rates.with_columns(pl.col("time") - pl.duration(days=800))
    (tmp_path / "bars").mkdir()
    shutil.copy(REAL / "crypto_1h" / "BTC-USD.parquet", tmp_path / "bars" / "BTC-USD.parquet")
    moved.write_parquet(tmp_path / "bars" / "BTC-USD.funding_8h.parquet")
    here = compiled(strategy("funding_rate < 0bps and funding_rate[8] > 0bps", more=["exit when funding_rate > 0.5bps"]))
    bars_ = load_market(tmp_path / "bars")
    data = with_recordings(bars_, here.plan, FeedPlaces(tmp_path / "bars" / "feeds"))
    assert data.funding["BTC-USD"].period == 8 * HOUR
    done = run(here, data)
    assert len(done.trades) >= 3
    assert all(done.explained(decision, deep=False).reproduced for decision in done.decisions)
    instant = done.decisions[2].at
    rows = data.funding["BTC-USD"].rows
    kept = rows.known <= instant
    early = replace(rows, known=rows.known[kept], values=rows.values[kept], raw=rows.raw[kept], rows=rows.rows[kept])
    shorter = replace(cut(data, instant), funding={"BTC-USD": replace(data.funding["BTC-USD"], rows=early)})
    assert run(here, shorter).decisions == [d for d in done.decisions if d.at <= instant]


def test_means_of_a_day_beside_the_rates_are_no_second_file_and_nothing_is_read_for_what_is_not_traded(tmp_path: Path) -> None:
    here = compiled(strategy("close > close[1]"))
    daily = f"time,funding_rate\n{show_instant(START)},0.001\n{show_instant(START + DAY)},0.001\n"
    (tmp_path / "BTC-USD.funding_8h.csv").write_text(
        f"time,funding_rate\n{show_instant(START)},0.001\n{show_instant(START + 8 * HOUR)},0.001\n", encoding="utf-8"
    )
    (tmp_path / "BTC-USD.funding_1d.csv").write_text(daily, encoding="utf-8")
    (tmp_path / "ETH-USD.funding_1d.csv").write_text(daily, encoding="utf-8")
    whole = market(*(bars(symbol, [flat(100)] * 24) for symbol in ("BTC-USD", "ETH-USD")))
    assert with_recordings(whole, here.plan, FeedPlaces(tmp_path)).funding.keys() == {"BTC-USD"}
