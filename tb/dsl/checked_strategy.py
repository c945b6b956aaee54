"""Checked strategies: what they enter and leave on, in which size, and at which levels.

`tb.dsl.checked` is where everyone reads them from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tb.core.records import Style
from tb.core.span import Span
from tb.dsl.checked_cases import ConvictionSize
from tb.dsl.checked_expressions import Const, Expr, Template
from tb.dsl.checked_management import BreakEven, Take, Trailing

if TYPE_CHECKING:
    from tb.dsl.checked_legs import LegEnter


@dataclass(frozen=True, slots=True)
class SizeCase:
    """`share` is the ratio of equity spent, or risked where `risking`; `condition` None means always."""

    share: Expr
    risking: bool
    condition: Expr | None
    span: Span


@dataclass(frozen=True, slots=True)
class Level:
    """A stop or target. `kind`: `ratio` (of the entry price) or `distance` (a price distance) away from entry, `price`, `r`."""

    kind: str
    value: Expr
    side: str  # "below", "above", or "" for price and r
    span: Span


@dataclass(frozen=True, slots=True)
class EntryOrder:
    """How an entry asks to be filled. `price` is the limit or the trigger, None at market; `valid` ms or bars, None where the
    strategy says nothing."""

    style: Style
    price: Expr | None
    valid: Const | None
    post_only: bool
    span: Span
    skew: Expr | None = None  # how far a quote moves against what is held, in price
    is_quote: bool = False


@dataclass(frozen=True, slots=True)
class Enter:
    direction: str
    when: Expr
    sizes: tuple[SizeCase, ...]
    stop: Level | None
    target: Level | None
    because: Template
    span: Span
    by_conviction: ConvictionSize | None = None  # in place of `sizes`
    order: EntryOrder | None = None
    trailing: Trailing | None = None
    break_even: BreakEven | None = None
    takes: tuple[Take, ...] = ()


@dataclass(frozen=True, slots=True)
class ExitWhen:
    condition: Expr
    because: Template
    span: Span


@dataclass(frozen=True, slots=True)
class CoolDown:
    length: Const  # ms or bars
    after: str
    span: Span


@dataclass(frozen=True, slots=True)
class Strategy:
    name: str
    universe: str
    period: int  # ms
    enters: tuple[Enter, ...]
    exits: tuple[ExitWhen, ...]
    hold_at_most: Const | None
    cool_downs: tuple[CoolDown, ...]
    doc: str
    span: Span
    leg_enters: tuple[LegEnter, ...] = ()
    quotes: tuple[Enter, ...] = ()  # the bid and the ask, each as an entry
