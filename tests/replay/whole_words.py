"""What whole projects are written with: drawn words, and the conditions of the market that rules and policy read alike.

In templates `{a|b}` is one of them, `[a|b|c]` too: the last is the loosest bound, mostly taken where most has to pass.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

PRICES = """close|open|high|low|mid|close[1]|sma(close, N)|ema(close, N)|highest(high, N)[1]|lowest(low, N)[1]
sma(close, N)@COARSE|vwap(5)|day_vwap()""".replace("\n", "|").split("|")
CONDITIONS = """
close > PRICE
close < PRICE
close crosses {above|below} PRICE
rsi(close, N) {<|>} {30|50|70}
rsi(close, N)@COARSE in 20..80
(rsi(close, N) of FIRST)@COARSE > 50
volume {>|>=} {volume[1]|mean(volume, 5)|1.5 * mean(volume, 3)}
change(close, N) {<|>} {0%|0.5%|-0.5%}
change(close of FIRST, 2) > 0%
zscore(close, N) < {0|1}
atr(3) / close < {1%|2%}
(close > open) for {2 bars|PERIOD}
(volume > volume[1]) within {3 bars|4h}
hour {in 8..16|>= 3|not in 22..23}
weekday {< 5|!= 2}
day_number {> 19_000|< 19_000}
spread < {10bps|1%}
depth(10bps) > {1k USD|20k USD}
missing_bars == {0|1}
(close > close[1]) of FIRST
(close > sma(close, N))@COARSE
close@COARSE > close
macd(close, 3, 6, 3).{histogram|line} > 0
correlation(change(close), change(close of FIRST), 5) > {0|0.5}
bars_since(close > highest(close, 3)[1], 8) <= {2|5}
count(close > open, 4) >= {2|3}
volume_usd(5) > {0 USD|500 USD}
volume > 0
close == close[1]
{2 > 1|1 > 2|close - close == 0|hour / 0 > 1|log(volume / volume) == 0}
{engulfing().bullish|doji()|high > high[1]|streak(close) >= 2}
""".strip().splitlines()
SELDOM = """
rsi(close, N) > 97
rsi(close, N)@COARSE < 4
abs(change(close, N)) > 4%
volume > 12 * mean(volume, 5)
missing_bars > 2
spread > 60bps
(close > 1.04 * close[1]) of FIRST
abs(zscore(close, N)) > 3
close > 1.05 * open
atr(3) / close > 6%
hour == 23
(rsi(close, N) > 85) for 3 bars
close crosses above 1.03 * sma(close, N)
correlation(change(close), change(close of FIRST), 9) < -0.95
volume == 0
streak(close) > 6
depth(10bps) < 1k USD
""".strip().splitlines()
COARSER = {"1h": ("2h", "4h", "1d"), "15m": ("1h", "4h"), "5m": ("15m", "1h")}
ZONES = ("UTC", "UTC", "America/New_York", "Europe/London", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia")
_CHOICE = re.compile(r"\{([^{}]*\|[^{}]*)\}|\[([^\[\]{}]*\|[^\[\]{}]*)\]")
_WORD = re.compile(r"\b[A-Z]{1,9}\b(?![-/])")


@dataclass
class Words:
    """Of one project. `likely` is how readily it says what it need not. `plain` says nothing that keeps a replay from passing
    over whole trades, and `tame` has few entries besides, which policy seldom refuses."""

    source: Random
    likely: float
    plain: bool
    tame: bool
    symbols: tuple[str, ...]
    period: str
    zone: str
    tiers: list[str] = field(default_factory=list)
    strategies: list[str] = field(default_factory=list)

    def pick(self, *of: str) -> str:
        return self.source.choice(of)

    def bound(self, *of: str) -> str:
        """The last is the loosest."""
        return of[-1] if self.tame and self.may(0.85) else self.pick(*of)

    def some(self, of: Sequence[str], most: int) -> list[str]:
        return self.source.sample(list(of), min(len(of), self.source.randint(0, most)))

    def may(self, chance: float | None = None) -> bool:
        return self.source.random() < (self.likely if chance is None else chance)

    def written(self, template: str) -> str:
        """A template with all its choices made."""
        while found := _CHOICE.search(template):
            either, bound = found.groups()
            chosen = self.pick(*either.split("|")) if either is not None else self.bound(*bound.split("|"))
            template = template[: found.start()] + chosen + template[found.end() :]
        return _WORD.sub(lambda word: self.word(word.group()), template)

    def word(self, word: str) -> str:
        match word:
            case "N":
                return self.pick("2", "3", "5", "14")
            case "PRICE":
                return self.written(self.source.choice(PRICES))
            case "COARSE":
                return self.source.choice(COARSER[self.period])
            case "PERIOD":
                return self.period
            case "FIRST":
                return self.symbols[0]
            case "SYMBOL":
                return self.source.choice(self.symbols)
            case "TIER":
                return self.source.choice(self.tiers)
            case "STRATEGY":
                return self.source.choice(self.strategies)
            case "CONDITION":
                return self.condition(0)
            case "BAD":
                return self.bad()
            case "GOOD":
                return f"not ({self.bad()})" if self.tame else self.condition()
            case _:
                return word

    def condition(self, depth: int = 1) -> str:
        """Of the market alone."""
        one = self.written(self.source.choice(CONDITIONS))
        if depth and self.may(0.4):
            return f"({one}) {self.pick('and', 'or', 'and not')} ({self.condition(depth - 1)})"
        return one

    def bad(self) -> str:
        """What to refuse by: seldom true where most has to pass."""
        return self.written(self.source.choice(SELDOM)) if self.tame and self.may(0.9) else self.condition(0)
