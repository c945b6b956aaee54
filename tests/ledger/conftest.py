from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import postgres_server
import pytest
from ledger_samples import sample_ledger
from tampering import copy_schema

from tb.ledger import Database, Place

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def sample_content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("sample") / "ledger.db"
    sample_ledger(path)
    return path.read_bytes()


@pytest.fixture
def sample_file(tmp_path: Path, sample_content: bytes) -> Path:
    """A ledger in a file with one finished and one unfinished run, closed."""
    path = tmp_path / "ledger.db"
    path.write_bytes(sample_content)
    return path


@pytest.fixture(scope="session")
def sample_made(new_place: Callable[[], Place]) -> Place:
    """The same, in a file and on a server, for the tests to copy."""
    place = new_place()
    sample_ledger(place)
    return place


@pytest.fixture
def sample(sample_made: Place, new_place: Callable[[], Place]) -> Place:
    """A copy of it that a test may alter."""
    place = new_place()
    if isinstance(place, Path) and isinstance(sample_made, Path):
        place.parent.mkdir()
        place.write_bytes(sample_made.read_bytes())
    elif isinstance(place, Database) and isinstance(sample_made, Database):
        copy_schema(sample_made.address(), place.address())
    return place


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
