"""What the journal says happened, told to an empty settling: positions, orders on their way, counts and cash as they were.

1. Entries are told in their order, exactly as they were told when they happened: the same code, the same result.
2. What had been recorded then is not recorded again. After the last `Told` it is not known whether the ledger has it: such a
   record is written unless the ledger has an equal one.
3. A position of a strategy that the policy no longer has cannot be managed: recovery does not finish then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

from tb.core.records import Record
from tb.gate.proposal import Proposal
from tb.runtime.gateway.booking import apply_booked, apply_ended, apply_gone, resize
from tb.runtime.gateway.entries import Amending, Booked, Ended, Entry, Gone, Intent, Moved, Outside, Told
from tb.runtime.gateway.tracked import Orders, Tracked
from tb.runtime.leg_groups import Group
from tb.runtime.settling import Noted, Sent, Settling


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
    settling: Settling, entries: Sequence[Entry], *, recorded: Sequence[Record] = (), policy: str = ""
) -> tuple[Orders, dict[str, Decimal], int]:
    """Tells an empty settling what happened. Returns the orders, what is outside of tb by asset, and how many records were
    missing in the ledger. Raises `StrategyGone`."""
    orders, outside = Orders(), dict[str, Decimal]()
    told = max((entry.until for entry in entries if isinstance(entry, Told)), default=0)
    recorder = settling.recorder
    sieve = _Sieve(recorder.record, recorded)
    settling.recorder = sieve
    try:
        for number, entry in enumerate(entries, 1):
            sieve.is_known = number <= told
            tracked = orders.apply(entry)
            _tell(settling, entry, tracked, policy)
            if isinstance(entry, Outside):
                outside[entry.asset] = entry.amount
    finally:
        settling.recorder = recorder
    return orders, outside, sieve.let_through


def _tell(settling: Settling, entry: Entry, tracked: Tracked | None, policy: str) -> None:
    match entry:
        case Intent() if tracked is not None and entry.order is not None:
            _engage(settling, entry, policy)
        case Booked() if tracked is not None:
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


def _engage(settling: Settling, intent: Intent, policy: str) -> None:
    order, decided = intent.order, intent.decided
    assert order is not None  # only orders of the session come here
    assert decided is not None
    try:
        strategy = settling.strategy(order.strategy)
    except KeyError:
        raise StrategyGone(order.strategy) from None
    # nodes are numbered within a policy: under another one the levels that were approved count
    values = decided.values if decided.policy == policy else {}
    noted = Noted({int(node): value for node, value in values.items()}, decided.tier)
    sent = Sent(order, strategy, decided.which, -1, noted)
    sign = 1 if order.side == "buy" else -1
    proposal = Proposal(
        order.strategy,
        order.instrument,
        sign,
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
    position = settling.positions.get((order.strategy, order.instrument)) if order.kind == "exit" else None
    if order.kind == "exit" and position is None:
        return
    settling.engage(sent, proposal, position, group=decided.group, counts=decided.counts)
    if decided.group and decided.group not in settling.groups.open:
        settling.groups.begin(decided.group, Group(decided.number, strategy, decided.symbols))
