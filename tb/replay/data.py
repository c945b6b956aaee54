"""Market data from a folder: checked bars of each instrument, or a refusal that names file and row of everything wrong.

A folder holds `SYMBOL.parquet`, `SYMBOL.csv`, or the same with `.trade` before the ending; `SYMBOL.quote.parquet` or `.csv`
beside it gives bid and ask. All bars of a folder have one period. A value that is missing is a warning and
unknown to the rules; a value that cannot be is an error, and then nothing runs.

    1. `find_files`   which file is which instrument's          (tb.replay.files)
    2. `read_bars`    columns, then checks row by row           (tb.replay.recorded)
    3. `_one_period`  all instruments have the same period
    4. `_cut`         bars inside the span that was asked for
    5. `_hash`        of what is left
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tb.core.diagnostics import Diagnostic, Refused, Severity, error, warning
from tb.core.span import whole_file
from tb.core.time import show_duration, show_instant
from tb.engine.bars import Bars
from tb.engine.feeds import FeedRows
from tb.engine.funding import Funding
from tb.replay.checks import MIXED
from tb.replay.files import find_files
from tb.replay.recorded import read_bars

NOTHING_LEFT = "TB657"


@dataclass(frozen=True, slots=True)
class Market:
    """The bars of a run by symbol, in order of symbol, all of one period (ms).

    `hash` is SHA-256 over symbols, period and values, the same for the same bars from CSV and from Parquet. `feeds` are the
    rows of what is recorded beside the bars, where rules read it (`tb.replay.recordings`), `funding` the rates of
    perpetuals, `feeds_hash` the hash of both.
    """

    folder: str
    bars: dict[str, Bars]
    period: int
    warnings: tuple[Diagnostic, ...]
    hash: str
    feeds: Mapping[tuple[str, str], FeedRows] = field(default_factory=dict)
    feeds_hash: str = ""
    funding: Mapping[str, Funding] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """How many bars there are, over all instruments."""
        return sum(len(bars) for bars in self.bars.values())

    def closed(self, at: int) -> int:
        """How many bars had closed at the instant `at`, over all instruments."""
        return sum(int(np.searchsorted(bars.time, at - self.period, side="right")) for bars in self.bars.values())

    @property
    def first(self) -> int:
        """The close of the first bar."""
        return min(int(bars.time[0]) for bars in self.bars.values()) + self.period

    @property
    def last(self) -> int:
        """The close of the last bar."""
        return max(int(bars.time[-1]) for bars in self.bars.values()) + self.period


def load_market(
    folder: Path, *, instruments: Sequence[str] | None = None, first: int | None = None, last: int | None = None
) -> Market:
    """The market in a folder, of all its instruments or those named.

    With `first` bars that start before it are left out, with `last` bars that close after it (both ms UTC). Raises Refused with
    all findings; at most about twenty for each file.
    """
    files = find_files(folder, instruments)
    findings: list[Diagnostic] = []
    read: dict[str, Bars] = {}
    for symbol in sorted(files):
        bars, problems = read_bars(symbol, files[symbol])
        findings += problems
        if bars is not None:
            read[symbol] = bars
    findings += _one_period(folder, read)
    if any(finding.severity is Severity.ERROR for finding in findings):
        raise Refused(findings)
    cut = {symbol: _cut(bars, first, last) for symbol, bars in read.items()}
    left = {symbol: bars for symbol, bars in cut.items() if len(bars)}
    gone = [warning(NOTHING_LEFT, _why_gone(read[symbol]), whole_file(str(folder))) for symbol in cut if symbol not in left]
    if not left:
        raise Refused([error(NOTHING_LEFT, finding.message, finding.span, "move --from or --to") for finding in gone])
    period = next(iter(left.values())).period
    return Market(str(folder), left, period, (*findings, *gone), _hash(left))


def _one_period(folder: Path, read: dict[str, Bars]) -> list[Diagnostic]:
    """Bars of the period that most instruments have are right; of two equally common ones, the first instrument's."""
    periods = [bars.period for bars in read.values()]
    if len(set(periods)) < 2:
        return []
    usual = max(dict.fromkeys(periods), key=periods.count)
    example = next(bars for bars in read.values() if bars.period == usual)
    return [
        error(
            MIXED,
            f"bars of {show_duration(bars.period)}, and those of `{example.source}` are of {show_duration(usual)}",
            whole_file(str(folder / bars.source)),
            "put data of another period into another folder, or name the instruments to use",
        )
        for bars in read.values()
        if bars.period != usual
    ]


def _cut(bars: Bars, first: int | None, last: int | None) -> Bars:
    start = 0 if first is None else int(np.searchsorted(bars.time, first, side="left"))
    stop = len(bars) if last is None else int(np.searchsorted(bars.closes, last, side="right"))
    return bars.part(start, max(start, stop))


def _why_gone(bars: Bars) -> str:
    start, end = show_instant(int(bars.time[0])), show_instant(int(bars.closes[-1]))
    return f"no bars of `{bars.symbol}` in the span asked for: they go from {start} to {end}"


def _hash(market: dict[str, Bars]) -> str:
    digest = hashlib.sha256()
    for symbol, bars in market.items():
        columns = (bars.open, bars.high, bars.low, bars.close, bars.volume, bars.bid, bars.ask)
        present = "".join("0" if column is None else "1" for column in columns)
        digest.update(f"{symbol} {bars.period} {len(bars)} {present}\n".encode())
        digest.update(np.ascontiguousarray(bars.time, dtype="<i8").data)
        for column in columns:
            if column is not None:
                # one bit pattern for every NaN, and one zero
                values = np.where(np.isnan(column), np.nan, column + 0.0)
                digest.update(np.ascontiguousarray(values, dtype="<f8").data)
    return digest.hexdigest()
