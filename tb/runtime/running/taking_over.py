"""What a live run takes over from those before it on the same account: halts, pauses, counts, high water, the day's begin.

1. All live runs of a ledger at one venue are of one account. Everything they recorded counts, under whatever policy.
2. A halt stays until a named person lifts it, and a pause until its time is over, also where the policy has no such
   constraint any more. One of a book that is gone holds for everything.
3. What holds is recorded again in the new run, so that its records alone say how the account stands.

INVARIANT: nothing here lifts anything.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from decimal import Decimal
from typing import Protocol, get_args

import msgspec

from tb.core.diagnostics import Refused, error
from tb.core.records import Curve, Decision, Handling, Latch, Order, Quiet, Record, Run, Trade
from tb.core.settings import Settings
from tb.core.span import whole_file
from tb.core.time import day_start, show_instant
from tb.engine.instant import EXACT
from tb.ledger import RunInfo
from tb.runtime.latches import Latches
from tb.runtime.running.remembering import TAKEN_OVER, Remembering, Stretch, recall
from tb.runtime.session import Session

OTHER_ACCOUNT = "TB866"
KEPT = frozenset(get_args(Record)) - {Quiet, Curve}  # the kinds that an account is known from
# in the config of a run
VENUE, ZONE, AFTER, ALLOWED, MOVED = "venue", "timezone", "after", "allowed", "moved"


class Past(Protocol):
    """A ledger, as far as an account is known from it."""

    def runs(self) -> list[RunInfo]: ...

    def records(self, run: str, *, kinds: Collection[type[Record]] | None = None) -> Iterator[Record]: ...


def live_runs(ledger: Past, venue: str | None) -> list[Run]:
    """The live runs of an account, first to last. Those of an older tb do not say at which venue they were."""
    found = [info.run for info in ledger.runs() if info.run.mode == "live"]
    return [run for run in found if run.config.get(VENUE, venue) == venue]


def stretches(ledger: Past, runs: Sequence[Run]) -> list[Stretch]:
    """What these runs recorded, first to last; a run's amounts count as moved by what was added to the capital after it."""
    found, shift = [], Decimal(0)
    for run in reversed(runs):
        found.append(Stretch(list(ledger.records(run.id, kinds=KEPT)), shift))
        shift = EXACT.add(shift, Decimal(run.config.get(MOVED, "0")))
    return found[::-1]


def account_config(settings: Settings, earlier: Run | None, moved: Decimal) -> dict[str, str]:
    """What a run says of its account, for the next one."""
    account = settings.account
    found = {VENUE: settings.live.venue or "", ZONE: str(account.timezone), ALLOWED: str(account.equity), MOVED: str(moved)}
    return found if earlier is None else {**found, AFTER: earlier.id}


def same_account(settings: Settings, earlier: Run) -> None:
    """Raises Refused TB866 where what an account is measured by was changed: its amounts and days would mean something else."""
    account = settings.account
    for name, before, now in (
        ("currency", earlier.currency, account.currency),
        ("timezone", earlier.config.get(ZONE, str(account.timezone)), str(account.timezone)),
    ):
        if before != now:
            message = f"the account has `account.{name}: {before}` since run {earlier.id}, and it is to be `{now}`"
            hint = f"set `account.{name}: {before}`, or begin another account: a `ledger` and a `live.state` of its own"
            raise Refused([error(OTHER_ACCOUNT, message, whole_file(settings.file), hint)])


def journal_is_known(orders: int, earlier: Run | None, settings: Settings) -> None:
    """Raises Refused TB866 where orders were sent for an account that the ledger knows nothing of."""
    if orders and earlier is None:
        message = "orders were sent for this account before, and the ledger has no live run of it: its halts are not known"
        hint = (
            "use the ledger that it had (`ledger`, `--ledger`); for an account that is to begin anew, name another `live.state`"
        )
        raise Refused([error(OTHER_ACCOUNT, message, whole_file(settings.file), hint)])


