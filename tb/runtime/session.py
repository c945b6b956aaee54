"""One session step: what happens at one instant. Replay, dry-run, paper and live take the same step.

1. Prices are marked, the trading day rolls, equity is noted (`_mark`); resting entries whose time is over are cancelled,
   and stops move (`Settling.protect`).
2. Pauses that are over end; constraints about the account alone are watched. Where a pause or halt begins, entries on their
   way are cancelled (`_watch`).
3. Exits come before entries: time held, then `exit when`, each an order before the gate (`Proposer.exits`).
4. Strategies whose condition holds propose, unless they hold, wait or cool down already (`Proposer.entries`).
5. Advisors, council and allocation have their say; proposals are ordered: conviction, confidence, strategy, instrument
   (`tb.runtime.combining`).
6. The gate judges each in the light of those approved before it; approved ones count at once and go to the venue (`_judge`).
7. Everything is recorded, refusals too.

A venue tells what became of orders through `settling` (`tb.runtime.settling`).

INVARIANT: an order reaches the venue only with an `Approved` of the gate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from decimal import Decimal
from typing import Any

from tb.core.records import Latch, Mark, Order, Record
from tb.core.settings import Settings
from tb.core.time import DAY, next_day_start
from tb.engine.plan import ConstraintPlan, Plan
from tb.gate.account import Account, Book
from tb.gate.conversion import converted
from tb.gate.facts import Moment
from tb.gate.gate import Gate, Judgement
from tb.gate.history import Stretch
from tb.gate.proposal import Proposal
from tb.ledger.promises import Promised
from tb.runtime.combining import Combiner
from tb.runtime.curve import EquityCurve
from tb.runtime.days import begin_day
from tb.runtime.drafts import Draft, Key, Ready
from tb.runtime.feeds import feeds_of
from tb.runtime.judged import decision_of, order_of
from tb.runtime.latches import Latches
from tb.runtime.legs import Legs
from tb.runtime.ports import Adviser, MarketView, Recorder, Venue
from tb.runtime.positions import Position
from tb.runtime.promised import Promising
from tb.runtime.proposing import Proposer
from tb.runtime.quotes import Quotes
from tb.runtime.settling import Sent, Settling
from tb.vocabulary.facts import FACTS, Argument

_NOBODY = Proposal("", "", 1, Decimal(0), None, None, None, None, None, None, True)  # where no order is judged
_EVER = 1_000_000 * DAY


class Session:
    """The state of one account under one policy, moved on by `step` and by what the venue tells its `settling`."""

    def __init__(
        self,
        *,
        run: str,
        plan: Plan,
        settings: Settings,
        view: MarketView,
        venue: Venue,
        recorder: Recorder,
        policy_hash: str,
        gates: Mapping[int, Gate],
        latches: Latches | None = None,
        halts_lifted_after: int | None = None,
        adviser: Adviser | None = None,
        promises: bool = False,
        keeps: bool = True,
    ) -> None:
        """With `promises` the recorder takes decisions that are made later (`tb.runtime.promised`). Where it `keeps` nothing,
        decisions and marks are not made."""
        self.run = run
        self.plan = plan
        self.settings = settings
        self.view = view
        self.venue = venue
        self.recorder = recorder
        self.policy_hash = policy_hash
        self.gates = gates
        self.latches = latches or Latches()
        self.halts_lifted_after = halts_lifted_after
        self.account = Account(settings.account.currency, settings.account.equity)
        self.account.high_water = settings.account.equity
        for book in plan.program.capital.books:
            self.account.open_book(book.name, book.share, book.strategies)
        self.counts = dict.fromkeys(("decisions", "proposals", "approved", "shrunk", "rejected", "trades", "exits"), 0)
        self.settling = Settling(
            plan=plan,
            settings=settings,
            view=view,
            venue=venue,
            recorder=recorder,
            account=self.account,
            counts=self.counts,
        )
        self.positions, self.waiting, self.cooling = self.settling.positions, self.settling.waiting, self.settling.cooling
        self.feeds = feeds_of(plan)
        self.keeps = keeps
        self._promising = Promising(plan, self.feeds, view) if promises else None
        self.curve = EquityCurve()  # equity at every close at which something was held
        self.groups = {g.name: g.members for g in plan.program.groups.values() if g.in_policy}
        self.proposer = Proposer(plan, settings, view)
        self.combiner = Combiner(plan, settings, view, adviser)
        self.legs = Legs(self)
        self.quotes = Quotes(self)
        self._marked_day = 0
        self._marked_at: int | None = None
        self._was_open, self._settled_at = False, 0
        self.windows = _windows_of(self.watching)
        watched = self.watching.watched.constraints
        self.remember: Callable[[int, str], None] | None = None  # told at each close before anything is decided, and of lifts
        self._eased_until = max((e.said.ends or 0 for c in watched for e in c.exemptions), default=0)

    # --- one instant -----------------------------------------------------------------------------------------------

    def marked_until(self, at: int) -> None:
        """The last step before this session was taken then, by another process."""
        self._marked_at = at
        self._marked_day = self.account.day_starts

    def step(self, at: int, ready: Sequence[Ready], leaving: Sequence[Position] | None = None) -> tuple[Ready, ...]:
        """Decides everything at an instant. Returns the entries that held but could not propose (held, waiting, cooling).

        `leaving` are the open positions whose time may be over, whose condition to leave may hold or whose funding may be due,
        in the order of `positions`; None where nobody looked ahead: then each is looked at."""
        self.settling.fund(at, leaving)
        self._mark(at)
        self.settling.expire(at)
        self.settling.protect(at)
        self._watch(at)
        held = list(self.positions.values()) if leaving is None else leaving
        for draft in [*self.proposer.exits(held, at), *self.legs.exits(at)]:
            self.judge(draft, at)
        silent = self._enter(at, ready) if ready else ()
        self.quotes.step(at, ready)
        self._note_what_is_open(at)
        return silent

    def _enter(self, at: int, ready: Sequence[Ready]) -> tuple[Ready, ...]:
        drafts, silent = self.proposer.entries(
            ready, lambda key: self.is_busy(key, at), lambda strategy: self.account.capital_of(strategy).equity(), at
        )
        if drafts:
            leaving = {key for key, position in self.positions.items() if position.exiting}
            for draft in self.combiner.combine(drafts, self.account, leaving, at):
                self.judge(draft, at)
        return silent

    def flatten(self, at: int) -> None:
        """The operator closes everything: an order that closes it for each position that none is on its way for."""
        for position in list(self.positions.values()):
            draft = None if position.exiting else self.proposer.flattening(position, at)
            if draft is not None:
                self.judge(draft, at)

    def is_busy(self, key: Key, at: int) -> bool:
        """Whether a strategy holds, waits or cools down in an instrument, and so proposes nothing there."""
        return key in self.positions or key in self.waiting or self.cooling.get(key, 0) > at

    @property
    def is_flat(self) -> bool:
        """Whether nothing is held, on its way, paused or halted."""
        return not (self.positions or self.waiting or self.latches.active)

    def needs_every_bar(self, at: int) -> bool:
        """Whether a bar after the instant may change something though nothing is proposed: something is open, a constraint
        that is watched looks through a window back at a time when something was, or an exception to one is about to end."""
        return self._was_open or at < self.rests_from

    @property
    def rests_from(self) -> int:
        """From which instant on no bar counts while nothing is open, until a condition of an entry holds."""
        return max(self._settled_at, self._eased_until)

    def fails_at_rest(self, at: int) -> bool:
        """Whether a watched constraint fails at a session's first instant, though nothing has happened yet."""
        if not self.watching.watched.constraints:
            return False
        account = deepcopy(self.account)
        begin_day(account, at, None, period=min(self.gates), zone=self.settings.account.timezone)
        account.observe(at)
        moments = (replace(self.moment(_NOBODY, at, book), account=account) for book in (None, *account.books.values()))
        return any(self.watching.watch(moment) for moment in moments)

    def _note_what_is_open(self, at: int) -> None:
        is_open = bool(self.positions or self.waiting or self.latches.active)
        if is_open or self._was_open:
            self._settled_at = self._settles_at(at, self.account.day_ends)
        self._was_open = is_open

    def _settles_at(self, at: int, day_ends: int) -> int:
        """Until when watched constraints look back at an instant."""
        return max((day_ends if w == "today" else at + int(w) for w in self.windows), default=0)

    @property
    def watching(self) -> Gate:
        """Constraints about the account alone are the same in every period."""
        return self.gates[min(self.gates)]

    def _mark(self, at: int) -> None:
        account = self.account
        view = self.view
        account.mark_all({held: converted(view.close(held, at), view.marking_rate(held, at)) for held in account.held()})
        if account.working:
            self.settling.revalue(at)
        if at >= account.day_ends:
            begin_day(account, at, self._marked_at, period=min(self.gates), zone=self.settings.account.timezone)
        self._marked_at = at
        account.observe(at)
        if self._was_open or account.held():
            self._note_equity(at)
        if account.day_starts != self._marked_day:
            self._marked_day = account.day_starts
            self.record_mark(at, {})
        if self.remember is not None:
            self.remember(at, "close")

    def _note_equity(self, at: int) -> None:
        """A point of the run's curve, recorded with many others; the last of them by whoever ends the run."""
        equity, exposure = self.account.equity(), self.account.gross()
        if equity is not None and exposure is not None:
            self.curve.note(at, equity, exposure)
            self._hand_out()

    def _hand_out(self) -> None:
        """The parts of the curve that are full."""
        full = self.curve.full()
        if full:
            self.recorder.record(full)

    def pass_over(self, stretch: Stretch) -> None:
        """Instants at which nothing can be decided are over: what `step` at each of them would have come to. The caller knows
        that no order is on its way, no level is touched, no watched constraint fails and no day ends in them."""
        is_open = bool(self.positions or self.waiting or self.latches.active)
        noted = len(stretch.times) if is_open else int(self._was_open)
        if noted:
            equity, exposure, _ = self.account.floats_through(stretch)
            self.curve.note_stretch(stretch.times[:noted], equity[:noted], exposure[:noted])
            self._hand_out()
        self.account.pass_over(stretch)
        self._marked_at = stretch.last
        self.settling.fund(stretch.last)
        for at in (int(stretch.times[0]), stretch.last):
            self._note_what_is_open(at)

    def pass_trades(self, last: int, left: int | None) -> None:
        """Whole trades and orders that were refused are over, the last at that instant, and nothing is open: what its step
        leaves to know for the next. The last trade was `left` at that instant; None where there was none."""
        self._marked_at, self._marked_day = last, self.account.day_starts
        if left is not None:
            self._settled_at = self._settles_at(left, next_day_start(left, self.settings.account.timezone))
        self._was_open = False

    def _watch(self, at: int) -> None:
        records: list[Record] = list(self.latches.expire(at))
        if self.halts_lifted_after is not None:
            records += self._lift_like_an_operator(at, self.halts_lifted_after)
        gate = self.watching
        if gate.watched.constraints:
            for book in (None, *self.account.books.values()):
                for broken in gate.watch(self.moment(_NOBODY, at, book)):
                    latch = self.set_latch(broken.constraint, at, broken.words, book)
                    if latch is not None:
                        records.append(latch)
                        self.record_mark(at, {broken.constraint.name: broken.used})
        if records:
            self.recorder.record(records)
        self.stop_entries(at)

    def stop_entries(self, at: int) -> None:
        """Nothing new under a pause or halt, be it in force or a condition that every entry would meet now."""
        if not self.waiting:
            return
        causes: dict[str, str | None] = {}
        for strategy in dict.fromkeys(order.strategy for order in self.waiting.values()):
            book = self.account.book_of(strategy)
            name = "" if book is None else book.name
            if name not in causes:
                causes[name] = self._stopped_by(at, book)
            cause = causes[name]
            if cause is not None:
                self.settling.stop_entries(strategy, at, cause)

    def _stopped_by(self, at: int, book: Book | None) -> str | None:
        held = self.latches.in_force("" if book is None else book.name)
        if held is not None:
            return held
        standing = self.watching.standing(self.moment(_NOBODY, at, book))
        return f"{standing[0].verdict} {standing[0].name}" if standing else None

    def _lift_like_an_operator(self, at: int, after: int) -> list[Record]:
        """Replays only: a simulated operator lifts a halt after a stated time, and the drawdown is measured anew."""
        lifted: list[Record] = []
        for held, latch in list(self.latches.active.items()):
            if latch.verdict == "halt" and latch.until is None and at - latch.at >= after:
                when = latch.at + after
                lifted.append(self.latches.lift(held, when, "simulated operator", "settings: replay.halts_lifted_after"))
                (self.account.books[latch.book].account if latch.book else self.account).rebase()
        return lifted

    # --- the gate --------------------------------------------------------------------------------------------------

    def set_latch(self, constraint: ConstraintPlan, at: int, reason: str, book: Book | None) -> Latch | None:
        """A pause or halt of a constraint; what is about a book holds for that book alone."""
        name = book.name if book is not None and constraint.reads_book else ""
        return self.latches.set(constraint, at, self.account.day_ends, reason, name)

    def moment(self, proposal: Proposal, at: int, book: Book | None) -> Moment:
        spec = self.settings.instrument(proposal.instrument) if proposal.instrument else None
        return Moment(
            at,
            proposal,
            self.account,
            self.groups,
            self.settings.restricted,
            None if spec is None else spec.minimum_notional,
            None if spec is None else spec.max_quantity,
            self.view.age(proposal.instrument, at) if proposal.instrument else None,
            self.latches.words("halt", book.name if book is not None else ""),
            self.latches.words("pause", book.name if book is not None else ""),
            book,
            self.settings,
            self.venue.standing(proposal.instrument, at),
        )

    def ask(self, draft: Draft, at: int) -> Judgement:
        """What the gate says to a draft now. Nothing comes of it yet."""
        proposal, symbol, row = draft.proposal, draft.proposal.instrument, draft.row
        spec, book = self.settings.instrument(symbol), self.account.book_of(proposal.strategy)
        return self.gates[draft.strategy.period].judge(
            self.moment(proposal, at, book),
            lambda node: self.view.value(node, symbol, row),
            None if spec is None else spec.lot,
        )

    def judge(self, draft: Draft, at: int) -> None:
        """Puts a draft before the gate, records what it says, and sends what it approves."""
        if draft.legs:
            self.legs.judge(draft.legs, at)
            return
        proposal, symbol = draft.proposal, draft.proposal.instrument
        self.account.activity.propose(at)
        book, judgement = self.account.book_of(proposal.strategy), self.ask(draft, at)
        self.counts["decisions"] += 1
        records: list[Any] = [self._decision_of(draft, judgement, at)] if self.keeps else []
        for constraint in judgement.latches:
            latch = self.set_latch(constraint, at, f"judging {proposal.strategy} {symbol}", book)
            records += [latch] if latch is not None else []
        if proposal.adds_risk:
            self.counts["proposals"] += 1
            self.counts[
                "rejected" if judgement.approved is None else "shrunk" if judgement.verdict == "shrink" else "approved"
            ] += 1
        elif judgement.approved is not None:
            self.counts["exits"] += 1
        if judgement.approved is None:
            self.recorder.record(records)
            if self.keeps:
                self.record_mark(at, self.gates[draft.strategy.period].account_usage(judgement.inputs))
            if judgement.latches:
                self.stop_entries(at)
            return
        order = order_of(draft, judgement, run=self.run, policy_hash=self.policy_hash, decision=self.counts["decisions"], at=at)
        records.append(order)
        self.recorder.record(records)
        self._engage(draft, order, judgement, at)
        self.venue.submit(judgement.approved, order)

    def _decision_of(self, draft: Draft, judgement: Judgement, at: int) -> Record | Promised:
        seq = self.counts["decisions"]
        if self._promising is not None:
            return self._promising.decision_of(draft, judgement, seq=seq, at=at)
        return decision_of(draft, judgement, self.plan, self.feeds, self.view, seq=seq, at=at)

    def _engage(self, draft: Draft, order: Order, judgement: Judgement, at: int) -> None:
        """An approved order counts at once: in the windows, in the worst case, and against a second proposal."""
        self.settling.engage(Sent(order, draft.strategy, draft.enter, draft.row), draft.proposal, draft.position)
        if draft.position is None and self.keeps:
            self.record_mark(at, self.gates[draft.strategy.period].usage(judgement.inputs, order.quantity))

    def _mark_of(self, at: int, usage: dict[str, float | None]) -> Mark | None:
        """Equity and exposure now; None where either is unknown."""
        equity = self.account.equity()
        exposure = self.account.gross()
        return None if equity is None or exposure is None else Mark(at=at, equity=equity, exposure=exposure, usage=usage)

    def record_mark(self, at: int, usage: dict[str, float | None]) -> None:
        mark = self._mark_of(at, usage)
        if mark is not None:
            self.recorder.record([mark])


def _windows_of(gate: Gate) -> tuple[str, ...]:
    """The windows through which watched constraints look back: `today`, or lengths in ms."""
    found: dict[str, None] = {}
    for leaf in gate.watched.leaves:
        name, window = (str(const).removesuffix(" of book") for const in gate.graph[leaf].consts)
        if name.startswith("since_last_"):
            found[str(_EVER)] = None
        elif name == "equity at day_start":
            found["today"] = None
        elif Argument.WINDOW in FACTS[name].arguments:
            found[window] = None
    return tuple(found)
