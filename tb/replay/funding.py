"""Funding rates from files: `SYMBOL.funding.parquet` (or `.csv`, or with the period: `SYMBOL.funding_8h.parquet`), beside the
bars or among the feeds, with columns `time` (the instant at which it is paid) and `funding_rate`.

The period is the usual distance of two rows. Rows further apart than half a day are no rates but means over a day, and such a
mean is not known at the day's start: they are refused, and can be read as a feed `every 1d`. A file that has such a period in
its name does not count beside another one.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from tb.core.diagnostics import Diagnostic, error
from tb.core.span import Span, whole_file
from tb.core.time import HOUR, parse_duration, show_duration
from tb.core.units import RATIO
from tb.dsl.checked import Feed
from tb.engine.funding import Funding
from tb.replay.feeds import read_rows
from tb.replay.files import TWO_FILES
from tb.replay.findings import FileFindings

PERIOD = "TB673"
_LONGEST = 12 * HOUR


def load_funding(folders: Iterable[Path], symbols: Iterable[str]) -> tuple[dict[str, Funding], list[Diagnostic]]:
    """The funding of each instrument that has a file in one of the folders, and every finding."""
    findings: list[Diagnostic] = []
    places = tuple(folders)
    found: dict[str, Funding] = {}
    for symbol in symbols:
        files = [path for folder in places for path in _files(folder, symbol)]
        if len(files) > 1:
            message = f"`{files[0].name}` and `{files[1].name}` both hold the funding of `{symbol}`"
            findings.append(error(TWO_FILES, message, whole_file(str(files[1])), "keep one of them"))
        elif files:
            told = FileFindings(str(files[0]))
            funding = _read(files[0], told)
            findings += told.all()
            found.update({} if funding is None else {symbol: funding})
    return found, findings


def _files(folder: Path, symbol: str) -> list[Path]:
    stems = (f"{symbol}.funding.", f"{symbol}.funding_")
    endings = (".parquet", ".csv")
    if not folder.is_dir():
        return []
    there = sorted(path for path in folder.iterdir() if path.name.startswith(stems) and path.name.endswith(endings))
    paid = [path for path in there if not _says_means(path)]
    return paid or there


def _says_means(path: Path) -> bool:
    """Whether the period in a file's name is too long for a funding period: beside another file it is no second one."""
    _, _, period = path.stem.rpartition(".funding_")
    length = parse_duration(period) if period != path.stem else None
    return length is not None and length > _LONGEST


def _read(path: Path, findings: FileFindings) -> Funding | None:
    feed = Feed("funding_rate", RATIO, None, None, False, None, 0, "", Span(str(path), 1, 1, 1, 1))
    rows = read_rows(feed, path, findings, dates_only=True).get("")
    if rows is None:
        return None
    distances, counts = np.unique(np.diff(rows.known), return_counts=True)
    period = int(distances[np.argmax(counts)]) if len(distances) else 0
    if not 0 < period <= _LONGEST:
        apart = f"rows are {show_duration(period)} apart" if period else "one row does not tell the funding period"
        hint = "read means of a day as a feed: `feed btc_funding: ratio every 1d, stale after 2d`"
        findings.add(PERIOD, f"{apart}, which is no funding period", hint)
        return None
    return Funding(rows, period)
