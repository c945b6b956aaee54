"""Where entries may be proposed: every bar at which an entry's condition holds inside its universe, by its close.

They stay columns: a replay that passes over most of them makes no object for these.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tb.engine.plan import Plan
from tb.runtime.drafts import Ready
from tb.runtime.entry_states import TRUE
from tb.runtime.view import RecordedView


class Candidates(Mapping[int, Sequence[Ready]]):
    """By instant; within an instant in the order of strategies, instruments and entries, which is that of `states`."""

    def __init__(self, plan: Plan, view: RecordedView, states: Mapping[tuple[int, int, str], NDArray[np.uint8]]) -> None:
        self._keys = list(states)
        rows, closes, keys = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
        for number, ((at, _, symbol), state) in enumerate(states.items()):
            rows.append(np.flatnonzero(state == TRUE))
            closes.append(view.markets.bars(symbol, plan.strategies[at].period).closes[rows[-1]])
            keys.append(np.full(len(rows[-1]), number, dtype=np.int64))
        close = np.concatenate(closes)
        order = np.argsort(close, kind="stable")
        self._rows, self._of = np.concatenate(rows)[order], np.concatenate(keys)[order]
        self.instants, self._begins = np.unique(close[order], return_index=True)

    def __len__(self) -> int:
        return len(self.instants)

    def __iter__(self) -> Iterator[int]:
        return iter(self.instants.tolist())

    def __getitem__(self, instant: int) -> Sequence[Ready]:
        place = int(self.instants.searchsorted(instant))
        if place == len(self.instants) or self.instants[place] != instant:
            raise KeyError(instant)
        end = int(self._begins[place + 1]) if place + 1 < len(self._begins) else len(self._rows)
        return [self._ready(number) for number in range(int(self._begins[place]), end)]

    def _ready(self, number: int) -> Ready:
        at, which, symbol = self._keys[int(self._of[number])]
        return Ready(at, which, symbol, int(self._rows[number]))
