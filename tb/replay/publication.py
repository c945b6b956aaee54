"""Which column of a feed says when a row became known, and which columns must not be passed over.

A value that counts before it was published makes a replay that nobody could have traded. So the usual spellings are all read,
and a further column that may say it too, by its name or because it holds times, is refused rather than ignored.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np

from tb.core.diagnostics import Severity
from tb.core.time import DAY
from tb.engine.feeds import Ints
from tb.replay.columns import times_of
from tb.replay.findings import FileFindings
from tb.replay.tables import COLUMNS

if TYPE_CHECKING:
    import polars as pl

DATES_ONLY = "TB674"
KNOWN = (
    "known",
    "known_at",
    "published",
    "published_at",
    "publish_time",
    "publication_time",
    "released",
    "released_at",
    "release_time",
    "available",
    "available_at",
    "received",
    "received_at",
    "announced",
    "announced_at",
)
_STEMS = ("know", "publi", "releas", "avail", "receiv", "announc")
# how a text begins that is a date or a time of day, in whatever order
_CLOCK = "|".join(
    (
        r"^(19|20)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])([T ]|$)",
        r"^\d{4}[-/.]\d{1,2}[-/.]\d{1,2}",
        r"^\d{1,2}[-/.]\d{1,2}[-/.]\d{4}",
        r"^\d{1,2}:\d{2}",
    )
)
_PER_MS = (0.001, 1.0, 1_000.0, 1_000_000.0)  # counts since 1970, in seconds to nanoseconds
_NEAR = 366 * DAY


def refuse_unread(frame: pl.DataFrame, read: Collection[str], findings: FileFindings) -> None:
    """A finding for each column that is not read and may say when its row became known."""
    times = frame[next(name for name in frame.columns if name.strip().lower() == "time")]
    for name in frame.columns:
        if name in read:
            continue
        if any(stem in name.lower() for stem in _STEMS):
            said = f"the column `{name}` is not read, and its name says when a row became known"
        elif _holds_times(frame[name], times):
            said = f"the column `{name}` is not read, and it holds times"
        else:
            continue
        findings.add(COLUMNS, said, "name it `known` if a row became known then, else remove it")


def warn_of_dates_only(time: Ints, known: Ints, *, has_known: bool, findings: FileFindings) -> None:
    """Days whose values count from the midnight at which each of them begins."""
    days = np.unique(time)
    if len(days) < 2 or np.any(time % DAY != 0) or np.any(known != time):
        return
    hint = "write the hour at which a row was published" if has_known else "write `every 1d` if a row is about its day"
    message = "all rows are at midnight: the value of a day would be known when the day begins"
    findings.add(DATES_ONLY, message, hint, severity=Severity.WARNING)


def _holds_times(column: pl.Series, times: pl.Series) -> bool:
    import polars as pl

    if column.dtype in (pl.Datetime, pl.Date, pl.Time):
        return True
    told = column.drop_nulls()
    if not len(told):
        return False
    if column.dtype == pl.String:
        dated = told.str.contains(_CLOCK).sum()
        if 2 * dated >= len(told):
            return True
    return _counts_along(column, times)


def _counts_along(column: pl.Series, times: pl.Series) -> bool:
    """Whether it counts the time since 1970, always within a year of the row's own time."""
    import polars as pl

    if not (column.dtype.is_numeric() or column.dtype == pl.String):
        return False
    counts = column.cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy()
    # its own findings are told by who reads the time; here a time that cannot be read is near to nothing
    own = times_of(times, FileFindings("")).astype(np.float64)
    there = ~np.isnan(counts)
    if not there.any():
        return False
    return any(bool(np.all(np.abs(counts[there] / per_ms - own[there]) <= _NEAR)) for per_ms in _PER_MS)
