"""Bars from a venue into files: only what is missing, nothing lost on the way, nothing of somebody else's touched."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner
from coinbase_answers import NOW, candle, product
from scripted_venue import Asked, Venue

from tb.cli import tb
from tb.connectors.coinbase import Coinbase, connect
from tb.connectors.fetching import Gap, fetch, gaps_between
from tb.connectors.stored_bars import Origin
from tb.core.diagnostics import Refused
from tb.core.time import DAY, HOUR
from tb.replay.data import load_market

CANDLES = "/market/products/BTC-USD/candles"
END = NOW // HOUR * HOUR
HOLE = (END - 500 * HOUR, END - 497 * HOUR)


def hourly(asked: Asked) -> tuple[int, Any]:
    """Every hour has a bar but those of the hole."""
    query = dict(asked.query)
    starts = range(int(query["start"]), int(query["end"]) + 1, 3600)
    return 200, {"candles": [candle(at) for at in starts if not HOLE[0] <= at * 1000 < HOLE[1]]}


@pytest.fixture
def market(venue: Venue) -> Venue:
    venue.on("/market/products", (200, {"products": [product()]}))
    venue.on(CANDLES, hourly)
    return venue


@pytest.fixture
def public(market: Venue) -> Iterator[Coinbase]:
    adapter = connect(None, base_url=market.url, timeout=5)
    yield adapter
    adapter.close()


def origin(adapter: Coinbase, period: int = HOUR) -> Origin:
    return Origin("coinbase", adapter.address, "BTC-USD", period)


def asked(venue: Venue) -> list[tuple[int, int]]:
    """The pages asked for, as hours before the end."""
    queries = [dict(one.query) for one in venue.of(CANDLES)]
    return [((END - int(q["start"]) * 1000) // HOUR, (END - int(q["end"]) * 1000) // HOUR) for q in queries]


def test_bars_are_what_a_replay_reads_and_gaps_are_told(market: Venue, public: Coinbase, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    done = fetch(public, origin(public), (END - 700 * HOUR, NOW + DAY), tmp_path, told=lambda *at: told.append(at))
    assert (done.bars, done.new, done.first, done.last) == (697, 697, END - 700 * HOUR, END)
    assert done.gaps == (Gap(*HOLE, 3),)
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]
    loaded = load_market(tmp_path)
    bars = loaded.bars["BTC-USD"]
    assert (loaded.period, len(bars), loaded.warnings) == (HOUR, 697, ())
    assert (bars.open[0], bars.volume[0]) == (float("11.000000000000000001"), 5.5)
    assert [path.name for path in tmp_path.iterdir()] == ["BTC-USD.parquet"]


def test_only_what_is_missing_is_asked_for(market: Venue, public: Coinbase, tmp_path: Path) -> None:
    fetch(public, origin(public), (END - 600 * HOUR, END - 400 * HOUR), tmp_path)
    fetch(public, origin(public), (END - 300 * HOUR, END - 200 * HOUR), tmp_path)
    market.asked.clear()
    done = fetch(public, origin(public), (END - 700 * HOUR, END - 100 * HOUR), tmp_path)
    assert asked(market) == [(700, 601), (400, 301), (200, 101)]
    assert (done.bars, done.new) == (597, 300)
    market.asked.clear()
    again = fetch(public, origin(public), (END - 700 * HOUR, END - 100 * HOUR), tmp_path)
    assert asked(market) == []
    assert (again.bars, again.new, again.gaps) == (597, 0, done.gaps)


def test_a_bar_that_the_venue_has_not_told_yet_is_asked_for_again(market: Venue, public: Coinbase, tmp_path: Path) -> None:
    market.on(
        CANDLES,
        lambda one: (200, {"candles": [bar for bar in hourly(one)[1]["candles"] if int(bar["start"]) * 1000 < END - HOUR]}),
    )
    assert fetch(public, origin(public), (END - 10 * HOUR, NOW), tmp_path).bars == 9
    market.on(CANDLES, hourly)
    market.asked.clear()
    done = fetch(public, origin(public), (END - 10 * HOUR, NOW), tmp_path)
    assert (done.bars, done.new, asked(market)) == (10, 1, [(1, 1)])


def test_what_came_before_it_failed_is_kept(market: Venue, public: Coinbase, tmp_path: Path) -> None:
    market.on(CANDLES, hourly, (503, {}), (503, {}), hourly, (503, {}))
    waits: list[float] = []
    with pytest.raises(Refused) as refused:
        fetch(public, origin(public), (END - 900 * HOUR, END), tmp_path, pause=waits.append)
    assert [finding.code for finding in refused.value.findings] == ["TB802"]
    assert waits == [1, 2, 1, 2, 4, 8]
    market.on(CANDLES, hourly)
    market.asked.clear()
    done = fetch(public, origin(public), (END - 900 * HOUR, END), tmp_path)
    assert (done.bars, done.new) == (897, 300)
    assert asked(market) == [(300, 1)]


def test_an_interruption_loses_nothing(market: Venue, public: Coinbase, tmp_path: Path) -> None:
    def told(done: int, _total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(public, origin(public), (END - 900 * HOUR, END), tmp_path, told=told)
    done = fetch(public, origin(public), (END - 900 * HOUR, END), tmp_path)
    assert (done.bars, done.new) == (897, 300)


def test_files_of_something_else_are_left_alone(market: Venue, public: Coinbase, tmp_path: Path) -> None:
    path = tmp_path / "BTC-USD.parquet"
    fetch(public, origin(public), (END - 9 * HOUR, END), tmp_path)
    ours = path.read_bytes()
    others = {
        "not made by": lambda: pl.DataFrame({"time": [1]}).write_parquet(path),
        "not made by `tb data fetch`": lambda: path.write_bytes(b"PAR1 and nothing"),
        "not bars of 1d": lambda: path.write_bytes(ours),
    }
    for said, make in others.items():
        make()
        before = path.read_bytes()
        with pytest.raises(Refused, match=said) as refused:
            fetch(public, origin(public, DAY if "1d" in said else HOUR), (END - 9 * DAY, END), tmp_path)
        assert [finding.code for finding in refused.value.findings] == ["TB804"]
        assert path.read_bytes() == before


def test_refusals(market: Venue, public: Coinbase, tmp_path: Path) -> None:
    market.on("/market/products", (200, {"products": []}))
    with pytest.raises(Refused, match="does not know") as refused:
        fetch(public, origin(public), (END - 9 * HOUR, END), tmp_path)
    market.on("/market/products", (200, {"products": [product()]}))
    with pytest.raises(Refused, match="has closed") as early:
        fetch(public, origin(public), (END, NOW), tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(Refused, match="cannot be written") as shut:
        fetch(public, origin(public), (END - 9 * HOUR, END), tmp_path / "file")
    codes = [finding.code for one in (refused, early, shut) for finding in one.value.findings]
    assert codes == ["TB803", "TB805", "TB668"]
    market.on(CANDLES, (200, {"candles": []}))
    done = fetch(public, origin(public), (END - 9 * HOUR, END), tmp_path)
    assert (done.bars, done.gaps) == (0, (Gap(END - 9 * HOUR, END, 9),))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_gaps() -> None:
    assert gaps_between([2, 3, 6], 0, 9, 1) == (Gap(0, 2, 2), Gap(4, 6, 2), Gap(7, 9, 2))
    assert gaps_between([0, 1], 0, 2, 1) == ()


def run(*args: str | Path) -> Any:
    return CliRunner().invoke(tb, ["data", "fetch", *map(str, args)])


def test_the_command(market: Venue, tmp_path: Path) -> None:
    first = ("--instrument", "BTC-USD", "--base-url", market.url, "--to", tmp_path / "bars")
    answer = run(*first, "--since", "2025-12-01", "--until", "2026-01-01")
    assert (answer.exit_code, answer.stderr) == (0, "")
    assert answer.stdout == (
        f"BTC-USD: 741 bars of 1h, 2025-12-01T00:00Z to 2026-01-01T00:00Z, in {tmp_path}/bars/BTC-USD.parquet\n"
        "  741 fetched now, 0 were there\n"
        "  3 bars are not there, since nobody traded: 2025-12-12T07:00Z to 2025-12-12T10:00Z (3)\n"
    )
    again = json.loads(run(*first, "--since", "2d", "--until", "2026-01-02", "--json").stdout)
    assert again == [
        {
            "venue": "coinbase",
            "instrument": "BTC-USD",
            "period": "1h",
            "file": f"{tmp_path}/bars/BTC-USD.parquet",
            "from": "2025-12-31T00:00Z",
            "to": "2026-01-02T00:00Z",
            "bars": 48,
            "fetched": 24,
            "gaps": [],
        }
    ]


def test_the_command_says_what_is_wrong(market: Venue, tmp_path: Path) -> None:
    where = ("--base-url", market.url, "--to", tmp_path)
    for more, code, said in (
        (("--since", "1d", "--period", "4h"), 2, "coinbase has no bars of 4h, but of 1m, 5m, 15m, 30m, 1h, 2h, 6h, 1d"),
        (("--since", "soon"), 2, "`soon` is not a time"),
        (("--since", "2026-01-02", "--until", "2026-01-01"), 2, "earlier than --until"),
        (("--since", "2026-01-02T03:00"), 3, "TB805"),
    ):
        answer = run("--instrument", "BTC-USD", *where, *more)
        assert answer.exit_code == code
        assert said in " ".join(answer.stderr.replace("│", " ").split())


def test_the_file_is_kept_on_the_way(market: Venue, public: Coinbase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tb.connectors.fetching.KEEP", 2)
    there: list[int] = []

    def told(_done: int, _total: int) -> None:
        path = tmp_path / "BTC-USD.parquet"
        there.append(pl.read_parquet(path).height if path.exists() else 0)

    fetch(public, origin(public), (END - 1500 * HOUR, END), tmp_path, told=told)
    assert there == [0, 0, 600, 600, 1197, 1197]
