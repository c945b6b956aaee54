"""Generated small markets and programs, for properties of whole runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from hypothesis import strategies as st
from small_projects import NAN, START, bars, compiled, market

from tb.core.time import HOUR
from tb.engine.bars import Bars
from tb.replay.data import Market
from tb.runtime.policy import Compiled

SYMBOLS = ("AAA-USD", "BBB-USD", "CCC-USD")
# a bar: what came before its open, its move, how far it reached beyond; mostly quiet, sometimes wild
_STEP = st.tuples(
    st.sampled_from((0, 0, 0, 1, -1, 6, -6)),
    st.sampled_from((0, 1, -1, 2, -2, 5, -5)),
    st.sampled_from((0, 1, 4)),
    st.sampled_from((0, 1, 4)),
    st.sampled_from((0, 0, 1)),
    st.sampled_from(("", "", "", "", "", "", "", "", "gap", "close", "open", "range")),
)


@dataclass(frozen=True)
class Drawn:
    """What was drawn: for each instrument the hour it begins at, and its steps."""

    series: tuple[tuple[int, tuple[tuple[int, int, int, int, int, str], ...]], ...]

    @cached_property
    def market(self) -> Market:
        pairs = zip(SYMBOLS, self.series, strict=False)
        return market(*(_series(symbol, offset, steps) for symbol, (offset, steps) in pairs))


@dataclass(frozen=True)
class Written:
    """The texts of a project."""

    rules: str
    policy: str
    venue: str
    timezone: str
    lifted_after: str

    @cached_property
    def compiled(self) -> Compiled:
        return compiled(self.rules, self.policy, venue=self.venue, timezone=self.timezone, lifted_after=self.lifted_after)


def _series(symbol: str, offset: int, steps: Iterable[tuple[int, int, int, int, int, str]]) -> Bars:
    price = 100
    rows: list[tuple[float, ...] | None] = []
    for gap, move, up, down, volume, hole in steps:
        first = max(price + gap, 20)
        price = max(first + move, 20)
        high, low = max(first, price) + up, min(first, price) - down
        row = (first, high, low, price, volume)
        match hole:
            case "gap":
                rows.append(None)
            case "close":
                rows.append((first, high, low, NAN, volume))
            case "open":
                rows.append((NAN, high, low, price, volume))
            case "range":
                rows.append((first, NAN, NAN, price, volume))
            case _:
                rows.append(row)
    rows = rows if any(row is not None for row in rows) else [(100, 100, 100, 100, 0)]
    return bars(symbol, rows, start=START + (14 + offset) * HOUR)


def markets() -> st.SearchStrategy[Drawn]:
    one = st.tuples(st.integers(0, 6), st.lists(_STEP, min_size=6, max_size=36).map(tuple))
    return st.lists(one, min_size=1, max_size=3).map(lambda found: Drawn(tuple(found)))


_CONDITIONS = ("volume > 0", "close > close[1]", "close < lowest(low, 3)[1]", "volume > 0 for 2 bars", "low > 0", "jump", "dip")
_LONG_LEVELS = (
    ("5% below entry", "8% above entry"),
    ("at low", "2R"),
    ("2 * (high - low) below entry", ""),
    ("3% below entry", "at high + 2"),
)
_SHORT_LEVELS = (("5% above entry", "8% below entry"), ("at high", "1R"), ("3% above entry", ""))
_SIZES = ("10% of equity", "risking 1% of equity", "5% of equity if volume > 0\n      20% of equity otherwise")
_ORDERS = (
    "",
    "",
    "",
    "order market",
    "order limit at low",
    "order limit at high, valid 3 bars",
    "order limit at (high + low) / 2, valid 5h, post only",
    "order stop at high, valid 90m",
    "order stop at low, valid 2 bars",
    "order limit at close[1], valid 30m",
)
_MANAGED = (
    (),
    (),
    ("stop to entry after 1R",),
    ("stop trailing 3%",),
    ("stop trailing high - low after 1%", "stop to entry after 2%"),
    ("take 33% at 1R",),
    ("take 50% at 2R", "take 20% at 1% SIDE entry", "stop trailing 2 * (high - low) after 0.5R"),
    ("take 60% at 3% SIDE entry", "take 39.9% at 1R"),
)
_LINES = (
    "exit when close < close[1]",
    "exit when high - low > 3 * (high - low)[1]",
    "cool down 2 bars after exit",
    "cool down 4h after loss",
    "cool down 6h after stop",
)
_LIMITS = (
    "limit position after.exposure(order.instrument) <= 12% of equity otherwise shrink",
    "limit couple after.exposure(group of order.instrument) <= 18% of equity otherwise shrink",
    "limit gross after.gross <= 30% of equity",
    "limit daily loss(today) <= 0.2% of equity at day_start otherwise halt until tomorrow",
    "limit deep drawdown <= 0.5% otherwise halt",
    "limit lately loss(3h) <= 0.2% of equity otherwise halt",
    "limit often entries(4h) < 2",
    "limit rate orders(2h) < 2 on every order",
    "pause streak for 3h after 2 losses in a row",
    "pause slow for 4h when loss(5h) > 20 USD",
    "pause bored for 2h when since_last_loss > 3h",
    "forbid stale when data_age > 1h",
    "forbid late when hour > 20 otherwise pause for 90m",
    "warn busy when entries(today) >= 2",
)


@st.composite
def strategies(draw: st.DrawFn, name: str) -> str:
    lines = [f"strategy {name} on u every {draw(st.sampled_from(('1h', '1h', '2h', '4h')))}"]
    for direction in draw(st.sampled_from((("long",), ("short",), ("long", "short"), ("long", "long")))):
        stop, target = draw(st.sampled_from(_LONG_LEVELS if direction == "long" else _SHORT_LEVELS))
        lines += [f"  enter {direction} when {draw(st.sampled_from(_CONDITIONS))}"]
        lines += [f"    size {draw(st.sampled_from(_SIZES))}", f"    stop {stop}"]
        lines += [f"    target {target}"] if target and "+" not in target else []
        side = "above" if direction == "long" else "below"
        lines += [f"    {line.replace('SIDE', side)}" for line in draw(st.sampled_from(_MANAGED))]
        order = draw(st.sampled_from(_ORDERS))
        lines += [f"    {order}"] if order else []
        lines += ['    because "closed at {close:.2f}"']
    lines += [f"  {line}" for line in draw(st.lists(st.sampled_from(_LINES), unique=True, max_size=4))]
    lines += draw(st.sampled_from(([], ["  hold at most 3 bars"], ["  hold at most 5h"])))
    return "\n".join(lines)


@st.composite
def projects(draw: st.DrawFn) -> Written:
    first = draw(st.sampled_from(("AAA-USD, BBB-USD", "AAA-USD, BBB-USD", "where volume > 0")))
    rest = draw(st.sampled_from(("CCC-USD", "CCC-USD", "where high - low < 5% of close")))
    places = f"universe u on venue\n  tier core {first} weight 0%..15%\n  tier edge {rest} hold at most 4h\n"
    places += draw(st.sampled_from(("", "  only when high - low < 8% of close\n")))
    triggers = (
        "trigger jump\n  when close > 1.01 * close[1]\n  confidence 0.5..0.9 as close / close[1] goes 1.01..1.1\n\n"
        "trigger dip\n  when close < 0.99 * close[1] of AAA-USD\n  confidence 0.7\n\n"
    ).replace(" of AAA-USD", "")
    count = draw(st.integers(1, 2))
    rules = "\n\n".join([places, triggers, *(draw(strategies(name)) for name in ("beta", "alpha")[:count])]) + "\n"
    policy = "group pair: AAA-USD, BBB-USD\n" + "\n".join(draw(st.lists(st.sampled_from(_LIMITS), unique=True, max_size=7)))
    return Written(
        rules,
        policy + "\nlimit most after.gross <= 500% of equity\n",
        venue=draw(st.sampled_from(("{fee: 0%, slippage: 0%}", "{fee: 20bps, slippage: 7bps, spread: 12bps, depth: 10k USD}"))),
        timezone=draw(st.sampled_from(("UTC", "America/New_York", "Asia/Kolkata"))),
        lifted_after=draw(st.sampled_from(("", "2h", "7h"))),
    )
