"""Functions of one bar. Definitions: `tb.vocabulary.pointwise`.

The loops call the same library as Python's `math`; NumPy's own log and exp differ from it in the last bit.
"""

from __future__ import annotations

import math
from typing import Any

from tb.vocabulary.kernels.compiled import compiled, part

NAN = math.nan


@compiled
def absolute(inputs: Any, output: Any) -> None:
    for i in range(output.shape[0]):
        output[i] = abs(inputs[0, i]) if math.isfinite(inputs[0, i]) else NAN


@part
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


@compiled
def least(inputs: Any, output: Any) -> None:
    _best(inputs, -1.0, output)


@compiled
def greatest(inputs: Any, output: Any) -> None:
    _best(inputs, 1.0, output)


@compiled
def sign(inputs: Any, output: Any) -> None:
    for i in range(output.shape[0]):
        x = inputs[0, i]
        if not math.isfinite(x):
            output[i] = NAN
        elif x > 0.0:
            output[i] = 1.0
        else:
            output[i] = -1.0 if x < 0.0 else 0.0


@compiled
def logarithm(inputs: Any, output: Any) -> None:
    for i in range(output.shape[0]):
        x = inputs[0, i]
        output[i] = math.log(x) if math.isfinite(x) and x > 0.0 else NAN


@compiled
def exponential(inputs: Any, output: Any) -> None:
    for i in range(output.shape[0]):
        x = inputs[0, i]
        value = math.exp(x) if math.isfinite(x) else NAN
        output[i] = value if math.isfinite(value) else NAN


@compiled
def root(inputs: Any, output: Any) -> None:
    for i in range(output.shape[0]):
        x = inputs[0, i]
        output[i] = math.sqrt(x) if math.isfinite(x) and x >= 0.0 else NAN
