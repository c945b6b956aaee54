"""What happens to a position between entry and exit, in the checked tree: records beside `tb.dsl.checked`."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from tb.core.span import Span

if TYPE_CHECKING:
    from tb.dsl.checked import Const, Level


@dataclass(frozen=True, slots=True)
class Trailing:
    """A stop that follows the close at `distance`, from the profit `after` on (in R or a ratio of the entry price)."""

    distance: Level
    after: Const | None
    span: Span


@dataclass(frozen=True, slots=True)
class BreakEven:
    """The stop moves to the price of entry from the profit `after` on."""

    after: Const
    span: Span


@dataclass(frozen=True, slots=True)
class Take:
    """`share` of the position as it was entered leaves at `level`."""

    share: Decimal
    level: Level
    span: Span
