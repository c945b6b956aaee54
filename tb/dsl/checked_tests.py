"""The tests of a project, checked: every name resolved, every unit known. They take no part in a `Program`.

Values are exact, in base units; None is unknown. No node refers to a syntax object.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from tb.core.span import Span
from tb.dsl.checked import Const, Expr


@dataclass(frozen=True, slots=True)
class Given:
    """A fact or a market value, and what it is. A count of bars is told from a length of time by the unit of the constant."""

    what: Expr
    value: Const | None
    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Held:
    """What the account holds of an instrument, in its currency: negative for a short position."""

    instrument: str
    value: Decimal | None
    span: Span


@dataclass(frozen=True, slots=True)
class Proposes:
    """The order that is put before the gate. `sign` is 1 for a buy, -1 for a sell."""

    strategy: str
    sign: int
    quantity: Decimal
    instrument: str
    price: Decimal | None
    stop: Decimal | None
    target: Decimal | None
    span: Span


@dataclass(frozen=True, slots=True)
class Row:
    """`times` bars alike, or a ramp of so many from the one value to `goes_to`; values stand for the table's columns."""

    values: tuple[Decimal | None, ...]
    goes_to: Decimal | None
    times: int
    volume: Decimal | None
    span: Span


@dataclass(frozen=True, slots=True)
class BarTable:
    """Bars of one instrument: period and start of the first one in ms. Without columns a row says the close."""

    instrument: str
    period: int
    start: int
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Recorded:
    """Recorded bars in a folder of the project; ends in ms, None where there are none."""

    path: str
    first: int | None
    last: int | None
    span: Span


@dataclass(frozen=True, slots=True)
class ExpectVerdict:
    """`by` is a constraint, of an approval the strategy. `clause` is in terms of policy; `margin` is an amount."""

    verdict: str
    side: str | None
    instrument: str | None
    to: Decimal | None
    by: str | None
    clause: Expr | None
    margin: Const | None
    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class ExpectThat:
    """A condition, and how confident the triggers that it names have to be (`operator` as in `checked.Comparison`).

    Where it `is_unknown`, that is what is expected of it, and it may be any value.
    """

    condition: Expr
    operator: str | None
    confidence: Decimal | None
    text: str
    span: Span
    is_unknown: bool = False


@dataclass(frozen=True, slots=True)
class ExpectNoProposal:
    by: str | None
    text: str
    span: Span


Expectation = ExpectVerdict | ExpectThat | ExpectNoProposal


@dataclass(frozen=True, slots=True)
class Test:
    """`kind` says what happens: an `order` is judged, a `market` is replayed to its last bar, or given values are looked at."""

    __test__ = False  # a record, however test runners read its name

    name: str
    kind: Literal["order", "market", "values"]
    given: tuple[Given, ...]
    held: tuple[Held, ...]
    bars: tuple[BarTable, ...]
    recorded: Recorded | None
    proposes: Proposes | None
    expects: tuple[Expectation, ...]
    span: Span
