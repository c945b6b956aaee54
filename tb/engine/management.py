"""How a position is managed after its entry: a stop that moves, and parts that leave on the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from tb.core.units import Kind
from tb.dsl import checked

NodeOf = Callable[[checked.Expr], int]


@dataclass(frozen=True, slots=True)
class LevelPlan:
    """`kind` as in `checked.Level`; the side is told by the direction of the entry."""

    kind: str
    node: int


@dataclass(frozen=True, slots=True)
class AfterPlan:
    """A profit: multiples of the initial risk where `in_r`, else a ratio of the entry price."""

    amount: Decimal
    in_r: bool
    text: str


@dataclass(frozen=True, slots=True)
class TrailingPlan:
    """`distance` of the stop from the close, as a level's; from the profit `after` on, None for at once."""

    distance: LevelPlan
    after: AfterPlan | None


@dataclass(frozen=True, slots=True)
class TakePlan:
    """A share of the position as it was entered, and the level at which it leaves."""

    share: Decimal
    level: LevelPlan


@dataclass(frozen=True, slots=True)
class ManagePlan:
    """What happens between entry and exit. `takes` in the order of the text."""

    trailing: TrailingPlan | None = None
    break_even: AfterPlan | None = None
    takes: tuple[TakePlan, ...] = ()

    def nodes(self) -> tuple[int, ...]:
        """What it reads of the market."""
        trailing = () if self.trailing is None else (self.trailing.distance.node,)
        return (*trailing, *(take.level.node for take in self.takes))


UNMANAGED = ManagePlan()


def manage_plan(enter: checked.Enter, node: NodeOf) -> ManagePlan:
    """The plan of an entry's lines; `node` builds an expression."""
    trailing = enter.trailing
    return ManagePlan(
        None if trailing is None else TrailingPlan(level_plan(trailing.distance, node), _after(trailing.after)),
        None if enter.break_even is None else _after(enter.break_even.after),
        tuple(TakePlan(take.share, level_plan(take.level, node)) for take in enter.takes),
    )


def level_plan(level: checked.Level, node: NodeOf) -> LevelPlan:
    return LevelPlan(level.kind, node(level.value))


def _after(profit: checked.Const | None) -> AfterPlan | None:
    if profit is None or not isinstance(profit.value, Decimal):
        return None
    return AfterPlan(profit.value, profit.unit.kind is Kind.R, profit.text)
