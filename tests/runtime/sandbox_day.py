"""One trading day of a session with gateway and adapter at the sandbox: real requests over loopback, and its faults.

Prices are flat at 100, but for ETH-USD, which falls to 88 at the third hour: its position is stopped out by the venue. The
clock of everybody is the sandbox's, moved a second for each turn.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from gateway_world import LONG, Kept, project, view_of
from small_projects import START

from tb.connectors.coinbase import Coinbase, connect, credentials_of
from tb.connectors.pace import Pace
from tb.connectors.sandbox.product import product_named
from tb.connectors.sandbox.recording import series_of
from tb.connectors.sandbox.server import Sandbox
from tb.core.records import Fill
from tb.core.time import HOUR
from tb.runtime.drafts import Ready
from tb.runtime.gateway.breaker import Breaker
from tb.runtime.gateway.gateway import Gateway
from tb.runtime.gateway.journal import Journal
from tb.runtime.gateway.recording import Backlog
from tb.runtime.gateway.recovery import Recovery
from tb.runtime.gateway.terms import Terms
from tb.runtime.policy import gates_of
from tb.runtime.session import Session

D = Decimal
NOTHING = D(0)
SYMBOLS = ("BTC-USD", "ETH-USD", "SOL-USD")
TERMS = Terms(protect_within=10_000)
RULES = LONG + "  hold at most 3h\n"
POLICY = "limit gross  after.gross <= 35% of equity\n"
MOST = D(3500)  # what the policy lets be exposed, in the worst case
BARE = 30_000  # ms: what is stated, and what it takes to find out while the venue does not answer
SECOND = 1_000

# what goes wrong, as commands to the sandbox: name -> faults
FAULTS: dict[str, Sequence[dict[str, Any]]] = {
    name: [{"fault": name, "on": on, "times": times, **more}]
    for name, on, times, more in (
        ("drop-request", "orders", 2, {}),
        ("drop-reply", "orders", 2, {}),
        ("truncated", "orders", 2, {}),
        ("unauthorized", "orders", 4, {}),
        ("too-many", "orders", 3, {}),
        ("server-error", "orders", 3, {}),
        ("error-after", "orders", 2, {}),
        ("vague", "orders", 2, {}),
        ("garbled", "orders", 2, {}),
        ("slow", "orders", 2, {"seconds": 1.2}),
        ("reply-twice", "", 40, {}),
        ("answer-twice", "", 60, {}),
        ("reject", "", 2, {}),
        ("fail-later", "", 2, {}),
        ("partial-fill", "", 3, {"share": 0.4}),
        ("reject-cancel", "", 2, {}),
        ("late-fill", "", 2, {}),
        ("fill-after-cancelled", "", 2, {}),
        ("gap", "user", 3, {}),
        ("repeat", "user", 3, {}),
        ("silent", "user-stream", 0, {}),
        ("disconnect", "user-stream", 2, {}),
        ("refuse-stream", "", 3, {}),
        ("stale-quotes", "", 0, {}),
        ("crossed-quotes", "", 0, {}),
    )
} | {
    "cancel: drop-reply": [{"fault": "drop-reply", "on": "cancel", "times": 2}],
    "cancel: drop-request": [{"fault": "drop-request", "on": "cancel", "times": 2}],
    "reads: too-many": [{"fault": "too-many", "on": "reads", "times": 6}],
    "reads: server-error": [{"fault": "server-error", "on": "reads", "times": 6}],
    "reads: truncated": [{"fault": "truncated", "on": "reads", "times": 6}],
}
MOMENTS = ("before", "after", "exit")


def prices(symbol: str) -> list[tuple[float, float, float, float, float]]:
    flat, low = (100.0, 100.0, 100.0, 100.0, 1.0), (88.0, 88.0, 88.0, 88.0, 1.0)
    return [flat] * 3 + [low if symbol == "ETH-USD" else flat] * 27


@dataclass
class Day:
    """Everything of one day. `wrong` gathers what must never be."""

    sandbox: Sandbox
    adapter: Coinbase
    gateway: Gateway
    session: Session
    kept: Kept
    clock: list[int]
    alarms: list[str] = field(default_factory=list)

    def turn(self, count: int = 1) -> None:
        for _ in range(count):
            self.clock[0] = self.sandbox.advance(SECOND)
            time.sleep(0.003)  # what the stream tells is on its way
            self.gateway.hear(self.adapter.events())
            self.gateway.attend()

    def settle(self) -> None:
        """A few seconds, and as many more as it takes until all that is held has its stop."""
        self.turn(5)
        for _ in range(BARE // SECOND):
            if not any(one["to"] is None for one in self.sandbox.state()["unprotected"]):
                return
            self.turn()

    def step(self, hour: int, *symbols: str) -> None:
        self.clock[0] = self.sandbox.advance_to(START + hour * HOUR)
        self.turn()
        self.session.step(START + hour * HOUR, [Ready(0, 0, symbol, hour - 1) for symbol in symbols])

    def held(self) -> dict[str, Decimal]:
        return {name: D(size) for name, size in self.sandbox.state()["positions"].items() if D(size)}

    def known(self) -> dict[str, Decimal]:
        found: Counter[str] = Counter()
        for position in self.session.positions.values():
            found[position.instrument] += position.sign * position.remaining  # type: ignore[assignment]
        return {name: D(size) for name, size in found.items() if size}

    def wrong(self) -> Iterator[str]:
        """Once all is well again: nothing was exposed, sent twice or bare beyond what is allowed, and both sides agree."""
        state = self.sandbox.state()
        worst = D(state["worst_exposure"].get("USD", {"with_orders": "0"})["with_orders"])
        if worst > MOST * D("1.05"):
            yield f"{worst} USD were exposed at the venue"
        if twice := [name for name, often in state["arrivals"].items() if often > 1]:
            yield f"sent twice: {twice}"
        for one in state["unprotected"]:
            end = state["now"] if one["to"] is None else one["to"]
            if end - one["from"] > BARE:
                yield f"{one['size']} {one['product']} were without a stop for {end - one['from']} ms"
        if self.held() != self.known():
            yield f"held at the venue {self.held()}, here {self.known()}"
        there: Counter[tuple[str, str]] = Counter()
        for one in state["fills"]:
            there[one["product_id"], one["side"].lower()] += D(one["size"])  # type: ignore[assignment]
        here: Counter[tuple[str, str]] = Counter()
        for fill in self.kept.of(Fill):
            here[fill.instrument, fill.side] += fill.quantity
        if there != here:
            yield f"filled {dict(there)}, recorded {dict(here)}"
        if self.session.account.cash != D(state["balances"]["USD"]["total"]):
            yield f"cash is {state['balances']['USD']['total']} at the venue, {self.session.account.cash} here"
        if self.gateway.orders.unknown():
            yield "an order is still unknown"


@contextmanager
def a_day(folder: Path, *, seed: int = 0) -> Iterator[Day]:
    """A process that has started on a new account, and recovered."""
    series = {symbol: series_of(symbol, HOUR, START, prices(symbol)) for symbol in SYMBOLS}
    products = {symbol: product_named(symbol, lot="0.001") for symbol in SYMBOLS}
    clock = [START + HOUR]
    with Sandbox(
        series,
        products=products,
        start=START + HOUR,
        spread=D("0.0004"),
        heartbeat=0.05,
        seed=seed,
        wall=lambda: clock[0] / SECOND,
    ) as sandbox:
        adapter = connect(
            credentials_of(sandbox.key.name, sandbox.key.secret),
            base_url=sandbox.base_url,
            market_url=sandbox.ws_url,
            user_url=sandbox.ws_url + "/user",
            timeout=1,
            silence=1,
            pause=0.01,
            clock=lambda: clock[0],
        )
        adapter._transport.private, adapter._transport.public = (_pace(sandbox, clock) for _ in range(2))
        journal = Journal(folder / "journal")
        try:
            yield _started(folder, sandbox, adapter, journal, clock)
        finally:
            adapter.close()
            journal.close()


def _pace(sandbox: Sandbox, clock: list[int]) -> Pace:
    """By the sandbox's clock: a day passes in seconds here, and many requests in one of them."""

    def pause(seconds: float) -> None:
        clock[0] = sandbox.advance(int(seconds * SECOND) + 1)

    return Pace((10_000,), clock=lambda: clock[0] * 1_000_000, pause=pause)


