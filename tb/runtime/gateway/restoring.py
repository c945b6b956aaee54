"""What the journal says happened, told to an empty settling: positions, orders on their way, counts and cash as they were.

1. Entries are told in their order, exactly as they were told when they happened: the same code, the same result.
2. What had been recorded then is not recorded again. After the last `Told` it is not known whether the ledger has it: such a
   record is written unless the ledger has an equal one.
3. What was decided under another policy keeps the levels that it was approved with, and then those that stand at the venue: a
   changed rule moves no stop of what is held.
4. A position of a strategy that the policy no longer has cannot be managed: then nothing is told, and recovery does not finish.
   One that is over counts like any other: what it won or lost, its entries, its losses in a row.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Sequence
from decimal import Decimal

from tb.core.records import Cancel, Decision, Order, Record
from tb.engine.instant import EXACT
from tb.gate.activity import SentOrder
from tb.gate.proposal import Proposal
from tb.runtime.drafts import Key
from tb.runtime.gateway.booking import apply_booked, apply_ended, apply_gone, resize
from tb.runtime.gateway.entries import Amending, Booked, Decided, Ended, Entry, Gone, Intent, Moved, Outside, Told
from tb.runtime.gateway.tracked import ZERO, Orders, Tracked
from tb.runtime.leg_groups import Group
from tb.runtime.settling import Noted, Sent, Settling

Lift = tuple[int, tuple[str, ...]]  # when a person lifted a halt, and of which strategies; of all where none is named


class StrategyGone(Exception):
    """The policy has no strategy of that name any more, and something of it is held or on its way."""


class _Sieve:
    """A recorder that lets through what the ledger does not have yet."""

    def __init__(self, through: Callable[[Sequence[Record]], None], recorded: Sequence[Record]) -> None:
        self.through, self.is_known, self.recorded = through, True, list(recorded)
        self.let_through = 0

    def record(self, records: Sequence[Record]) -> None:
        if self.is_known:
            return
        missing = [record for record in records if record not in self.recorded]
        self.let_through += len(missing)
        if missing:
            self.through(missing)


def restore(
    settling: Settling,
    entries: Sequence[Entry],
    *,
    recorded: Sequence[Record] = (),
    policy: str = "",
    lifts: Sequence[Lift] = (),
) -> tuple[Orders, dict[str, Decimal], int]:
    """Tells an empty settling what happened. Returns the orders, what is outside of tb by asset, and how many records were
    missing in the ledger. Raises `StrategyGone`: then settling was told nothing."""
    _require_strategies(settling, entries)
    settling.policy = policy
    orders, outside = Orders(), dict[str, Decimal]()
    told = max((entry.until for entry in entries if isinstance(entry, Told)), default=0)
    recorder = settling.recorder
    sieve = _Sieve(recorder.record, recorded)
    settling.recorder = sieve
    telling = _Telling(settling, policy, sorted(lifts))
    try:
        for number, entry in enumerate(entries, 1):
            sieve.is_known = number <= told
            telling.tell(entry, orders.apply(entry))
            if isinstance(entry, Outside):
                outside[entry.asset] = entry.amount
        telling.attend(None)
    finally:
        settling.recorder = recorder
    return orders, outside, sieve.let_through


def _require_strategies(settling: Settling, entries: Sequence[Entry]) -> None:
    """Raises `StrategyGone` where something is open of a strategy that the plan does not have."""
    intents = [entry for entry in entries if isinstance(entry, Intent)]
    gone = {entry.strategy: None for entry in intents if not settling.has_strategy(entry.strategy)}
    if not gone:
        return
    orders, held = Orders(), dict[Key, Decimal]()
    for entry in entries:
        tracked = orders.apply(entry)
        if isinstance(entry, Booked) and tracked is not None and not entry.stray:
            held[tracked.key] = EXACT.add(held.get(tracked.key, ZERO), tracked.sign * entry.fill.quantity)
        elif isinstance(entry, Gone):
            key = (entry.strategy, entry.fill.instrument)
            held[key] = EXACT.subtract(held.get(key, ZERO), entry.fill.quantity)
    still = [key for key, quantity in held.items() if quantity] + [one.key for one in orders.unsettled.values()]
    for strategy, instrument in still:
        if strategy in gone:
            raise StrategyGone(f"{strategy} in {instrument}")


class _Telling:
    """Entries, told to a settling one by one. `lifts` are told where they happened."""

    def __init__(self, settling: Settling, policy: str, lifts: Sequence[Lift]) -> None:
        self.settling, self.policy, self.lifts = settling, policy, list(lifts)
        self.kept: set[Key] = set()  # what keeps the levels it was approved with

    def attend(self, at: int | None) -> None:
        """A person looked after what had happened until then, or at last."""
        while self.lifts and (at is None or self.lifts[0][0] < at):
            self.settling.account.activity.attend(self.lifts.pop(0)[1])

    def tell(self, entry: Entry, tracked: Tracked | None) -> None:
        settling = self.settling
        match entry:
            case Intent() if tracked is not None and entry.order is not None:
                self._engage(entry)
            case Intent(purpose="protection") if tracked is not None and tracked.key in self.kept:
                self._place(entry, tracked.key)
            case Booked() if tracked is not None:
                self.attend(entry.fill.at)
                apply_booked(settling, tracked, entry)
            case Ended() if tracked is not None:
                apply_ended(settling, tracked, entry)
            case Amending(done=True) if tracked is not None:
                resize(settling, tracked)
            case Gone():
                apply_gone(settling, entry)
            case Moved():
                position = settling.positions.get((entry.strategy, entry.instrument))
                if position is not None:
                    position.stop, position.moved_by, position.trails = entry.stop, entry.by, entry.trails
            case _:
                pass

    def _place(self, entry: Intent, key: Key) -> None:
        """The levels of what an earlier policy approved are those that it was protected with last."""
        position, asked = self.settling.positions.get(key), entry.wanted
        if position is None or entry.take:
            return
        stop = asked.stop if asked.form == "bracket" else asked.price if asked.form == "stop" else None
        target = asked.target if asked.form == "bracket" else asked.price if asked.form == "limit" else None
        if not position.moved_by:
            position.initial_stop = stop
        position.stop, position.target = stop, target

    def _engage(self, intent: Intent) -> None:
        settling, order, decided = self.settling, intent.order, intent.decided
        assert order is not None  # only orders of the session come here
        assert decided is not None
        is_other, key = decided.policy != self.policy, (order.strategy, order.instrument)
        if order.kind == "entry":
            (self.kept.add if is_other else self.kept.discard)(key)
        strategy = settling.as_approved(order, decided.which) if is_other else settling.strategy(order.strategy)
        # nodes are numbered within a policy: under another one the levels that were approved count
        values = {} if is_other else decided.values
        noted = Noted({int(node): value for node, value in values.items()}, decided.tier)
        sent = Sent(order, strategy, decided.which, -1, noted)
        position = settling.positions.get(key) if order.kind == "exit" else None
        if order.kind == "exit" and position is None:
            return
        settling.engage(sent, _proposal(order, decided), position, group=decided.group, counts=decided.counts)
        if decided.group and decided.group not in settling.groups.open:
            settling.groups.begin(decided.group, Group(decided.number, strategy, decided.symbols))


def _proposal(order: Order, decided: Decided) -> Proposal:
    return Proposal(
        order.strategy,
        order.instrument,
        1 if order.side == "buy" else -1,
        order.quantity,
        decided.price,
        order.stop,
        order.target,
        None,
        None,
        None,
        order.kind == "entry",
        asked=order.price,
        takes=order.takes,
        rate=decided.rate,
    )


def count_denied(settling: Settling, orders: Orders, records: Sequence[Record]) -> None:
    """Orders that were approved and that the journal does not have, since the gateway let them not pass: they count in the
    windows as they did when they were approved."""
    decisions = {(one.seq, one.at): one for one in records if isinstance(one, Decision)}
    ends = {one.order: one for one in records if isinstance(one, Cancel)}
    account, activity = settling.account, settling.account.activity
    for order in (one for one in records if isinstance(one, Order)):
        if order.id in orders.of_session:
            continue
        decision, is_entry = decisions.get((order.decision, order.at)), order.kind == "entry"
        is_first = decision is None or decision.together is None or not decision.together.place
        sign, price = (1 if order.side == "buy" else -1), None if decision is None else decision.price
        rate = decision.rate if decision is not None and settling.settings.is_foreign(order.instrument) else Decimal(1)
        sent = SentOrder(order.at, order.strategy, order.instrument, sign, order.quantity, price, is_entry, rate)
        book = account.book_of(order.strategy)
        for part in (account,) if book is None else (account, book.account):
            insort(part.order_times, order.at)
            if is_entry and is_first:
                insort(part.entry_times, order.at)
        insort(activity.messages, order.at)
        insort(activity.sent, sent, key=lambda one: one.at)
        ended = ends.get(order.id)
        activity.cancel(order.at if ended is None else ended.at)
