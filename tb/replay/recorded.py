"""The bars of one instrument from its files: recorded bars, with recorded quotes where there are any, or the mids of quotes.

The quote of a bar is the one whose time is the same, as of the close of both; a bar without one has an unknown quote. Where the
bid is above the ask the quote is unknown, but a bar made of mid prices keeps its price: the middle of the two still says where
the market was.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from tb.core.diagnostics import Diagnostic, Severity
from tb.core.time import show_duration, show_instant
from tb.engine.bars import Bars
from tb.replay.checks import MIXED, QUOTES, check_order_of_prices, check_times, check_values, known_quotes
from tb.replay.columns import Floats, Ints, read_columns
from tb.replay.files import Files
from tb.replay.findings import FileFindings
from tb.replay.tables import COLUMNS

FROM_QUOTES = "TB655"

_OHLC = ("open", "high", "low", "close")
_BARS = (*_OHLC, "volume")
_BARS_OF_QUOTES = tuple(f"{side}_{name}" for side in ("bid", "ask") for name in _OHLC)
_CLOSING = (("bid_close", "ask_close"), ("bid", "ask"))


def read_bars(symbol: str, files: Files) -> tuple[Bars | None, list[Diagnostic]]:
    """The bars of an instrument, None where there is an error, and what is to say about its files."""
    if files.bars is None:
        assert files.quotes is not None
        findings = FileFindings(str(files.quotes))
        bars = _bars_of_quotes(symbol, files.quotes, findings)
        return (None if findings.has_errors else bars), findings.all()
    findings = FileFindings(str(files.bars))
    bars = _recorded_bars(symbol, files.bars, findings)
    if files.quotes is None:
        return (None if findings.has_errors else bars), findings.all()
    beside = FileFindings(str(files.quotes))
    if bars is not None:
        if bars.bid is not None:
            findings.add(COLUMNS, f"`bid` and `ask` stand here and in `{files.quotes.name}`", "keep one of the two")
        bars = _with_quotes(bars, files.quotes, beside)
    has_errors = findings.has_errors or beside.has_errors
    return (None if has_errors else bars), findings.all() + beside.all()


def _recorded_bars(symbol: str, path: Path, findings: FileFindings) -> Bars | None:
    columns = read_columns(path, (_BARS,), ("bid", "ask"), findings)
    if columns is None:
        return None
    values = columns.values
    if ("bid" in values) != ("ask" in values):
        there, lacking = ("bid", "ask") if "bid" in values else ("ask", "bid")
        findings.add(COLUMNS, f"there is a column `{there}`, and none `{lacking}`", f"add `{lacking}`, or remove `{there}`")
        return None
    period = check_times(columns.time, findings)
    check_values(values, "so rules that need it do not fire here", findings)
    check_order_of_prices(values, "", findings)
    quotes: dict[str, Floats] = {}
    if "bid" in values:
        quotes["bid"], quotes["ask"] = known_quotes(values["bid"], values["ask"], columns.time, findings)
    return None if period is None else _bars(symbol, period, columns.time, {**values, **quotes}, path)


def _with_quotes(bars: Bars, path: Path, findings: FileFindings) -> Bars | None:
    """The bars with the quote that starts at the same instant; where there is none, the quote is unknown."""
    columns = read_columns(path, _CLOSING, (), findings)
    if columns is None:
        return None
    period = check_times(columns.time, findings)
    check_values(columns.values, "so the spread is unknown here", findings)
    if period is not None and period != bars.period:
        message = f"quotes of {show_duration(period)}, and bars of {show_duration(bars.period)} in `{bars.source}`"
        findings.add(MIXED, message, "give quotes of the same period")
    first, second = columns.values.values()
    bid, ask = known_quotes(first, second, columns.time, findings)
    if period is None or findings.has_errors:
        return None
    at = np.minimum(np.searchsorted(columns.time, bars.time), len(columns.time) - 1)
    has_quote = columns.time[at] == bars.time
    if lacking := int(np.count_nonzero(~has_quote)):
        row = int(np.argmin(has_quote))
        message = (
            f"no quote for {lacking} of {len(bars)} bars in `{bars.source}`, first for row {int(bars.rows[row]) + 1} "
            f"({show_instant(int(bars.time[row]))}); the spread is unknown there"
        )
        findings.add(QUOTES, message, severity=Severity.WARNING)
    return replace(bars, bid=np.where(has_quote, bid[at], np.nan), ask=np.where(has_quote, ask[at], np.nan))


def _bars_of_quotes(symbol: str, path: Path, findings: FileFindings) -> Bars | None:
    columns = read_columns(path, (_BARS_OF_QUOTES, *_CLOSING), (), findings)
    if columns is None:
        return None
    values = columns.values
    period = check_times(columns.time, findings)
    check_values(values, "so rules that need it do not fire here", findings)
    if "bid_open" in values:
        for side in ("bid", "ask"):
            check_order_of_prices({name: values[f"{side}_{name}"] for name in _OHLC}, f"{side}_", findings)
        mids = {name: (values[f"bid_{name}"] + values[f"ask_{name}"]) / 2 for name in _OHLC}
    else:
        first, second = values.values()
        mids = dict.fromkeys(_OHLC, (first + second) / 2)
    names = ("bid_close", "ask_close") if "bid_close" in values else ("bid", "ask")
    bid, ask = known_quotes(values[names[0]], values[names[1]], columns.time, findings)
    message = f"there are no bars of `{symbol}`, so mid prices of the quotes stand in and the volume is unknown"
    findings.add(FROM_QUOTES, message, severity=Severity.WARNING)
    if period is None:
        return None
    volume = np.full(len(columns.time), np.nan)
    return _bars(symbol, period, columns.time, {**mids, "volume": volume, "bid": bid, "ask": ask}, path)


def _bars(symbol: str, period: int, time: Ints, values: dict[str, Floats], path: Path) -> Bars:
    return Bars(
        symbol=symbol,
        period=period,
        time=time,
        open=values["open"],
        high=values["high"],
        low=values["low"],
        close=values["close"],
        volume=values["volume"],
        bid=values.get("bid"),
        ask=values.get("ask"),
        source=path.name,
        rows=np.arange(len(time), dtype=np.int64),
    )
