"""What can be wrong with the rows of market data, each check over whole columns at once.

Errors, because nothing sensible can be made of them: a time that is there twice, out of order or off the grid of the period; a
price that is not greater than 0; a negative volume; an infinite value; a high below its low, an open or close outside them.
Warnings, with the value unknown: a missing value, a quote with the bid above the ask.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tb.core.diagnostics import Severity
from tb.core.time import DAY, HOUR, MINUTE, SECOND, WEEK, show_duration, show_instant
from tb.engine.bars import bucket_starts
from tb.replay.columns import Floats, Ints
from tb.replay.findings import FileFindings, Mask

MISSING = "TB648"
IMPOSSIBLE = "TB649"
OUTSIDE = "TB650"
ORDER = "TB651"
OFF_GRID = "TB652"
MIXED = "TB653"
QUOTES = "TB654"

EMPTY = "leave what is not known empty"
CORRECT = "correct the row, or leave empty what is not known"
_TOO_REGULAR = 24  # equal distances in a row that cannot be gaps
_EARLIEST = 631_152_000_000  # 1990-01-01

PERIODS = (
    *(n * SECOND for n in (1, 2, 5, 10, 15, 20, 30)),
    *(n * MINUTE for n in (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 45)),
    *(n * HOUR for n in (1, 2, 3, 4, 6, 8, 12)),
    DAY,
    WEEK,
)


def check_times(time: Ints, findings: FileFindings) -> int | None:
    """The period, which is the most common distance of two rows; None where there is none that tb reads."""
    steps = np.diff(time)
    same, back = _after_first(steps == 0), _after_first(steps < 0)

    def shown(row: int) -> str:
        return show_instant(int(time[row]))

    early = time < _EARLIEST
    hint = "write the time as text, or as seconds or milliseconds since 1970"
    findings.add_rows(
        ORDER, early, lambda row: f"{shown(row)} lies before 1990: the unit of the time is not what it seems", hint
    )
    findings.add_rows(ORDER, same, lambda row: f"the time {shown(row)} is there twice", "remove one of the rows")
    findings.add_rows(ORDER, back, lambda row: f"{shown(row)} stands after {shown(row - 1)}", "sort the rows by time")
    distances, counts = np.unique(steps[steps > 0], return_counts=True)
    if not len(distances):
        if not findings.has_errors:
            findings.add(OFF_GRID, "one row is not enough to tell the period of the bars", "give two rows or more")
        return None
    period = int(distances[np.argmax(counts)])
    if period not in PERIODS:
        known = ", ".join(show_duration(known) for known in PERIODS)
        findings.add(
            OFF_GRID, f"most rows are {show_duration(period)} apart, which is no period that is read", f"known are {known}"
        )
        return None
    _check_one_period(time, steps, period, findings)
    off = bucket_starts(time, period) != time
    offsets = np.unique(time - bucket_starts(time, period))
    if len(offsets) == 1 and offsets[0]:
        start = "Monday" if period == WEEK else f"a multiple of {show_duration(period)}"
        message = f"every bar starts {show_duration(int(offsets[0]))} after {start} in UTC"
        findings.add(OFF_GRID, message, "give bars of a shorter period; tb makes longer ones of them")
    else:
        what = show_duration(period)
        findings.add_rows(OFF_GRID, off, lambda row: f"{shown(row)} is not the start of a bar of {what}", "remove the row")
    return period


def _check_one_period(time: Ints, steps: Ints, period: int, findings: FileFindings) -> None:
    """A long run of rows, all equally far apart and further than the period, is not a gap: these are bars of another period."""
    run = 0
    for at, step in enumerate(steps.tolist()):
        run = run + 1 if step > period and at and step == steps[at - 1] else 0
        if run + 1 >= _TOO_REGULAR:
            row = at - run
            where = f"{show_instant(int(time[row]))} ({findings.place(row)})"
            apart = f"rows are {show_duration(int(step))} apart, elsewhere {show_duration(period)}"
            findings.add(MIXED, f"from {where} on {apart}: the file mixes periods", "give each period a file of its own")
            return


def check_values(values: dict[str, Floats], consequence: str, findings: FileFindings) -> None:
    missing = np.logical_or.reduce([np.isnan(column) for column in values.values()])

    def lacking(row: int) -> str:
        names = [f"`{name}`" for name, column in values.items() if np.isnan(column[row])]
        return f"{', '.join(names)} {'is' if len(names) == 1 else 'are'} missing, {consequence}"

    findings.add_rows(MISSING, missing, lacking, severity=Severity.WARNING)
    for name, column in values.items():
        infinite = np.isinf(column)
        findings.add_rows(IMPOSSIBLE, infinite, _says(name, column, "is infinite"), EMPTY)
        if name == "volume":
            findings.add_rows(IMPOSSIBLE, (column < 0) & ~infinite, _says(name, column, "is negative"), EMPTY)
        else:
            findings.add_rows(IMPOSSIBLE, (column <= 0) & ~infinite, _says(name, column, "is not greater than 0"), EMPTY)


def check_order_of_prices(values: dict[str, Floats], prefix: str, findings: FileFindings) -> None:
    high, low = values["high"], values["low"]
    crossed = high < low

    def upside_down(row: int) -> str:
        return f"`{prefix}high` {_number(high[row])} is lower than `{prefix}low` {_number(low[row])}"

    findings.add_rows(OUTSIDE, crossed, upside_down, "check whether the two are swapped")
    for name in ("open", "close"):
        column = values[name]
        outside = ~crossed & ((column > high) | (column < low))
        findings.add_rows(OUTSIDE, outside, _outside(f"{prefix}{name}", prefix, column, low, high), CORRECT)


def _outside(name: str, prefix: str, column: Floats, low: Floats, high: Floats) -> Callable[[int], str]:
    def say(row: int) -> str:
        above = column[row] > high[row]
        side, bound = ("above", "high") if above else ("below", "low")
        return f"`{name}` {_number(column[row])} is {side} `{prefix}{bound}` {_number((high if above else low)[row])}"

    return say


def known_quotes(bid: Floats, ask: Floats, time: Ints, findings: FileFindings) -> tuple[Floats, Floats]:
    """The quotes, both sides unknown where one is or where the bid is above the ask."""
    crossed = bid > ask
    if count := int(np.count_nonzero(crossed)):
        row = int(np.argmax(crossed))
        message = (
            f"the bid is above the ask in {count} of {len(bid)} quotes, first in {findings.place(row)} "
            f"({show_instant(int(time[row]))}); the spread is unknown there"
        )
        findings.add(QUOTES, message, severity=Severity.WARNING)
    unknown = crossed | np.isnan(bid) | np.isnan(ask)
    return np.where(unknown, np.nan, bid), np.where(unknown, np.nan, ask)


def _after_first(steps: Mask) -> Mask:
    return np.concatenate((np.zeros(1, dtype=np.bool_), steps))


def _says(name: str, column: Floats, what: str) -> Callable[[int], str]:
    return lambda row: f"`{name}` is {_number(column[row])}, which {what}"


def _number(value: float) -> str:
    return f"{float(value):.15g}"
