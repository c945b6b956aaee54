"""The simulated sample market, made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tb.replay.data import Market, load_market
from tb.replay.sample import write_sample


@pytest.fixture(scope="session")
def sample_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    write_sample(folder)
    return folder


@pytest.fixture(scope="session")
def sample(sample_folder: Path) -> Market:
    return load_market(sample_folder)
