"""Tests and claims of the parsed tree."""

from __future__ import annotations

from dataclasses import dataclass, field

from tb.core.span import Span
from tb.dsl.syntax_expressions import Expr, Instant, Number, Symbol, Text


@dataclass(frozen=True, slots=True)
class Fact:
    """`spread = 80bps`, `entries(today) = 8`, `close[1] = 60_000 USD`: `what` names one value."""

    what: Expr
    value: Expr
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Given:
    """`given spread = 80bps, equity = 10_000 USD`."""

    facts: tuple[Fact, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class BarRow:
    """One line of bars, `times` in a row. `values` stand for the columns of their `Bars`, None where `unknown` is written.

    Without columns the one value is the close; `goes_to` is where a ramp `100..120 x 20` ends.
    """

    values: tuple[Number | None, ...]
    goes_to: Number | None
    times: int
    volume: Number | None
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Bars:
    """`bars BTC-USD 1h from 2026-01-05 08:00` and its rows; `columns` are empty where rows say closes and volumes."""

    instrument: Symbol
    period: Number
    start: Instant | None
    columns: tuple[str, ...]
    rows: tuple[BarRow, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Recorded:
    """`data "data/crash" from 2026-01-05 to 2026-01-06`: recorded bars; without ends, all of them."""

    path: Text
    start: Instant | None
    end: Instant | None
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Proposes:
    """`when momentum proposes buy 0.01 BTC-USD at 60_000 USD stop 58_000 USD target 66_000 USD`."""

    strategy: str
    side: str  # "buy" or "sell"
    quantity: Number
    instrument: Symbol
    price: Expr | None
    stop: Expr | None
    target: Expr | None
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class ExpectVerdict:
    """`expect reject by thin clause spread > 60bps with margin 20bps`, `expect approve buy BTC-USD by momentum`.

    `by` is the constraint that decided; where a `side` is said, the strategy that proposed. `to` is of `shrink to 0.37 BTC`.
    """

    verdict: str  # "approve", "warn", "shrink", "reject", "pause", "halt"
    side: str | None
    instrument: Symbol | None
    to: Number | None
    by: str | None
    clause: Expr | None
    margin: Expr | None
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class ExpectThat:
    """`expect volume_spike with confidence >= 0.5`, `expect confluence == 7`, `expect not crash_seen`: at the last bar."""

    condition: Expr
    operator: str | None
    confidence: Number | None
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class ExpectNoProposal:
    """`expect no proposal`, `expect no proposal by momentum`."""

    by: str | None
    span: Span = field(compare=False)


Expectation = ExpectVerdict | ExpectThat | ExpectNoProposal


@dataclass(frozen=True, slots=True)
class Test:
    """`test "name"` with what is given, what happens, and what is expected of it."""

    name: str
    given: tuple[Given, ...]
    bars: tuple[Bars, ...]
    recorded: Recorded | None
    proposes: Proposes | None
    expects: tuple[Expectation, ...]
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class OrdersHave:
    """`every approved order has CONDITION`, `every reducing order has CONDITION`."""

    orders: str  # "approved" or "reducing"
    condition: Expr
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class ReducingApproved:
    """`every reducing order is approved unless halted`."""

    unless_halted: bool
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Prove:
    """`prove "never concentrated"  every approved order has ...`."""

    name: str
    claim: OrdersHave | ReducingApproved
    span: Span = field(compare=False)
