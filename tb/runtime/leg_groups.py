"""Which legs belong together, from their approval until the last of them has left."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from tb.core.records import Order
from tb.engine.baskets import BasketPlan
from tb.engine.instant import EXACT
from tb.engine.plan import StrategyPlan
from tb.gate.account import ZERO, Account
from tb.runtime.drafts import Key


def name_of(strategy: StrategyPlan, basket: BasketPlan) -> str:
    """What legs of one strategy and asset are called: they are held once at a time."""
    return f"{strategy.name} {basket.name}"


@dataclass(slots=True)
class Group:
    """Legs of one entry. `number` is the seq of the first leg's decision; `profit` and the entries' `value` are those of the
    legs that have left."""

    number: int
    strategy: StrategyPlan
    symbols: tuple[str, ...]
    profit: Decimal = ZERO
    value: Decimal = ZERO
    left: set[str] = field(default_factory=set)
    missing: int = 0  # legs that never filled

    @property
    def members(self) -> tuple[Key, ...]:
        return tuple((self.strategy.name, symbol) for symbol in self.symbols)


class LegGroups:
    """The groups of one account, by name. The account knows of each leg which group it belongs to."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.open: dict[str, Group] = {}

    def begin(self, name: str, group: Group) -> None:
        """All legs of an entry were approved."""
        self.open[name] = group
        self.account.together.update(dict.fromkeys(group.members, name))

    def number_of(self, key: Key) -> int | None:
        """What the trade of a position says about the legs it belongs to; None of a position alone."""
        group = self.open.get(self.account.together.get(key, ""))
        return None if group is None else group.number

    def cancelled(self, order: Order) -> tuple[Decimal, Decimal] | None:
        """A leg did not fill. Where no leg did, there is no group; where others are held, they are closed (`Legs.exits`).
        Returns what the others earned and what their entries were worth where the last of them has left already."""
        name = self.account.together.pop((order.strategy, order.instrument), None)
        group = None if name is None else self.open.get(name)
        if name is None or group is None:
            return None
        group.missing += 1
        if group.missing + len(group.left) < len(group.symbols):
            return None
        del self.open[name]
        return (group.profit, group.value) if group.left else None

    def late(self, order: Order, strategy: StrategyPlan, basket: BasketPlan) -> None:
        """A leg filled after it was told over. It belongs to its group again, or is what is left of one, and is closed as such
        (`Legs.exits`)."""
        key, name = (order.strategy, order.instrument), name_of(strategy, basket)
        if key in self.account.together:
            return
        group = self.open.get(name)
        if group is None:
            group = self.open[name] = Group(order.decision, strategy, basket.symbols, missing=len(basket.symbols))
        if order.instrument not in group.left:
            group.missing -= 1
        group.left.discard(order.instrument)
        self.account.together[key] = name

    def left(self, key: Key, profit: Decimal, value: Decimal) -> tuple[Decimal, Decimal] | None:
        """A leg was closed. What all legs earned and what their entries were worth once the last one was, None before."""
        name = self.account.together.pop(key)
        group = self.open[name]
        group.profit = EXACT.add(group.profit, profit)
        group.value = EXACT.add(group.value, value)
        group.left.add(key[1])
        if len(group.left) + group.missing < len(group.symbols):
            return None
        del self.open[name]
        return group.profit, group.value
