"""Entries that go through a gateway to a venue in memory, each timed."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np

from tb.core.records import Order, Record
from tb.core.time import HOUR
from tb.engine.bars import Bars
from tb.gate.gate import Approved
from tb.replay.data import Market
from tb.replay.run import markets_of
from tb.runtime.drafts import Ready
from tb.runtime.gateway.breaker import Breaker
from tb.runtime.gateway.gateway import Gateway
from tb.runtime.gateway.journal import Journal
from tb.runtime.gateway.recording import Backlog
from tb.runtime.gateway.recovery import Recovery
from tb.runtime.gateway.terms import Terms
from tb.runtime.policy import compile_project, gates_of, project_of
from tb.runtime.ports.exchange import Balance, Heartbeat, NoAnswer, OrderState, Request, Rules
from tb.runtime.rates import Rates
from tb.runtime.session import Session
from tb.runtime.view import RecordedView, columns_of

Spent = list[float]
D = Decimal
SYMBOL, PRICE = "BTC-USD", D(100)
RULES = """universe u on venue
  tier t BTC-USD

strategy s on u every 1h
  enter long when volume > 0
    size 1% of equity
    stop 10% below entry
    target 20% above entry
"""
POLICY = "limit gross after.gross <= 1000% of equity\n"
SETTINGS = """name: small
rules: rules
policy: policy
account: {currency: USD, equity: 1_000_000 USD, timezone: UTC}
instruments:
  default: {tick: 0.01, lot: 0.001, minimum: 1 USD}
venue: {fee: 0%, slippage: 0%}
"""


class Memory:
    """A venue that fills at once, in memory."""

    name = "memory"

    def __init__(self) -> None:
        self.orders: dict[str, OrderState] = {}
        self.placed_at = 0.0
        self.now = 0
        self.money, self.held = D(1_000_000), D(0)

    def rules(self, instruments: Sequence[str]) -> Mapping[str, Rules]:
        return {one: Rules(one, "BTC", "USD", D("0.01"), D("0.001"), None, None, None, None, "open") for one in instruments}

    def place(self, request: Request) -> OrderState:
        if not request.reducing:
            self.placed_at = time.perf_counter()
        filled = request.quantity if request.form == "market" else D(0)
        state = OrderState(
            request.client_id,
            f"v{len(self.orders)}",
            request.instrument,
            request.side,
            request.quantity,
            filled,
            PRICE if filled else None,
            D(0),
            "filled" if filled else "open",
            self.now,
        )
        self.orders[request.client_id] = state
        if filled:
            self.money, self.held = self.money - filled * PRICE, self.held + filled
        return state

    def stop_out(self) -> OrderState:
        """The stop that rests fills."""
        guard = next(state for state in reversed(self.orders.values()) if not state.is_over)
        self.money, self.held = self.money + guard.quantity * D(90), self.held - guard.quantity
        filled = replace(guard, filled=guard.quantity, average=D(90), status="filled", at=self.now)
        self.orders[guard.client_id] = filled
        return filled

    def amend(self, order: OrderState, quantity: Decimal, price: Decimal) -> NoAnswer:
        return NoAnswer("not asked for here")

    def cancel(self, order: OrderState) -> None: ...

    def find(self, client_id: str, instrument: str, since: int) -> OrderState | None:
        return self.orders.get(client_id)

    def open_orders(self) -> tuple[OrderState, ...]:
        return ()

    def fills(self, since: int) -> tuple[()]:
        return ()

    def balances(self) -> tuple[Balance, ...]:
        return (Balance("USD", self.money, D(0)), Balance("BTC", self.held, D(0)))

    def clock(self) -> int:
        return self.now

    def candles(self, instrument: str, period: int, first: int, last: int) -> tuple[()]:
        return ()

    def quotes(self, instruments: Sequence[str]) -> tuple[()]:
        return ()

    def events(self) -> tuple[()]:
        return ()

    def close(self) -> None: ...


class Nothing:
    """Keeps no records: what a ledger takes is measured by itself."""

    def record(self, records: Sequence[Record]) -> None: ...


class Timed:
    """The gateway, with a clock around each order."""

    def __init__(self, gateway: Gateway, venue: Memory) -> None:
        self.gateway, self.venue = gateway, venue
        self.to_wire: Spent = []
        self.whole: Spent = []
        self.processor: Spent = []
        self.cancel, self.standing, self.submit_together = gateway.cancel, gateway.standing, gateway.submit_together

    def submit(self, approved: Approved, order: Order) -> None:
        begin, worked = time.perf_counter(), time.thread_time()
        self.gateway.submit(approved, order)
        self.processor.append(time.thread_time() - worked)
        self.whole.append(time.perf_counter() - begin)
        self.to_wire.append(self.venue.placed_at - begin)


class Desk:
    """A session over a gateway whose journal is in a folder."""

    def __init__(self, folder: Path, hours: int) -> None:
        made = compile_project(project_of({"tb.yaml": SETTINGS, "rules/r.tb": RULES, "policy/p.tb": POLICY}, Path()))
        self.venue, flat = Memory(), np.full(hours + 2, 100.0)
        self.gateway = Gateway(
            exchange=self.venue,
            journal=Journal(folder / "orders.journal"),
            breaker=Breaker(folder / "breaker"),
            recorder=Backlog(Nothing()),
            now=lambda: self.venue.now,
            terms=Terms(orders_per_window=1_000_000),
        )
        starts = np.arange(hours + 2, dtype=np.int64) * HOUR
        bars = Bars(SYMBOL, HOUR, starts, flat, flat, flat, flat, flat, None, None, "", np.arange(hours + 2, dtype=np.int64))
        data = Market("made here", {SYMBOL: bars}, HOUR, (), "0" * 64)
        markets = markets_of(made.plan, data, made.settings)
        self.timed = Timed(self.gateway, self.venue)
        self.session = Session(
            run="r1",
            plan=made.plan,
            settings=made.settings,
            view=RecordedView(
                made.plan.graph, markets, columns_of(made.plan, markets, chunk=1000), Rates(made.settings, data.bars)
            ),
            venue=self.timed,
            recorder=self.gateway.recorder,
            policy_hash="0" * 64,
            gates=gates_of(made.plan),
        )
        self.gateway.attach(self.session.settling)
        self.venue.now = HOUR
        Recovery(self.gateway).run()

    def measured(self, count: int) -> dict[str, Spent]:
        """So many entries, each closed by its stop before the next one."""
        for hour in range(1, count + 1):
            self.venue.now = hour * HOUR + 1
            self.gateway.hear([Heartbeat(self.venue.now)])
            self.gateway.attend()
            self.session.step(hour * HOUR, [Ready(0, 0, SYMBOL, hour - 1)])
            self.gateway.hear([self.venue.stop_out()])
        assert len(self.timed.whole) == count
        timed = self.timed
        return {
            "from the approval to the wire": timed.to_wire,
            "entry, fill, stop and target": timed.whole,
            "the same, processor time": timed.processor,
        }
