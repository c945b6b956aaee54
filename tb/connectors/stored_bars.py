"""Bars of one instrument in a Parquet file, with a note of which stretches of time were fetched.

The file is the one that replays read: `SYMBOL.parquet` with time, open, high, low, close and volume. That a bar is not there
says nothing by itself: the venue leaves out bars without a trade. So the file notes, in its own metadata, the stretches that
were asked for and answered. Bars and note are one file, and it is replaced in one step.

INVARIANT: a file that was not made here, or of another venue or period, is refused and stays as it is.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tb.core.diagnostics import Refused, error
from tb.core.span import whole_file
from tb.core.time import show_duration
from tb.runtime.ports.exchange import Candle

if TYPE_CHECKING:
    import polars as pl

NOT_OURS = "TB804"
UNWRITABLE = "TB668"
NOTE = "tb.fetched"
_PRICES = ("open", "high", "low", "close", "volume")

Stretch = tuple[int, int]  # first <= start of a bar < last, in ms


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the bars of a file come from: all of it has to be the same for more to be added."""

    venue: str
    address: str
    instrument: str
    period: int  # ms


@dataclass(frozen=True, slots=True)
class Stored:
    """What a file holds; `frame` is None where there are no bars yet."""

    origin: Origin
    frame: pl.DataFrame | None
    stretches: tuple[Stretch, ...]

    def times(self, first: int, last: int) -> list[int]:
        """The starts of the bars in a stretch, in order."""
        if self.frame is None:
            return []
        at = self.frame["time"].dt.epoch("ms")
        return at.filter((at >= first) & (at < last)).to_list()

    def lacking(self, first: int, last: int) -> list[Stretch]:
        """The parts of a stretch that were not fetched yet, in order."""
        found, at = [], first
        for start, end in self.stretches:
            if start >= last:
                break
            if start > at:
                found.append((at, start))
            at = max(at, end)
        return [*found, (at, last)] if at < last else found

    def with_bars(self, candles: Sequence[Candle], stretch: Stretch) -> Stored:
        """With the bars of a stretch that was asked for and answered."""
        import polars as pl

        frame = self.frame
        if candles:
            new = _frame(candles)
            frame = new if frame is None else pl.concat([frame, new]).unique("time", keep="last").sort("time")
        return Stored(self.origin, frame, _joined([*self.stretches, stretch]))


def read_stored(path: Path, origin: Origin) -> Stored:
    """What is in the file, nothing where there is none. Raises Refused (TB804) for a file that is not of this origin."""
    import polars as pl

    if not path.exists():
        return Stored(origin, None, ())
    try:
        note = json.loads(pl.read_parquet_metadata(path)[NOTE])
        there = Origin(note["venue"], note["address"], note["instrument"], note["period"])
        stretches = tuple((int(start), int(end)) for start, end in note["stretches"])
        frame = pl.read_parquet(path, columns=["time", *_PRICES])
    except (pl.exceptions.PolarsError, OSError, KeyError, TypeError, ValueError) as problem:
        message = f"`{path.name}` was not made by `tb data fetch`"
        raise _refused(path, message, "fetch into another folder, or move the file away") from problem
    if there != origin:
        message = f"`{path.name}` holds {_shown(there)}, not {_shown(origin)}"
        raise _refused(path, message, "fetch into another folder")
    return Stored(origin, frame, _joined(stretches))


def write_stored(path: Path, stored: Stored) -> None:
    """Puts bars and note into the file, in one step; nothing where there are no bars. Raises Refused (TB668)."""
    if stored.frame is None:
        return
    origin = stored.origin
    note = {
        "venue": origin.venue,
        "address": origin.address,
        "instrument": origin.instrument,
        "period": origin.period,
        "stretches": stored.stretches,
    }
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            stored.frame.write_parquet(draft, metadata={NOTE: json.dumps(note)})
            with draft.open("rb+") as file:
                os.fsync(file.fileno())
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as problem:
        message = f"`{path}` cannot be written: {(problem.strerror or 'the file system refused').lower()}"
        hint = "name a folder that you may write"
        raise Refused([error(UNWRITABLE, message, whole_file(str(path)), hint)]) from problem


def _frame(candles: Sequence[Candle]) -> pl.DataFrame:
    """Prices become the nearest float64, as market data is read everywhere."""
    import polars as pl

    columns: dict[str, pl.Series] = {
        "time": pl.Series([candle.start for candle in candles], dtype=pl.Int64).cast(pl.Datetime("ms", "UTC"))
    }
    for name in _PRICES:
        columns[name] = pl.Series([float(getattr(candle, name)) for candle in candles], dtype=pl.Float64)
    return pl.DataFrame(columns)


def _joined(stretches: Sequence[Stretch]) -> tuple[Stretch, ...]:
    """In order, those that touch or overlap as one."""
    found: list[Stretch] = []
    for start, end in sorted(stretches):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return tuple(found)


def _shown(origin: Origin) -> str:
    return f"bars of {show_duration(origin.period)} of `{origin.instrument}` from {origin.venue} ({origin.address})"


def _refused(path: Path, message: str, hint: str) -> Refused:
    return Refused([error(NOT_OURS, message, whole_file(str(path)), hint)])
