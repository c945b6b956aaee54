"""The parsed tree: what a file says, before anybody asks whether it makes sense.

Frozen, slotted, closed unions. Every node carries its span, which takes no part in equality, so two trees are equal when
they say the same. Numbers keep the text the user wrote, for the formatter. Comments are kept beside the tree.

The nodes stand in modules by subject (`syntax_expressions`, `syntax_rules`, `syntax_strategy`, `syntax_policy`,
`syntax_tests`); everyone reads them from here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tb.dsl.syntax_expressions import (
    AtMoment,
    AtPeriod,
    Between,
    Binary,
    Call,
    Clock,
    Compare,
    Crosses,
    Date,
    During,
    Expr,
    ForBars,
    Instant,
    Is,
    Member,
    Name,
    Number,
    Of,
    Part,
    Shift,
    Symbol,
    Text,
    Unary,
    WithinBars,
)
from tb.dsl.syntax_policy import (
    Advisor,
    Allocate,
    Book,
    Constraint,
    Council,
    Forbid,
    Limit,
    LimitException,
    Otherwise,
    Pause,
    Require,
    Vote,
    Warn,
)
from tb.dsl.syntax_rules import (
    AnyCell,
    Cell,
    CompareCell,
    Confidence,
    EqualCell,
    Feed,
    Function,
    Group,
    Let,
    Param,
    ParamRequire,
    Points,
    RangeCell,
    Regime,
    RegimeCase,
    Score,
    Session,
    Signal,
    SignalCase,
    Table,
    TableRow,
    Tier,
    Trigger,
    Universe,
    Use,
)
from tb.dsl.syntax_strategy import (
    AtPrice,
    BreakEven,
    ConvictionSize,
    CoolDown,
    Distance,
    Enter,
    ExitLevel,
    ExitWhen,
    InR,
    Leg,
    LegEnter,
    Order,
    Quote,
    SizeCase,
    Skew,
    Strategy,
    Take,
    Trailing,
)
from tb.dsl.syntax_tests import (
    BarRow,
    Bars,
    Expectation,
    ExpectNoProposal,
    ExpectThat,
    ExpectVerdict,
    Fact,
    Given,
    OrdersHave,
    Proposes,
    Prove,
    Recorded,
    ReducingApproved,
    Test,
)

__all__ = [
    "Advisor",
    "Allocate",
    "AnyCell",
    "AtMoment",
    "AtPeriod",
    "AtPrice",
    "BarRow",
    "Bars",
    "Between",
    "Binary",
    "Book",
    "BreakEven",
    "Call",
    "Cell",
    "Clock",
    "Comment",
    "Compare",
    "CompareCell",
    "Confidence",
    "Constraint",
    "ConvictionSize",
    "CoolDown",
    "Council",
    "Crosses",
    "Date",
    "Declaration",
    "Distance",
    "During",
    "Enter",
    "EqualCell",
    "ExitLevel",
    "ExitWhen",
    "ExpectNoProposal",
    "ExpectThat",
    "ExpectVerdict",
    "Expectation",
    "Expr",
    "Fact",
    "Feed",
    "File",
    "ForBars",
    "Forbid",
    "Function",
    "Given",
    "Group",
    "InR",
    "Instant",
    "Is",
    "Leg",
    "LegEnter",
    "Let",
    "Limit",
    "LimitException",
    "Member",
    "Name",
    "Number",
    "Of",
    "Order",
    "OrdersHave",
    "Otherwise",
    "Param",
    "ParamRequire",
    "Part",
    "Pause",
    "Points",
    "Proposes",
    "Prove",
    "Quote",
    "RangeCell",
    "Recorded",
    "ReducingApproved",
    "Regime",
    "RegimeCase",
    "Require",
    "Score",
    "Session",
    "Shift",
    "Signal",
    "SignalCase",
    "SizeCase",
    "Skew",
    "Strategy",
    "Symbol",
    "Table",
    "TableRow",
    "Take",
    "Test",
    "Text",
    "Tier",
    "Trailing",
    "Trigger",
    "Unary",
    "Universe",
    "Use",
    "Vote",
    "Warn",
    "WithinBars",
]

Declaration = (
    Use
    | Param
    | ParamRequire
    | Group
    | Universe
    | Regime
    | Let
    | Function
    | Table
    | Feed
    | Session
    | Trigger
    | Signal
    | Score
    | Strategy
    | Limit
    | Forbid
    | Require
    | Pause
    | Warn
    | LimitException
    | Book
    | Council
    | Allocate
    | Advisor
    | Test
    | Prove
)


@dataclass(frozen=True, slots=True)
class Comment:
    """`text` starts with `#`; `alone` says that nothing else stands on its line."""

    line: int
    column: int
    text: str
    alone: bool


@dataclass(frozen=True, slots=True)
class File:
    """One file of rules or policy. `is_policy` says which of the two grammars of `require` it was read with."""

    path: str
    is_policy: bool
    doc: str | None
    declarations: tuple[Declaration, ...]
    comments: tuple[Comment, ...] = field(compare=False)
    text: str = field(compare=False)
