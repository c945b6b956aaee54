"""A run as the ledger knows it."""

from __future__ import annotations

from dataclasses import dataclass

from tb.core.records import Run


@dataclass(frozen=True, slots=True)
class RunInfo:
    """A run and its summary as it was written to JSON (so a Decimal is text); `None` while it runs or when it was cut short."""

    run: Run
    summary: dict[str, object] | None

    @property
    def interrupted(self) -> str | None:
        """The instant at which somebody ended the run early; nothing after it was decided. None for a run that went through."""
        found = (self.summary or {}).get("interrupted")
        return found if isinstance(found, str) else None

    @property
    def unfinished(self) -> bool:
        """Whether the run has no summary: it is still going on, or its process ended before it could write one."""
        return self.summary is None
