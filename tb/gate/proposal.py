"""What is put before the gate: one order that somebody wants, with everything about it that constraints may read."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from tb.engine.plan import AT_MARKET, OrderPlan
from tb.gate.conversion import ONE

HELD_TOO_LONG = -1  # stands for the number of the exit where time, not a condition, ended a position
TOO_LONG = "held as long as allowed"  # and what is said of exits that have no words of their own
UNSAID = "exit condition"
LEG_GONE = -2  # stands for the number of the exit where a leg was gone and the others are closed
GONE = "another leg of it is gone"
FLATTEN = -3  # stands for the exit that the operator ordered
FLATTENED = "the operator closes everything"
BY_ITSELF = {HELD_TOO_LONG: TOO_LONG, LEG_GONE: GONE, FLATTEN: FLATTENED}  # what is said of an exit without a condition
# what a fill says of such an exit; of others `exit when`
EXIT_CAUSES = {HELD_TOO_LONG: "hold", LEG_GONE: "leg gone", FLATTEN: "flatten"}


@dataclass(frozen=True, slots=True)
class Allotment:
    """What an allocation by Kelly goes by: the strategy's last closed trades, and the instruments that share with the order's.

    `gain` and `loss` are mean returns of the trades that won and lost, as ratios of the entries' value, 0 where there are none.
    """

    trades: int
    needed: int
    wins: int
    gain: Decimal
    loss: Decimal
    fraction: Decimal
    most: Decimal
    alike: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Proposal:
    """`sign` is 1 for a buy, -1 for a sell. `quantity` is on the lot grid, `price` None where no price is known.

    `intended` is the money the size rule asked for, None where it could not be computed. `tier` is `universe.tier`. `adds_risk`
    is False for orders that only close a position. `order` says how it asks to be filled, `asked` the limit or trigger of one
    that rests.

    A leg names its `group` and how many `legs` that has; `hedged` and `net_share` are those of `tb.gate.legs`.

    `parent` is the order that it is a part of, `parent_quantity` how much that one is for; None where it is whole.
    """

    strategy: str
    instrument: str
    sign: int
    quantity: Decimal
    price: Decimal | None
    stop: Decimal | None
    target: Decimal | None
    intended: Decimal | None
    confidence: float | None
    tier: str | None
    adds_risk: bool
    missing: str | None = None  # inputs of the order that could not be computed, for people
    conviction: float | None = None  # of the signals that agree with an entry
    order: OrderPlan = AT_MARKET
    asked: Decimal | None = None
    takes: tuple[Decimal, ...] = ()  # levels at which parts are to leave
    votes_for: Decimal | None = None  # share of the council's weight; None where it is not asked
    inventory: Decimal | None = None  # of a quote, as in its decision
    crossing: Decimal | None = None  # likewise
    group: str = ""
    legs: int = 1
    hedged: Decimal | None = Decimal(0)
    net_share: Decimal | None = Decimal(1)
    parent: str | None = None
    parent_quantity: Decimal | None = None
    allotment: Allotment | None = None  # None where nothing is allocated
    rate: Decimal | None = ONE  # of the currency that it is priced in; None where that is not known
    vetoed_by: str | None = None  # the advisor who vetoes it
