"""Functions of one bar. Definitions: `tb.vocabulary.pointwise`.

The loops call the same library as Python's `math`; NumPy's own log and exp differ from it in the last bit.
"""

from __future__ import annotations

import math
from typing import Any

from numba import njit

NAN = math.nan


@njit(cache=True, nogil=True, error_model="numpy")
def absolute(inputs: Any, output: Any) -> None:
    for i in range(output.shape[0]):
        output[i] = abs(inputs[0, i]) if math.isfinite(inputs[0, i]) else NAN


@njit(cache=True, nogil=True, error_model="numpy")
def _best(inputs: Any, sign: float, output: Any) -> None:
    for i in range(output.shape[0]):
        best = inputs[0, i]
        is_known = math.isfinite(best)
        for row in range(1, inputs.shape[0]):
            x = inputs[row, i]
            is_known = is_known and math.isfinite(x)
            if sign * x > sign * best:
                best = x
        output[i] = best if is_known else NAN


@njit(cache=True, nogil=True, error_model="numpy")
def least(inputs: Any, output: Any) -> None:
    _best(inputs, -1.0, output)


@njit(cache=True, nogil=True, error_model="numpy")
def greatest(inputs: Any, output: Any) -> None:
    _best(inputs, 1.0, output)


@njit(cache=True, nogil=True, error_model="numpy")
def sign(inputs: Any, output: Any) -> None:
    for i in range(output.shape[0]):
        x = inputs[0, i]
        if not math.isfinite(x):
            output[i] = NAN
        elif x > 0.0:
            output[i] = 1.0
        else:
            output[i] = -1.0 if x < 0.0 else 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def logarithm(inputs: Any, output: Any) -> None:
    for i in range(output.shape[0]):
        x = inputs[0, i]
        output[i] = math.log(x) if math.isfinite(x) and x > 0.0 else NAN


@njit(cache=True, nogil=True, error_model="numpy")
def exponential(inputs: Any, output: Any) -> None:
    for i in range(output.shape[0]):
        x = inputs[0, i]
        value = math.exp(x) if math.isfinite(x) else NAN
        output[i] = value if math.isfinite(value) else NAN


@njit(cache=True, nogil=True, error_model="numpy")
def root(inputs: Any, output: Any) -> None:
    for i in range(output.shape[0]):
        x = inputs[0, i]
        output[i] = math.sqrt(x) if math.isfinite(x) and x >= 0.0 else NAN
