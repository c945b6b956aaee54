"""Where closes stand among the instants of a replay."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def places_of(closes: Ints, instants: Ints) -> Ints:
    """The place of each close among the instants, all of which are there. Both ascend."""
    if len(closes) == len(instants) and np.array_equal(closes, instants):
        return np.arange(len(closes), dtype=np.int64)
    return instants.searchsorted(closes)


def newest_at(closes: Ints, instants: Ints) -> Ints:
    """The number of the newest close at each instant, -1 before the first."""
    if len(closes) == len(instants) and np.array_equal(closes, instants):
        return np.arange(len(closes), dtype=np.int64)
    return closes.searchsorted(instants, side="right") - 1
