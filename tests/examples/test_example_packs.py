"""The example packs: each lints without a finding, stands in its one layout, passes tests that name each rule, trades on
recorded markets, and explains itself.

A pack is a folder of examples/ with a `tb.yaml`. `MARKETS` says on which recorded markets it is replayed here, cut short; where
these are not present the replay is skipped, the rest is not.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from tb.cli import tb

ROOT = Path(__file__).resolve().parents[2]
REAL = ROOT.parent / "shared" / "data"
PACKS = sorted(path.parent for path in (ROOT / "examples").glob("*/tb.yaml"))
FEEDS = REAL / "series"
# folder of recorded bars, how many bars of each instrument are taken, and which bars stand in for those of another instrument
MARKETS: dict[str, tuple[str, int, dict[str, str]]] = {
    "b1e55ed": ("crypto_1h", 3_000, {}),
    "swarm": ("crypto_1h", 3_000, {"BTC-PERP": "BTC-USD"}),
    "tracer": ("crypto_1h", 3_000, {}),
    "wolfpack": ("fx_15m", 3_000, {}),
}


def run(*words: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(tb, [str(word) for word in words])
    return result.exit_code, result.stdout


@pytest.fixture(params=PACKS, ids=lambda pack: pack.name)
def pack(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of a pack, so that runs leave nothing behind."""
    source: Path = request.param
    return Path(shutil.copytree(source, tmp_path / source.name, ignore=shutil.ignore_patterns(".tb")))


def test_every_pack_is_replayed() -> None:
    assert [pack.name for pack in PACKS] == sorted(MARKETS)


def test_a_pack_has_no_finding_and_one_layout(pack: Path) -> None:
    assert (run("lint", "--project", pack, "--json")[0], run("fmt", "--project", pack, "--check")[0]) == (0, 0)
    assert json.loads(run("lint", "--project", pack, "--json")[1])["findings"] == []


def test_a_pack_says_what_it_is(pack: Path) -> None:
    readme = (pack / "README.md").read_text(encoding="utf-8")
    for file in sorted(pack.rglob("*.tb")):
        assert file.name in readme


def test_a_pack_has_a_test_of_each_strategy_trigger_and_limit(pack: Path) -> None:
    code, out = run("test", "--project", pack, "--coverage", "--json")
    said = json.loads(out)
    assert (code, said["passed"]) == (0, True)
    assert [rule["name"] for rule in said["coverage"]["rules"] if not rule["tested"]] == []
    assert len(said["coverage"]["rules"]) > 10


@pytest.mark.skipif(not REAL.is_dir(), reason="recorded markets are not here (../shared/data)")
def test_wolfpack_trades_one_coin_at_its_two_prices(tmp_path: Path) -> None:
    pack = shutil.copytree(ROOT / "examples" / "wolfpack", tmp_path / "wolfpack", ignore=shutil.ignore_patterns(".tb"))
    assert run("replay", "--project", pack, "--data", REAL / "coinbase_1m_2018")[0] == 0
    trades = json.loads(run("trades", "--project", pack, "r1", "--json")[1])
    pairs = [(one, other) for one, other in zip(trades[::2], trades[1::2], strict=True)]
    assert len(pairs) >= 5
    for one, other in pairs:
        assert {one["instrument"], other["instrument"]} == {"BTC-USD", "BTC-EUR"}
        assert {one["side"], other["side"]} == {"long", "short"}
        assert (one["entry_at"], one["quantity"]) == (other["entry_at"], other["quantity"])
    text = run("explain", "--project", pack, "r1.t2")[1]
    assert "order.rate" in text
    assert "EUR_USD bars of 1m" in text
    assert run("explain", "--project", pack, "--all")[0] == 0


@pytest.mark.skipif(not REAL.is_dir(), reason="recorded markets are not here (../shared/data)")
def test_a_pack_trades_and_explains_every_decision(pack: Path, tmp_path: Path) -> None:
    folder, bars, others = MARKETS[pack.name]
    data = tmp_path / "market"
    data.mkdir()
    for file in sorted((REAL / folder).glob("*.parquet")):
        pl.read_parquet(file).head(bars).write_parquet(data / file.name)
    for symbol, source in others.items():
        shutil.copy(data / f"{source}.parquet", data / f"{symbol}.parquet")
    assert run("replay", "--project", pack, "--data", data, "--feeds", FEEDS)[0] == 0
    trades = json.loads(run("trades", "--project", pack, "r1", "--json")[1])
    assert trades
    code, out = run("explain", "--project", pack, "--all", "--json")
    assert (code, "not reproduced" in out) == (0, False)
    for strategy in sorted({trade["strategy"] for trade in trades}):
        first = next(trade["id"] for trade in trades if trade["strategy"] == strategy)
        code, text = run("explain", "--project", pack, f"r1.{first}")
        assert code == 0
        assert f"strategy {strategy}" in text
        assert "explanation reproduced: yes" in text
