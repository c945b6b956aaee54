"""Feeds from files: the rows of each series that the rules read, and from when on each of them was known.

`NAME.parquet` or `NAME.csv` has a column `time` and a column `NAME` or `value` (where `tb.yaml` names
the file, its only other column will do); a feed per instrument has a file
`NAME.SYMBOL.parquet` (or `.csv`) for each, or one file with a column `instrument`. When a row became known:

    1. at its `known`, `published` or as else that is called (`tb.replay.publication`), where the file has such a column;
    2. else, of a feed `every` so long, one period after its `time`, which is when the period begins;
    3. else at its `time`.

Rows stand in the order in which they became known. A feed without a file is a warning and unknown everywhere; a file that
cannot be read for sure is an error, and then nothing runs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tb.core.diagnostics import Diagnostic, Severity, error, warning
from tb.core.span import whole_file
from tb.core.time import show_instant
from tb.core.units import TRUTH
from tb.dsl.checked import Feed
from tb.engine.feeds import FeedRows, Floats, Ints
from tb.replay.columns import NOT_A_VALUE, times_of, values_of
from tb.replay.files import TWO_FILES
from tb.replay.findings import FileFindings
from tb.replay.publication import KNOWN, refuse_unread, warn_of_dates_only
from tb.replay.tables import COLUMNS, NO_ROWS, read_table

if TYPE_CHECKING:
    import polars as pl

NO_FILE = "TB670"
ORDER = "TB671"
OUTSIDE = "TB672"
MISSING = "TB648"
_ENDINGS = (".parquet", ".csv")
INSTRUMENT = "{instrument}"
_TRUTHS = {"true": "1", "yes": "1", "false": "0", "no": "0"}


@dataclass(frozen=True, slots=True)
class FeedPlaces:
    """Where recorded feeds are: a folder, and the files of those that are called otherwise there, by name of the feed. In such
    a name `{instrument}` stands for each instrument."""

    folder: Path
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LoadedFeeds:
    """`rows` by name and instrument, "" where all instruments share them; `findings` errors too."""

    rows: dict[tuple[str, str], FeedRows]
    findings: tuple[Diagnostic, ...]


def load_feeds(declared: Iterable[Feed], places: FeedPlaces, instruments: Iterable[str]) -> LoadedFeeds:
    """The rows of the feeds declared, of each of the instruments where they have rows of each."""
    rows: dict[tuple[str, str], FeedRows] = {}
    findings: list[Diagnostic] = []
    symbols = tuple(instruments)
    for feed in declared:
        found = _load_each(feed, places, symbols, findings) if feed.per_instrument else _load(feed, places, findings)
        rows.update(found)
    return LoadedFeeds(rows, tuple(findings))


def hash_of(rows: Mapping[tuple[str, str], FeedRows], until: int) -> str:
    """SHA-256 over what was known by an instant; later rows of the same files do not change it."""
    digest = hashlib.sha256()
    for (name, symbol), one in sorted(rows.items()):
        count = int(one.known.searchsorted(until, side="right"))
        digest.update(f"{name} {symbol} {count}\n".encode())
        digest.update(np.ascontiguousarray(one.known[:count], dtype="<i8").data)
        raw = np.where(np.isnan(one.raw[:count]), np.nan, one.raw[:count] + 0.0)
        digest.update(np.ascontiguousarray(raw, dtype="<f8").data)
    return digest.hexdigest()


def _load(feed: Feed, places: FeedPlaces, findings: list[Diagnostic]) -> dict[tuple[str, str], FeedRows]:
    path = _file(feed, places, "", findings)
    if path is None:
        findings.append(_no_file(feed, places, [feed.name]))
        return {}
    told = FileFindings(str(path))
    found = read_rows(feed, path, told)
    findings += told.all()
    return {(feed.name, ""): found[""]} if "" in found else {}


def _load_each(
    feed: Feed, places: FeedPlaces, symbols: tuple[str, ...], findings: list[Diagnostic]
) -> dict[tuple[str, str], FeedRows]:
    """One file for all instruments, or one for each."""
    whole = _file(feed, places, "", findings)
    found: dict[str, FeedRows] = {}
    lacking: list[str] = []
    if whole is not None:
        told = FileFindings(str(whole))
        found = read_rows(feed, whole, told, by_instrument=True)
        findings += told.all()
        lacking = [] if told.has_errors else [symbol for symbol in symbols if symbol not in found]
    else:
        for symbol in symbols:
            path = _file(feed, places, symbol, findings)
            if path is None:
                lacking.append(symbol)
                continue
            told = FileFindings(str(path))
            read = read_rows(feed, path, told)
            found.update({symbol: read[""]} if read else {})
            findings += told.all()
    if lacking:
        findings.append(
            _no_rows(feed, whole, lacking) if whole else _no_file(feed, places, [f"{feed.name}.{s}" for s in lacking])
        )
    return {(feed.name, symbol): found[symbol] for symbol in symbols if symbol in found}


def _file(feed: Feed, places: FeedPlaces, symbol: str, findings: list[Diagnostic]) -> Path | None:
    """The file of a feed (of one instrument, where one is named), None where there is none."""
    called = places.files.get(feed.name)
    if called is not None:
        if (INSTRUMENT in called) != bool(symbol):
            return None
        path = places.folder / called.replace(INSTRUMENT, symbol)
        return path if path.is_file() else None
    stem = f"{feed.name}.{symbol}" if symbol else feed.name
    there = [path for ending in _ENDINGS if (path := places.folder / f"{stem}{ending}").is_file()]
    if len(there) > 1:
        message = f"`{there[0].name}` and `{there[1].name}` both hold the feed `{feed.name}`"
        findings.append(error(TWO_FILES, message, whole_file(str(there[1])), "keep one of them"))
    return there[0] if there else None


def _no_file(feed: Feed, places: FeedPlaces, stems: list[str]) -> Diagnostic:
    called = places.files.get(feed.name)
    of_each = not called or INSTRUMENT in called
    symbols = [stem.split(".", 1)[1] for stem in stems if "." in stem]
    if called:
        expected = [called.replace(INSTRUMENT, symbol) for symbol in symbols] if of_each and symbols else [called]
    else:
        expected = [f"{stem}.parquet" for stem in stems]
    shown = " and ".join(f"`{places.folder / name}`" for name in expected[:2]) + (" and more" if len(expected) > 2 else "")
    scope = f"for {', '.join(symbols)}" if of_each and symbols else "everywhere"
    message = f"no file for the feed `{feed.name}`: it is unknown {scope}"
    hint = f"put it at {shown}, or name it under `feeds` in `tb.yaml`"
    return warning(NO_FILE, message, feed.span, hint)


def _no_rows(feed: Feed, path: Path, lacking: list[str]) -> Diagnostic:
    shown = ", ".join(f"`{symbol}`" for symbol in lacking)
    message = f"no row of {shown} in the feed `{feed.name}`: it is unknown there"
    return warning(NO_FILE, message, whole_file(str(path)), "add rows with their name in the column `instrument`")


def read_rows(
    feed: Feed, path: Path, findings: FileFindings, *, by_instrument: bool = False, dates_only: bool = False
) -> dict[str, FeedRows]:
    """The rows of a file by instrument, under "" where the file is not of several; nothing where there is an error.

    Rows of dates without an hour are told, unless `dates_only` says that the caller judges them.
    """
    frame = read_table(path, findings)
    columns = None if frame is None else _columns(feed, frame, findings, by_instrument=by_instrument, called=path.name)
    if frame is None or columns is None:
        return {}
    if frame.height == 0:
        findings.add(NO_ROWS, "the file has no rows of data", "remove the file, or fill it")
        return {}
    time, raw = times_of(columns["time"], findings), values_of(feed.name, _numbers(feed, columns["value"]), findings)
    known = times_of(columns["known"], findings) if "known" in columns else time + (feed.every or 0)
    names = columns["instrument"].to_list() if "instrument" in columns else [""] * len(time)
    if findings.has_errors:
        return {}
    findings.add_rows(
        ORDER,
        known < time,
        lambda row: f"known at {show_instant(int(known[row]))}, before its own time {show_instant(int(time[row]))}",
        "give the instant at which it was published",
    )
    if not dates_only:
        warn_of_dates_only(time, known, has_known="known" in columns, findings=findings)
    values = _inside(feed, raw, findings)
    found: dict[str, FeedRows] = {}
    for name in dict.fromkeys(names):
        rows = np.flatnonzero(np.array([one == name for one in names])).astype(np.int64)
        _check_order(time, known, rows, "known" in columns, findings)
        found[str(name)] = FeedRows(known[rows], values[rows], raw[rows], rows, path.name)
    return {} if findings.has_errors else found


def _columns(
    feed: Feed, frame: pl.DataFrame, findings: FileFindings, *, by_instrument: bool, called: str
) -> dict[str, pl.Series] | None:
    """The columns that are read, by what they are for; a finding for each that is missing or stands there twice."""
    actual = {name.strip().lower(): name for name in frame.columns}
    values: tuple[str, ...] = (feed.name.lower(), "value")
    publication = tuple(name for name in KNOWN if name != feed.name.lower())  # a feed may be called `released`
    others = [name for name in actual if name not in {"time", "instrument", *publication}]
    if len(others) == 1 and called.split(".", maxsplit=1)[0] != feed.name:
        values = (others[0],)  # a file that `tb.yaml` names says what it holds by its only column
    wanted = {"time": ("time",), "value": values, "known": publication, "instrument": ("instrument",)}
    found: dict[str, pl.Series] = {}
    for what, names in wanted.items():
        there = [actual[name] for name in dict.fromkeys(names) if name in actual]
        if len(there) > 1:
            findings.add(COLUMNS, f"`{there[0]}` and `{there[1]}` are both columns of the {what}", "keep one of them")
        if there:
            found[what] = frame[there[0]]
        elif what in {"time", "value"}:
            name = feed.name if what == "value" else what
            hint = "the file has " + (", ".join(f"`{one}`" for one in frame.columns[:12]) or "no columns")
            findings.add(COLUMNS, f"the column `{name}` is missing", hint)
    if by_instrument and "instrument" not in found:
        hint = f"add it, or give each instrument a file such as `{feed.name}.BTC-USD.parquet`"
        findings.add(COLUMNS, f"the column `instrument` is missing, and `{feed.name}` is per instrument", hint)
    if not by_instrument and "instrument" in found:
        hint = f"write `per instrument` in the feed `{feed.name}`" if not feed.per_instrument else "remove it"
        findings.add(COLUMNS, "the rows have a column `instrument`, and here all are of one", hint)
    if by_instrument and "instrument" in found:
        missing = found["instrument"].is_null().to_numpy()
        findings.add_rows(NOT_A_VALUE, missing, lambda row: "the instrument is missing", "write its name")
    if not findings.has_errors:
        refuse_unread(frame, {column.name for column in found.values()}, findings)
    return None if findings.has_errors else found


def _numbers(feed: Feed, column: pl.Series) -> pl.Series:
    """The column, with words for true and false as 1 and 0 where the feed is a truth value."""
    if feed.unit != TRUTH or not column.dtype.is_(_text_type()):
        return column
    return column.str.to_lowercase().replace(_TRUTHS)


def _text_type() -> pl.DataType:
    import polars as pl

    return pl.String()


def _inside(feed: Feed, raw: Floats, findings: FileFindings) -> Floats:
    """The values, unknown where nothing stands or what stands there cannot be."""
    low, high = (None if bound is None else float(bound) for bound in (feed.low, feed.high))
    missing = np.isnan(raw)
    findings.add_rows(
        MISSING, missing, lambda row: f"`{feed.name}` is missing, so it is unknown from here on", severity=Severity.WARNING
    )
    outside = np.isinf(raw)
    if feed.unit == TRUTH:
        outside = ~missing & (raw != 0.0) & (raw != 1.0)
    outside |= (raw < low) if low is not None else False
    outside |= (raw > high) if high is not None else False
    said = "neither true nor false" if feed.unit == TRUTH else "outside of its range"
    findings.add_rows(
        OUTSIDE, outside, _says(feed.name, raw, said), "correct it, or widen the range", severity=Severity.WARNING
    )
    return np.where(outside, np.nan, raw)


def _says(name: str, raw: Floats, said: str) -> Callable[[int], str]:
    return lambda row: f"`{name}` is {float(raw[row]):.15g}, which is {said}: it is unknown from here on"


def _check_order(time: Ints, known: Ints, rows: Ints, has_known: bool, findings: FileFindings) -> None:
    """Ascending times; the same time again only where it was published again later, as a correction is."""
    steps, later = np.diff(time[rows]), np.diff(known[rows])
    same = np.zeros(len(time), dtype=np.bool_)
    back, early = same.copy(), same.copy()
    same[rows[1:]] = (steps == 0) & (later == 0)
    back[rows[1:]] = steps < 0
    early[rows[1:]] = (steps >= 0) & (later < 0)
    findings.add_rows(ORDER, same, lambda row: f"the time {show_instant(int(time[row]))} is there twice", "remove one of them")
    findings.add_rows(
        ORDER, back, lambda row: f"{show_instant(int(time[row]))} stands after a later time", "sort the rows by time"
    )
    if has_known:
        findings.add_rows(
            ORDER,
            early,
            lambda row: f"it was known at {show_instant(int(known[row]))}, before the row above it",
            "sort the rows by when they became known",
        )
