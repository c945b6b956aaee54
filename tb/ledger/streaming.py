"""Whole tables, row after row in the order of their key, as the database gives them: nothing is converted, little is held.

The rows of several tables can be walked side by side within one transaction; all are let go of together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from types import TracebackType
from typing import Any

from sqlalchemy import Connection, select

from tb.ledger.checking import driven
from tb.ledger.tables import LedgerTable, table_of

Row = tuple[Any, ...]


class Streams:
    """Walks tables of one connection, inside of its transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._open = ExitStack()
        self._names = count(1)

    def __enter__(self) -> Streams:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self._open.close()

    def rows(
        self, model: type[LedgerTable], *, at_a_time: int, after: int | None = None, until: int | None = None
    ) -> Iterator[Row]:
        """Rows by their key; with `after` and `until`, those whose number is beyond the one and not beyond the other."""
        pages = self.pages(model, after=after, until=until)

        def each() -> Iterator[Row]:
            while page := pages(at_a_time):
                yield from page

        return each()

    def pages(
        self, model: type[LedgerTable], *, after: int | None = None, until: int | None = None
    ) -> Callable[[int], list[Row]]:
        """What gives the next so many of these rows each time it is asked, none at the end."""
        table = table_of(model)
        key = next(iter(table.primary_key.columns))
        statement = select(table).order_by(key)
        if after is not None:
            statement = statement.where(key > after)
        if until is not None:
            statement = statement.where(key <= until)
        text = str(statement.compile(dialect=self._connection.dialect, compile_kwargs={"literal_binds": True}))
        fetch: Callable[[int], list[Row]] = self._cursor(text).fetchmany
        return fetch

    def _cursor(self, statement: str) -> Any:
        driver = driven(self._connection)
        if self._connection.dialect.name == "sqlite":
            cursor = driver.execute(statement)
            self._open.callback(cursor.close)
            return cursor
        named = self._open.enter_context(driver.cursor(f"walk_{next(self._names)}"))
        return named.execute(statement, binary=True)
