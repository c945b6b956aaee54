"""What an explanation says, as records: the text, JSON and HTML forms show these and nothing else."""

from __future__ import annotations

import msgspec

from tb.engine.explain.clauses import Clause
from tb.engine.explain.flips import Flip


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """One value that was read: `source` says where it comes from, `age` how old it was, `row` is the data file's, from 0
    (people are shown it from 1)."""

    name: str
    value: str
    exact: str
    unit: str
    source: str
    age: str = ""
    row: int | None = None


class Excepted(msgspec.Struct, frozen=True, kw_only=True):
    """What an exception did to a limit. `status`: `let it pass` (the limit alone would not have), `in force`, `not in force`
    (it has ended, or its condition does not hold), or `unknown`."""

    name: str
    words: str
    status: str
    place: str


class RuleResult(msgspec.Struct, frozen=True, kw_only=True):
    """One constraint. `status`: passed, failed, unknown, or not asked (a reducing order answers to few); failed and unknown
    are followed by `(shadow)` where the constraint only records.

    `used` is measured over bound of a limit, as a ratio. `missing` names the inputs that are unknown.
    """

    name: str
    kind: str
    otherwise: str
    status: str
    place: str
    because: str
    condition: Clause
    decides: bool
    used: float | None = None
    missing: tuple[str, ...] = ()
    flips: tuple[Flip, ...] = ()
    exceptions: tuple[Excepted, ...] = ()

    @property
    def decides_what_is_left(self) -> bool:
        """Whether it lets the proposed order pass, and decided on what others had shrunk it to."""
        return self.decides and self.status == "passed"


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """A parameter or limit that the decision rests on, and where its value was set."""

    name: str
    value: str
    origin: str
    allowed: str = ""


class LegLine(msgspec.Struct, frozen=True, kw_only=True):
    """One leg among those that enter or leave together; `verdict` is the gate's, in the light of the legs before it."""

    side: str
    instrument: str
    asked: str
    approved: str
    price: str
    verdict: str
    decided_by: tuple[str, ...]
    is_this: bool


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """How the proposed quantity came about, and what would pass. Quantities are in units of the instrument."""

    words: str
    proposed: str
    approved: str
    largest: str
    next_binding: str


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What a signal or a table said.

    A signal that the entry's condition names says `long, conviction 7`, `neutral` or `unknown`; `place` is that of the case
    that counted, or of the signal where none did. A table says its value, by the row at `place`.
    """

    name: str
    says: str
    because: str
    place: str


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """Everything there is to say about one decision, from its record alone.

    `differences` is empty where re-evaluation equals the record, which `reproduced` says. `if_lifted` is the verdict, and the
    rules behind it, that would stand without the deciding ones, but not that an order of 0 units could go. `margins` has for
    each input the nearest value at which the verdict is another, with the verdicts just before, at and beyond it. `order`
    says how an order that rests asks to be filled, `management` what happens to its position on the way.
    """

    id: str
    at: str
    strategy: str
    place: str
    instrument: str
    side: str
    kind: str
    verdict: str
    headline: str
    reason: str
    price: str
    stop: str
    target: str
    decided_by: tuple[str, ...]
    missing: tuple[str, ...]
    condition: Clause | None
    condition_flips: tuple[Flip, ...]
    size: Size
    rules: tuple[RuleResult, ...]
    near_misses: tuple[str, ...]
    margins: tuple[Flip, ...]
    if_lifted: str
    readings: tuple[Reading, ...]
    origins: tuple[Origin, ...]
    policy_hash: str
    reproduced: bool
    differences: tuple[str, ...]
    outcome: tuple[str, ...] = ()
    combined: tuple[str, ...] = ()  # what others than its strategy had to say: a line each
    membership: Clause | None = None  # which tier took the instrument and why, where the universe has conditions
    membership_flips: tuple[Flip, ...] = ()  # of these conditions
    conviction: str = ""  # of the signals that agree with the entry; empty where its condition names none
    signals: tuple[Said, ...] = ()
    order: str = ""
    tables: tuple[Said, ...] = ()  # that the entry read: `says` is the value, `because` the row
    legs: tuple[LegLine, ...] = ()
    management: tuple[str, ...] = ()
    not_known: str = ""  # what of the order could not be computed, and for want of which input

    def rank(self, rule: RuleResult) -> tuple[bool, bool]:
        """Sorts rules for reading: those that decided first, and where an input is missing, first the one that asks for it."""
        leads = bool(self.not_known) and rule.decides and rule.name == self.decided_by[0]
        return not rule.decides, not leads
