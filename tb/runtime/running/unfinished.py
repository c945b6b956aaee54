"""A flatten that an earlier run was ordered and may not have done, where what came to that run is not there any more.

1. The operator's orders are kept by the inbox, also those that were taken: the newest of flatten and resume counts.
2. A flatten drains the breaker in the name of whoever ordered it, and only a person who resumes closes that.
3. Where either says so, everything that is held is closed: that only reduces, and somebody asked for it.

INVARIANT: what cannot be read is not taken as "nothing was ordered": it is refused (TB853), or a breaker that is open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tb.core.diagnostics import Refused
from tb.core.records import Run
from tb.core.time import show_instant
from tb.runtime.gateway.breaker import Change
from tb.runtime.operator import Word
from tb.runtime.running.inputs import Said
from tb.runtime.running.sessions import folder_of

NOT_PEOPLE = frozenset({"gateway", "tb"})  # who else sets the breaker


def without_inputs(runs: Sequence[Run]) -> list[str]:
    """The runs of an account whose inputs are gone altogether."""
    return [run.id for run in runs if _is_gone(run)]


def _is_gone(run: Run) -> bool:
    try:
        folder_of(run)
    except Refused:
        return True
    return False


def ordered_flatten(words: Sequence[Word], breaker: Change | None) -> Said | None:
    """The flatten that is in force by what is left, None where there is none."""
    last = next((one for one in reversed(words) if one.kind in ("flatten", "resume")), None)
    if last is not None and last.kind == "flatten":
        return Said(kind="flatten", at=last.at, by=last.by, reason=last.reason)
    if breaker is not None and breaker.state == "draining" and breaker.by not in NOT_PEOPLE:
        return Said(kind="flatten", at=breaker.at, by=breaker.by, reason=breaker.reason)
    return None


@dataclass(frozen=True, slots=True)
class Missing:
    """Runs whose inputs are gone, and the flatten that is taken over all the same."""

    runs: tuple[str, ...]
    flatten: Said | None

    @property
    def words(self) -> str:
        """What people are told."""
        of = f"run {self.runs[0]} are" if len(self.runs) == 1 else f"runs {', '.join(self.runs)} are"
        gone = f"the inputs of {of} gone"
        if self.flatten is None:
            return f"{gone}: by the orders that were kept and the breaker no flatten is unfinished; look whether that is so"
        since = show_instant(self.flatten.at // 1000 * 1000)
        ordered = f"the flatten that {self.flatten.by} ordered at {since} ({self.flatten.reason})"
        return f"{gone}: {ordered} is not known to be done, and goes on; `tb resume` ends it"
