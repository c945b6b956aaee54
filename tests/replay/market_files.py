"""Small market files, sound until a test spoils them, and what the loader says of a folder of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from tb.core.diagnostics import Refused
from tb.core.time import HOUR
from tb.replay.data import Market, load_market

HEAD = "time,open,high,low,close,volume"
T0 = datetime(2024, 1, 1, tzinfo=UTC)
MS0 = int(T0.timestamp() * 1000)


def lines(count: int = 6, *, step: int = HOUR) -> list[str]:
    """A small sound market, one CSV line for each bar."""
    result = []
    for row in range(count):
        moment = T0 + timedelta(milliseconds=row * step)
        result.append(f"{moment:%Y-%m-%dT%H:%M:%SZ},{100 + row},{101 + row}.5,{99 + row},{100 + row}.25,{10 * row}")
    return result


def csv(folder: Path, rows: list[str], name: str = "BTC-USD.csv", head: str = HEAD) -> Path:
    (folder / name).write_text("\n".join([head, *rows]) + "\n")
    return folder


def frame(count: int = 6, *, step: int = HOUR, first: float = 100.0) -> pl.DataFrame:
    prices = [first + row for row in range(count)]
    times = pl.Series([MS0 + row * step for row in range(count)]).cast(pl.Datetime("ms", "UTC"))
    columns = {"open": prices, "high": [p + 1.5 for p in prices], "low": [p - 1 for p in prices], "close": prices}
    return pl.DataFrame({"time": times, **columns, "volume": [10.0] * count})


def quotes(count: int = 6, *, spread: float = 0.5) -> pl.DataFrame:
    bars = frame(count)
    sides = {f"bid_{name}": bars[name] - spread / 2 for name in ("open", "high", "low", "close")}
    sides |= {f"ask_{name}": bars[name] + spread / 2 for name in ("open", "high", "low", "close")}
    return pl.DataFrame({"time": bars["time"], **sides})


def said(folder: Path, **asked: object) -> list[str]:
    with pytest.raises(Refused) as refused:
        load_market(folder, **asked)  # type: ignore[arg-type]
    return [show(finding, folder) for finding in refused.value.findings]


def show(finding: object, folder: Path) -> str:
    span, code, message, hint = (getattr(finding, name) for name in ("span", "code", "message", "hint"))
    text = f"{span.file.removeprefix(str(folder) + '/')}:{span.line} {code} {message}" + (f" | {hint}" if hint else "")
    return text.replace(str(folder), "DATA")


def warned(market: Market, folder: Path) -> list[str]:
    return [show(finding, folder) for finding in market.warnings]


def load_bars(folder: Path, table: pl.DataFrame) -> Market:
    folder.mkdir()
    table.write_parquet(folder / "BTC-USD.parquet")
    return load_market(folder)
