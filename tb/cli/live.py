"""Wires a session to its venue: bars, clock, gateway; and asks the operator before anything may be sent."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tb.cli.output import say
from tb.core.diagnostics import Refused, error
from tb.core.span import whole_file

if TYPE_CHECKING:
    from tb.cli.running import World
    from tb.core.records import Run
    from tb.core.settings import Settings
    from tb.engine.plan import Plan
    from tb.ledger.store import Ledger
    from tb.runtime.gateway.gateway import Gateway
    from tb.runtime.gateway.terms import Terms
    from tb.runtime.gateway.tracked import Orders
    from tb.runtime.policy import Compiled
    from tb.runtime.ports.alerts import Alerts
    from tb.runtime.ports.exchange import Exchange
    from tb.runtime.ports.feed import Clock
    from tb.runtime.running.live import LiveRecords, LiveVenue
    from tb.runtime.running.remembering import Stretch

READ_ONLY = "TB864"
UNANSWERED = "TB865"


class VenueClock:
    """A sandbox's clock as everybody's: it may run faster than time. Asked at most every 5 ms."""

    def __init__(self, ask: Callable[[], int]) -> None:
        self._ask = ask
        self._known, self._at = ask(), time.monotonic()
        began = (self._known, self._at)
        time.sleep(0.2)
        self.speed = max(1.0, (self.now() - began[0]) / 1000 / (self._at - began[1]))  # how many times faster than time

    def now(self) -> int:
        if time.monotonic() - self._at > 0.005:
            self._known, self._at = self._ask(), time.monotonic()
        return self._known

    def steady(self) -> int:
        return self.now()

    def wait(self, span: int) -> None:
        time.sleep(min(span / 1000 / self.speed, 0.05))


def venue_world(
    compiled: Compiled, exchange: Exchange, clock: Clock, instruments: tuple[str, ...] | None, interval: int | None
) -> World:
    """Bars of the venue that the settings name, of the instruments that the rules trade and read."""
    from tb.cli.running import World
    from tb.runtime.running.venue_feed import VenueFeed

    period = interval or shortest(compiled.plan)
    named = instruments or read_instruments(compiled.plan, compiled.settings)
    return World(VenueFeed(exchange, fresh=period), clock, tuple(sorted(named)), period)


def shortest(plan: Plan) -> int:
    """The longest period whose multiples are all periods that the rules read, in ms."""
    import math

    roots = [
        root for strategy in plan.strategies for root in (*strategy.roots, *(r for b in strategy.baskets for r in b.roots))
    ]
    roots += [leaf for policy in plan.policies.values() for leaf in policy.leaves]
    periods = {plan.graph[node].period for node in plan.graph.reach(tuple(roots))} | {s.period for s in plan.strategies}
    return math.gcd(*(period for period in periods if period))


def read_instruments(plan: Plan, settings: Settings) -> tuple[str, ...]:
    """Everything that the rules trade or read, and what converts its money."""
    found = dict.fromkeys(plan.instruments())
    found.update(dict.fromkeys(str(node.consts[0]) for node in plan.graph.nodes if node.op == "of"))
    for symbol in list(found):
        conversion = settings.conversion(symbol)
        if conversion is not None:
            found[conversion.instrument] = None
    return tuple(found)


def may_trade(
    compiled: Compiled, project: Path, exchange: Exchange, clock: Clock, taken: Sequence[str] = (), *, by_venue: bool
) -> None:
    """Raises Refused or ends the command unless everything that live trading needs is so: settings, checks, PIN, and a YES.
    What the session takes over from the account's earlier runs is shown before that."""
    from tb.cli.doctor import checks_of, tell
    from tb.cli.pin import ask_pin

    live = compiled.settings.live
    if live.read_only:
        hint = "set `live.read_only: false` in tb.yaml once it may trade"
        raise Refused([error(READ_ONLY, "`live.read_only` keeps every order from the venue", whole_file("tb.yaml"), hint)])
    found = checks_of(compiled, project, exchange, clock.now, by_venue=by_venue)
    if not all(one.passed for one in found):
        tell([one for one in found if not one.passed])
        say(f"{sum(not one.passed for one in found)} of {len(found)} checks fail: live trading does not start")
        raise click.exceptions.Exit(1)
    if live.pin is None:
        hint = "add `pin: 'env:TB_PIN_HASH'` to `live`, and make it with `tb pin set`"
        raise Refused([error(READ_ONLY, "live trading asks for a PIN, and `live.pin` is not set", whole_file("tb.yaml"), hint)])
    for line in taken:
        say(line)
    ask_pin(live.pin)
    typed = click.prompt(f"type YES to trade live at {exchange.name}", err=True, default="", show_default=False)
    if typed != "YES":
        say("nothing was begun: that was not YES")
        raise click.exceptions.Exit(1)


@dataclass(frozen=True, slots=True)
class Capital:
    """What an account began with, since its trades are counted from there; `moved` is how much of it a person has just added,
    negative where it was taken away."""

    began: Decimal
    moved: Decimal = Decimal(0)


