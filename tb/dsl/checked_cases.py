"""Decision tables and signals of the checked tree: records beside `tb.dsl.checked`, through which everybody reads them."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from tb.core.span import Span
from tb.core.units import Unit

if TYPE_CHECKING:
    from tb.dsl.checked import Const, Expr, Template


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table as written; `value` is None where it is `regime`, `tier` or a signal, which cells ask by name."""

    text: str
    value: Expr | None


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row: a condition for each column (None: `any`), all of them together (None: it always fits), and the result.

    `words` is the row as people read it: `spread in 10bps..20bps | regime is bull -> 2%`.
    """

    cells: tuple[Expr | None, ...]
    condition: Expr | None
    outcome: Expr
    words: str
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Table:
    """A decision table: the result of its first row that fits.

    Unknown where a row before that one is unknown, where that result is, and where no row fits.
    """

    name: str
    columns: tuple[Column, ...]
    rows: tuple[TableRow, ...]
    unit: Unit
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Producer:
    """A signal for people: what each case says, its words and its place. What it computes is the `let` of its name."""

    name: str
    directions: tuple[str, ...]
    because: tuple[Template, ...]
    cases: tuple[Span, ...]
    doc: str
    span: Span


@dataclass(frozen=True, slots=True)
class ConvictionSize:
    """A share of equity that rises from `small` at conviction `low` to `large` at `high`, level beyond them."""

    low: Decimal
    high: Decimal
    small: Const
    large: Const
    risking: bool
    span: Span
