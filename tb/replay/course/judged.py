"""What the gate says of the orders of a course, besides that it approves them as they are."""

from __future__ import annotations

from dataclasses import dataclass

from tb.core.records import Verdict
from tb.gate.gate import Judgement


@dataclass(frozen=True, slots=True)
class Said:
    """As in `Judgement`."""

    verdict: Verdict
    deciding: tuple[str, ...]
    failed: int
    unknown: int

    @property
    def is_refused(self) -> bool:
        return self.verdict == "reject"


PASSED = Said("approve", (), 0, 0)


def said_of(judgement: Judgement) -> Said | None:
    """What a course can tell of an order; None where the session has to: of one that is smaller than it was proposed, of a
    pause or halt, and of what more is recorded than this."""
    if judgement.latches or judgement.shadowed or judgement.verdict not in {"approve", "warn", "reject"}:
        return None
    return Said(judgement.verdict, judgement.deciding, judgement.failed, judgement.unknown)
