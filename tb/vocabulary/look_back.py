"""How many bars a function looks at, and how long a recursive function remembers its start."""

from __future__ import annotations

import math

from tb.vocabulary.function import Constants

LONGEST_WINDOW = 100_000  # bars; bounds the memory a rule can ask for
_FADED = 1e-6  # a start with less weight than this no longer matters


def one(_constants: Constants) -> int:
    return 1


def two(_constants: Constants) -> int:
    return 2


def bars(constants: Constants) -> int:
    """The window given as the first constant."""
    return int(constants[0])


def bars_and_previous(constants: Constants) -> int:
    """The window and the bar before it: n changes need n + 1 values."""
    return int(constants[0]) + 1


def hull(constants: Constants) -> int:
    n = int(constants[0])
    return n + int(math.sqrt(n)) - 1


def stochastic(constants: Constants) -> int:
    n, k, d = constants
    return int(n) + int(k) + int(d) - 2


def macd(constants: Constants) -> int:
    fast, slow, signal = constants
    return int(max(fast, slow)) + int(signal) - 1


def adx(constants: Constants) -> int:
    return 2 * int(constants[0])


def _fading(weight: float) -> int:
    """Bars until what went before has faded, where every new bar gets `weight`."""
    return 0 if weight >= 1.0 else math.ceil(math.log(_FADED) / math.log(1.0 - weight))


def ema_fades(constants: Constants) -> int:
    return bars(constants) + _fading(2.0 / (bars(constants) + 1))


def rma_fades(constants: Constants) -> int:
    return bars(constants) + _fading(1.0 / bars(constants))


def wilder_fades(constants: Constants) -> int:
    return bars_and_previous(constants) + _fading(1.0 / bars(constants))


def macd_fades(constants: Constants) -> int:
    fast, slow, signal = constants
    return macd(constants) + _fading(2.0 / (max(fast, slow) + 1)) + _fading(2.0 / (signal + 1))


def adx_fades(constants: Constants) -> int:
    return adx(constants) + 2 * _fading(1.0 / bars(constants))
