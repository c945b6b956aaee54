"""Rule files of whole projects: definitions of every kind, a universe, strategies with all that they can say."""

from __future__ import annotations

from dataclasses import dataclass, field

from whole_words import Words

PERIODS = {"1h": ("1h", "1h", "1h", "2h", "4h", "1d"), "15m": ("15m", "15m", "30m", "1h", "4h"), "5m": ("5m", "15m", "1h")}
# each kind of definition, and the conditions that may name it
DEFINITIONS = (
    (
        """param quick = 3 in 2..9 step 1
param slow = 8 in 4..20 step 4
require quick < slow
let rising = ema(close, quick) > ema(close, slow)
let gap(x, n) = x / sma(x, n) - 1""",
        "rising|gap(close, quick) > 0%",
    ),
    (
        "session desk: {08:00..16:30|22:00..06:15|00:30..03:00} ZONE{| on weekdays| on Sun| on weekdays except 2024-03-08}",
        "during desk|time_since_open(desk) >= 1h|time_to_close(desk) > 90m",
    ),
    (
        """feed mood: number in -4..5 every 2h, stale after 5h
feed chatter: ratio per instrument, stale after 3h
feed alarm: truth, stale after 1d""",
        "mood > 0|chatter < 5%|not alarm|age of mood <= 3h",
    ),
    ("regime\n  down when CONDITION\n  up when CONDITION\n  flat otherwise\n", "regime is {up|not up|down|flat|not flat}"),
    ("score merit of 6\n  +3 when CONDITION\n  +3 when CONDITION\n  -2 when CONDITION\n", "merit >= {1|3|4}"),
    (
        """signal tide
  long when CONDITION conviction min(10, max(1, rsi(close, 5) / 10)) because "a tide"
  short when CONDITION conviction 4
signal crowd
  {long|short} when CONDITION conviction {2|9.5|hour}
""",
        "agree({long|short}, tide, crowd) >= 1|tide is {long|short|not short}|crowd is {long|short}",
    ),
    (
        """trigger jump
  when CONDITION
  confidence 0.5..0.9 as volume / mean(volume, 4) goes 0.5..2
  because "jumped"
trigger dip
  when CONDITION
  confidence 0.7
""",
        "jump|dip|jump or dip",
    ),
    ("table share\n  {hour|rsi(close, 3)} | close > open | result\n  < 12 | yes | 4%\n  otherwise | 2%\n", ""),
)
LIBRARY = ("volume_spike", "reversal", "pullback", "bullish_fvg", "squeeze", "inside_bar")
SELDOM_ENTERED = (
    "close crosses above sma(close, 5)",
    "rsi(close, 3) < 15",
    "close > highest(high, 9)[1]",
    "hour == 9",
    "low < lowest(low, 7)[1]",
)


