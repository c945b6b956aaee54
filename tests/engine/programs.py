"""Hypothesis strategies for well-typed rule and policy texts, and for markets to run them on.

Every text drawn here parses and checks without a finding: the properties are about meaning, not about mistakes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from tb.core.time import HOUR
from tb.dsl.check import check
from tb.dsl.parse import parse
from tb.engine.bars import Bars
from tb.engine.feeds import FeedRows
from tb.engine.markets import Assumptions, Markets
from tb.engine.plan import Plan
from tb.engine.planning import plan

SYMBOLS = ("BTC-USD", "ETH-USD", "SOL-USD")
UNIVERSE = """universe majors on exchange
  tier core BTC-USD, ETH-USD weight 1%..60%
  tier rest SOL-USD
"""
FUNCTIONS = """let between(x, y) = (x + y) / 2
let stretch(x, n) = x / sma(between(x, x[1]), n)
let starts(c) = c and not c[1]
"""
SESSIONS = ("desk", "night")
FEEDS = """feed mood: number in -4..5 every 2h, stale after 4h
feed chatter: ratio per instrument, stale after 3h
feed alarm: truth, stale after 12h
"""
WINDOWED = "sma wma highest lowest median mean stdev slope total".split()
RECURSIVE = "ema rma".split()


def examples(count: int) -> settings:
    """So many examples, and forty times as many where HYPOTHESIS_PROFILE asks to explore."""
    return settings(max_examples=count * (40 if os.environ.get("HYPOTHESIS_PROFILE") == "explore" else 1))


@dataclass(slots=True)
class _Writer:
    """Draws expressions of one type each, as text. `names` are the definitions that may be used, by type."""

    draw: st.DrawFn
    recursive: bool
    names: dict[str, list[str]]
    has_regime: bool = False
    elsewhere: bool = True  # other periods and instruments

    def pick(self, *choices: str) -> str:
        return self.draw(st.sampled_from(choices))

    def bars(self, low: int = 1, high: int = 6) -> int:
        return self.draw(st.integers(low, high))

    def any_of(self, *choices: Callable[[], str]) -> str:
        return self.draw(st.sampled_from(choices))()

    # --- prices ----------------------------------------------------------------------------------------------------

    def price(self, depth: int) -> str:
        leaves = [lambda: self.pick("open", "high", "low", "close", "close", "mid", "bid", "ask")]
        if self.names.get("price"):
            leaves.append(lambda: self.pick(*self.names["price"]))
        if depth <= 0:
            return self.any_of(*leaves)
        inner = depth - 1
        functions = [*WINDOWED, *(RECURSIVE if self.recursive else ())]
        choices = [
            *leaves,
            lambda: f"{self.pick(*functions)}({self.price(inner)}, {self.bars(2)})",
            lambda: f"vwap({self.bars()})",
            lambda: f"({self.price(inner)})[{self.bars(0, 4)}]",
            lambda: f"({self.price(inner)} {self.pick('+', '-')} {self.price(inner)})",
            lambda: f"({self.price(inner)} {self.pick('*', '/')} {self.number(inner)})",
            lambda: f"({self.pick('1%', '25%', '150%')} of {self.price(0)})",
            lambda: f"{self.pick('min', 'max')}({self.price(inner)}, {self.price(inner)})",
            lambda: f"{self.pick('abs', '-', '')}({self.price(inner)})",
            lambda: f"between({self.price(inner)}, {self.price(inner)})",
        ]
        if self.recursive:
            choices += [
                lambda: f"macd({self.price(inner)}, 2, 4, 3).{self.pick('line', 'signal', 'histogram')}",
                lambda: f"atr({self.bars()})",
            ]
        if self.elsewhere:
            choices.append(lambda: f"({self.price(inner)})@{self.pick('2h', '4h')}")
        return self.any_of(*choices)

    # --- numbers and ratios ----------------------------------------------------------------------------------------

    def number(self, depth: int) -> str:
        leaves = [lambda: self.pick("1.5", "2", "0.25", "70", "hour", "weekday", "day_of_month", "mood")]
        if self.names.get("number"):
            leaves.append(lambda: self.pick(*self.names["number"]))
        if depth <= 0:
            return self.any_of(*leaves)
        inner = depth - 1
        choices = [
            *leaves,
            lambda: f"({self.price(inner)} / {self.price(inner)})",
            lambda: f"zscore({self.price(inner)}, {self.bars(2)})",
            lambda: f"correlation({self.price(inner)}, volume, {self.bars(2)})",
            lambda: f"stochastic({self.bars()}, 2, 2).{self.pick('k', 'd')}",
            lambda: f"williams_r({self.bars()})",
            lambda: f"({self.pick('time_since_open', 'time_to_close')}({self.pick(*SESSIONS)}) / 30m)",
            lambda: f"{self.pick('count', 'bars_since')}({self.condition(inner)}, {self.bars()})",
            lambda: f"sign({self.price(inner)})",
            lambda: f"stretch({self.price(inner)}, n: {self.bars(2)})",
            lambda: f"{self.pick('log', 'exp', 'sqrt', 'abs')}({self.number(inner)})",
            lambda: f"({self.number(inner)} {self.pick('+', '-', '*', '/')} {self.number(inner)})",
            lambda: f"({self.number(inner)})[{self.bars(0, 4)}]",
        ]
        if self.recursive:
            choices += [
                lambda: f"rsi({self.price(inner)}, {self.bars()})",
                lambda: f"adx({self.bars()}).{self.pick('adx', 'plus_di')}",
            ]
        if self.elsewhere:
            choices += [
                lambda: f"({self.number(inner)}) of {self.pick(*SYMBOLS)}",
                lambda: f"({self.number(inner)})@{self.pick('2h', '4h')}",
            ]
        return self.any_of(*choices)

    def ratio(self, depth: int) -> str:
        leaves = [lambda: self.pick("0%", "5%", "-20bps", "spread", "chatter", *self.names.get("ratio", ()))]
        if depth <= 0:
            return self.any_of(*leaves)
        inner = depth - 1
        choices = [
            *leaves,
            lambda: f"change({self.price(inner)}, {self.bars()})",
            lambda: f"percentile({self.price(inner)}, {self.bars(2)})",
            lambda: f"({self.ratio(inner)} {self.pick('+', '-')} {self.ratio(inner)})",
            lambda: f"({self.ratio(inner)} * {self.number(inner)})",
        ]
        if self.elsewhere:
            choices.append(lambda: f"(change(close, {self.bars()}) of {self.pick(*SYMBOLS)})")
        return self.any_of(*choices)

    # --- conditions ------------------------------------------------------------------------------------------------

    def comparison(self, depth: int) -> str:
        sign = self.pick("<", "<=", ">", ">=", "==", "!=")
        kind = self.draw(st.sampled_from([self.price, self.number, self.ratio]))
        return f"{kind(depth)} {sign} {kind(depth)}"

    def said(self) -> str:
        """What signals say, alone or together."""
        signals = self.names["signal"]
        bound, sign = self.pick("0", "1", "2", "1.5", "hour"), self.pick("<", "<=", ">", ">=", "==", "!=")
        several = ", ".join(self.draw(st.lists(st.sampled_from(signals), min_size=1, unique=True)))
        counted = f"agree({self.pick('long', 'short')}, {several})"
        return self.any_of(
            lambda: f"{self.pick(*signals)} is {self.pick('long', 'short', 'neutral', 'not long')}",
            lambda: f"{counted} {sign} {bound}",
            lambda: f"{bound} {sign} {counted}",
            lambda: f"{counted} {sign} agree(long, {several})",
            lambda: f"{self.pick(*signals)}.conviction {sign} {self.number(0)}",
        )

    def conviction(self) -> str:
        """Sometimes outside 1..10, and then the signal is unknown."""
        return self.any_of(
            lambda: self.pick("1", "6.5", "10"),
            lambda: f"hour + {self.number(0)}",
            lambda: f"max(1, min(10, abs({self.number(1)})))",
        )

    def condition(self, depth: int) -> str:
        leaves = [
            lambda: f"({self.comparison(0)})",
            lambda: "alarm",
            lambda: f"(age of {self.pick('mood', 'chatter')} <= {self.bars()}h)",
        ]
        if self.names.get("condition"):
            leaves.append(lambda: self.pick(*self.names["condition"]))
        if self.names.get("signal"):
            leaves.append(lambda: f"({self.said()})")
        if self.has_regime:
            leaves.append(lambda: f"regime is {self.pick('', 'not ')}{self.pick('up', 'flat')}")
            leaves.append(lambda: f"tier is {self.pick('core', 'rest')}")
        if depth <= 0:
            return self.any_of(*leaves)
        inner = depth - 1
        choices = [
            *leaves,
            lambda: f"({self.comparison(inner)})",
            lambda: f"({self.condition(inner)} {self.pick('and', 'or')} {self.condition(inner)})",
            lambda: f"(not {self.condition(inner)})",
            lambda: f"({self.price(inner)} crosses {self.pick('above', 'below')} {self.price(inner)})",
            lambda: f"({self.condition(inner)} {self.pick('for', 'within')} {self.bars()} bars)",
            lambda: f"({self.number(inner)} in {self.number(0)}..{self.number(0)})",
            lambda: f"({self.condition(inner)})[{self.bars(0, 3)}]",
            lambda: f"(depth(10bps) > {self.bars()}k USD)",
            lambda: f"(volume > mean(volume, {self.bars()}))",
            lambda: f"during {self.pick(*SESSIONS)}",
            lambda: f"starts({self.condition(inner)})",
        ]
        if self.elsewhere:
            choices += [
                lambda: f"({self.condition(inner)}) of {self.pick(*SYMBOLS)}",
                lambda: f"({self.condition(inner)})@{self.pick('2h', '4h')}",
            ]
        return self.any_of(*choices)


@st.composite
def sessions(draw: st.DrawFn, name: str) -> str:
    """A session of any hours, across midnight too, of a zone that changes its clock or has half an hour."""
    start, end = draw(st.lists(st.integers(0, 95), min_size=2, max_size=2, unique=True))
    hours = "..".join(f"{quarter // 4:02d}:{quarter % 4 * 15:02d}" for quarter in (start, end))
    zone = draw(st.sampled_from(["UTC", "Europe/London", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]))
    days = draw(st.sampled_from(["", " on weekdays", " on Mon, Thu, Sun", " on weekdays except 1970-01-02"]))
    return f"session {name}: {hours} {zone}{days}"


def entry(writer: _Writer, direction: str, depth: int) -> list[str]:
    """An entry with its size, of a fixed share or by conviction."""
    if writer.draw(st.booleans()):
        sizes = ["    size 5% of equity if tier is core", "      1% of equity otherwise"]
        return [f"  enter {direction} when {writer.condition(depth)}", *sizes]
    when = f"({writer.condition(depth)}) {writer.pick('and', 'or')} {writer.said()}"
    return [f"  enter {direction} when {when}", "    size conviction 2..8 as 1%..5% of equity"]


@st.composite
def signals(draw: st.DrawFn, writer: _Writer, names: dict[str, list[str]]) -> list[str]:
    """Signals of one to three cases; a later one may ask an earlier one."""
    lines = []
    names["signal"] = []
    for name in ("tide", "crowd", "wave"):
        lines.append(f"signal {name}")
        for way in draw(st.lists(st.sampled_from(["long", "short"]), min_size=1, max_size=3)):
            lines.append(f"  {way} when {writer.condition(1)} conviction {writer.conviction()}")
            lines.append(f'    because "{{{writer.number(0)}:.1f}}"')
        lines.append("")
        names["signal"].append(name)
    return lines


@st.composite
def tables(draw: st.DrawFn, writer: _Writer) -> list[str]:
    """A table of shares, with or without `otherwise`, and one that is a condition."""
    lines = ["table share", f"  {writer.number(1)} | {writer.said()} | regime | {writer.price(1)} | result"]
    for _ in range(draw(st.integers(1, 3))):
        number = writer.pick("any", "< 1.5", ">= hour", "1..2", "2", "not 2")
        cells = (number, writer.pick("any", "yes", "no", "not yes"), writer.pick("any", "up", "not up"))
        price = writer.pick("any", "> open", "<= close[1]", "low .. high", "close")
        lines.append(f"  {' | '.join(cells)} | {price} | {writer.pick('1%', '50bps', 'change(close, 2)')}")
    if draw(st.booleans()):
        lines.append("  otherwise | 3%")
    lines += [
        "",
        "table may",
        f"  share | {writer.condition(1)} | result",
        "  > 1% | yes | yes",
        f"  any | no | {writer.pick('no', 'yes')}",
    ]
    return [*lines, ""]


@st.composite
def rules(draw: st.DrawFn, *, recursive: bool = True, elsewhere: bool = True, depth: int = 3) -> str:
    """A rule file that checks."""
    names: dict[str, list[str]] = {"price": [], "number": [], "condition": []}
    writer = _Writer(draw, recursive, names, elsewhere=elsewhere)
    rest = draw(st.sampled_from(["SOL-USD", f"where {writer.condition(1)}"]))
    lines = [
        UNIVERSE.replace("SOL-USD", rest),
        FUNCTIONS,
        FEEDS,
        *(draw(sessions(name)) for name in SESSIONS),
        "regime",
        f"  up when {writer.condition(2)}",
        "  flat otherwise",
        "",
    ]
    for index, kind in enumerate(draw(st.lists(st.sampled_from(list(names)), max_size=3))):
        value = {"price": writer.price, "number": writer.number, "condition": writer.condition}[kind](2)
        lines.append(f"let {kind}_{index} = {value}")
        names[kind].append(f"{kind}_{index}")
    writer.has_regime = True
    lines += ["score merit of 4.5", f"  +3 when {writer.condition(1)}", f"  -2 when {writer.condition(0)}"]
    lines += [f"  +1.5 when {writer.condition(1)}", ""]
    names["number"].append("merit")
    lines += draw(signals(writer, names))
    lines += draw(tables(writer))
    names["ratio"] = ["share"]
    names["condition"].append("may")
    lines += ["trigger spike", f"  when {writer.condition(2)}", f"  confidence 0.3..0.9 as {writer.number(2)} goes 1..3", ""]
    names["condition"].append("spike")
    for index, period in enumerate(draw(st.sampled_from([("1h",), ("1h", "4h"), ("4h",), ("2h", "1h")]))):
        lines += [
            f"strategy s{index} on majors every {period}",
            *entry(writer, draw(st.sampled_from(["long", "short"])), depth),
            f'    because "{{{writer.number(1)}:.2f}}, {{spike.because}}, {{tide.because}}"',
            f"  exit when {writer.condition(depth)}",
        ]
    return "\n".join(lines) + "\n"


def planned(rules_text: str, policy_text: str = "") -> Plan:
    """The plan of texts that must have no finding."""
    rule_file, first = parse("rules/rules.tb", rules_text, is_policy=False)
    policy_file, second = parse("policy/policy.tb", policy_text, is_policy=True)
    program, third = check([rule_file, policy_file])
    assert [*first, *second, *third] == [], (rules_text, policy_text)
    assert program is not None
    return plan(program)


# --- markets -----------------------------------------------------------------------------------------------------------


@st.composite
def markets(draw: st.DrawFn, plan_: Plan | None = None, *, clean: bool = False, bars: int = 60) -> Markets:
    """Several instruments; unless `clean` with gaps, different spans, unknown cells; constant stretches, some with quotes."""
    made: dict[str, Bars] = {}
    for symbol in SYMBOLS if clean else draw(st.sampled_from([SYMBOLS, SYMBOLS[:2], SYMBOLS[1:], SYMBOLS[:1]])):
        seed = draw(st.integers(0, 2**32 - 1))
        size = bars if clean else draw(st.integers(0, bars))
        made[symbol] = _bars(symbol, np.random.default_rng(seed), size, clean, quotes=draw(st.booleans()))
    assumed = Assumptions(draw(st.sampled_from([None, 0.001])), draw(st.sampled_from([None, 2500.0])), {})
    feeds = _feeds(np.random.default_rng(draw(st.integers(0, 2**32 - 1))), bars)
    return Markets(made, assumed, plan_.tiers if plan_ is not None else {}, feeds)


def _feeds(chance: np.random.Generator, bars: int) -> dict[tuple[str, str], FeedRows]:
    """Rows of the feeds of `rules`, some with holes, values out of range and several at once; some are not there at all."""
    keys = [("mood", ""), ("alarm", ""), *(("chatter", symbol) for symbol in SYMBOLS)]
    found = {}
    for name, symbol in keys:
        size = int(chance.integers(0, bars))
        known = np.sort(chance.integers(-4, bars + 12, size)) * (HOUR // 2)
        raw = chance.choice([0.0, 1.0] if name == "alarm" else [-6.0, -1.5, 0.0, 0.05, 2.0, 5.0, np.nan], size)
        values = np.where((raw < -4) | (raw > 5), np.nan, raw)
        if chance.random() < 0.9:
            found[name, symbol] = FeedRows(known, values, raw, np.arange(size), f"{name}.csv")
    return found


def _bars(symbol: str, chance: np.random.Generator, size: int, clean: bool, *, quotes: bool) -> Bars:
    steps = np.ones(size, dtype=np.int64) if clean else chance.choice([1, 1, 1, 1, 2, 5], size)
    start = -1 if clean else int(chance.integers(0, 12))
    time = (start + np.cumsum(steps)) * HOUR if size else np.empty(0, dtype=np.int64)
    # a coarse grid makes equal values, and with them ties and values exactly at a bound, common
    close = 100.0 + np.cumsum(chance.choice([-1.0, -0.5, 0.0, 0.0, 0.25, 0.5, 1.0], size))
    still = chance.random(size) < 0.2
    for row in np.flatnonzero(still[1:]) + 1:
        close[row] = close[row - 1]
    opened = np.concatenate([close[:1], close[:-1]]) if size else close
    high = np.maximum(opened, close) + chance.choice([0.0, 0.5], size)
    low = np.minimum(opened, close) - chance.choice([0.0, 0.5], size)
    columns = [opened, high, low, close, chance.choice([0.0, 1.0, 5.0, 12.5], size), close - 0.125, close + 0.25]
    columns = [np.array(column, dtype=np.float64) for column in columns]
    if not clean:
        for column in columns:
            column[chance.random(size) < 0.02] = np.nan
    return Bars(symbol, HOUR, time, *columns[:5], *(columns[5:] if quotes else (None, None)), f"{symbol}.csv", np.arange(size))


def cut(markets_: Markets, until: int) -> Markets:
    """The same markets as they were known at an instant."""
    early = _parts(markets_, {s: (0, int(np.searchsorted(b.closes, until, side="right"))) for s, b in markets_.base.items()})
    early.feeds = {key: known_by(rows, until) for key, rows in markets_.feeds.items()}
    return early


def known_by(rows: FeedRows, until: int) -> FeedRows:
    """The rows that were known at an instant."""
    size = int(np.searchsorted(rows.known, until, side="right"))
    return FeedRows(rows.known[:size], rows.values[:size], rows.raw[:size], rows.rows[:size], rows.source)


def newest(markets_: Markets, bars: int) -> Markets:
    """The last bars alone."""
    return _parts(markets_, {symbol: (max(len(b) - bars, 0), len(b)) for symbol, b in markets_.base.items()})


def _parts(markets_: Markets, spans: Mapping[str, tuple[int, int]]) -> Markets:
    base = {symbol: bars.part(*spans[symbol]) for symbol, bars in markets_.base.items()}
    return Markets(base, markets_.assumptions, markets_.tiers, markets_.feeds)


def same_bits(one: object, other: object) -> bool:
    """Equal in every bit, with NaN equal to NaN of whatever payload."""
    a, b = np.asarray(one, dtype=np.float64), np.asarray(other, dtype=np.float64)
    if a.shape != b.shape:
        return False
    unknown = np.isnan(a)
    return bool(np.array_equal(unknown, np.isnan(b)) and np.array_equal(a[~unknown].view(np.int64), b[~unknown].view(np.int64)))
