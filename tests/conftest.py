"""What all tests share: how property tests search, and where recorded market data may be found."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    import postgres_server

ROOT = Path(__file__).resolve().parent.parent

# The same examples in every run, so that a failure is a change in the code. HYPOTHESIS_PROFILE=explore looks further.
settings.register_profile("steady", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("explore", deadline=None, max_examples=2000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's folder, which is itself a project that tb can run."""
    return ROOT


@pytest.fixture(scope="session")
def recorded_data() -> Path:
    """The folder of recorded markets beside the project; tests that need it are skipped where it is absent."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("needs the recorded markets in ../shared/data, which are not part of the project")
    return folder


@pytest.fixture(scope="session")
def server() -> Iterator[postgres_server.Server]:
    """A PostgreSQL server, started when the first test asks for it; each test has a schema of its own."""
    import postgres_server

    try:
        with postgres_server.running() as found:
            yield found
    except postgres_server.Missing as missing:
        pytest.skip(f"no PostgreSQL server: {missing}")
