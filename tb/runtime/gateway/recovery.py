"""recover: after a start, six steps before anything that adds risk may be sent. One that cannot finish keeps trading off.

1. breaker: it is as it was left; an account that never sent anything gets a closed one.
2. journal: read from the first entry to the last, and told to settling.
3. orders: the venue is asked about every order that is not known to be over; what it says is booked. Of what it does not answer
   nothing is assumed. Entries that rest and that another policy approved are taken back.
4. agreement: positions, balances and working orders are compared with the venue's (`tb.runtime.gateway.reconciling`).
5. reservations: what is bound for orders that are known to be over is free, what may still fill is bound.
6. protection: everything that is held has its stop and target at the venue, or is being closed.

INVARIANT: called again it goes on where it could not finish; nothing is told to settling twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from tb.core.diagnostics import Refused
from tb.core.records import Cancel, Handling, Latch, Order, Record
from tb.runtime.gateway import entries
from tb.runtime.gateway.booking import settle
from tb.runtime.gateway.following import look
from tb.runtime.gateway.gateway import Gateway
from tb.runtime.gateway.protecting import send_waiting
from tb.runtime.gateway.reconciling import reconcile
from tb.runtime.gateway.restoring import Lift, StrategyGone, count_denied, restore
from tb.runtime.gateway.tracked import Tracked


@dataclass(frozen=True, slots=True)
class StepDone:
    """A step of recovery: whether it finished, and what it found, in words for people."""

    name: str
    done: bool
    words: str


class Recovery:
    """The recovery of one gateway. `recorded` is what the ledger has of the run that goes on, `before` what it has of the
    account's earlier runs: their orders and fills are told apart from those that a process did not get to record."""

    STEPS = ("breaker", "journal", "orders", "agreement", "reservations", "protection")

    def __init__(self, gateway: Gateway, recorded: Sequence[Record] = (), before: Sequence[Record] = ()) -> None:
        self.gateway, self.recorded, self.before = gateway, recorded, before
        self.unfinished: StepDone | None = None  # as people were told
        self.is_restored = False  # whether settling knows what the journal says

    def run(self) -> tuple[StepDone, ...]:
        """Takes the steps in their order up to the first that does not finish. Trading is on once all have."""
        done: list[StepDone] = []
        gateway = self.gateway
        gateway.is_recovered = False
        for name in self.STEPS:
            step = getattr(self, f"_{name}")()
            done.append(step)
            status = "done" if step.done else "not done"
            gateway.tell(
                Handling(at=gateway.now(), what="recovery", instrument="", status=f"{name}: {status}", words=step.words)
            )
            if not step.done:
                if step != self.unfinished:  # once for each reason
                    gateway.alarm(f"recovery: {step.name}: {step.words}")
                self.unfinished = step
                break
        else:
            gateway.is_recovered = True
        gateway.told()
        gateway.flush()
        return tuple(done)

    def _breaker(self) -> StepDone:
        gateway = self.gateway
        if not gateway.journal.number:
            try:
                gateway.breaker.begin(gateway.now())
            except Refused as refused:
                return StepDone("breaker", False, refused.findings[0].message)
        change = gateway.breaker.now()
        words = f"{change.state} since {change.at}: {change.reason}"
        return StepDone("breaker", True, words + (", the kill file stands" if gateway.kill_stands() else ""))

    def _journal(self) -> StepDone:
        gateway = self.gateway
        if self.is_restored:
            return StepDone("journal", True, f"{gateway.journal.number} entries")
        try:
            read = [entries.decode(payload) for payload in gateway.journal.entries]
            gateway.orders, gateway.outside, missing = restore(
                gateway.settling, read, recorded=self._records, policy=gateway.policy_hash, lifts=self._lifts()
            )
        except msgspec.MsgspecError as problem:
            return StepDone("journal", False, f"an entry cannot be read: {problem}")
        except StrategyGone as gone:
            words = f"the policy has no strategy any more for what is open of {gone}: put it back until that is closed"
            return StepDone("journal", False, words)
        count_denied(gateway.settling, gateway.orders, self._records)
        self.is_restored = gateway.is_restored = True
        gateway.journal.entries = []
        self._bind()
        missing += self._tell_what_was_sent(read)
        never = self._never_sent()
        torn = ", a torn last line was cut off" if gateway.journal.torn else ""
        return StepDone("journal", True, f"{len(read)} entries, {missing} records made up for, {never} orders never sent{torn}")

    @property
    def _records(self) -> list[Record]:
        return [*self.before, *self.recorded]

    def _lifts(self) -> list[Lift]:
        """When a person lifted a halt, and of whose strategies."""
        books = self.gateway.settling.account.books
        return [
            (one.at, books[one.book].strategies if one.book in books else ())
            for one in self._records
            if isinstance(one, Latch) and one.lifted and one.verdict == "halt" and one.by != "time"
        ]

    def _bind(self) -> None:
        """Everything that may still fill binds what it may cost, before anything else is asked."""
        for tracked in self.gateway.orders.unsettled.values():
            if tracked.intent.asset and not tracked.is_over:
                share = tracked.rest / tracked.quantity if tracked.quantity else 0
                amount = tracked.intent.held * share
                self.gateway.reservations.bind(tracked.client, tracked.intent.asset, amount, surely=True)

    def _tell_what_was_sent(self, read: Sequence[entries.Entry]) -> int:
        """Records what the ledger does not have of what was sent since it was known to be complete."""
        gateway = self.gateway
        told = max((entry.until for entry in read if isinstance(entry, entries.Told)), default=0)
        known = {record.client for record in self._records if isinstance(record, Handling) and record.what == "sent"}
        count = 0
        for entry in read[told:]:
            client = entry.wanted.client_id if isinstance(entry, entries.Intent) else ""
            client = entry.client if isinstance(entry, entries.Go) else client
            if client and client not in known and gateway.orders.all[client].is_sent:
                known.add(client)
                gateway.tell_sent(gateway.orders.all[client], "sent before")
                count += 1
        return count

    def _never_sent(self) -> int:
        """Orders that the ledger has, and that died before the journal had them: they are over."""
        ended = {record.order for record in self.recorded if isinstance(record, Cancel)}
        count = 0
        for record in self.recorded:
            if isinstance(record, Order) and record.id not in self.gateway.orders.of_session and record.id not in ended:
                count += 1
                self.gateway.recorder.record([_cancel_of(record, self.gateway.now())])
        return count

    def _orders(self) -> StepDone:
        gateway = self.gateway
        open_ = list(gateway.orders.unsettled.values())
        for tracked in open_:
            if not tracked.is_sent:  # it waited, and was not sent: whoever wanted it wants it again
                gateway.take_back(tracked, "not sent")
                continue
            answered = look(gateway, tracked)
            settle(gateway, tracked)
            if answered and self._is_of_another_policy(tracked) and not tracked.is_over:
                answered = gateway.take_back(tracked, "another policy")
            if answered and tracked.asked and tracked.answered:
                answered = gateway.take_back(tracked, tracked.asked)  # whether that was asked before is not known
            if not answered:
                return StepDone("orders", False, f"the venue does not answer about {_name(tracked)}")
        unknown = gateway.orders.unknown()
        if unknown:
            return StepDone("orders", False, f"whether the venue has {_name(unknown[0])} is not proved yet")
        return StepDone("orders", True, f"{len(open_)} were not known to be over")

    def _is_of_another_policy(self, tracked: Tracked) -> bool:
        """Of an entry that rests: this policy has not approved it."""
        decided = tracked.intent.decided
        return tracked.purpose == "entry" and decided is not None and decided.policy != self.gateway.policy_hash

    def _agreement(self) -> StepDone:
        gateway = self.gateway
        if not gateway.demands.refresh(sorted(self._instruments())):
            return StepDone("agreement", False, "the venue does not answer about its rules")
        outcome = reconcile(gateway)
        words = f"the account {outcome}" if outcome == "agrees" else outcome
        return StepDone("agreement", outcome in ("agrees", "adopted"), words)

    def _instruments(self) -> dict[str, None]:
        settling = self.gateway.settling
        found = dict.fromkeys(symbol for strategy in settling.plan.strategies for symbol in strategy.members)
        found.update(dict.fromkeys(one.instrument for one in self.gateway.orders.all.values()))
        return found

    def _reservations(self) -> StepDone:
        gateway, released = self.gateway, 0
        for client in gateway.reservations.bound():
            tracked = gateway.orders.all.get(client)
            if tracked is None or tracked.is_settled:
                gateway.reservations.release(client)
                released += 1
        return StepDone("reservations", True, f"{released} released, {len(gateway.reservations.bound())} bound")

    def _protection(self) -> StepDone:
        gateway = self.gateway
        send_waiting(gateway)
        gateway.protect_all()
        bare = [instrument for _, instrument in gateway.bare]
        if bare:
            return StepDone("protection", False, f"{', '.join(sorted(bare))} is not protected yet")
        return StepDone("protection", True, f"{len(gateway.settling.positions)} positions")


def _name(tracked: Tracked) -> str:
    return f"{tracked.purpose} of {tracked.quantity} {tracked.instrument} ({tracked.client})"


def _cancel_of(order: Order, at: int) -> Cancel:
    return Cancel(
        order=order.id,
        at=max(at, order.at),
        strategy=order.strategy,
        instrument=order.instrument,
        side=order.side,
        quantity=order.quantity,
        cause="never sent",
    )
