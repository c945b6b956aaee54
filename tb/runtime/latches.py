"""Pauses and halts in force: set by constraints, kept until they end, lifted by a person.

The records of a ledger are the latch: a session that starts on an account begins with what `restore` makes of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from tb.core.records import Latch
from tb.core.time import show_instant
from tb.engine.plan import ConstraintPlan


@dataclass(slots=True)
class Latches:
    """`active` maps a rule, and the book it holds for where it is not for all (`rule of book`), to what it set."""

    active: dict[str, Latch] = field(default_factory=dict)

    @classmethod
    def restore(cls, records: Iterable[Latch]) -> Latches:
        """The state after all these records, in their order."""
        latches = cls()
        for record in records:
            if record.lifted:
                latches.active.pop(place(record.rule, record.book), None)
            else:
                latches.active[place(record.rule, record.book)] = record
        return latches

    def set(self, constraint: ConstraintPlan, at: int, next_day: int, reason: str, book: str = "") -> Latch | None:
        """Sets the pause or halt of a constraint; None where it holds already, at least as long."""
        until = next_day if constraint.until_tomorrow else None if constraint.lasts is None else at + constraint.lasts
        earlier = self.active.get(place(constraint.name, book))
        if earlier is not None and (earlier.until is None or (until is not None and until <= earlier.until)):
            return None
        verdict: Literal["pause", "halt"] = "halt" if constraint.verdict == "halt" else "pause"
        latch = Latch(
            at=at, rule=constraint.name, verdict=verdict, until=until, lifted=False, by="policy", reason=reason, book=book
        )
        self.active[place(constraint.name, book)] = latch
        return latch

    def expire(self, at: int) -> list[Latch]:
        """Lifts those whose time is over; a halt without an end is not among them."""
        over = [latch for latch in self.active.values() if latch.until is not None and latch.until <= at]
        return [self.lift(place(latch.rule, latch.book), latch.until or at, "time", "its time is over") for latch in over]

    def lift(self, held: str, at: int, by: str, reason: str) -> Latch:
        """Ends the pause or halt that `active` holds by that name, saying who did and why."""
        earlier = self.active.pop(held)
        return Latch(
            at=at,
            rule=earlier.rule,
            verdict=earlier.verdict,
            until=None,
            lifted=True,
            by=by,
            reason=reason,
            book=earlier.book,
        )

    def in_force(self, book: str = "") -> str | None:
        """The first pause or halt in force for all, or for that book: `halt deep`; None where there is none."""
        return next((f"{x.verdict} {held}" for held, x in self.active.items() if x.book in ("", book)), None)

    def words(self, verdict: str, book: str = "") -> str | None:
        """The rules whose pause or halt is in force for all, or for that book, for people; None where there is none."""
        if not self.active:
            return None
        found = [
            f"{held} since {show_instant(x.at)}"
            for held, x in self.active.items()
            if x.verdict == verdict and x.book in ("", book)
        ]
        return ", ".join(found) or None


def place(rule: str, book: str) -> str:
    """What a pause or halt is held under."""
    return f"{rule} of {book}" if book else rule
