"""Where entries may be proposed: every bar at which an entry's condition holds inside its universe, by its close.

They stay columns: a replay that passes over most of them makes no object for these. `places` are those of the instants among
all instants of the replay, each once.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tb.engine.plan import Plan
from tb.replay.places import are_same
from tb.runtime.drafts import Ready
from tb.runtime.entry_states import TRUE
from tb.runtime.view import RecordedView

KEPT = 1024  # instants whose entries are kept as objects


class Candidates(Mapping[int, Sequence[Ready]]):
    """By instant; within an instant in the order of strategies, instruments and entries, which is that of `states`."""

    def __init__(
        self,
        plan: Plan,
        view: RecordedView,
        states: Mapping[tuple[int, int, str], NDArray[np.uint8]],
        instants: NDArray[np.int64],
    ) -> None:
        self._keys = list(states)
        rows, places, keys = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
        for number, ((at, _, symbol), state) in enumerate(states.items()):
            rows.append(np.flatnonzero(state == TRUE))
            closes = view.markets.closes(symbol, plan.strategies[at].period)
            places.append(rows[-1] if are_same(closes, instants) else instants.searchsorted(closes[rows[-1]]))
            keys.append(np.full(len(rows[-1]), number, dtype=np.int64))
        place = np.concatenate(places)
        order = np.argsort(place, kind="stable") if len(states) > 1 else slice(None)
        # of each entry, in the order in which a session is asked: its place, which of the states it is of, its row
        self.place, self.number, self.row = place[order], np.concatenate(keys)[order], np.concatenate(rows)[order]
        is_first = np.ones(len(place), dtype=np.bool_)
        is_first[1:] = self.place[1:] != self.place[:-1]
        self._begins = np.flatnonzero(is_first)
        self.places = self.place[self._begins]
        self.listed: list[int] = self.places.tolist()
        self.instants = instants[self.places]
        self._made: dict[int, Sequence[Ready]] = {}

    def __len__(self) -> int:
        return len(self.instants)

    def __iter__(self) -> Iterator[int]:
        return iter(self.instants.tolist())

    def __getitem__(self, instant: int) -> Sequence[Ready]:
        place = int(self.instants.searchsorted(instant))
        if place == len(self.instants) or self.instants[place] != instant:
            raise KeyError(instant)
        return self.numbered(place)

    def at(self, place: int) -> Sequence[Ready]:
        """Those of the instant at a place among all instants; mostly there are none."""
        number = bisect_left(self.listed, place)
        return self.numbered(number) if number < len(self.listed) and self.listed[number] == place else ()

    def numbered(self, which: int) -> Sequence[Ready]:
        """Those of the instant that is that one of `listed`. The same are asked for again and again."""
        found = self._made.get(which)
        if found is None:
            if len(self._made) >= KEPT:
                self._made.clear()
            end = int(self._begins[which + 1]) if which + 1 < len(self._begins) else len(self.row)
            found = self._made[which] = [self._ready(number) for number in range(int(self._begins[which]), end)]
        return found

    def _ready(self, number: int) -> Ready:
        at, which, symbol = self._keys[int(self.number[number])]
        return Ready(at, which, symbol, int(self.row[number]))
