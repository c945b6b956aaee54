from __future__ import annotations

from pathlib import Path

import pytest
from ledger_samples import sample_ledger


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """A ledger with one finished and one unfinished run, closed."""
    path = tmp_path / "ledger.db"
    sample_ledger(path)
    return path