def _started(folder: Path, sandbox: Sandbox, adapter: Coinbase, journal: Journal, clock: list[int]) -> Day:
    kept, alarms = Kept(), list[str]()
    gateway = Gateway(
        exchange=adapter,
        journal=journal,
        breaker=Breaker(folder / "breaker"),
        recorder=Backlog(kept),
        now=lambda: clock[0],
        terms=TERMS,
        policy_hash="0" * 64,
        alarm=alarms.append,
        notice=lambda _, words: alarms.append(words),
    )
    made = project(RULES, POLICY)
    session = Session(
        run="r1",
        plan=made.plan,
        settings=made.settings,
        view=view_of(RULES, POLICY),
        venue=gateway,
        recorder=gateway.recorder,
        policy_hash="0" * 64,
        gates=gates_of(made.plan),
    )
    gateway.attach(session.settling)
    assert [step.done for step in Recovery(gateway, ()).run()] == [True] * 6
    return Day(sandbox, adapter, gateway, session, kept, clock, alarms)


def live(day: Day, faults: dict[str, Sequence[dict[str, Any]]]) -> None:
    """The day, with faults that begin at its moments and are over before its end."""

    def begin(moment: str) -> None:
        for fault in faults.get(moment, ()):
            day.sandbox.fault(
                fault["fault"], **{name: value for name, value in fault.items() if name != "fault" and value != ""}
            )

    begin("before")
    day.step(1, "BTC-USD", "ETH-USD")
    day.settle()
    begin("after")
    day.step(2, "SOL-USD")
    day.settle()
    day.step(3)  # ETH-USD has fallen through its stop
    day.settle()
    begin("exit")
    day.step(6)  # held long enough
    day.turn(15)
    day.sandbox.clear_faults()
    day.turn(25)
    if day.held() != day.known():
        day.turn(60)  # what nobody told shows when the account is compared with the venue
