"""What follows from one input: the same for a session that runs, one that goes on after a cut, and one that is taken again.

1. A close: its bars are taken, the venue tells what happened until then, the session takes its step.
2. Where no new risk may be taken (`Close.held`): entries on their way are taken back, none is proposed, positions may leave.
3. History: its bars are taken, the venue tells what happened in them, nothing is decided.
4. A halt takes entries back at once; a stop too, and what was not proposed until then is recorded.

INVARIANT: an entry goes out only after its decision is in the ledger; where the ledger does not take it, the entry is withheld.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Protocol

from tb.core.records import Mark, Order
from tb.gate.gate import Approved
from tb.gate.standing import NOTHING_SAID, Standing
from tb.runtime.operating import halt, lift_halts
from tb.runtime.ports import Venue
from tb.runtime.ports.feed import Bar
from tb.runtime.ports.measures import AtVenue
from tb.runtime.running.entries import EntryLog
from tb.runtime.running.inputs import Close, History, Input, Said, Stop, Withheld
from tb.runtime.running.market import LiveMarket
from tb.runtime.running.recording import Records
from tb.runtime.session import Session

NOT_RECORDED = "not recorded"


class Fills(Venue, Protocol):
    """A venue that tells the session what became of its orders when asked to."""

    def advance(self, session: Session, market: LiveMarket, at: int) -> None:
        """What happened until an instant; the bars that closed by then are in the market."""
        ...

    @property
    def speaks(self) -> bool:
        """Whether it is asked how things stand whenever that matters, and not what was written down of it."""
        ...

    @property
    def knows(self) -> bool:
        """Whether the session has been told what is held; until then nothing is decided."""
        ...

    @property
    def is_flattening(self) -> bool:
        """Whether everything is being closed here, and something is or may yet be held."""
        ...

    def said(self, instruments: Sequence[str], at: int) -> Mapping[str, Standing] | None:
        """How things stand now, to be written down; None where that is always the same."""
        ...

    def attend(self) -> None:
        """Does what is due between two closes."""
        ...

    def trouble(self) -> str:
        """Why nothing new may be sent, empty where it may."""
        ...

    def resumed(self, at: int, by: str, reason: str) -> None:
        """A person lets the account go on."""
        ...

    def flatten(self, by: str, reason: str) -> bool:
        """Closes everything that is held, reducing only; False where the session does that, at the next close."""
        ...

    def reconcile(self, by: str) -> str:
        """A person says that the venue is right: what came of comparing with it."""
        ...

    def unfinished(self) -> str:
        """What nobody would look after if the process ended now, empty where there is nothing."""
        ...

    def counted(self, session: Session) -> AtVenue:
        """How things stand there, for those who watch it."""
        ...

    def close(self) -> None:
        """The session is over."""
        ...


class Sending:
    """Stands between session and venue.

    1. What is not recorded is not sent where it adds risk.
    2. What a step ordered is sent when the step is over (`release`), in its order: a venue that fills at once would change the
       account between two decisions of one instant, and they would rest on different accounts.
    """

    def __init__(self, venue: Fills, recorder: Records) -> None:
        self.venue = venue
        self.recorder = recorder
        self.said: Mapping[str, Standing] | None = None
        self.withheld: list[Order] = []
        self.why = NOT_RECORDED  # why these are
        self.stopped: Callable[[], str] = lambda: ""  # what a person has ordered since the step began
        self._ordered: list[tuple[tuple[Approved, Order], ...]] = []  # legs together

    def submit(self, approved: Approved, order: Order) -> None:
        if self.recorder.flush() or order.kind == "exit":
            self._ordered.append(((approved, order),))
        else:
            self.withheld.append(order)

    def submit_together(self, legs: Sequence[tuple[Approved, Order]]) -> None:
        if self.recorder.flush() or all(order.kind == "exit" for _, order in legs):
            self._ordered.append(tuple(legs))
        else:
            self.withheld += [order for _, order in legs]

    def release(self) -> None:
        """Sends what was ordered since the last time. A venue may take seconds for each: what a person stops meanwhile does not
        go out."""
        while self._ordered:
            legs = self._ordered.pop(0)  # first: whatever sending brings, it is not sent again
            adds_risk = any(order.kind == "entry" for _, order in legs)
            if adds_risk and (why := self.stopped()):
                self.withheld += [order for _, order in legs]
                self.why = why
            elif len(legs) > 1:
                self.venue.submit_together(legs)
            else:
                self.venue.submit(*legs[0])

    def standing(self, instrument: str, at: int) -> Standing:
        return self.venue.standing(instrument, at) if self.said is None else self.said.get(instrument, NOTHING_SAID)

    def cancel(self, order: str) -> bool:
        if any(one.id == order for one in self.withheld):
            self.withheld = [one for one in self.withheld if one.id != order]
            return True  # it never went out
        kept = [legs for legs in self._ordered if all(one.id != order for _, one in legs)]
        if len(kept) < len(self._ordered):
            self._ordered = kept
            return True
        return self.venue.cancel(order)


class Stepper:
    """Moves one session on, input by input. `last` is the newest instant that it decided at."""

    def __init__(
        self, session: Session, market: LiveMarket, sending: Sending, recorder: Records, *, begun: bool = False
    ) -> None:
        self.session = session
        self.market = market
        self.sending = sending
        self.recorder = recorder
        self.entries = EntryLog(session.plan, market)
        self.last: int | None = None
        self._begun = begun
        self._flattens = False

    def take(self, given: Input) -> None:
        match given:
            case History():
                self._pass(given)
            case Close():
                self._close(given)
            case Withheld():
                self._take_back(given.orders, self.last or 0, given.cause)
            case Said():
                self._hear(given)
            case Stop():
                self._stop(given)
            case _:
                pass
        self.recorder.flush()

    # --- closes ------------------------------------------------------------------------------------------------------

    def _close(self, close: Close) -> None:
        session, at = self.session, close.at
        self.market.take({symbol: (bar,) for symbol, bar in close.bars.items()}, close.rows, until=at)
        self.sending.said = None if self.sending.venue.speaks else close.standing
        self.sending.venue.advance(session, self.market, at)
        if not self.sending.venue.knows:
            self.entries.at(at, is_held=True)
            return
        ready = self.entries.at(at, is_held=bool(close.held))
        if close.held:
            self.take_back_entries(at, close.held)
        silent = session.step(at, ready)
        self.sending.release()
        if self._flattens:
            session.flatten(at)
            self.sending.release()
            self._flattens = bool(session.positions)
        self.entries.note_silent(silent, at, session.cooling)
        self.last, self._begun = at, True

    def take_back_entries(self, at: int, cause: str) -> None:
        """Entries on their way are cancelled."""
        for strategy in dict.fromkeys(order.strategy for order in self.session.waiting.values()):
            self.session.settling.stop_entries(strategy, at, cause)

    def _take_back(self, orders: Sequence[str], at: int, cause: str) -> None:
        waiting = {order.id: order for order in self.session.waiting.values()}
        for name in orders:
            order = waiting.get(name)
            if order is not None:
                self.session.settling.take_back(order, at, cause)

    def withheld(self) -> Withheld | None:
        """What the last step could not send, as the input that takes it back."""
        found, why = tuple(order.id for order in self.sending.withheld), self.sending.why
        self.sending.why = NOT_RECORDED
        return Withheld(orders=found, cause=why) if found else None

    # --- what is not decided on ----------------------------------------------------------------------------------------

    def _pass(self, history: History) -> None:
        """Bars for warming up; or of a time in which nobody was running: what the venue did in them is told now."""
        if not self._begun:
            self.market.take(history.bars, history.rows)
            return
        self.market.take({}, history.rows)
        closed: dict[int, dict[str, tuple[Bar, ...]]] = {}
        for symbol, bars in history.bars.items():
            for bar in bars:
                closed.setdefault(bar.start + self.market.period, {})[symbol] = (bar,)
        for at in sorted(closed):  # one by one: what fills is measured by what was known when it was decided
            self.market.take(closed[at], until=at)
            self.sending.venue.advance(self.session, self.market, at)
            self.entries.at(at, is_held=True)

    # --- people ------------------------------------------------------------------------------------------------------

    @property
    def is_flattening(self) -> bool:
        """Whether a person has everything closed, and that is not done."""
        return self.sending.venue.is_flattening or (self._flattens and bool(self.session.positions))

    def _hear(self, said: Said) -> None:
        if said.kind == "halt":
            halt(self.session, said.at, said.reason, said.by)
        elif said.kind == "flatten":
            halt(self.session, said.at, f"flatten: {said.reason}", said.by)
            self._flattens = not self.sending.venue.flatten(said.by, said.reason)
        elif said.kind == "resume":
            self._flattens = False
            lift_halts(self.session, said.at, said.by, said.reason)

    def _stop(self, stop: Stop) -> None:
        self.take_back_entries(stop.at, stop.cause)
        session = self.session
        session.settling.record_open()
        equity, exposure = session.account.equity(), session.account.gross()
        if equity is not None:
            session.recorder.record([Mark(at=stop.at, equity=equity, exposure=exposure or Decimal(0), usage={})])
        if session.curve:
            session.recorder.record([session.curve.hand_out()])
        session.recorder.record(list(self.entries.hand_out()))
