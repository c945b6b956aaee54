"""Named values of a finished run: each a finite number, or None with a note that says why; never NaN, never a sentinel."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Literal, NamedTuple

import msgspec

# ratio: 0.05 is 5 %; money: account currency; duration: milliseconds; bps: 1 is 0.01 %; R: multiples of the initial risk
Unit = Literal["ratio", "money", "number", "count", "duration", "R", "bps"]


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """One value with its unit and its definition. A missing value always carries a note."""

    name: str
    label: str
    value: float | None
    unit: Unit
    definition: str
    note: str = ""

    def __post_init__(self) -> None:
        if self.value is None and not self.note:
            raise ValueError(f"`{self.name}` has no value and no reason")
        if self.value is not None and not math.isfinite(self.value):
            raise ValueError(f"`{self.name}` is not finite")


class Group(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    label: str
    metrics: tuple[Metric, ...]


class Month(msgspec.Struct, frozen=True, kw_only=True):
    """Return of one calendar month (UTC); the first and the last may be partial. None once equity was used up."""

    year: int
    month: int  # 1..12
    value: float | None


class Drawdown(msgspec.Struct, frozen=True, kw_only=True):
    """One fall below an earlier peak, until the peak was reached again (`recovered` None: not within the run)."""

    peak: int
    trough: int
    recovered: int | None
    depth: float  # 0..1 of the peak
    money: float


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """Closed trades that share a name: a strategy, an instrument, a side or a cause of exit."""

    name: str
    trades: int
    wins: int
    profit: float
    mean_r: float | None  # over those trades that had a stop


class Breakdown(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    label: str
    rows: tuple[Row, ...]


class RuleUse(msgspec.Struct, frozen=True, kw_only=True):
    """How often a constraint was the one that decided. An order refused by two constraints counts for both. `shadowed` counts
    entries that a `shadow` constraint did not let pass, though it decided nothing."""

    rule: str
    refused: int
    shrunk: int
    warned: int
    shadowed: int
    binding: float | None  # share of the refused or shrunk entries in which this constraint decided
    blocked: float  # notional kept back, in account currency
    what_if: float | None = None  # what its refusals would have made, each by itself; None where that was not followed


class LimitUse(msgspec.Struct, frozen=True, kw_only=True):
    """Used share of one limit over the recorded marks; 1 is at the limit."""

    limit: str
    highest: float | None
    p95: float | None
    known: int  # marks with a value
    unknown: int


class Stoppage(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch in which a pause or halt was in force."""

    rule: str
    verdict: Literal["pause", "halt"]
    start: int
    end: int
    ongoing: bool  # still in force when the run ended
    lifted_by: str  # empty: it ran out, or was not lifted
    reason: str


class Metrics(msgspec.Struct, frozen=True, kw_only=True):
    """Everything `measure` found. `metrics["sharpe"]` finds one by name; a name that is not there is a KeyError."""

    days_per_year: int
    first: int | None
    last: int | None
    groups: tuple[Group, ...]
    monthly: tuple[Month, ...]
    drawdowns: tuple[Drawdown, ...]  # the deepest, deepest first
    breakdowns: tuple[Breakdown, ...]
    rules: tuple[RuleUse, ...]
    limits: tuple[LimitUse, ...]
    stoppages: tuple[Stoppage, ...]

    def each(self) -> Iterator[Metric]:
        for group in self.groups:
            yield from group.metrics

    def __getitem__(self, name: str) -> Metric:
        for metric in self.each():
            if metric.name == name:
                return metric
        raise KeyError(name)


class Meaning(NamedTuple):
    """What a metric is, apart from its value."""

    label: str
    unit: Unit
    definition: str


class Missing(NamedTuple):
    """Why a value cannot be given."""

    why: str


def figure(meanings: dict[str, Meaning], name: str, value: float | Missing, note: str = "") -> Metric:
    """The metric `name` of a table of meanings. A value too large for a float64 becomes a missing one."""
    label, unit, definition = meanings[name]
    if isinstance(value, Missing):
        known, note = None, value.why
    elif not math.isfinite(value):
        known, note = None, "too large to be stated"
    else:
        known = float(value) + 0.0  # + 0.0 turns -0.0 into 0.0
    return Metric(name=name, label=label, value=known, unit=unit, definition=definition, note=note)
