"""Comparisons and logic over many bars: 1.0 is true, 0.0 false, NaN unknown. Values are [n]."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tb.vocabulary.kernels.compiled import compiled

NAN = math.nan


@compiled
def compared(below: float, equal: float, above: float, left: Any, right: Any, output: Any) -> None:
    """What each of the three cases of left against right gives; unknown where a side is. Where right is one number, it is that
    of all bars."""
    if right.shape[0] == 1:
        y = right[0]
        for i in range(output.shape[0]):
            x = left[i]
            output[i] = below if x < y else equal if x == y else above if x > y else NAN
        return
    for i in range(output.shape[0]):
        x, y = left[i], right[i]
        output[i] = below if x < y else equal if x == y else above if x > y else NAN


@compiled
def joined(deciding: float, left: Any, right: Any, output: Any) -> None:
    """`and` where false (0.0) decides, `or` where true (1.0) does; otherwise unknown where a side is."""
    for i in range(output.shape[0]):
        x, y = left[i], right[i]
        is_decided = (x == deciding) | (y == deciding)
        output[i] = deciding if is_decided else NAN if math.isnan(x) or math.isnan(y) else 1.0 - deciding


@compiled
def in_bytes(values: Any, output: Any) -> None:
    """1 for true, 2 for unknown, 0 for all else."""
    for i in range(output.shape[0]):
        x = values[i]
        output[i] = np.uint8(x == 1.0) | (np.uint8(math.isnan(x)) << np.uint8(1))
