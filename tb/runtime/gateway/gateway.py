"""The one way by which an order reaches a venue.

`Gateway` is the `Venue` of a live session over an `Exchange`: it takes an order with the gate's approval, brings it through the
nine steps (`tb.runtime.gateway.steps`), follows it to its end, tells settling what filled, and keeps what is held protected. It
is driven from outside: `hear` takes what the venue tells, `attend` does what is due, once a turn.

INVARIANT: nothing is sent that is not on disk before, nothing is sent twice, and what is not known binds what it may cost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal

from tb.core.diagnostics import Refused
from tb.core.encode import canonical
from tb.core.records import Handling, Order
from tb.core.time import show_duration
from tb.engine.instant import EXACT
from tb.gate.gate import Approved
from tb.gate.standing import Standing
from tb.runtime.drafts import Key
from tb.runtime.gateway import following, protecting, reconciling, steps
from tb.runtime.gateway.amending import amending
from tb.runtime.gateway.booking import apply_ended, settle
from tb.runtime.gateway.breaker import STANDING, Breaker, Change
from tb.runtime.gateway.demands import Demands
from tb.runtime.gateway.entries import Decided, Ended, Entry, Go, Intent, Moved, Outside, TakenBack, Told
from tb.runtime.gateway.ids import client_id
from tb.runtime.gateway.journal import Journal
from tb.runtime.gateway.passage import Denied, Passage, SymbolLocks
from tb.runtime.gateway.patience import Patience
from tb.runtime.gateway.recording import Backlog
from tb.runtime.gateway.reservations import Reservations
from tb.runtime.gateway.terms import Terms
from tb.runtime.gateway.throttle import Throttle
from tb.runtime.gateway.tracked import ZERO, Orders, Tracked
from tb.runtime.ports.alerts import What
from tb.runtime.ports.exchange import Event, Exchange, NoAnswer, OrderState, Quoted, Refusal, Request
from tb.runtime.settling import Settling

STATUS = {
    "open": "open",
    "cancel only": "cancel_only",
    "limit only": "limit_only",
    "post only": "post_only",
    "closed": "halted",
}


class Gateway:
    """The gateway of one account. `now` is what time it is, in ms, by a clock that nobody turns: every wait is measured by it;
    `wall` the wall clock, compared with the venue's. `kill_stands` says whether somebody wants everything stopped.

    `recorder` takes what it records; give the session the same one (`Gateway.recorder`), so that records keep their order.
    Nothing is sent before `attach`, and nothing that adds risk before `recover` (`tb.runtime.gateway.recovery`) has succeeded.
    """

    def __init__(
        self,
        *,
        exchange: Exchange,
        journal: Journal,
        breaker: Breaker,
        recorder: Backlog,
        now: Callable[[], int],
        wall: Callable[[], int] | None = None,
        terms: Terms | None = None,
        kill_stands: Callable[[], bool] = lambda: False,
        policy_hash: str = "",
        alarm: Callable[[str], None] = lambda words: None,
        notice: Callable[[What, str], None] = lambda what, words: None,
        steps_: tuple[tuple[str, steps.Step], ...] = steps.STEPS,
    ) -> None:
        terms = terms or Terms()
        self.exchange, self.journal, self.breaker, self.recorder = exchange, journal, breaker, recorder
        self.now, self.terms, self.kill_stands, self.policy_hash = now, terms, kill_stands, policy_hash
        self.alarm, self.notice = alarm, notice  # somebody has to act; somebody may want to know
        self.steps, self.wall = steps_, wall or now
        self.orders = Orders()
        self.reservations = Reservations()
        self.throttle = Throttle(terms.orders_per_window, terms.window, terms.kept_back)
        self.locks = SymbolLocks()
        self.demands = Demands(exchange, terms, now, self.hear_from_venue)
        self.patience = Patience(terms, now, self.alert)
        self.strangers: dict[str, OrderState] = {}  # orders at the venue that nobody here sent
        self.outside: dict[str, Decimal] = {}  # of assets: what is not from here
        self.differences: dict[str, Decimal] = {}  # of assets and orders, as told since the breaker was last closed
        self.accepted: dict[str, Decimal] = {}  # those that a person knew of who closed it
        self.bare: dict[Key, int] = {}  # positions without all of their protection, since when
        self.leaving_since: dict[Key, int] = {}  # those that are being closed, without any
        self.quotes: dict[str, Quoted] = {}  # the newest of each instrument
        self.passed: dict[Key, int] = {}  # positions whose stop was passed and did not fill, since when
        self.unproved = False
        self.is_recovered = False
        self.is_restored = False  # settling knows what the journal says
        self._tripped: set[str] = set()
        self.reconciled_at: int | None = None
        self.skew: int | None = None
        self._settling: Settling | None = None
        self._heard: int | None = None
        self._stops: dict[Key, tuple[Decimal | None, str, bool]] = {}
        self._handlings: list[Handling] = []
        self.next_reconciling = 0
        self._told = 0
        self._refused_by = ""
        breaker.told = self._breaker_changed
        recorder.failed = self._cannot_record

    def attach(self, settling: Settling) -> None:
        """Who is told what filled: that of the session which sends here."""
        self._settling = settling
        settling.policy = self.policy_hash

    @property
    def settling(self) -> Settling:
        if self._settling is None:
            raise ValueError("the gateway has no session: attach its settling first")
        return self._settling

    # --- the session's side: `tb.runtime.ports.Venue` ----------------------------------------------------------------

    def submit(self, approved: Approved, order: Order) -> None:
        """Takes an order that the gate approved, for exactly the approved quantity. Raises `TypeError`, `ValueError` else."""
        self._submit(approved, order, counts=True)

    def _submit(self, approved: Approved, order: Order, *, counts: bool) -> bool:
        """Says whether it went out, or may have."""
        if type(approved) is not Approved:
            raise TypeError(f"order {order.id} has no approval of the gate")
        if order.quantity != approved.quantity:
            raise ValueError(f"order {order.id} is for {order.quantity}, approved were {approved.quantity}")
        passage = self._passage(approved, order, counts=counts)
        denied = self.passes(passage)
        if denied is None:
            return passage.tracked is None or passage.tracked.status != "rejected"
        if passage.tracked is None:
            self.settling.cancelled(order, order.at, denied.cause or f"refused: {denied.step}")
        return False

    def _passage(self, approved: Approved, order: Order, *, counts: bool) -> Passage:
        decided = self._decided(order, counts=counts)
        rests = order.style != "market"
        request = Request(
            client_id(order.id, "order"),
            order.instrument,
            order.side,
            order.quantity,
            order.style,
            price=order.price,
            expires=order.expires if rests else None,
            post_only=order.post_only,
            reducing=order.kind == "exit",
        )
        purpose = order.kind
        return Passage(
            approved=approved,
            purpose=purpose,
            request=request,
            strategy=order.strategy,
            at=self.now(),
            order=order,
            decided=decided,
            price=order.price or decided.price,
        )

    def _decided(self, order: Order, *, counts: bool) -> Decided:
        settling = self.settling
        sent = settling.on_its_way(order.id)
        if sent is None:
            raise ValueError(f"order {order.id} was not engaged by the session")
        noted = settling.note(sent)
        name = settling.account.together.get((order.strategy, order.instrument), "") if order.kind == "entry" else ""
        group = settling.groups.open.get(name)
        return Decided(
            which=sent.which,
            price=sent.price,
            rate=sent.rate,
            tier=noted.tier,
            values=dict(noted.values),
            group=name if group is not None else "",
            symbols=() if group is None else group.symbols,
            number=0 if group is None else group.number,
            counts=counts,
            policy=self.policy_hash,
        )

    def submit_together(self, legs: Sequence[tuple[Approved, Order]]) -> None:
        """A venue fills legs one by one: where one does not go out, those after it do not, and those before it are taken back;
        what they filled the session closes (`leg gone`)."""
        gone: list[Order] = []
        for place, (approved, order) in enumerate(legs):
            if gone and gone[-1].kind == "entry" and self._is_missing(gone):
                self.settling.cancelled(order, order.at, "leg gone")
                continue
            self._submit(approved, order, counts=place == 0)
            gone.append(order)
        if self._is_missing(gone):
            for order in gone:
                if order.kind == "entry":
                    self.cancel(order.id)

    def _is_missing(self, orders: Iterable[Order]) -> bool:
        """Whether one of these entries ended without a fill."""
        settling = self.settling
        return any(
            order.kind == "entry"
            and settling.on_its_way(order.id) is None
            and (order.strategy, order.instrument) not in settling.positions
            for order in orders
        )

    def cancel(self, order: str) -> bool:
        """Takes an order of the session back; says whether it is over. Where it is not, `attend` goes on asking."""
        tracked = self.orders.of_session.get(order)
        return True if tracked is None else self.take_back(tracked, self.settling.ending.get(order, "cancelled"))

    def standing(self, instrument: str, at: int) -> Standing:
        """What constraints may ask about the venue and about what stands between; what is not known is left out."""
        now = self.now()
        rules = self.demands.of(instrument) if instrument else None
        state = self.breaker.state
        stops = self.kill_stands() or not self.is_recovered
        return Standing(
            status=None if rules is None else STATUS.get(rules.status),
            breaker="halted" if stops else STANDING[state],
            heartbeat_age=None if self._heard is None else max(0, now - self._heard),
            reconciled_age=None if self.reconciled_at is None else max(0, now - self.reconciled_at),
            unknown_orders=len(self.orders.unknown()),
            clock_skew=self.skew,
        )

    # --- the loop's side -----------------------------------------------------------------------------------------------

    def hear(self, events: Iterable[Event]) -> None:
        """What the venue told by itself, in order (`Exchange.events`)."""
        self.note_stops()  # before what fills: told again it comes in the same order
        following.hear(self, events)
        self.flush()

    def attend(self) -> None:
        """Does what is due: asks about orders, sends what waited, protects, reconciles. Call it once a turn, and often."""
        self.breaker.now()
        self.recorder.flush()
        if self.terms.cancel_on_disconnect and self.is_silent():
            self._cancel_on_disconnect()
        self.note_stops()
        if self.breaker.state == "open":
            self._take_entries_back()
        protecting.send_waiting(self)
        following.follow_all(self)
        self.note_stops()
        self.protect_all()
        self.demands.refresh_due()
        if self.is_recovered:
            reconciling.reconcile_if_due(self)
            self._prove()
        self.told()
        self.flush()

    def _take_entries_back(self) -> None:
        for tracked in list(self.orders.working()):
            if tracked.purpose == "entry" and not tracked.asked:
                self.take_back(tracked, "breaker open")

    def _prove(self) -> None:
        """Closes a half open breaker once an order has come to its end and the account agrees with the venue after it."""
        change = self.breaker.now()
        if change.state != "half open" or self.reconciled_at is None or self.reconciled_at <= change.at:
            return
        trials = [one for one in self.orders.all.values() if one.purpose == "entry" and one.intent.at >= change.at]
        if trials and all(one.is_settled for one in trials) and self.reconciled_at >= max(one.at for one in trials):
            try:
                self.breaker.prove(self.now(), "an order went through, and the account agrees with the venue")
            except Refused as refused:  # it stays half open, and is tried again
                if not self.unproved:
                    self.alert(refused.findings[0].message)
                self.unproved = True

    def protect_all(self) -> None:
        """Brings the protection of everything that is held, or was, in line."""
        kept = [*self.bare, *self.leaving_since, *self.passed, *self.patience.known()]
        keys = dict.fromkeys([*self.settling.positions, *kept])
        keys.update(dict.fromkeys(one.key for one in self.orders.unsettled.values() if one.purpose == "protection"))
        for key in keys:
            protecting.protect(self, key)

    def flatten(self, by: str, reason: str) -> None:
        """Closes everything at market, reducing only: nothing new is sent from now on, entries are taken back, and what is held
        is let go. What a venue does not confirm now, `attend` goes on with; call it again for what is still held then."""
        self.breaker.drain(self.now(), by, reason)
        for tracked in list(self.orders.working()):
            if tracked.purpose == "entry" and not tracked.asked:  # what was asked before is followed by `attend`
                self.take_back(tracked, "flatten")
        for key in list(self.settling.positions):
            protecting.let_go(self, key, "flatten")
        self.flush()

    def amend(self, approved: Approved, order: str, quantity: Decimal, price: Decimal) -> Denied | None:
        """Changes a resting entry. One that may cost more than before needs an approval for all of it, judged again; any other
        one that of its quantity. Raises `TypeError` for no approval."""
        if type(approved) is not Approved:
            raise TypeError(f"the change of order {order} has no approval of the gate")
        return amending(self, approved, order, quantity, price)

    # --- orders --------------------------------------------------------------------------------------------------------

    def passes(self, passage: Passage) -> Denied | None:
        return steps.passes(self, passage, self.steps)

    def go(self, tracked: Tracked) -> None:
        """What waited for protection to be taken back is sent, for what is still held."""
        position = self.settling.positions.get(tracked.key)
        quantity = ZERO if position is None else min(tracked.quantity, position.remaining)
        if not quantity:
            self._drop(tracked, "position closed")
            return
        go = Go(client=tracked.client, at=self.now(), quantity=quantity)
        if self.note(go, sync=True):
            steps.send(self, tracked)
            settle(self, tracked)

    def _drop(self, tracked: Tracked, cause: str) -> None:
        """What was never sent is over."""
        ended = Ended(client=tracked.client, at=self.now(), cause=cause)
        self.note(ended, sync=True)
        apply_ended(self.settling, tracked, ended)
        self.reservations.release(tracked.client)
        self.told()

    def take_back(self, tracked: Tracked, cause: str) -> bool:
        """Asks the venue to cancel an order, and whether it has; says whether it is over."""
        if tracked.is_over:
            settle(self, tracked)
            return True
        if not tracked.is_sent:
            self._drop(tracked, cause)
            return True
        if not tracked.asked:
            self.note(TakenBack(client=tracked.client, at=self.now(), cause=cause), sync=True)
        if tracked.is_unknown:  # a venue cancels by its own id
            following.look(self, tracked)
            settle(self, tracked)
        if tracked.is_over or (tracked.is_unknown and not tracked.venue_id):
            return tracked.is_over  # one that the venue has under a status that nobody knows is taken back by its id
        self.throttle.count(self.now())
        answer = self.exchange.cancel(tracked.state)
        words = answer.why if isinstance(answer, NoAnswer) else answer.words if isinstance(answer, Refusal) else ""
        status = "no answer" if isinstance(answer, NoAnswer) else "refused" if isinstance(answer, Refusal) else "taken up"
        self.tell_about(tracked, "cancel", status, words or cause)
        if isinstance(answer, NoAnswer):
            tracked.look_at = self.now() + (answer.wait or self.terms.look_unknown)
            return False
        self.hear_from_venue()
        following.look(self, tracked)
        settle(self, tracked)
        if not tracked.is_over:
            tracked.look_at = self.now() + self.terms.look_unknown
        return tracked.is_over

    def _cancel_on_disconnect(self) -> None:
        for tracked in list(self.orders.working()):
            if tracked.purpose == "entry" and tracked.look_at <= self.now():
                tracked.look_at = self.now() + self.terms.look_after
                self.take_back(tracked, "disconnected")

    # --- what is known of the venue ------------------------------------------------------------------------------------

    def tick_of(self, instrument: str) -> Decimal:
        known, spec = self.demands.of(instrument), self.settling.settings.instrument(instrument)
        rules = known or self.demands.known().get(instrument)  # however old: the grid of what stands there
        if rules is not None:
            return rules.tick
        assert spec is not None  # the gate lets no order of an unknown instrument pass
        return spec.tick

    def cost_of(self, request: Request, price: Decimal) -> Decimal:
        """The most that an order may cost, with what it pays beyond its price where it has none, and its fee."""
        value = EXACT.multiply(request.quantity, price)
        if request.form != "limit":
            value = EXACT.multiply(value, 1 + self.terms.buffer)
        return EXACT.multiply(value, 1 + self.terms.fee)

    def rate_of(self, tracked: Tracked, at: int) -> Decimal:
        """What the currency of a fill is worth: now, else as it was last known, else as it was at the decision."""
        view, position = self.settling.view, self.settling.positions.get(tracked.key)
        decided = tracked.intent.decided
        known = [view.rate(tracked.instrument, at), view.marking_rate(tracked.instrument, at)]
        known += [None if decided is None else decided.rate, None if position is None else position.entry.rate]
        return next((rate for rate in known if rate is not None), Decimal(1))

    def hear_from_venue(self) -> None:
        self._heard = self.now()

    def is_silent(self) -> bool:
        return self._heard is None or self.now() - self._heard > self.terms.silence

    def uncompared(self) -> str:
        """Why what is here of the account may not be what the venue has, empty where the two were compared lately."""
        now, stale = self.now(), self.terms.reconcile_stale
        if self.reconciled_at is not None and now - self.reconciled_at < stale:
            return ""
        return f"the account could not be compared with the venue for {show_duration(stale)}"

    # --- taking down ---------------------------------------------------------------------------------------------------

    def intend(self, intent: Intent) -> Tracked | None:
        """Puts an order on disk before it goes out; None where the disk refuses: then it does not."""
        try:
            self.journal.write(canonical(intent))
        except Refused as refused:
            self._disk_refuses(refused)
            return None
        return self.orders.apply(intent)

    def note(self, entry: Entry, *, sync: bool = False) -> bool:
        """Takes down what is known; says whether it is on disk. What the venue knows too is believed without."""
        try:
            self.journal.write(canonical(entry), sync=sync, believed=not isinstance(entry, Go))
        except Refused as refused:
            self._disk_refuses(refused)
            if not isinstance(entry, Go):
                self.orders.apply(entry)
            return False
        self.orders.apply(entry)
        return True

    def told(self) -> None:
        """What settling made of everything so far, and what was done, is in the ledger."""
        self.flush()
        if (
            self.is_restored
            and not self.recorder.waits
            and self.journal.number
            and self._told != self.journal.number
            and not (self.journal.failed or self.journal.owes)
        ):
            self.note(Told(until=self.journal.number))
            self._told = self.journal.number

    def note_stops(self) -> None:
        """Stops that moved since they were last noted."""
        for key, position in self.settling.positions.items():
            now = (position.stop, position.moved_by, position.trails)
            if self._stops.get(key, (position.initial_stop, "", False)) != now:
                self.note(Moved(strategy=key[0], instrument=key[1], stop=now[0], by=now[1], trails=now[2]))
            self._stops[key] = now
        for key in [key for key in self._stops if key not in self.settling.positions]:
            del self._stops[key]

    def adopt(self, asset: str, amount: Decimal, why: str) -> None:
        """So much of an asset is in the account besides what was bought and sold from here."""
        self.outside[asset] = amount
        self.note(Outside(asset=asset, amount=amount, at=self.now(), why=why))

    def _disk_refuses(self, refused: Refused) -> None:
        words = refused.findings[0].message
        self.breaker.drain(self.now(), "gateway", words)
        if words != self._refused_by:
            self._refused_by = words
            self.alert(words)

    # --- telling -------------------------------------------------------------------------------------------------------

    def trip(self, reason: str) -> None:
        """Something is not as it must be: the breaker opens."""
        if not self.breaker.open(self.now(), "gateway", reason) and reason not in self._tripped:
            self.alert(reason)  # it is open already: that tells nobody
        self._tripped.add(reason)

    def alert(self, words: str) -> None:
        """Somebody has to know."""
        self.tell(Handling(at=self.now(), what="alert", words=words))
        self.alarm(words)

    def _breaker_changed(self, change: Change) -> None:
        words = f"{change.by}: {change.reason}"
        if change.by not in ("gateway", "tb") and change.state in ("closed", "half open"):
            self.accepted, self.differences = self.differences, {}
        self.tell(Handling(at=self.now(), what="breaker", status=change.state, words=words))
        words = f"the breaker is {change.state}: {change.reason}"
        if change.state in ("closed", "half open"):
            self.notice("breaker", words)
        else:
            self.alarm(words)

    def _cannot_record(self, why: str) -> None:
        self.breaker.drain(self.now(), "gateway", why)
        self.alarm(why)

    def tell(self, handling: Handling) -> None:
        """Records it with the next group."""
        self._handlings.append(handling)

    def flush(self) -> None:
        """Records what was told."""
        if self._handlings:
            records, self._handlings = self._handlings, []
            self.recorder.record(records)

    def tell_sent(self, tracked: Tracked, status: str = "sent") -> None:
        request = tracked.request
        details = {"purpose": tracked.purpose, "side": request.side, "quantity": str(request.quantity), "form": request.form}
        for name, level in (("price", request.price), ("stop", request.stop), ("target", request.target)):
            if level is not None:
                details[name] = str(level)
        self.tell_about(tracked, "sent", status, "", details)

    def tell_answer(self, tracked: Tracked, how: str = "reply") -> None:
        details = {"how": how, "purpose": tracked.purpose, "filled": str(tracked.filled)}
        if tracked.average is not None:
            details["average"] = str(tracked.average)
        self.tell_about(tracked, "lookup" if how in ("lookup", "proof") else "answer", tracked.status, tracked.reason, details)

    def tell_about(self, tracked: Tracked, what: str, status: str, words: str, details: dict[str, str] | None = None) -> None:
        self.tell(
            Handling(
                at=self.now(),
                what=what,  # type: ignore[arg-type]
                instrument=tracked.instrument,
                order=tracked.about,
                client=tracked.client,
                status=status,
                words=words,
                details=details or {},
            )
        )