def live_capital(compiled: Compiled, exchange: Exchange, earlier: Run | None = None) -> Capital:
    """A new account begins with what the venue has of its currency, at most what the settings allow it. One that had a live run
    keeps what it began with, moved by what a person changed of `account.equity`, upward at most by what the venue has besides.

    Raises Refused TB865 where the venue does not say."""
    from tb.runtime.gateway.looking import sent_orders
    from tb.runtime.ports.exchange import NoAnswer
    from tb.runtime.running.taking_over import ALLOWED

    account, found = compiled.settings.account, exchange.balances()
    if isinstance(found, NoAnswer):
        message, hint = f"what the account has is not known: {found.why}", "check network and key, then start again"
        raise Refused([error(UNANSWERED, message, whole_file("tb.yaml"), hint)])
    there = sum((one.available + one.held for one in found if one.asset == account.currency), Decimal(0))
    orders, _ = sent_orders(compiled.project.root / compiled.settings.live.state)
    if earlier is None or not orders.all:
        return Capital(min(account.equity, there))
    began, allowed = earlier.initial_equity, Decimal(earlier.config.get(ALLOWED, str(account.equity)))
    if account.equity <= allowed:
        moved = min(Decimal(0), account.equity - min(allowed, began))
    else:
        moved = max(Decimal(0), min(account.equity - allowed, there - began - _traded(compiled, orders)))
    return Capital(began + moved, moved)


def _traded(compiled: Compiled, orders: Orders) -> Decimal:
    """What orders from here brought in of the account's currency, less what they cost."""
    from tb.core.settings import quote_currency

    own = [one for one in orders.all.values() if quote_currency(one.instrument) == compiled.settings.account.currency]
    return sum((-one.sign * one.value - one.paid for one in own), Decimal(0))


def with_capital(compiled: Compiled, equity: Decimal) -> Compiled:
    """The project with what its account began with."""
    settings = replace(compiled.settings, account=replace(compiled.settings.account, equity=equity))
    return replace(compiled, project=replace(compiled.project, settings=settings))


@dataclass(frozen=True, slots=True)
class Line:
    """A gateway with what is around it."""

    gateway: Gateway
    venue: LiveVenue
    records: LiveRecords


def connect_gateway(
    compiled: Compiled,
    ledger: Ledger,
    run: Run,
    exchange: Exchange,
    clock: Clock,
    alerts: Alerts,
    past: Sequence[Stretch],
) -> Line:
    """The gateway of the account, over its journal and breaker. Raises Refused as these do."""
    from tb.runtime.gateway.breaker import Breaker
    from tb.runtime.gateway.gateway import Gateway
    from tb.runtime.gateway.journal import Journal
    from tb.runtime.gateway.looking import BREAKER, JOURNAL
    from tb.runtime.gateway.recovery import Recovery
    from tb.runtime.operator import KillFile
    from tb.runtime.ports.alerts import Alert
    from tb.runtime.running.line import AWAY, WINDOW
    from tb.runtime.running.line import Line as VenueLine
    from tb.runtime.running.live import LiveRecords, LiveVenue
    from tb.runtime.running.timekeeping import unturned

    folder = compiled.project.root / compiled.settings.live.state
    kill = KillFile(compiled.project.root / compiled.settings.live.kill_file)
    records = LiveRecords(run.id, ledger)
    gateway = Gateway(
        exchange=exchange,
        journal=Journal(folder / JOURNAL),
        breaker=Breaker(folder / BREAKER),
        recorder=records.backlog,
        now=unturned(clock),
        wall=clock.now,
        terms=terms_of(compiled.settings, getattr(clock, "speed", 1.0)),
        kill_stands=kill.stands,
        policy_hash=run.policy_hash,
        alarm=lambda words: alerts.send(Alert("breaker", "critical", words, clock.now())),
        notice=lambda what, words: None if what == "data" else alerts.send(Alert(what, "info", words, clock.now())),
    )
    before = [record for stretch in past[:-1] for record in stretch.records]
    recovery = Recovery(gateway, past[-1].records, before)
    speed = getattr(clock, "speed", 1.0)
    watched = VenueLine(
        lambda severity, words: alerts.send(Alert("data", severity, words, clock.now())),
        away=round(AWAY * speed),
        window=round(WINDOW * speed),
    )
    return Line(gateway, LiveVenue(gateway, recovery, watched), records)


def terms_of(settings: Settings, speed: float) -> Terms:
    """The gateway's terms; on a clock that runs faster than time, everything takes as much longer by it."""
    from tb.runtime.gateway.terms import Terms

    live = settings.live
    terms = Terms(protect_within=live.protect_within, tolerance=live.tolerance, cancel_on_disconnect=live.cancel_on_disconnect)
    times = ("window", "look_after", "look_unknown", "prove_after", "protect_within", "silence", "reconcile_every", "skew")
    scaled = {name: round(getattr(terms, name) * speed) for name in (*times, "reconcile_stale", "rules_every", "rules_stale")}
    return replace(terms, **scaled)
