"""What a run noted of an entry at each bar, out of its `Quiet` records."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from tb.core.records import Quiet
from tb.replay.stopped.model import States
from tb.runtime.entry_states import BUSY, COOLING, FALSE, HELD_BACK, OUTSIDE, TRUE, UNKNOWN

Bytes = NDArray[np.uint8]
NOT_NOTED = 255  # a bar of which the run says nothing, such as one after it was interrupted


def noted(quiet: Iterable[Quiet], strategy: str, symbol: str, which: int, closes: NDArray[np.int64]) -> Bytes | None:
    """One state for each bar of the instrument in the strategy's period; None where the run noted none of them."""
    found = None
    for record in quiet:
        if record.strategy != strategy or record.instrument != symbol:
            continue
        found = np.full(len(closes), NOT_NOTED, dtype=np.uint8) if found is None else found
        states = np.frombuffer(zlib.decompress(record.states), dtype=np.uint8)[which * record.rows :][: record.rows]
        first = int(np.searchsorted(closes, record.first))
        count = min(record.rows, len(closes) - first)
        found[first : first + count] = states[:count]
    return found


def counted(states: Bytes, then: Bytes | None) -> States:
    """`states` as found now, and as noted then."""
    if then is not None:
        then = np.where(then == HELD_BACK, BUSY, then).astype(np.uint8)  # nothing could be proposed either
    blocked = {kind: np.zeros(len(states), dtype=np.bool_) if then is None else then == kind for kind in (BUSY, COOLING)}
    either = blocked[BUSY] | blocked[COOLING]
    differing = np.zeros(len(states), dtype=np.bool_)
    if then is not None:
        differing = (np.where(either, TRUE, then) != states) & (then != NOT_NOTED)
    kinds = {"false": FALSE, "unknown": UNKNOWN, "outside": OUTSIDE}
    return States(
        bars=len(states),
        held=int(np.count_nonzero((states == TRUE) & ~either)),
        busy=int(np.count_nonzero(blocked[BUSY])),
        cooling=int(np.count_nonzero(blocked[COOLING])),
        differing=int(np.count_nonzero(differing)),
        **{name: int(np.count_nonzero((states == kind) & ~either)) for name, kind in kinds.items()},
    )
