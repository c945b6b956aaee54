"""What a function of the rule language is: signature, unit, look-back, range, kernel and reference.

A function is windowed or recursive.

Windowed: each output depends on the last `window(constants)` inputs and nothing else. Its kernel gets the chunk with the
window's earlier inputs already in front of it, so it carries no state and never drifts. Every value of the window counts
(`highest`), or the first and the last alone (`change`): the function's doc says which.

Recursive: each output depends on all earlier inputs through a small state. Its kernel changes that state in place.

Both kinds have one compiled signature (all float64, C-contiguous):

    kernel(state[s], constants[c], inputs[i, n], outputs[o, m]) -> None

For a windowed kernel n = window - 1 + m and state is empty; for a recursive one n = m, and a state of zeros is a fresh one.
Inputs are the implicit fields in their order, then the series arguments. NaN means "unknown": an output whose inputs hold a
NaN is NaN; a recursive kernel that meets NaN starts its warm-up anew after it. An infinite input counts as NaN, and kernels
never write an infinity. All outputs of a function leave its warm-up at the same bar.

This module and the catalogue import neither numpy nor numba, so that a linter starts fast; a kernel is named by `kernel` and
fetched by `tb.vocabulary.kernels.load`.

INVARIANT: results do not depend on how the bars are cut into chunks, bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tb.core.units import Kind, Unit

Constants = tuple[float, ...]
# reference(constants, inputs) -> outputs, over whole histories as plain lists of floats, NaN for unknown
Reference = Callable[[Constants, list[list[float]]], list[list[float]]]
Kernel = Callable[[Any, Any, Any, Any], None]
Range = tuple[float | None, float | None]  # None where open


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument of a function.

    A series parameter takes a value for each bar and accepts the kinds listed (empty: any numeric kind). A constant parameter
    (`is_constant`) must be known before the run: a number, a parameter, a count of bars or, where `is_window`, a duration,
    which becomes a count of bars of the rule's period. `default` is used where the argument is left out: a number for a
    constant, the name of a market field (`close`) for a series. `low` and `high` bound a constant.
    """

    name: str
    is_constant: bool = False
    is_window: bool = False
    kinds: tuple[Kind, ...] = ()
    default: float | str | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Function:
    """One entry of the vocabulary.

    `implicit` names market fields (`high`, `low`, `close`, `volume`, ...) that the kernel reads before the series arguments and
    that the user does not write: `atr(14)` reads high, low and close. `unit` gives the unit of every output from the units of
    the series arguments (in order, implicit ones not counted). `window(constants)` is how many bars an output looks at; for a
    recursive function it is the first bar (1-based) with a value. `state(constants)` is the number of floats of state (None:
    windowed).
    `unstable(constants)` is the bar (1-based) from which the weight of a recursive function's start is under one millionth;
    a recursive function without it never forgets its start. `output_range` bounds the outputs, None where open (bars are taken
    to be well formed: low <= close <= high); `ranges` bounds each of several outputs where they differ. `kernel` is
    "module:function" below `tb.vocabulary.kernels`. `source` names where the formula comes from.
    """

    name: str
    family: str
    parameters: tuple[Parameter, ...]
    unit: Callable[[Sequence[Unit]], Unit]
    window: Callable[[Constants], int]
    kernel: str
    reference: Reference
    doc: str
    source: str
    example: str
    implicit: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ("value",)
    state: Callable[[Constants], int] | None = None
    unstable: Callable[[Constants], int] | None = None
    output_range: Range = (None, None)
    ranges: tuple[Range, ...] | None = None

    def range_of(self, output: int) -> Range:
        """The bounds of one output."""
        return self.output_range if self.ranges is None else self.ranges[output]

    @property
    def is_recursive(self) -> bool:
        return self.state is not None

    @property
    def series(self) -> tuple[Parameter, ...]:
        """The arguments that take a value for each bar, in order: the units given to `unit`."""
        return tuple(p for p in self.parameters if not p.is_constant)

    @property
    def constants(self) -> tuple[Parameter, ...]:
        """The arguments known before the run, in order: the `constants` of the kernel."""
        return tuple(p for p in self.parameters if p.is_constant)
