"""Where closes stand among the instants of a replay."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def places_of(closes: Ints, instants: Ints) -> Ints:
    """The place of each close among the instants, all of which are there. Both ascend."""
    return np.arange(len(closes), dtype=np.int64) if are_same(closes, instants) else instants.searchsorted(closes)


def newest_at(closes: Ints, instants: Ints) -> Ints:
    """The number of the newest close at each instant, -1 before the first."""
    if are_same(closes, instants):
        return np.arange(len(closes), dtype=np.int64)
    return closes.searchsorted(instants, side="right") - 1


def are_same(closes: Ints, instants: Ints) -> bool:
    """Whether they are the same, so that places need not be looked for."""
    return closes is instants or (len(closes) == len(instants) and np.array_equal(closes, instants))