def held_latches(books: Sequence[str], records: Sequence[Record], now: int) -> dict[str, Latch]:
    """The pauses and halts in force, by what they are held under."""
    known = [_of_all(one, books) for one in records if isinstance(one, Latch)]
    found = Latches.restore(known).active
    return {held: latch for held, latch in found.items() if latch.until is None or latch.until > now}


def _of_all(latch: Latch, books: Sequence[str]) -> Latch:
    """What held for a book that is gone holds for all, under a name that says so."""
    if not latch.book or latch.book in books:
        return latch
    return msgspec.structs.replace(latch, rule=f"{latch.rule} of {latch.book}", book="")


def restore_session(session: Session, past: Sequence[Stretch], now: int, last: int | None = None) -> None:
    """What only sessions knew, from what they recorded; `last` is the newest close that one of them decided at."""
    records = [one for stretch in past for one in stretch.records]
    session.latches.active.update(held_latches(list(session.account.books), records, now))
    decisions = [one for one in records if isinstance(one, Decision)]
    if decisions:
        session.counts["decisions"] = max(one.seq for one in decisions)
    session.combiner.asking.recall(decisions)
    session.account.activity.proposed[:0] = sorted(one.at for one in decisions)
    recall(session, past, now)
    if last is not None:
        session.marked_until(last)


def take_over(session: Session, remembering: Remembering, own: Sequence[Record], earlier: Run | None, now: int) -> None:
    """Records in a run what it has from those before, as far as its own records do not say so already."""
    if earlier is None:
        return
    held = Latches.restore([one for one in own if isinstance(one, Latch)]).active
    missing = [latch for name, latch in session.latches.active.items() if held.get(name) != latch]
    if missing:
        session.recorder.record(missing)
    if not own:
        remembering.note(now, TAKEN_OVER, f"the account as run {earlier.id} left it")


def halts(books: Sequence[str], past: Sequence[Stretch], now: int) -> list[str]:
    """The pauses and halts that are taken over, each in a line for people."""
    lines = []
    for name, latch in held_latches(books, [one for stretch in past for one in stretch.records], now).items():
        until = "until a person lifts it" if latch.until is None else f"until {show_instant(latch.until)}"
        lines.append(f"{latch.verdict} {name} since {show_instant(latch.at // 1000 * 1000)}, {until}: {latch.reason}")
    return lines


def numbers(settings: Settings, past: Sequence[Stretch], now: int) -> list[str]:
    """What is taken over besides, in lines for people: high water, the day's begin, what was done today."""
    lines, known = [], _last_known(past)
    starts, currency = day_start(now, settings.account.timezone), settings.account.currency
    if "high water" in known:
        at_last = _money(known.get("equity"))
        lines.append(f"high water {_money(known['high water'])} {currency}, equity at the last close {at_last}")
    if known.get("day") == str(starts):
        lines.append(f"equity when today began {_money(known.get('day equity'))} {currency}")
    records = [one for stretch in past for one in stretch.records]
    legs = {one.seq for one in records if isinstance(one, Decision) and one.together is not None and one.together.place}
    entries = [one for one in records if isinstance(one, Order) and one.kind == "entry" and one.at >= starts]
    closed = {one.seq: one for one in records if isinstance(one, Trade) and (one.exit_at or 0) >= starts}
    lost = sum(one.profit is not None and one.profit < 0 for one in closed.values())
    entered = sum(one.decision not in legs for one in entries)
    return [*lines, f"entries today {entered}, trades closed today {len(closed)}, of them at a loss {lost}"]


def _last_known(past: Sequence[Stretch]) -> dict[str, str]:
    found: dict[str, str] = {}
    for stretch in past:
        for one in stretch.records:
            if isinstance(one, Handling) and one.what == "account":
                names = ("equity", "high water", "day equity")
                moved = {name: str(Decimal(one.details[name]) + stretch.shift) for name in names if name in one.details}
                found = {**one.details, **moved}
    return found


def _money(text: str | None) -> str:
    return "not known" if text is None else f"{Decimal(text):,.2f}"
