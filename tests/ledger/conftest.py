from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import postgres_server
import pytest
from ledger_samples import sample_ledger

from tb.ledger import Database, Place

_numbers = itertools.count(1)


@pytest.fixture
def sample_file(tmp_path: Path) -> Path:
    """A ledger in a file with one finished and one unfinished run, closed."""
    path = tmp_path / "ledger.db"
    sample_ledger(path)
    return path


@pytest.fixture
def sample(new_place: Callable[[], Place]) -> Place:
    """The same, in a file and on a server."""
    place = new_place()
    sample_ledger(place)
    return place


@pytest.fixture(scope="session")
def server() -> Iterator[postgres_server.Server]:
    """A PostgreSQL server, started when the first test asks for it."""
    try:
        with postgres_server.running() as found:
            yield found
    except postgres_server.Missing as missing:
        pytest.skip(f"no PostgreSQL server: {missing}")


@pytest.fixture(scope="session")
def new_database(server: postgres_server.Server) -> Iterator[Callable[[], Database]]:
    """Makes an empty place for a ledger on the server; its address is in an environment variable, as a user's is."""
    with pytest.MonkeyPatch.context() as patched:

        def made() -> Database:
            name = f"TB_LEDGER_{next(_numbers)}"
            patched.setenv(name, server.schema_address())
            return Database(name)

        yield made


@pytest.fixture(scope="session", params=["file", "server"])
def new_place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Place]:
    """Makes empty places for ledgers: files, then databases on a server. What is asked of both has to be answered alike."""
    if request.param == "file":
        return lambda: tmp_path_factory.mktemp("ledger") / "deep" / "ledger.db"
    made: Callable[[], Place] = request.getfixturevalue("new_database")
    return made


@pytest.fixture
def place(new_place: Callable[[], Place]) -> Place:
    return new_place()
