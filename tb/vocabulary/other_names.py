"""What other libraries call a function, and how tb says it: the hint for a name that is not there.

INVARIANT: no name of this table is a name of the vocabulary, and every expression of it is one that rules can say.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_PREFIXES = ("ta.", "talib.", "tulip.", "math.", "np.", "pd.")

# TA-Lib, Pine, pandas-ta, MetaTrader
_SAID: Mapping[str, str] = MappingProxyType(
    {
        "ma": "sma(close, 20)",
        "moving_average": "sma(close, 20)",
        "smma": "rma(close, 14)",
        "wilders": "rma(close, 14)",
        "wilder": "rma(close, 14)",
        "lsma": "linreg(close, 20)",
        "tsf": "forecast(close, 20)",
        "linearreg": "linreg(close, 20)",
        "linearreg_slope": "slope(close, 20)",
        "linearreg_angle": "angle(rsi(close, 14), 10)",
        "linearreg_intercept": "intercept(close, 20)",
        "midprice": "donchian(20).middle",
        "bbands": "bollinger(close, 20, 2)",
        "bb": "bollinger(close, 20, 2)",
        "bbw": "bollinger_width(close)",
        "bandwidth": "bollinger_width(close)",
        "percent_b": "bollinger_percent(close)",
        "kc": "keltner(20, 1.5)",
        "stoch": "stochastic(14, 3, 3).k",
        "stochf": "stochastic(14, 1, 3).k",
        "stochrsi": "stochastic_rsi(close).k",
        "willr": "williams_r(14)",
        "wpr": "williams_r(14)",
        "ultosc": "ultimate(7, 14, 28)",
        "uo": "ultimate(7, 14, 28)",
        "ao": "awesome()",
        "mom": "momentum(close, 10)",
        "rocp": "roc(close, 10)",
        "pct_change": "change(close)",
        "plus_di": "adx(14).plus_di",
        "minus_di": "adx(14).minus_di",
        "dmi": "adx(14)",
        "aroonosc": "aroon(25).oscillator",
        "sar": "psar(0.02, 0.2)",
        "parabolic_sar": "psar(0.02, 0.2)",
        "kijun": "ichimoku().base",
        "tenkan": "ichimoku().conversion",
        "trange": "true_range()",
        "tr": "true_range()",
        "average_true_range": "atr(14)",
        "stddev": "stdev(close, 20)",
        "std": "stdev(close, 20)",
        "var": "variance(change(close), 20)",
        "hv": "volatility(close, 24)",
        "historical_volatility": "volatility(close, 24)",
        "chop": "choppiness(14)",
        "er": "efficiency_ratio(close, 10)",
        "adl": "ad()",
        "chaikin": "adosc(3, 10)",
        "eom": "ease_of_movement(14)",
        "emv": "ease_of_movement(14)",
        "efi": "force_index(13)",
        "pvo": "ppo(volume)",
        "sum": "total(volume, 24)",
        "rolling_max": "highest(high, 24)",
        "rolling_min": "lowest(low, 24)",
        "hhv": "highest(high, 24)",
        "llv": "lowest(low, 24)",
        "maxindex": "bars_since_highest(high, 24)",
        "highestbars": "bars_since_highest(high, 24)",
        "minindex": "bars_since_lowest(low, 24)",
        "lowestbars": "bars_since_lowest(low, 24)",
        "correl": "correlation(change(close), change(close of BTC-USD), 100)",
        "corr": "correlation(change(close), change(close of BTC-USD), 100)",
        "percentrank": "percentile(close, 100)",
        "percent_rank": "percentile(close, 100)",
        "rank": "percentile(close, 100)",
        "avgdev": "mean_deviation(close, 20)",
        "barssince": "bars_since(close > highest(high, 24)[1], 48)",
        "crossover": "ema(close, 20) crosses above ema(close, 50)",
        "crossunder": "ema(close, 20) crosses below ema(close, 50)",
        "cross": "ema(close, 20) crosses above ema(close, 50)",
        "rising": "streak(close) >= 3",
        "falling": "streak(close) <= -3",
        "delta": "momentum(close, 1)",
        "diff": "momentum(close, 1)",
        "piercing": "piercing_line()",
        "bullish_engulfing": "engulfing().bullish",
        "bearish_engulfing": "engulfing().bearish",
    }
)


def said_as(name: str, known: Mapping[str, str]) -> str | None:
    """How tb says what another library calls `name`; `known` are examples by the names that tb has. None where nobody knows."""
    lowered = name.lower()
    for prefix in _PREFIXES:
        lowered = lowered.removeprefix(prefix)
    if lowered.startswith("cdl"):
        lowered = lowered.removeprefix("cdl").replace("3", "three_")
        squeezed = {other.replace("_", ""): other for other in known}
        lowered = squeezed.get(lowered.replace("_", ""), lowered)
    if lowered in known and lowered != name:
        return known[lowered]
    return _SAID.get(lowered)
