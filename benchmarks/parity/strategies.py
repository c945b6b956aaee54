"""The strategies that all three can say, in tb's words, and the markets they run on.

Levels are those of hourly crypto; a quieter market gets them scaled, so that stops and targets are met there too.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FEE = 0.001
CASH = 100_000_000  # large, so that whole units say a share of equity finely enough
SHARE = 0.05
RECORDED = Path(__file__).resolve().parents[2].parent / "shared" / "data"


@dataclass(frozen=True)
class Strategy:
    """`stop` and `target` in bps of the price paid, `hold` in bars; `signals` is the name of the peers' own computation.

    `entries` and `exits` are conditions by side. `share` is a part of equity for the size; without it the size is fixed.
    """

    name: str
    signals: str
    entries: dict[str, str]
    exits: dict[str, str]
    stop: int | None
    target: int | None
    hold: int | None = None
    share: float | None = None


UPPER = "bollinger(close, 20, 2).upper"
MACD = "macd(close).line crosses {} macd(close).signal"
CROSS = "sma(close, 20) crosses above sma(close, 50)"
STRATEGIES = (
    Strategy("SMA cross", "sma_cross", {"long": CROSS}, {}, 200, 500),
    Strategy("SMA cross, 5% of equity", "sma_cross", {"long": CROSS}, {}, 200, 500, share=SHARE),
    Strategy(
        "RSI reversion", "rsi_long", {"long": "rsi(close, 14) crosses below 30"}, {"long": "rsi(close, 14) > 55"}, 300, 400
    ),
    Strategy(
        "RSI reversion, short",
        "rsi_short",
        {"short": "rsi(close, 14) crosses above 70"},
        {"short": "rsi(close, 14) < 45"},
        300,
        400,
    ),
    Strategy(
        "Donchian breakout",
        "donchian",
        {"long": "close > donchian(20).upper[1]"},
        {"long": "close < donchian(10).lower[1]"},
        200,
        None,
    ),
    Strategy(
        "MACD, long and short",
        "macd",
        {"long": MACD.format("above"), "short": MACD.format("below")},
        {"long": MACD.format("below"), "short": MACD.format("above")},
        200,
        600,
    ),
    Strategy("Bollinger reversion, short", "bollinger_cross", {"short": f"close crosses above {UPPER}"}, {}, 150, 150),
    Strategy("above Bollinger, narrow", "bollinger", {"short": f"close > {UPPER}"}, {}, 40, 40),
    Strategy("held 24 bars", "above_average", {"long": "close crosses above sma(close, 50)"}, {}, None, None, hold=24),
)


@dataclass(frozen=True)
class Place:
    """A recorded market; `scale` makes levels out of those of hourly crypto, in percent."""

    folder: str
    symbol: str
    scale: int


PLACES = (
    Place("crypto_1h", "BTC-USD", 100),
    Place("crypto_1h", "ETH-USD", 100),
    Place("crypto_1h", "DOGE-USD", 200),
    Place("crypto_5m", "BTC-USD", 30),
    Place("crypto_5m", "XRP-USD", 50),
    Place("crypto_1m", "ADA-USD", 20),
    Place("fx_1h", "EUR_USD", 15),
    Place("fx_1h", "GBP_USD", 15),
    Place("fx_15m", "EUR_USD", 10),
)


def scaled(bps: int | None, place: Place) -> int | None:
    return None if bps is None else bps * place.scale // 100
