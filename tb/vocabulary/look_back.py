"""How many bars a function looks at, and how long a recursive function remembers its start."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

from tb.vocabulary.function import Constants

LONGEST_WINDOW = 100_000  # bars; bounds the memory a rule can ask for
_FADED = 1e-6  # a start with less weight than this no longer matters


@cache
def exactly(count: int) -> Callable[[Constants], int]:
    """So many bars, whatever the constants; the same function for the same count."""
    return lambda _constants: count


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


def bars_and_lag(constants: Constants) -> int:
    n, lag = constants
    return int(n) + int(lag)


def twice(constants: Constants) -> int:
    """n windows of n bars."""
    return 2 * bars(constants) - 1


def chaikin(constants: Constants) -> int:
    n, back = constants
    return int(n) + int(back)


def mass_index(constants: Constants) -> int:
    n, smooth = constants
    return int(n) + 2 * int(smooth) - 2


def adxr(constants: Constants) -> int:
    return 3 * bars(constants) - 1


def ichimoku(constants: Constants) -> int:
    """The cloud is of `medium` - 1 bars ago."""
    return longest(constants) + int(constants[1]) - 1


def longest(constants: Constants) -> int:
    """The longest of the windows given."""
    return int(max(constants))


def longest_and_previous(constants: Constants) -> int:
    return longest(constants) + 1


def stochastic(constants: Constants) -> int:
    n, k, d = constants
    return int(n) + int(k) + int(d) - 2


def macd(constants: Constants) -> int:
    fast, slow, signal = constants
    return int(max(fast, slow)) + int(signal) - 1


def detrended(constants: Constants) -> int:
    n = int(constants[0])
    return max(n, n // 2 + 2)


def coppock(constants: Constants) -> int:
    n, first, second = constants
    return int(n + max(first, second))


def know_sure(constants: Constants) -> int:
    return 44 + int(constants[0])


def second_average(constants: Constants) -> int:
    """The first value of the average of an average."""
    return 2 * bars(constants) - 1


def third_average(constants: Constants) -> int:
    return 3 * bars(constants) - 2


def third_average_and_previous(constants: Constants) -> int:
    return 3 * bars(constants) - 1


def sixth_average(constants: Constants) -> int:
    return 6 * bars(constants) - 5


def strength_index(constants: Constants) -> int:
    slow, fast = constants
    return int(slow) + int(fast)


def stochastic_rsi(constants: Constants) -> int:
    n, length, k, d = constants
    return int(n) + int(length) + int(k) + int(d) - 2


def led(constants: Constants) -> int:
    """n values that each look (n - 1) / 2 bars back."""
    n = bars(constants)
    return n + (n - 1) // 2


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


def second_average_fades(constants: Constants) -> int:
    return second_average(constants) + 2 * _fading(2.0 / (bars(constants) + 1))


def third_average_fades(constants: Constants) -> int:
    return third_average_and_previous(constants) + 3 * _fading(2.0 / (bars(constants) + 1))


def sixth_average_fades(constants: Constants) -> int:
    return sixth_average(constants) + 6 * _fading(2.0 / (bars(constants) + 1))


def longest_fades(constants: Constants) -> int:
    return longest(constants) + _fading(2.0 / (longest(constants) + 1))


def strength_index_fades(constants: Constants) -> int:
    return strength_index(constants) + sum(_fading(2.0 / (int(n) + 1)) for n in constants)


def stochastic_rsi_fades(constants: Constants) -> int:
    return stochastic_rsi(constants) + _fading(1.0 / bars(constants))


def led_fades(constants: Constants) -> int:
    return led(constants) + _fading(2.0 / (bars(constants) + 1))


def adaptive_fades(constants: Constants) -> int:
    """As slowly as where every bar is noise."""
    weight = 2.0 / (constants[2] + 1.0)
    return bars_and_previous(constants) + _fading(weight * weight)


def fisher_fades(constants: Constants) -> int:
    return bars_and_previous(constants) + _fading(1.0 - 0.67) + _fading(0.5)


def ema_after_previous_fades(constants: Constants) -> int:
    return bars_and_previous(constants) + _fading(2.0 / (bars(constants) + 1))


def chaikin_fades(constants: Constants) -> int:
    return chaikin(constants) + _fading(2.0 / (bars(constants) + 1))


def mass_index_fades(constants: Constants) -> int:
    return mass_index(constants) + 2 * _fading(2.0 / (int(constants[1]) + 1))


def adxr_fades(constants: Constants) -> int:
    return adxr(constants) + 2 * _fading(1.0 / bars(constants))


def halves(_constants: Constants) -> int:
    """Half of what a bar remembers is gone at the next."""
    return one(()) + _fading(0.5)
