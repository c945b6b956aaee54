"""Hypothesis strategies for well-typed policy texts, and for the values their constraints read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from hypothesis import strategies as st
from programs import UNIVERSE, planned

from tb.core.units import TRUTH, Kind
from tb.engine.graph import Node, RuleGraph
from tb.engine.instant import Exact
from tb.engine.plan import Plan, PolicyPlan

RULES = UNIVERSE + "strategy trend on majors every 1h\n  enter long when close > open\n    size 5% of equity\n"
GROUPS = (
    "group coins: BTC-USD, ETH-USD\ngroup pairs: ETH-USD, SOL-USD\n"
    "book main 80% of capital strategies trend, leverage at most 2\n"
)
SCOPES = ("order.instrument", "group of order.instrument", "coins", "ETH-USD")


@dataclass(slots=True)
class _Writer:
    draw: st.DrawFn
    has_words: bool  # `is set`, lists and names: what turns an unknown value into an answer

    def pick(self, *choices: str) -> str:
        return self.draw(st.sampled_from(choices))

    def any_of(self, *choices: Callable[[], str]) -> str:
        return self.draw(st.sampled_from(choices))()

    def window(self) -> str:
        return self.pick("today", "1h", "30m")

    def money(self, depth: int) -> str:
        leaves = [
            lambda: self.pick("equity", "equity at day_start", "cash", "order.notional", "order.risk", "gross", "net"),
            lambda: self.pick("after.gross", "after.net", "order.intended", "order.minimum", "500 USD", "2k USD"),
            lambda: f"{self.pick('after.exposure', 'exposure')}({self.pick(*SCOPES)})",
            lambda: f"loss({self.window()})",
            lambda: self.pick("equity of book", "after.gross of book", "cash of book", "(equity at day_start of book)"),
            lambda: f"after.exposure({self.pick(*SCOPES)}) of book",
            lambda: self.pick("depth(10bps)", "volume_usd(3h)"),
        ]
        if depth <= 0:
            return self.any_of(*leaves)
        inner = depth - 1
        return self.any_of(
            *leaves,
            lambda: f"({self.money(inner)} {self.pick('+', '-')} {self.money(inner)})",
            lambda: f"({self.money(inner)} {self.pick('*', '/')} {self.number(inner)})",
            lambda: f"({self.pick('5%', '100%', '30bps')} of {self.money(0)})",
            lambda: f"{self.pick('min', 'max')}({self.money(inner)}, {self.money(inner)})",
            lambda: f"{self.pick('abs', '-')}({self.money(inner)})",
        )

    def number(self, depth: int) -> str:
        leaves = [
            lambda: self.pick("0.5", "2", "10", "losses_in_a_row", "open_positions", "after.open_positions", "reward_risk"),
            lambda: f"{self.pick('entries', 'orders')}({self.window()})",
            lambda: self.pick("order.confidence", "rsi(close, 3)", "zscore(close, 4)@4h", "rsi(close, 3) of BTC-USD", "hour"),
        ]
        if depth <= 0:
            return self.any_of(*leaves)
        inner = depth - 1
        return self.any_of(
            *leaves,
            lambda: f"({self.money(inner)} / {self.money(inner)})",
            lambda: f"({self.price(0)} / {self.price(0)})",
            lambda: f"({self.number(inner)} {self.pick('+', '-', '*', '/')} {self.number(inner)})",
            lambda: f"{self.pick('log', 'exp', 'sqrt', 'abs', 'sign')}({self.number(inner)})",
        )

    def ratio(self, depth: int) -> str:
        leaves = [lambda: self.pick("drawdown", "spread", "2%", "60bps", "change(close, 2)", "-5%")]
        if depth <= 0:
            return self.any_of(*leaves)
        return self.any_of(
            *leaves,
            lambda: f"({self.ratio(depth - 1)} {self.pick('+', '-')} {self.ratio(depth - 1)})",
            lambda: f"({self.ratio(depth - 1)} * {self.number(depth - 1)})",
        )

    def price(self, depth: int) -> str:
        return self.pick("order.price", "order.stop", "order.target", "mid", "close", "sma(close, 3)", "close[2]")

    def duration(self, depth: int) -> str:
        return self.pick("data_age", "since_last_loss", "2 bars", "90m", "3h")

    def comparison(self, depth: int, *signs: str) -> str:
        kind = self.draw(st.sampled_from([self.money, self.money, self.number, self.ratio, self.price, self.duration]))
        return f"{kind(depth)} {self.pick(*(signs or ('<', '<=', '>', '>=', '==', '!=')))} {kind(depth)}"

    def word(self) -> str:
        return self.pick(
            "order.stop is set",
            "order.target is not set",
            "reward_risk is set",
            "order.instrument in restricted",
            "order.instrument not in coins",
            "order.tier is core",
            "order.side is buy",
            "order.strategy is not trend",
            "order.book is main",
            "order.instrument == SOL-USD",
        )

    def condition(self, depth: int) -> str:
        leaves = [
            lambda: f"({self.comparison(0)})",
            lambda: self.pick("(spread < 1% for 2 bars)", "(close crosses above sma(close, 3))", "(close > open)[1]"),
            lambda: self.pick("(close > open)@4h", "(close > open) of BTC-USD", "(close > open within 3 bars)"),
        ]
        if self.has_words:
            leaves.append(lambda: f"({self.word()})")
        if depth <= 0:
            return self.any_of(*leaves)
        inner = depth - 1
        return self.any_of(
            *leaves,
            lambda: f"({self.comparison(inner)})",
            lambda: f"({self.condition(inner)} {self.pick('and', 'or')} {self.condition(inner)})",
            lambda: f"(not {self.condition(inner)})",
            lambda: f"({self.number(inner)} in {self.number(0)}..{self.number(0)})",
        )

    def excepted(self, name: str) -> str:
        """A limit and one or two exceptions to it."""
        base = self.money(1)
        lines = [f"limit {name} order.notional <= {base}{self.pick('', '  otherwise shrink', '  otherwise halt')}"]
        for way in ("loosens", "tightens") if self.draw(st.booleans()) else (self.pick("loosens", "tightens"),):
            bound = self.money(1) if way == "loosens" else f"min({base}, {self.money(1)})"
            when = self.pick("", f"  when {self.condition(1)}")
            until = "  until 1970-01-02" if way == "loosens" else self.pick("", "  until 1970-01-01")
            lines += [f"exception {name}_{way} to {name}", f'  {way} to {bound}{when}  owner "desk"{until}  because "a reason"']
        return "\n".join(lines)

    def level(self) -> str:
        return self.pick("", "", "", "  level warn", "  shadow")

    def constraint(self, name: str) -> str:
        every = self.pick("", "", "  on every order") + self.level()
        match self.pick("limit", "limit", "forbid", "require", "pause", "warn"):
            case "limit":
                otherwise = self.pick("", "  otherwise shrink", "  otherwise halt", "  otherwise pause for 5m")
                return f"limit {name} {self.comparison(2, '<=', '<', '<=', '>=')}{otherwise}{every}"
            case "forbid":
                return f"forbid {name} when {self.condition(2)}{every}"
            case "require":
                return f"require {name} {self.condition(2)}{self.pick('', '  otherwise halt until tomorrow')}{every}"
            case "pause":
                cause = self.pick("after 2 losses in a row", f"when {self.condition(2)}")
                return f"pause {name} for 30m {cause}{self.level()}"
            case _:
                return f"warn {name} when {self.condition(2)}"


@st.composite
def constraints(draw: st.DrawFn, *, has_words: bool = True) -> list[str]:
    """Parts of a policy, each one constraint, or one and its exceptions."""
    writer = _Writer(draw, has_words)
    lines = [writer.constraint(f"rule_{index}") for index in range(draw(st.integers(1, 6)))]
    return [*lines, writer.excepted("base")] if draw(st.sampled_from([False, False, True])) else lines


def excepted(draw: st.DrawFn) -> str:
    """A limit `base` and exceptions to it."""
    return _Writer(draw, True).excepted("base")


def plan_of(lines: list[str]) -> Plan:
    return planned(RULES, GROUPS + "\n".join(lines) + "\n")


def policy_of(plan: Plan) -> PolicyPlan:
    return next(iter(plan.policies.values()))


NUMBERS = st.sampled_from([Decimal(text) for text in ("0", "1", "-1", "0.5", "2", "100", "500", "10000", "0.0001", "1E+30")])
SIZED = st.decimals(-(10**6), 10**6, places=4, allow_nan=False)


def leaf_values(node: Node) -> st.SearchStrategy[Exact]:
    """Any value that leaf may have, unknown included."""
    match node.unit.kind, node.consts[0] if node.consts else None:
        case Kind.INSTRUMENT, _:
            known: st.SearchStrategy[Exact] = st.sampled_from(["BTC-USD", "ETH-USD", "SOL-USD"])
        case Kind.LIST, _:
            known = st.sampled_from(["", "BTC-USD", "SOL-USD,ETH-USD"])
        case Kind.TEXT, _:
            known = st.sampled_from(["majors.core", "majors.rest", "buy", "sell", "trend"])
        case _ if node.unit == TRUTH:
            known = st.sampled_from([Decimal(0), Decimal(1)])
        case _:
            known = NUMBERS | SIZED
    return st.none() | known | known | known


@st.composite
def vectors(draw: st.DrawFn, graph: RuleGraph, policy: PolicyPlan) -> list[Exact]:
    """One value for each leaf of the policy."""
    return [draw(leaf_values(graph[leaf])) for leaf in policy.leaves]