@dataclass
class Rules:
    """Written once: `lines` first, then what they name may be asked of it."""

    words: Words
    names: list[str] = field(default_factory=list)  # templates of conditions
    feeds: list[tuple[str, str]] = field(default_factory=list)  # names and instruments, none for those of all
    places: list[str] = field(default_factory=list)
    shares: list[str] = field(default_factory=list)

    def has(self, name: str) -> bool:
        return any(name in said for said in self.names)

    def lines(self, count: int) -> list[str]:
        words = self.words
        self.places = self._universe()
        lines = self._definitions() if words.may(0.8) else []
        if "BTC-PERP" in words.symbols:
            self.names += ["funding_rate > 0%", "annualised(funding_rate) of BTC-PERP > 5%"]
        lines += self.places
        words.strategies += words.source.sample(("beta", "alpha", "gamma"), count)
        for name in words.strategies:
            lines += self._strategy(name)
        if not words.plain and len(words.tiers) == 2 and not self.discovers and words.may(0.12):
            lines += self._legs()
            words.strategies.append("pair")
        if not words.plain and words.may(0.12):
            lines += self._quotes()
            words.strategies.append("maker")
        return lines

    @property
    def discovers(self) -> bool:
        return "where" in "".join(self.places)

    def _definitions(self) -> list[str]:
        words, lines = self.words, []
        for text, names in DEFINITIONS:
            if words.may():
                lines += [words.written(text.replace("ZONE", words.zone)), ""]
                self.names += _split(names)
        self.names = [name for name in self.names if name]
        self.shares = ["share of equity"] if any(line.startswith("table share") for line in lines) else []
        if any("feed mood" in line for line in lines):
            self.feeds += [("mood", ""), ("alarm", ""), *(("chatter", symbol) for symbol in words.symbols)]
        if words.may():
            self.names.append(words.pick(*LIBRARY))
            lines.insert(0, f"use std.triggers: {self.names[-1]}")
        return lines

    def _universe(self) -> list[str]:
        words, members, lines = self.words, list(self.words.symbols), ["universe u on venue"]
        if words.plain or len(members) == 1:
            words.tiers.append("core")
            said = words.pick("", "", words.written(" weight 0%..[30%|99%]")) + words.pick("", "", " hold at most 9h")
            lines += [f"  tier core {', '.join(members)}{said.replace('% hold', '%, hold')}"]
        else:
            words.tiers += ["core", "rest"]
            first = words.source.randint(1, len(members) - 1)
            where = words.pick("", "", "where volume > 0", f"where {words.condition(0)}")
            lines += [f"  tier core {', '.join(members[:first])} weight {words.pick('0%..25%', '1%..60%')}"]
            lines += [f"  tier rest {where or ', '.join(members[first:])}{words.pick('', ' hold at most 6h')}"]
        return [*lines, *([f"  only when {words.condition(0)}"] if words.may(0.3) else []), ""]

    def _asked(self, depth: int = 1) -> str:
        """What rules alone can ask, or anything of the market."""
        words, found = self.words, list(self.names)
        found += ["tier is {|not }TIER"] if not words.plain else []
        if found and words.may(0.5):
            one = words.written(words.source.choice(found))
            return f"({one}) {words.pick('and', 'or')} ({words.condition(depth)})" if words.may(0.6) else one
        return words.condition(depth)

    # --- strategies --------------------------------------------------------------------------------------------------

    def _strategy(self, name: str) -> list[str]:
        words = self.words
        lines = [f"strategy {name} on u every {words.source.choice(PERIODS[words.period])}"]
        for long in words.source.choice(((True,), (False,), (True, False), (False, True), (True, True))):
            lines += self._entry(long)
        for _ in range(words.source.choice((0, 0, 1, 1, 2))):
            lines += [f"  exit when {words.bad() if words.tame else self._asked()}"]
            lines[-1] += ' because "enough {close:.3g}"' if words.may(0.5) else ""
        if words.may(0.5 if words.tame else 0.3):
            lines += [f"  hold at most {words.pick('1 bar', '20m', '3 bars', '7h', '5 bars', '1d', '30 bars')}"]
        downs = () if words.plain else ("4h after loss", "3 bars after exit", "1d after stop", "2h after loss")
        return [*lines, *(f"  cool down {down}" for down in words.some(downs, 2) if words.may(0.6)), ""]

    def _entry(self, long: bool) -> list[str]:
        words, way, when = self.words, "long" if long else "short", self._asked()
        if words.tame:
            when = words.source.choice((*SELDOM_ENTERED, f"({when}) and hour in 9..10"))
        has_stop = words.may(0.85)
        has_target = words.may(0.7) or (words.plain and not has_stop)
        lines = self._size(has_stop)
        signals = ("tide", "crowd") if self.has("tide") else ()
        if signals and not words.plain and words.may(0.3):
            when = f"({words.pick(*signals)} is {way}) and ({when})"
            risking = words.pick("", "risking ") if has_stop else ""
            lines = [f"    size conviction {words.pick('1..10', '3..8')} as {risking}1%..5% of equity"]
        lines += [f"    stop {self._level(True, long)}"] if has_stop else []
        if has_target:
            lines += [
                f"    target {words.pick('1R', '2R', '1.5R') if has_stop and words.may(0.5) else self._level(False, long)}"
            ]
        lines += [] if words.plain else self._managed(has_stop, "above" if long else "below")
        if not words.plain and words.may(0.4):
            at = words.pick("low", "high", "close", "close[1]", "(high + low) / 2", "mid", "sma(close, 3)")
            lines += [words.written(f"    order {{limit|limit|stop}} at {at}{{|, valid 3 bars|, valid 5h|, valid 1d}}")]
            lines[-1] += ", post only" if "order limit" in lines[-1] and words.may(0.3) else ""
        told = ["closed at {close:.4g}", "{rsi(close, 3):.1f}", "hour {hour:.0f}"]
        told += ["{jump.because}"] * self.has("jump") + ["{tide.because}"] * self.has("tide")
        lines += [f'    because "{words.pick(*told)}, {words.pick(*told)}"'] if words.may(0.6) else []
        return [f"  enter {way} when {when}", *lines]

    def _size(self, has_stop: bool) -> list[str]:
        words = self.words
        found = ["10% of equity", "25% of equity", "3% of equity", *self.shares]
        found += [] if words.tame else ["150% of equity", "0.01% of equity"]
        found += ["risking 1% of equity", "risking 0.5% of equity"] if has_stop else []
        one = words.source.choice(found)
        if words.may(0.25):
            return [f"    size {one} if {self._asked(0)}", f"         {words.pick('1% of equity', '20% of equity')} otherwise"]
        return [f"    size {one}"]

    def _level(self, losing: bool, long: bool) -> str:
        words, side = self.words, "below" if losing == long else "above"
        if words.plain:
            return words.written(f"[2%|3%|8%|25bps|{words.pick('1%', '0.7%', '0.45%', '60bps')}] {side} entry")
        edge = ("lowest(low, 3)" if side == "below" else "highest(high, 3)") + words.pick("", "", "[1]")
        away = words.written(f"{{1%|2%|5%|2 * atr(3)|atr(5)@COARSE}} {side} entry")
        return words.pick(away, away, f"at {edge}", f"at {'low' if side == 'below' else 'high'}")

    def _managed(self, has_stop: bool, side: str) -> list[str]:
        words, lines = self.words, []
        if words.may(0.35):
            lines += [f"    stop trailing {words.pick('2%', '3 * atr(3)', 'high - low')}"]
            lines[-1] += " after 0.5R" if has_stop and words.may(0.5) else ""
            has_stop = True
        if has_stop and words.may(0.25):
            lines += [f"    stop to entry after {words.pick('1%', '0.8%')}"]
        if has_stop and words.may(0.3):
            lines += [f"    take {words.pick('50%', '33%', '70%')} at {words.pick('1%', '0.6%')} {side} entry"]
            lines += [f"    take 25% at {'highest(high, 3)' if side == 'above' else 'lowest(low, 3)'}"] * words.may(0.4)
        return lines

    def _legs(self) -> list[str]:
        words, (one, other) = self.words, self.words.symbols[:2]
        lines = [f"strategy pair on u every {words.source.choice(PERIODS[words.period])}"]
        for first, second in (("buy", "sell"), ("sell", "buy"))[: words.source.randint(1, 2)]:
            lines += [f"  enter when {words.condition()}", f"    leg {first} {one} {words.pick('10%', '25%')} of equity"]
            lines += [f"    leg {second} {other} {words.pick('same money', 'same quantity', '8% of equity')}"]
        lines += [f"  exit when {words.condition()}", *["  hold at most 9 bars"] * words.may(0.5)]
        return [*lines, *["  cool down 3h after loss"] * words.may(0.4), ""]

    def _quotes(self) -> list[str]:
        words = self.words
        half = words.pick("0.3% of mid", "atr(3)", "10bps of close")
        lines = [f"strategy maker on u every {words.source.choice(PERIODS[words.period])}"]
        lines += [f"  quote bid mid - {half}, ask mid + {half}", "    size 4% of equity"]
        lines += [f"    skew by position, at most 0.5 * ({half})"] * words.may(0.5)
        lines += [f"    only when {words.condition(0)}"] * words.may(0.5) + [f"  exit when {words.condition(0)}"] * words.may(
            0.5
        )
        return [*lines, *["  hold at most 9 bars"] * words.may(0.4), ""]


def _split(names: str) -> list[str]:
    """The templates between bars that are outside of braces."""
    found, depth = [""], 0
    for letter in names:
        depth += (letter == "{") - (letter == "}")
        if letter == "|" and not depth:
            found.append("")
        else:
            found[-1] += letter
    return found
