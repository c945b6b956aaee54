"""Declarations of the parsed tree that policy files hold: constraints, exceptions, capital, votes and advisors.

The `level` of a constraint is None, `warn` (it judges, and warns in place of its verdict) or `shadow` (it judges, and is only
recorded).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tb.core.span import Span
from tb.dsl.syntax_expressions import Date, Expr, Number, Text


@dataclass(frozen=True, slots=True)
class Otherwise:
    """`otherwise reject`, `otherwise shrink`, `otherwise pause for 60m`, `otherwise halt`, `otherwise halt until tomorrow`."""

    verdict: str  # "reject", "shrink", "pause", "halt"
    length: Number | None  # of a pause
    until_tomorrow: bool
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Limit:
    """`limit position  after.exposure(order.instrument) <= 5% of equity  otherwise shrink  on every order  because "..."`."""

    name: str
    condition: Expr  # a Compare; anything else is for the checker to refuse
    otherwise: Otherwise | None
    every_order: bool
    level: str | None
    because: Text | None
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Forbid:
    """`forbid thin when spread > 60bps`."""

    name: str
    when: Expr
    otherwise: Otherwise | None
    every_order: bool
    level: str | None
    because: Text | None
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Require:
    """`require protected order.stop is set` (policy files only)."""

    name: str
    condition: Expr
    otherwise: Otherwise | None
    every_order: bool
    level: str | None
    because: Text | None
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Pause:
    """`pause losing_streak for 60m after 3 losses in a row`, or `pause name for 60m when <condition>`."""

    name: str
    length: Number
    losses: int | None
    when: Expr | None
    level: str | None
    because: Text | None
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Warn:
    """`warn big_day when entries(today) >= 8`."""

    name: str
    when: Expr
    because: Text | None
    span: Span = field(compare=False)


Constraint = Limit | Forbid | Require | Pause | Warn


@dataclass(frozen=True, slots=True)
class LimitException:
    """`exception desk to position` with `tightens to 2% of equity`, or `loosens to ... owner "..." until DATE because "..."`.

    `when` narrows it to a condition; a loosening always has an owner, a last day and a reason.
    """

    name: str
    constraint: str
    loosens: bool
    bound: Expr
    when: Expr | None
    owner: Text | None
    until: Date | None
    because: Text | None
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Book:
    """`book high_risk  30% of capital  strategies fvg, maker, leverage at most 3`."""

    name: str
    capital: Number
    strategies: tuple[str, ...]
    leverage: Number | None
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Vote:
    """`momentum 2`: a strategy of the council and the weight of its vote."""

    strategy: str
    weight: Number
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Council:
    """`council momentum 2, combined 1  approve when weight for >= 60%`; `operator` is `>=` or `>`."""

    votes: tuple[Vote, ...]
    operator: str
    share: Number
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Allocate:
    """`allocate kelly fraction 0.25 over 50 trades, at most 15% each, correlation above 0.8 counts as one`."""

    fraction: Number
    trades: Number
    most_each: Number | None
    correlation: Number | None
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Advisor:
    """`advisor news_review`: a model or a person, asked about proposals, never the origin of one.

    `adjust` is how far it may move conviction, None where it may not; `per` is minute, hour or day; `cost` is money for each
    cycle; `late` is what no answer in time means: abstain or veto.
    """

    name: str
    adjust: Expr | None
    veto: bool
    calls: Number | None
    per: str | None
    cost: Number | None
    within: Number
    late: str
    doc: str | None
    span: Span = field(compare=False)
