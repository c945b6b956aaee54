"""Live sessions over the sandbox, driven by its clock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox_client import HOUR, START, rising
from small_projects import settings_text, strategy

from tb.cli.live import venue_world
from tb.cli.running import account_of, begin_live
from tb.connectors.coinbase import Coinbase, connect, credentials_of
from tb.connectors.sandbox.server import Sandbox
from tb.ledger import open_ledger
from tb.runtime.gateway.gateway import Gateway
from tb.runtime.operator import Inbox
from tb.runtime.policy import Compiled, compile_project
from tb.runtime.ports.alerts import Alert
from tb.runtime.project import load_project
from tb.runtime.running.cycle import Cycle
from tb.runtime.running.inputs import Journal
from tb.runtime.running.loop import Loop, Waits
from tb.runtime.running.timekeeping import Timekeeping

BEGIN = START + 50 * HOUR
MINUTES = 10 * 60_000
POLICY = "limit gross  after.gross <= 100% of equity\n"
RISING = strategy("close > close[1]", stop="10% below entry", target="30% above entry", more=("hold at most 2h",))


@dataclass
class SandboxClock:
    """Waiting moves the sandbox on. Its hours are short for the gateway: everything takes it sixty times as long."""

    sandbox: Sandbox
    speed: float = 60.0
    turned: int = 0

    def now(self) -> int:
        return self.sandbox.now + self.turned

    def steady(self) -> int:
        return self.sandbox.now

    def wait(self, span: int) -> None:
        self.sandbox.advance(span)


@dataclass
class Told:
    alerts: list[Alert] = field(default_factory=list)

    def send(self, alert: Alert) -> None:
        self.alerts.append(alert)

    def close(self) -> None: ...


@contextmanager
def rising_sandbox() -> Iterator[Sandbox]:
    with Sandbox({"BTC-USD": rising()}, start=BEGIN, heartbeat=0.05) as running:
        yield running


@contextmanager
def connected(sandbox: Sandbox) -> Iterator[Coinbase]:
    key = sandbox.key
    made = connect(
        credentials_of(key.name, key.secret),
        base_url=sandbox.base_url,
        market_url=sandbox.ws_url,
        user_url=sandbox.ws_url + "/user",
        timeout=5,
        silence=1,
        pause=0.01,
    )
    made._time._monotonic = lambda: sandbox.now * 1_000_000  # what passes between two questions is the sandbox's time
    yield made
    made.close()


def project(folder: Path, rules: str = RISING, policy: str = POLICY, **settings: str) -> Compiled:
    text = settings_text(**settings, instruments="default: {tick: 0.01, lot: 0.00000001, minimum: 1 USD}")
    texts = {"tb.yaml": f"{text}live: {{venue: coinbase, read_only: false}}\n", "rules/r.tb": rules, "policy/p.tb": policy}
    for name, content in texts.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(content)
    return compile_project(load_project(folder))


@dataclass
class Live:
    loop: Loop
    gateway: Gateway
    run: str
    told: Told
    cycles: list[Cycle]

    def until(self, last: int) -> None:
        self.loop.ends = last
        self.loop.run()


@contextmanager
def live(
    folder: Path, sandbox: Sandbox, venue: Coinbase, rules: str = RISING, policy: str = POLICY, *, going_on: bool = False
) -> Iterator[Live]:
    compiled, clock, told, cycles = project(folder, rules, policy), SandboxClock(sandbox), Told(), list[Cycle]()
    with open_ledger(folder / "ledger.sqlite") as ledger:
        found = ledger.latest_run()
        world = venue_world(compiled, venue, clock, None, HOUR)
        account = account_of(compiled, ledger, None if found is None or not going_on else found.run)
        begun = begin_live(compiled, ledger, world, venue, told, account)
        journal = Journal(begun.folder)
        journal.open()
        gateway = begun.stepper.sending.venue.gateway  # type: ignore[attr-defined]
        loop = Loop(
            begun.stepper,
            world.feed,
            journal,
            Timekeeping(clock, HOUR, HOUR),
            warm_up=10 * HOUR,
            waits=Waits(look=MINUTES, grace=MINUTES, poll=MINUTES, late=HOUR),
            inbox=Inbox(folder / ".tb" / "live"),
            alerts=told,
            tell=cycles.append,
        )
        try:
            yield Live(loop, gateway, begun.run.id, told, cycles)
        finally:
            gateway.journal.close()
            journal.close()


def recorded(folder: Path, run: str, kind: type) -> list[Any]:
    with open_ledger(folder / "ledger.sqlite") as ledger:
        return [one for one in ledger.records(run) if isinstance(one, kind)]


class Killed(BaseException):
    """The process is gone at once."""
