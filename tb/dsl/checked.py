"""The checked tree: every name resolved, every unit known, nothing left to refuse.

Expressions form a small core language; sugar is gone (`crosses above`, `in a..b`), names of definitions stay as `Ref` so that
explanations can use the trader's words. Declarations are records. No node refers to a syntax object.

Expressions stand in `checked_expressions`, strategies in `checked_strategy`; everyone reads them from here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from tb.core.span import Span
from tb.core.units import Unit
from tb.dsl.checked_capital import Capital
from tb.dsl.checked_cases import Producer
from tb.dsl.checked_expressions import (
    Agree,
    Apply,
    Comparison,
    Const,
    Conviction,
    Depth,
    Expr,
    FactRef,
    Feed,
    FeedRead,
    Field,
    Hole,
    IsSet,
    Lasting,
    Logic,
    Not,
    OfInstrument,
    OfLeg,
    OneOf,
    OnPeriod,
    Pips,
    Pointwise,
    Ref,
    RegimeIs,
    Score,
    Shift,
    Signal,
    SignalIs,
    Template,
    TierIs,
)
from tb.dsl.checked_strategy import (
    CoolDown,
    Enter,
    EntryOrder,
    ExitWhen,
    Level,
    SizeCase,
    Strategy,
)

__all__ = [
    "Agree",
    "Apply",
    "Comparison",
    "Confidence",
    "Const",
    "Constraint",
    "Conviction",
    "CoolDown",
    "Depth",
    "Enter",
    "EntryOrder",
    "Exemption",
    "ExitWhen",
    "Expr",
    "FactRef",
    "Feed",
    "FeedRead",
    "Field",
    "Group",
    "Hole",
    "IsSet",
    "Lasting",
    "Let",
    "Level",
    "Logic",
    "Not",
    "OfInstrument",
    "OfLeg",
    "OnPeriod",
    "OneOf",
    "Param",
    "Pips",
    "Pointwise",
    "Program",
    "Ref",
    "RegimeCase",
    "RegimeIs",
    "Score",
    "Shift",
    "Signal",
    "SignalIs",
    "SizeCase",
    "Strategy",
    "Template",
    "Tier",
    "TierIs",
    "Trigger",
    "Universe",
]


@dataclass(frozen=True, slots=True)
class Param:
    name: str
    value: Decimal
    unit: Unit
    low: Decimal | None
    high: Decimal | None
    step: Decimal | None
    doc: str
    text: str
    origin: str  # "rules/momentum.tb:6" or "tb.yaml"
    span: Span


@dataclass(frozen=True, slots=True)
class Group:
    """`in_policy` says that a policy file defines it: constraints know no other groups."""

    name: str
    members: tuple[str, ...]
    in_policy: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Tier:
    name: str
    members: tuple[str, ...]
    weight_low: Decimal | None
    weight_high: Decimal | None
    hold_at_most: int | None  # ms
    span: Span
    where: Expr | None = None  # takes the instruments of the data for which it holds, in place of a list


@dataclass(frozen=True, slots=True)
class Universe:
    name: str
    venue: str | None
    tiers: tuple[Tier, ...]
    only_when: Expr | None
    span: Span

    def members(self) -> tuple[str, ...]:
        return tuple(symbol for tier in self.tiers for symbol in tier.members)

    @property
    def discovers(self) -> bool:
        """Whether a tier takes instruments by a condition, so that members are known only with the data."""
        return any(tier.where is not None for tier in self.tiers)

    def tier_of(self, symbol: str) -> Tier | None:
        return next((tier for tier in self.tiers if symbol in tier.members), None)


@dataclass(frozen=True, slots=True)
class RegimeCase:
    name: str
    condition: Expr | None
    span: Span


@dataclass(frozen=True, slots=True)
class Let:
    name: str
    value: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Confidence:
    low: Decimal
    high: Decimal
    driver: Expr | None
    start: Decimal
    end: Decimal


@dataclass(frozen=True, slots=True)
class Trigger:
    name: str
    when: Expr
    confidence: Confidence | None
    because: Template
    doc: str
    span: Span


@dataclass(frozen=True, slots=True)
class Exemption:
    """What an `exception` says, for people and for the plan: `applies` is true while it holds, None where it always does.

    `passes` compares the measured side of the limit `limit` with the bound `bound` of the exception. `ends` is the instant, in
    ms, from which on it holds no longer, None where it has no end; `until` is its last day as written.
    """

    name: str
    limit: str
    loosens: bool
    applies: Expr | None
    passes: Comparison
    bound: str
    owner: str
    until: str
    ends: int | None
    because: str
    span: Span


@dataclass(frozen=True, slots=True)
class Constraint:
    """One hard rule. `passes` is true when the order may go; a `forbid` or `warn` or `pause` is turned into that form.

    `kind` is the word it was written with. `passes` is what the limit itself says, whatever exceptions loosen it.
    """

    name: str
    kind: str  # limit, forbid, require, pause, warn
    passes: Expr
    verdict: str  # of tb.core.records.LATTICE
    lasts: int | None  # ms of a pause; None otherwise
    until_tomorrow: bool
    every_order: bool
    because: str
    span: Span
    latches: bool = False  # failing starts a pause or halt that outlives the order
    level: str | None = None  # "warn": it warns in place of its verdict; "shadow": it is only recorded
    exemptions: tuple[Exemption, ...] = ()  # those that loosen it, or the one that it stands for and that tightens another


@dataclass(frozen=True, slots=True)
class Program:
    """Rules and policy of one project, checked together. Mappings keep the order of declaration (files by name)."""

    params: dict[str, Param]
    groups: dict[str, Group]
    universes: dict[str, Universe]
    regime: tuple[RegimeCase, ...]
    lets: dict[str, Let]
    triggers: dict[str, Trigger]
    strategies: dict[str, Strategy]
    constraints: tuple[Constraint, ...]
    currency: str
    limits_used: dict[str, str] = field(default_factory=dict)  # name of a limit -> how it is written
    limits_at: dict[str, str] = field(default_factory=dict)  # name of a limit -> where, as `policy/limits.yaml:3`
    signals: dict[str, Producer] = field(default_factory=dict)
    capital: Capital = field(default_factory=Capital)
    feeds: dict[str, Feed] = field(default_factory=dict)
    rates: tuple[str, ...] = ()  # other currencies whose worth in the account's is known
