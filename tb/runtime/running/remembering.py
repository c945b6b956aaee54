"""What an account knows besides its orders and positions, stated at each close that changed it, and known again from that.

1. What is stated: equity, the high-water mark, the day's begin and the equity then, of the whole account and of each book, and
   the cool-downs that still run.
2. It is stated after prices are marked and before anything is decided, and after a person let the account go on: what a limit
   on loss or drawdown reads after a restart is what it read before.
3. Statements of an earlier run of the account count on: where its capital is another now, all amounts move by the difference.

INVARIANT: of what was stated nothing is worked out anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from zoneinfo import ZoneInfo

from tb.core.records import Handling, Mark, Record
from tb.core.time import day_start, next_day_start
from tb.engine.instant import EXACT
from tb.gate.account import Account
from tb.runtime.session import Session

CLOSE, LIFTED, TAKEN_OVER = "close", "lifted", "taken over"
_COOLS = "cools "


class Remembering:
    """States what changed, into the records of a session."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._last: dict[str, str] = {}

    def note(self, at: int, status: str = CLOSE, words: str = "") -> None:
        now = stated(self.session, at)
        if now != self._last or status != CLOSE:
            self.session.recorder.record([Handling(at=at, what="account", status=status, words=words, details=now)])
        self._last = now


def stated(session: Session, at: int) -> dict[str, str]:
    """What an account knows, by name; what is not known is left out."""
    found: dict[str, str] = {}
    for of, part, _ in _parts(session):
        amounts = {"equity": part.equity(), "high water": part.high_water, "day equity": part.equity_at_day_start}
        found |= {f"{name}{of}": str(amount) for name, amount in amounts.items() if amount is not None}
    if session.account.day_starts:
        found["day"] = str(session.account.day_starts)
    for (strategy, instrument), until in session.cooling.items():
        if until > at:
            found[f"{_COOLS}{instrument} {strategy}"] = str(until)
    return found


def _parts(session: Session) -> Iterator[tuple[str, Account, Decimal]]:
    """The account and its books: how their names end, and their share of the capital."""
    yield "", session.account, Decimal(1)
    shares = {book.name: book.share for book in session.plan.program.capital.books}
    for name, book in session.account.books.items():
        yield f" of {name}", book.account, shares[name]


@dataclass(frozen=True, slots=True)
class Stretch:
    """What one run of the account recorded; `shift` is how much larger its capital is now than it was then."""

    records: Sequence[Record]
    shift: Decimal = Decimal(0)


def recall(session: Session, stretches: Sequence[Stretch], now: int) -> None:
    """What was stated, first to last, as if this process had seen it. Runs that stated nothing are known by their marks, which
    are further apart."""
    for stretch in stretches:
        found = [one for one in stretch.records if isinstance(one, Handling) and one.what == "account"]
        for one in found:
            _take(session, one, stretch.shift)
        if not found:
            _take_marks(session, stretch, now)


def _take(session: Session, one: Handling, shift: Decimal) -> None:
    zone, details = session.settings.account.timezone, one.details
    for of, part, share in _parts(session):
        moved = EXACT.multiply(shift, share)
        equity, high = _amount(details, f"equity{of}", moved), _amount(details, f"high water{of}", moved)
        if equity is not None and one.status == CLOSE:
            part.history.note(one.at, equity)
        part.high_water = high if high is not None else part.high_water
        if "day" in details:
            _set_day(part, int(details["day"]), _amount(details, f"day equity{of}", moved), zone)
    for name, until in details.items():
        if name.startswith(_COOLS):
            instrument, strategy = name.removeprefix(_COOLS).split(" ", 1)
            key = (strategy, instrument)
            session.cooling[key] = max(session.cooling.get(key, 0), int(until))


def _amount(details: dict[str, str], name: str, moved: Decimal) -> Decimal | None:
    return EXACT.add(Decimal(details[name]), moved) if name in details else None


def _set_day(account: Account, starts: int, equity: Decimal | None, zone: ZoneInfo) -> None:
    account.day_starts, account.day_ends, account.equity_at_day_start = starts, next_day_start(starts, zone), equity


def _take_marks(session: Session, stretch: Stretch, now: int) -> None:
    account, zone = session.account, session.settings.account.timezone
    starts = day_start(now, zone)
    for mark in (one for one in stretch.records if isinstance(one, Mark)):
        equity = EXACT.add(mark.equity, stretch.shift)
        account.history.note(mark.at, equity)
        account.high_water = equity if account.high_water is None else max(account.high_water, equity)
        if mark.at >= starts and account.day_starts != starts:
            _set_day(account, starts, equity, zone)
