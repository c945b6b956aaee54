"""Live: the gateway behind a session, the records of both in one order, and the state as it was before a restart.

1. What the gateway knows (positions, orders on their way, cash, counts, cool-downs) it tells from its journal, then asks the
   venue (`tb.runtime.gateway.recovery`).
2. What only the session knows (halts, numbers of decisions, the high-water mark, the day's begin) follows from what all runs of
   the account recorded (`tb.runtime.running.taking_over`).
3. Until recovery has come to its end nothing that adds risk is proposed; it is tried again until then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from tb.core.diagnostics import Refused
from tb.core.records import Order, Record, Trade
from tb.gate.gate import Approved
from tb.gate.standing import Standing
from tb.ledger import DecisionLog
from tb.runtime.gateway.gateway import Gateway
from tb.runtime.gateway.reconciling import reconcile
from tb.runtime.gateway.recording import Backlog
from tb.runtime.gateway.recovery import Recovery
from tb.runtime.ports.measures import AtVenue
from tb.runtime.running.inputs import Input, Said
from tb.runtime.running.leaving import Leaving
from tb.runtime.running.line import Line
from tb.runtime.running.market import LiveMarket
from tb.runtime.running.recording import Keeps
from tb.runtime.session import Session

_AGAIN = 5_000  # ms between two tries to recover


class LedgerWriter:
    """Writes records of a run at once; raises as the ledger does."""

    def __init__(self, run: str, ledger: Keeps) -> None:
        self.run, self.ledger = run, ledger
        self.log = DecisionLog()
        self.told: list[Record] = []

    def record(self, records: Sequence[Record]) -> None:
        self.ledger.append(self.run, records, log=self.log)
        self.told += records


class LiveRecords:
    """The records of session and gateway as the loop sees them: in one order, each on disk when it is told."""

    def __init__(self, run: str, ledger: Keeps) -> None:
        self.writer = LedgerWriter(run, ledger)
        self.backlog = Backlog(self.writer)
        self.why = ""
        self.blocked = ""

    @property
    def log(self) -> DecisionLog:
        return self.writer.log

    @property
    def told(self) -> list[Record]:
        return self.writer.told

    @property
    def trouble(self) -> str:
        return (self.why or "records cannot be written") if self.backlog.waits else ""

    def record(self, records: Sequence[Record]) -> None:
        self.backlog.record(records)

    def flush(self) -> bool:
        return self.backlog.flush()

    def take_told(self) -> list[Record]:
        told, self.writer.told = self.writer.told, []
        return told


class LiveVenue:
    """The gateway as the venue of a session that runs (`tb.runtime.running.stepper.Fills`)."""

    speaks = True

    def __init__(self, gateway: Gateway, recovery: Recovery, line: Line | None = None) -> None:
        self.gateway = gateway
        self.line = line or Line(lambda severity, words: None)
        self.recovery = recovery
        self._next_try = 0
        self._flattening: tuple[str, str] | None = None  # by whom, and why
        self._unfinished = "the account is not recovered yet"
        self.leaving = Leaving(gateway)
        self._recorded = {one.seq for one in recovery.recorded if isinstance(one, Trade)}

    @property
    def knows(self) -> bool:
        """Whether the session has been told what is held."""
        return self.recovery.is_restored

    def submit(self, approved: Approved, order: Order) -> None:
        self.gateway.submit(approved, order)
        self.leaving.submitted(order)

    def submit_together(self, legs: Sequence[tuple[Approved, Order]]) -> None:
        self.gateway.submit_together(legs)
        for _, order in legs:
            self.leaving.submitted(order)

    def cancel(self, order: str) -> bool:
        return self.gateway.cancel(order)

    def standing(self, instrument: str, at: int) -> Standing:
        return self.gateway.standing(instrument, at)

    def said(self, instruments: Sequence[str], at: int) -> Mapping[str, Standing] | None:
        return {name: self.gateway.standing(name, at) for name in ("", *instruments)}

    def advance(self, session: Session, market: LiveMarket, at: int) -> None:
        self.attend()
        self.leaving.closed(at)

    def attend(self) -> None:
        """Hears the venue, recovers where that is not done, and does what is due."""
        gateway = self.gateway
        events = gateway.exchange.events()
        self.line.heard(events, gateway.now())
        self.line.due(gateway.now())
        gateway.hear(events)
        if not gateway.is_recovered and gateway.now() >= self._next_try:
            self._next_try = gateway.now() + _AGAIN
            knew = self.knows
            last = self.recovery.run()[-1]
            if self.knows and not knew:
                self._record_held()
            self._unfinished = "" if gateway.is_recovered else f"the account is not recovered: {last.words}"
        if self._flattening is not None:
            if gateway.settling.positions:
                gateway.flatten(*self._flattening)
            elif not self.is_flattening:
                self._flattening = None
        self.leaving.attend()
        gateway.attend()

    @property
    def is_flattening(self) -> bool:
        """Whether everything is being closed, and something is held or may be; before recovery what is held is not known."""
        is_held = bool(self.gateway.settling.positions) or not self.gateway.is_recovered or self._may_enter()
        return self._flattening is not None and is_held

    def _may_enter(self) -> bool:
        """Whether an entry that was sent may still fill."""
        return any(one.purpose == "entry" for one in self.gateway.orders.unsettled.values())

    def _record_held(self) -> None:
        """What is held from earlier runs stands in the records of this one as well."""
        held = self.gateway.settling.positions.values()
        missing = [position.trade() for position in held if position.seq not in self._recorded]
        if missing:
            self.gateway.recorder.record(missing)

    def trouble(self) -> str:
        """Why nothing new may be sent, empty where it may."""
        if not self.gateway.is_recovered:
            return self._unfinished
        change = self.gateway.breaker.now()
        if change.state in ("draining", "open"):
            return f"the breaker is {change.state}: {change.reason}"
        return self.gateway.uncompared()

    def unfinished(self) -> str:
        """What nobody would look after if the process ended now, empty where there is nothing."""
        gateway = self.gateway
        entries = [one.instrument for one in gateway.orders.unsettled.values() if one.purpose == "entry" and one.asked]
        if entries:
            return f"that the entry in {', '.join(dict.fromkeys(entries))} is over is not known"
        bare = dict.fromkeys(instrument for _, instrument in (*gateway.bare, *gateway.leaving_since))
        return f"{', '.join(bare)} stands without its stop" if bare else ""

    def counted(self, session: Session) -> AtVenue:
        orders = list(self.gateway.orders.working())
        protective = sum(one.purpose == "protection" for one in orders)
        unknown, state = len(self.gateway.orders.unknown()), self.gateway.breaker.state
        return AtVenue(state, unknown, len(orders) - protective, protective)

    def close(self) -> None:
        """Gives the journal back."""
        self.line.close()
        self.gateway.journal.close()

    # --- people --------------------------------------------------------------------------------------------------------

    def resumed(self, at: int, by: str, reason: str) -> None:
        """A person lets the account go on."""
        self._flattening = None
        if self.gateway.breaker.state != "closed":
            try:
                self.gateway.breaker.close(self.gateway.now(), by, reason)
            except Refused as refused:
                self.gateway.alert(f"{refused.findings[0].message}; it stays as it is, resume again once that is mended")
                self.gateway.flush()

    def flatten(self, by: str, reason: str) -> bool:
        self._flattening = (by, reason)
        self.gateway.flatten(by, reason)
        return True

    def go_on_flattening(self, inputs: Iterable[Input]) -> None:
        """What was to be closed before the process ended, and may not be, is closed by this one."""
        for given in inputs:
            if isinstance(given, Said) and given.kind in ("flatten", "resume"):
                self._flattening = (given.by, given.reason) if given.kind == "flatten" else None

    def reconcile(self, by: str) -> str:
        if not self.knows:
            return f"nothing was compared: {self._unfinished}"
        return reconcile(self.gateway, adopt_all=True)
