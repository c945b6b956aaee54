"""Changes a ledger behind tb's back, in a file or on a server. Statements are written as SQLite reads them."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from postgres_server import search_path

from tb.ledger import GENESIS, Place, entry_hash

Run = Callable[..., tuple[int, list[tuple[Any, ...]]]]  # statement and parameters: rows changed, rows found

_DIALECT = (
    (r"%", "%%"),
    (r"CAST\(replace\(CAST\((\w+) AS TEXT\), (.*?)\) AS BLOB\)", r"convert_to(replace(convert_from(\1, 'UTF8'), \2), 'UTF8')"),
    (r"zeroblob\((\d+)\)", r"decode(repeat('00', \1), 'hex')"),
    (r"x'([0-9a-f]*)'", r"decode('\1', 'hex')"),
    (r"CAST\(\? AS BLOB\)", "CAST(? AS bytea)"),
    (r"\b(refused|closed|lifted) = ([01])", r"\1 = (\2 = 1)"),
    (r"\?", "%s"),
)


def _for_a_server(statement: str) -> str:
    for pattern, said in _DIALECT:
        statement = re.sub(pattern, said, statement)
    return statement


@contextmanager
def behind_its_back(place: Place) -> Iterator[Run]:
    """Runs statements in one transaction, which is kept."""
    if isinstance(place, Path):
        with closing(sqlite3.connect(place)) as connection:

            def run(statement: str, parameters: Sequence[Any] = ()) -> tuple[int, list[tuple[Any, ...]]]:
                done = connection.execute(statement, parameters)
                return done.rowcount, done.fetchall()

            yield run
            connection.commit()
        return
    import psycopg

    with psycopg.connect(place.address()) as server:

        def run(statement: str, parameters: Sequence[Any] = ()) -> tuple[int, list[tuple[Any, ...]]]:
            done = server.execute(_for_a_server(statement).encode(), parameters)
            return done.rowcount, done.fetchall() if done.description else []

        yield run


def alter(place: Place, *statements: str) -> None:
    with behind_its_back(place) as run:
        for statement in statements:
            assert run(statement)[0] != 0, f"nothing altered by: {statement}"


def rows(place: Place, statement: str) -> list[tuple[Any, ...]]:
    with behind_its_back(place) as run:
        return run(statement)[1]


def forge(place: Place, start: int = 1) -> None:
    """What a careful forger does: all hashes from an entry on, and the head, made to fit again."""
    with behind_its_back(place) as run:
        last = (0, GENESIS)
        for seq, name, kind, payload in run("SELECT seq, run, kind, payload FROM entries ORDER BY seq")[1]:
            link = entry_hash(last[1], kind, name, payload)
            if seq >= start:
                run("UPDATE entries SET previous = ?, hash = ? WHERE seq = ?", (last[1], link, seq))
            last = (seq, link)
        run("UPDATE meta SET head_seq = ?, head_hash = ?", last)


def copy_schema(source: str, target: str) -> None:
    """Copies the tables that one address leads to, with their rows and keys, to where another leads to."""
    import psycopg

    old, new = search_path(source), search_path(target)
    with psycopg.connect(target) as server:
        names = server.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", (old,)).fetchall()
        statements = "".join(
            f'CREATE TABLE "{new}"."{name}" (LIKE "{old}"."{name}" INCLUDING ALL);'
            f'INSERT INTO "{new}"."{name}" SELECT * FROM "{old}"."{name}";'
            for (name,) in names
        )
        server.execute(statements.encode())
