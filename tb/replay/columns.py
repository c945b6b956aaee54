"""One file of market data as columns: times in ms UTC and values as float64, NaN where a value is not there.

    1. `read_table` reads Parquet or CSV (tb.replay.tables)
    2. `_named`     finds the columns, without regard to case, and names those that are missing
    3. `times_of`  reads times: instants with or without zone (then UTC), ISO text, or whole seconds, milliseconds,
                    microseconds or nanoseconds since 1970, told apart by their size
    4. `values_of` reads numbers; text that is none is an error with its row

Columns that nobody asked for are not looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tb.core.diagnostics import did_you_mean
from tb.core.time import parse_instant
from tb.replay.findings import FileFindings, Mask
from tb.replay.tables import COLUMNS, EMPTY_WORDS, NO_ROWS, read_table

if TYPE_CHECKING:
    import polars as pl

NOT_A_VALUE = "TB647"

# names that other programs give to these columns
_OTHER_NAMES = {
    "time": ("timestamp", "date", "datetime", "ts", "open_time", "start", "t"),
    "open": ("o",),
    "high": ("h",),
    "low": ("l",),
    "close": ("c", "price", "last"),
    "volume": ("v", "vol", "qty", "size", "base_volume", "tick_volume"),
    "bid": ("bid_price", "best_bid"),
    "ask": ("ask_price", "best_ask", "offer"),
}
# usual count since 1970 below which it is read as this unit -> how many make a millisecond, or milliseconds in one
_EPOCHS = ((10**11, 1_000, 1), (10**14, 1, 1), (10**17, 1, 1_000), (2**63, 1, 1_000_000))
_FORMATS = (
    "%Y-%m-%dT%H:%M:%SZ",
    "%Y-%m-%d %H:%M:%S%:z",
    "%Y-%m-%dT%H:%M:%S%:z",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%dT%H:%MZ",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d %H:%M",
)
_FIRST, _LAST = 0, 7_258_118_400_000  # 1970 to 2200

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Columns:
    """`time` in ms UTC; `values` by column name. Equally long."""

    time: Ints
    values: dict[str, Floats]


def read_columns(
    path: Path, choices: tuple[tuple[str, ...], ...], extra: tuple[str, ...], findings: FileFindings
) -> Columns | None:
    """The time and the first of the `choices` of columns that is all there, with those of `extra` that are.

    Where none is, those are missing that the fullest choice lacks. None where there is an error.
    """
    frame = read_table(path, findings)
    if frame is None:
        return None
    columns = _named(frame, choices, extra, findings)
    if columns is None:
        return None
    if frame.height == 0:
        findings.add(NO_ROWS, "the file has no rows of data", "remove the file, or fill it")
        return None
    time = times_of(columns.pop("time"), findings)
    values = {name: values_of(name, column, findings) for name, column in columns.items()}
    return None if findings.has_errors else Columns(time, values)


def _named(
    frame: pl.DataFrame, choices: tuple[tuple[str, ...], ...], extra: tuple[str, ...], findings: FileFindings
) -> dict[str, pl.Series] | None:
    actual: dict[str, str] = {}
    for name in frame.columns:
        plain = name.strip().lower()
        if plain in actual and plain in {"time", *extra, *(wanted for choice in choices for wanted in choice)}:
            findings.add(COLUMNS, f"the column `{plain}` is there twice", "remove one of them")
        actual[plain] = name
    wanted = next((choice for choice in choices if all(name in actual for name in choice)), None)
    wanted = wanted or max(reversed(choices), key=lambda choice: sum(name in actual for name in choice))
    for name in ("time", *wanted):
        if name not in actual:
            other = next((other for other in _OTHER_NAMES.get(name, ()) if other in actual), None)
            unused = [word for word in actual if word not in wanted and word != "time"]
            hint = f"rename `{actual[other]}` to `{name}`" if other else did_you_mean(name, unused)
            there = ", ".join(f"`{word}`" for word in frame.columns[:12])
            findings.add(COLUMNS, f"the column `{name}` is missing", hint or f"the file has {there or 'no columns'}")
    if findings.has_errors:
        if not {"time", *wanted} & set(actual) and any(word[:1].isdigit() for word in actual):
            findings.add(COLUMNS, "the first line holds values", f"name the columns in it: `time,{','.join(wanted)}`")
        return None
    return {name: frame[actual[name]] for name in ("time", *wanted, *(name for name in extra if name in actual))}


def times_of(column: pl.Series, findings: FileFindings) -> Ints:
    """Instants in ms UTC; what is none is a finding."""
    import polars as pl

    missing = column.is_null().to_numpy()
    findings.add_rows(NOT_A_VALUE, missing, lambda row: "the time is missing", "remove the row, or give its time")
    kind = column.dtype
    if isinstance(kind, pl.Datetime):
        per_ms = {"ms": 1, "us": 1_000, "ns": 1_000_000}[kind.time_unit]
        return _whole_ms(column.cast(pl.Int64), 1, per_ms, missing, findings)
    if kind == pl.Date:
        return _whole_ms(column.cast(pl.Int64), 86_400_000, 1, missing, findings)
    if kind == pl.String:
        numbers = column.cast(pl.Int64, strict=False)
        if numbers.null_count() > column.null_count():
            return _text_times(column, missing, findings)
        return _epoch_times(numbers, column, findings)
    if kind.is_float():
        whole = column.set(column.floor() != column, None)
        return _epoch_times(whole.cast(pl.Int64, strict=False), column, findings)
    if kind.is_integer():
        return _epoch_times(column.cast(pl.Int64, strict=False), column, findings)
    findings.add(NOT_A_VALUE, "the column `time` holds no times", "such as `2024-01-01T05:00Z`")
    return np.zeros(len(column), dtype=np.int64)


def _epoch_times(counts: pl.Series, column: pl.Series, findings: FileFindings) -> Ints:
    missing = column.is_null().to_numpy()
    wrong = counts.is_null().to_numpy() & ~missing
    findings.add_rows(NOT_A_VALUE, wrong, lambda row: f"the time `{column[row]}` is not a whole number")
    usual = counts.abs().median()  # a row in another unit than most is then out of range
    size = usual if isinstance(usual, int | float) else 0
    _, times, per_ms = next(epoch for epoch in _EPOCHS if size < epoch[0] or epoch is _EPOCHS[-1])
    return _whole_ms(counts, times, per_ms, missing | wrong, findings)


def _text_times(column: pl.Series, missing: Mask, findings: FileFindings) -> Ints:
    import polars as pl

    known = column.drop_nulls()
    read = pl.Series([None] * len(column), dtype=pl.Int64)
    for form in _FORMATS:
        zone = form.endswith(("Z", "z"))
        if (
            known.head(1).str.to_datetime(form, strict=False, time_unit="ms", time_zone="UTC" if zone else None).null_count()
            == 0
        ):
            read = column.str.to_datetime(form, strict=False, time_unit="ms", time_zone="UTC" if zone else None).cast(pl.Int64)
            break
    ms = read.fill_null(0).to_numpy().copy()
    unread = read.is_null().to_numpy() & ~missing
    wrong = np.zeros(len(column), dtype=np.bool_)
    for row in np.flatnonzero(unread).tolist():
        instant = parse_instant(column[row])
        wrong[row] = instant is None
        ms[row] = instant or 0
    findings.add_rows(NOT_A_VALUE, wrong, lambda row: f"`{column[row]}` is not a time", "such as `2024-01-01T05:00Z`")
    return _plausible(ms, missing | wrong, findings)


def _whole_ms(column: pl.Series, times: int, per_ms: int, missing: Mask, findings: FileFindings) -> Ints:
    counts = column.fill_null(0).to_numpy()
    uneven = counts % per_ms != 0
    findings.add_rows(NOT_A_VALUE, uneven, lambda row: "the time is not a whole millisecond", "round it")
    limit = 2**62 // times
    return _plausible(np.clip(counts, -limit, limit) // per_ms * times, missing | uneven, findings)


def _plausible(ms: Ints, known_bad: Mask, findings: FileFindings) -> Ints:
    outside = ~known_bad & ((ms < _FIRST) | (ms >= _LAST))
    hint = "count seconds, milliseconds, microseconds or nanoseconds since 1970, in all rows alike"
    findings.add_rows(NOT_A_VALUE, outside, lambda row: "the time is not between 1970 and 2200", hint)
    return np.ascontiguousarray(ms, dtype=np.int64)


def values_of(name: str, column: pl.Series, findings: FileFindings) -> Floats:
    """Numbers, NaN where nothing stands (truth values as 1 and 0); text that is none is a finding."""
    import polars as pl

    kind = column.dtype
    if not (kind.is_numeric() or kind in (pl.String, pl.Null, pl.Boolean)):
        findings.add(NOT_A_VALUE, f"the column `{name}` holds no numbers")
        return np.zeros(len(column))
    numbers = column.cast(pl.Float64, strict=False)
    if kind == pl.String:
        words = numbers.is_null() & column.is_not_null() & ~column.is_in(EMPTY_WORDS)
        hint = "write numbers as `1234.5`, and leave what is not known empty"
        findings.add_rows(NOT_A_VALUE, words.to_numpy(), lambda row: f"`{name}` is `{column[row]}`, not a number", hint)
    return np.ascontiguousarray(numbers.fill_null(np.nan).to_numpy(), dtype=np.float64)
