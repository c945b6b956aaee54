"""A small project with forty days of the simulated market, and a ledger with two runs of it that tests only read."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest
from cli_commands import DAYS, Run, invoke
from several_runs import replayed

from tb.replay.sample import sample_market


@pytest.fixture(scope="session")
def frames() -> dict[str, pl.DataFrame]:
    """The simulated market, cut short; tests change copies of it."""
    market = sample_market()
    return {symbol: market[symbol].head(DAYS * 24) for symbol in ("BTC-USD", "ETH-USD", "SOL-USD")}


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory, frames: dict[str, pl.DataFrame]) -> Path:
    """A project with data and two runs in its ledger. Only read it."""
    folder = tmp_path_factory.mktemp("recorded")
    assert invoke("init", folder).code == 0
    (folder / "data").mkdir()
    for symbol, frame in frames.items():
        frame.write_parquet(folder / "data" / f"{symbol}.parquet")
    for _ in range(2):
        assert invoke("replay", "--project", folder, "--data", folder / "data").code == 0
    return folder


@pytest.fixture(scope="session")
def several(tmp_path_factory: pytest.TempPathFactory, recorded: Path) -> Path:
    """The same project with the runs of `several_runs.RUNS` in its ledger. Only read it."""
    return replayed(recorded, tmp_path_factory.mktemp("several") / "project")


@pytest.fixture
def project(tmp_path: Path, recorded: Path) -> Path:
    """The same project and data, without a ledger, to change at will."""
    folder = tmp_path / "project"
    shutil.copytree(recorded, folder, ignore=shutil.ignore_patterns(".tb"))
    return folder


@pytest.fixture
def with_ledger(tmp_path: Path, recorded: Path) -> Path:
    """The same project with its ledger, to change at will."""
    folder = tmp_path / "project"
    shutil.copytree(recorded, folder)
    return folder


@pytest.fixture
def run() -> Run:
    return invoke
