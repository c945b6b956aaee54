"""One order on its way through the steps, and what a step answers that does not let it pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from threading import Lock, RLock

from tb.core.records import Order
from tb.gate.gate import Approved
from tb.runtime.gateway.entries import REDUCING, Decided, Purpose
from tb.runtime.gateway.tracked import Tracked
from tb.runtime.ports.exchange import Request, Rules


@dataclass(frozen=True, slots=True)
class Denied:
    """The order does not reach the venue, and why, in words for people. `cause` is what settling says where it is shorter."""

    step: str
    why: str
    cause: str = ""


@dataclass(slots=True)
class Passage:
    """An order on its way. `approved` is for exactly the quantity of the request. `undo` is what has to be given back where it
    does not reach the venue, the last first."""

    approved: Approved
    purpose: Purpose
    request: Request
    strategy: str
    at: int
    order: Order | None = None
    decided: Decided | None = None
    parent: str = ""
    take: int = 0
    cause: str = ""
    price: Decimal | None = None  # what it is expected to pay
    rules: Rules | None = None
    asset: str = ""
    held: Decimal = Decimal(0)
    waits: bool = False
    tracked: Tracked | None = None
    undo: list[Callable[[], None]] = field(default_factory=list)

    @property
    def adds_risk(self) -> bool:
        return self.purpose not in REDUCING


class SymbolLocks:
    """One thread at a time takes orders of an instrument through the steps: an entry, and the protection of what it filled."""

    def __init__(self) -> None:
        self._locks: dict[str, RLock] = {}
        self._guard = Lock()

    def take(self, instrument: str) -> bool:
        """False where another thread has an order of the instrument on its way through."""
        with self._guard:
            lock = self._locks.setdefault(instrument, RLock())
        return lock.acquire(blocking=False)

    def free(self, instrument: str) -> None:
        self._locks[instrument].release()
