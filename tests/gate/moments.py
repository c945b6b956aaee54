"""Random moments in the life of one account, seeded: what changes between two decisions, and what does not."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from random import Random

from tb.gate.account import Account, Working
from tb.gate.activity import SentOrder
from tb.gate.facts import Moment
from tb.gate.proposal import Proposal
from tb.gate.reading import MarketReader
from tb.gate.standing import Standing

SYMBOLS = ("BTC-USD", "ETH-USD", "SOL-USD")
HOUR = 3_600_000
D = Decimal
PLAIN = ("0", "1", "-1", "0.5", "2", "100", "500", "10000", "0.0001", "1E+30", "-0.0000001", "60.00", "0E-8")
ODD = (
    "NaN",
    "Infinity",
    "1E-400",
    "1E+400",
    "4503599627370497",
    "123456789.000000000000000000001",
    "5.00000000000000000000001",
)

EVERYTHING = [  # every fact that is kept or read in a way of its own, among others
    "limit a after.exposure(order.instrument) <= 60% of equity  otherwise shrink",
    "limit b after.exposure(group of order.instrument) <= 80% of equity",
    "limit c after.gross <= 90% of equity  otherwise shrink",
    "limit d entries(today) + orders(today) + entries(1h) <= 9",
    "limit e loss(today) <= 3% of equity at day_start",
    "limit f drawdown <= 10%",
    "limit g exposure(coins) + gross + net + cash <= 50k USD",
    "limit h after.net <= 900% of equity",
    "limit i after.open_positions + open_positions + losses_in_a_row <= 9",
    "limit j abs(order.price / mid - 1) <= 90%",
    "forbid k when order.instrument in restricted or order.tier is rest",
    "forbid l when spread > 60bps and rsi(close, 3) > 70",
    "require m order.stop is set and reward_risk >= 0.1",
    "require n data_age <= 2 bars",
    "limit o order.notional <= order.intended  level warn",
    "limit p order.risk <= 2% of equity  shadow",
]


@dataclass
class Life:
    """`has_odd` lets numbers of the order be what no session would ever make them."""

    source: Random
    has_odd: bool = False
    at: int = 100 * HOUR
    count: int = 0
    account: Account = field(default_factory=lambda: Account("USD", D(10_000)))
    groups: dict[str, tuple[str, ...]] = field(default_factory=lambda: {"coins": SYMBOLS[:2], "pairs": SYMBOLS[1:]})
    restricted: tuple[str, ...] = ("SOL-USD",)

    def __post_init__(self) -> None:
        self.account.high_water = self.account.cash
        self.account.open_book("main", D("0.8"), ("trend",))
        self.account.begin_day(96 * HOUR, 120 * HOUR)

    def number(self) -> Decimal:
        chance = self.source.random()
        if self.has_odd and chance < 0.1:
            return D(self.source.choice(ODD))
        if chance < 0.5:
            return D(self.source.choice(PLAIN))
        return D(f"{self.source.uniform(-1_000, 1_000):.4f}")

    def price(self) -> Decimal:
        return D(f"{self.source.uniform(50, 150):.2f}")

    def maybe(self, value: Callable[[], Decimal], unknown: float = 0.15) -> Decimal | None:
        return None if self.source.random() < unknown else value()

    def live(self) -> None:
        """Some of what may happen to an account, also past its methods."""
        account, symbol = self.account, self.source.choice(SYMBOLS)
        match self.source.choice("nothing nothing fill fill mark order close day observe work done direct later".split()):
            case "fill":
                account.fill("trend", symbol, D(self.source.randint(-3, 3)) or D(1), self.price(), D("0.3"))
            case "mark":
                account.mark(symbol, self.maybe(self.price))
            case "order":
                account.count_order(self.at, is_entry=self.source.random() < 0.5, strategy="trend")
                account.activity.send(SentOrder(self.at, "trend", symbol, 1, D(2), self.price(), is_entry=True))
            case "close":
                account.trade_closed(self.at, D(self.source.choice((-5, 7))), strategy="trend", value=D(100))
            case "day":
                account.begin_day(self.at - self.at % (24 * HOUR), self.at + 24 * HOUR)
            case "observe":
                account.observe(self.at)
            case "work":
                self.count += 1
                sign, price = self.source.choice((1, -1)), self.price()
                account.working[f"w{self.count}"] = Working(f"w{self.count}", symbol, sign, D("1.5"), price, "trend")
            case "done" if account.working:
                account.working.popitem()
            case "direct":
                self.write()
            case "later":
                self.at += self.source.choice((1_000, HOUR))

    def write(self) -> None:
        account = self.account
        match self.source.choice("cash high day entries".split()):
            case "cash":
                account.cash = self.price() * 100
                account.mark("BTC-USD", self.price())
            case "high":
                account.high_water = self.price() * 100
            case "day":
                account.equity_at_day_start = self.maybe(self.price)
            case _:
                account.entry_times = type(account.entry_times)([self.at - 5_000])

    def proposal(self) -> Proposal:
        pick = self.source.choice
        made = Proposal(
            "trend",
            pick(SYMBOLS),
            pick((1, -1)),
            abs(self.number()) if self.source.random() < 0.8 else D(pick(("0", "1", "2.5", "40"))),
            self.maybe(self.price, 0.05),
            self.maybe(self.price),
            self.maybe(self.number),
            self.maybe(self.price),
            pick((None, 0.5, 0.73, 1 / 3)),
            pick(("majors.core", "majors.rest", None)),
            self.source.random() < 0.8,
        )
        return replace(made, missing="stop", rate=None) if self.source.random() < 0.05 else made

    def moment(self) -> Moment:
        pick = self.source.choice
        words = (pick((None, None, None, "a rule")) for _ in range(2))
        minimum, maximum, age = pick((None, D(1), D("0.5"))), pick((None, D(1_000))), pick((None, 0, 60_000, HOUR))
        said = Standing("open", "active", 5, pick((None, 7)), 0, 1)
        book = self.account.books["main"]
        return Moment(
            self.at,
            self.proposal(),
            self.account,
            self.groups,
            self.restricted,
            minimum,
            maximum,
            age,
            *words,
            book=book,
            standing=said,
        )

    def market(self) -> MarketReader:
        found: dict[int, float | None] = {}

        def value(leaf: int) -> float | None:
            if leaf not in found:
                odd = (None, math.nan, math.inf, 1e16, 1e-5, 3e-9, 0.0, -0.0, 1.0, 1.0, 100.0, 1e300)
                found[leaf] = self.source.choice(odd) if self.source.random() < 0.3 else self.source.uniform(-200, 200)
            return found[leaf]

        return value
