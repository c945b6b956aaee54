"""The bars that a test writes down, as the engine reads them.

Without columns a row says closes alone: each bar then opens where the one before closed, and its high and low are the higher
and the lower of the two. What is not said (the volume above all) is unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import nan

import numpy as np

from tb.dsl.check.bar_tables import COLUMNS
from tb.dsl.checked_tests import BarTable, Row
from tb.engine.bars import Bars

Values = dict[str, float]


def bars_of(table: BarTable) -> Bars:
    """The bars of one table. Rows of the source are counted from the table's first."""
    filled = list(_filled(_each(table)))
    columns = {name: np.array([values[name] for values in filled]) for name in COLUMNS}
    has_quotes = {"bid", "ask"} <= set(table.columns)
    size = len(filled)
    return Bars(
        symbol=table.instrument,
        period=table.period,
        time=table.start + table.period * np.arange(size, dtype=np.int64),
        open=columns["open"],
        high=columns["high"],
        low=columns["low"],
        close=columns["close"],
        volume=columns["volume"],
        bid=columns["bid"] if has_quotes else None,
        ask=columns["ask"] if has_quotes else None,
        source=f"{table.span.file}:{table.span.line}",
        rows=np.arange(size, dtype=np.int64),
    )


def _each(table: BarTable) -> Iterator[Values]:
    """What is said of each bar."""
    for row in table.rows:
        for at in range(row.times):
            yield _of_row(row, table.columns or ("close",), at)


def _of_row(row: Row, columns: Sequence[str], at: int) -> Values:
    values = {name: nan if value is None else float(value) for name, value in zip(columns, row.values, strict=True)}
    if row.goes_to is not None and row.values[0] is not None:
        values["close"] = float(row.values[0] + (row.goes_to - row.values[0]) * at / (row.times - 1))
    if row.volume is not None:
        values["volume"] = float(row.volume)
    return values


def _filled(said: Iterator[Values]) -> Iterator[Values]:
    before: float | None = None
    for values in said:
        close = values["close"]
        opened = values.get("open", close if before is None or before != before else before)  # noqa: PLR0124 - NaN
        opened = nan if close != close and "open" not in values else opened  # noqa: PLR0124
        ends = (opened, close)
        known = not any(end != end for end in ends)  # noqa: PLR0124
        yield {
            "open": opened,
            "high": values.get("high", max(ends) if known else nan),
            "low": values.get("low", min(ends) if known else nan),
            "close": close,
            "volume": values.get("volume", nan),
            "bid": values.get("bid", nan),
            "ask": values.get("ask", nan),
        }
        before = close
