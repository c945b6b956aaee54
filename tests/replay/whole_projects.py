"""Whole projects as people write them, drawn from a seed: everything that rules, policy and settings can say, together.

Where `small_runs` draws few words in many orders, this draws many kinds of words at once: regimes, tiers, sessions, feeds,
scores, tables, signals, several strategies and periods in one instrument, legs, quotes, every kind of constraint, controls of
the library, exceptions, books, votes, allocation, advice, foreign currencies, funding, prices from 1e-7 to 1e6. `whole_markets`
draws what they run on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from small_projects import settings_text
from whole_policies import Policies
from whole_rules import Rules
from whole_words import ZONES, Words

from tb.runtime.policy import Compiled, compile_project, project_of

COINS = ("BTC-USD", "ETH-USD", "SOL-USD")
# a price, and the ticks that fit
SCALES = (
    (1e-7, ("0.00000000001", "0.0000000001")),
    (0.004, ("0.000001", "0.0000005")),
    (1.0, ("0.0001", "0.00001", "0.0025")),
    (100.0, ("0.01", "0.01", "0.05", "0.25", "0.1")),
    (2_500.0, ("0.01", "0.5", "0.25", "1")),
    (1_300_000.0, ("1", "5", "0.01")),
)
VENUES = (
    "{fee: 0%, slippage: 0%}",
    "{fee: 10bps, slippage: 5bps, spread: 0bps}",
    "{fee: 20bps, slippage: 7bps, spread: 12bps, depth: 10k USD}",
    "{fee: 0.25%, slippage: 0.3%, spread: 0.5%, depth: 2k USD}",
)


@dataclass(frozen=True)
class Whole:
    """The texts of a project, and what its market has to have: for each instrument a price, and the tick."""

    settings: str
    rules: str
    policy: str
    limits: str
    symbols: tuple[str, ...]
    scales: tuple[float, ...]
    ticks: tuple[str, ...]
    period: str
    feeds: tuple[tuple[str, str], ...]  # names and instruments, none for those of all
    quoted: float  # how likely an instrument has quotes

    def compiled(self) -> Compiled:
        texts = {"tb.yaml": self.settings, "rules/rules.tb": self.rules, "policy/policy.tb": self.policy}
        return compile_project(project_of({**texts, **({"policy/limits.yaml": self.limits} if self.limits else {})}, Path()))

    def __str__(self) -> str:
        parts = {"tb.yaml": self.settings, "rules": self.rules, "policy": self.policy, "limits": self.limits}
        return "\n".join(f"--- {name}\n{text}" for name, text in parts.items())


def whole(seed: int, *, tame: bool = False) -> Whole:
    """The project of a seed; a `tame` one has many whole trades that a replay passes over."""
    source = Random(seed)
    kinds = ((True, True),) if tame else ((False, False), (False, False), (True, False), (True, True), (True, True))
    plain, tame = source.choice(kinds)
    likely, period = source.choice((0.1, 0.3, 0.3, 0.6)), source.choice(("1h", "1h", "1h", "15m", "5m"))
    symbols = COINS[: source.choice((1, 1, 1, 2) if tame else (1, 1, 2, 3))]
    words = Words(source, likely, plain, tame, symbols, period, source.choice(ZONES))
    has_euro = not plain and words.may(0.15)
    words.symbols += ("BTC-EUR",) * has_euro + ("BTC-PERP",) * (not plain and words.may(0.15))
    rules = Rules(words)
    lines = rules.lines(source.choice((1, 1, 1, 2) if tame else (1, 1, 2, 3)))
    policies = Policies(words, rules.has("jump"), not rules.discovers)
    policy = policies.lines()
    found = [source.choice(SCALES) if words.may(0.5) else SCALES[3] for _ in words.symbols]
    scales = tuple(scale for scale, _ in found)
    ticks = tuple(source.choice(of[:1] if tame and words.may(0.9) else of) for _, of in found)
    has_fear = any("feed fear" in line for line in policy)
    return Whole(
        _settings(words, scales, ticks, has_euro=has_euro),
        "\n".join(lines) + "\n",
        "\n".join(policy) + "\n",
        "".join(f"{name}: {value}\n" for name, value in sorted(policies.limits.items())),
        words.symbols + ("EUR_USD",) * has_euro,
        scales + (1.1,) * has_euro,
        ticks + ("0.00001",) * has_euro,
        period,
        (*rules.feeds, *((("fear", ""),) if has_fear else ())),
        0.0 if tame and words.may(0.95) else 0.25,
    )


def _settings(words: Words, scales: Sequence[float], ticks: Sequence[str], *, has_euro: bool) -> str:
    spec = ["default: {tick: 0.01, lot: 0.001, minimum: 1 USD}"]
    for symbol, scale, tick in zip(words.symbols, scales, ticks, strict=True):
        more = words.some(("margin: 20%", "max_quantity: 50", "fee: 25bps", "spread: 4bps"), 2)
        if words.tame:
            more = [part for part in more if not part.startswith(("max", "margin"))] + ["margin: 50%"]
        fine = words.source.choice((1, 2, 5)) + max(0, math.floor(math.log10(scale)))
        lot = "1" if scale < 1e-5 else f"{10.0**-fine:.15f}".rstrip("0").rstrip(".")
        lot = lot if words.tame or words.may(0.5) else words.pick("1", "0.1", "0.25", "0.001", "0.00000001")
        parts = [f"tick: {tick}", f"lot: {lot}", f"minimum: {words.bound('25.5 USD', '10 USD', '1 USD')}", *more]
        spec += [f"{symbol}: {{{', '.join(parts)}}}"]
    return settings_text(
        equity=words.pick("10_000 USD", "10_000 USD", "9_876.543 USD", "3M USD" if words.tame else "250 USD", "3M USD"),
        timezone=words.zone,
        instruments="\n".join(spec),
        venue=words.pick(*VENUES),
        restricted=words.pick("[]", "[]", "[]" if words.tame and words.may(0.8) else f"[{words.symbols[-1]}]"),
        lifted_after=words.pick("", "5h", "2d"),
        rates="{EUR: EUR_USD}" if has_euro else "{}",
        rates_stale_after=words.pick("1h", "6h"),
    )
