"""Series that grow at their end: what was read of them before stays as it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from tb.engine.bars import Bars, bucket_start
from tb.runtime.ports.feed import Bar

T = TypeVar("T", np.float64, np.int64)
_FIRST = 256  # places of a new series


class Growing(Generic[T]):
    """An array that grows. `view` gives all of it so far, without a copy."""

    __slots__ = ("_buffer", "_size")

    def __init__(self, kind: type[T]) -> None:
        self._buffer: NDArray[T] = np.empty(_FIRST, dtype=kind)
        self._size = 0

    def extend(self, values: NDArray[T] | Sequence[float] | Sequence[int]) -> None:
        size = self._size + len(values)
        if size > len(self._buffer):
            # views that were handed out keep the old buffer
            grown = np.empty(max(size, 2 * len(self._buffer)), dtype=self._buffer.dtype)
            grown[: self._size] = self._buffer[: self._size]
            self._buffer = grown
        self._buffer[self._size : size] = values
        self._size = size

    def view(self) -> NDArray[T]:
        return self._buffer[: self._size]


def _floats() -> Growing[np.float64]:
    return Growing(np.float64)


def _ints() -> Growing[np.int64]:
    return Growing(np.int64)


_PRICES = ("open", "high", "low", "close", "volume")


@dataclass(slots=True)
class BarSeries:
    """The bars of one instrument so far."""

    symbol: str
    period: int
    has_quotes: bool
    time: Growing[np.int64] = field(default_factory=_ints)
    rows: Growing[np.int64] = field(default_factory=_ints)
    values: dict[str, Growing[np.float64]] = field(default_factory=dict)
    last: int | None = None  # the start of the newest

    def __post_init__(self) -> None:
        self.values = {name: _floats() for name in (*_PRICES, *(("bid", "ask") if self.has_quotes else ()))}

    def fits(self, bar: Bar) -> bool:
        """Whether a bar comes after all that are there, at an instant at which bars of the period start."""
        is_start = bucket_start(bar.start, self.period) == bar.start
        return is_start and (self.last is None or bar.start > self.last)

    def extend(self, bars: Sequence[Bar]) -> None:
        """Takes bars that fit, in their order."""
        size = len(self.rows.view())
        self.time.extend([bar.start for bar in bars])
        self.rows.extend(range(size, size + len(bars)))
        for name, values in self.values.items():
            values.extend([np.nan if (value := getattr(bar, name)) is None else value for bar in bars])
        self.last = bars[-1].start

    def bars(self) -> Bars:
        time, found = self.time.view(), {name: values.view() for name, values in self.values.items()}
        return Bars(
            symbol=self.symbol,
            period=self.period,
            time=time,
            open=found["open"],
            high=found["high"],
            low=found["low"],
            close=found["close"],
            volume=found["volume"],
            bid=found.get("bid"),
            ask=found.get("ask"),
            source=f"{self.symbol}.csv",
            rows=self.rows.view(),
        )
