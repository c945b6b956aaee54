"""A session with a gateway over the fake exchange: one strategy that enters when it is told to, and a clock that stands
still."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from fake_exchange import SYMBOLS, FakeExchange, Truth
from small_projects import START, bars, compiled, flat, market, strategy

from tb.core.records import Cancel, Fill, Handling, Order, Record, Trade
from tb.core.time import HOUR
from tb.runtime.drafts import Ready
from tb.runtime.gateway.breaker import Breaker
from tb.runtime.gateway.gateway import Gateway
from tb.runtime.gateway.journal import Journal
from tb.runtime.gateway.recording import Backlog
from tb.runtime.gateway.recovery import Recovery, StepDone
from tb.runtime.gateway.steps import STEPS
from tb.runtime.gateway.terms import Terms
from tb.runtime.policy import Compiled
from tb.runtime.rates import Rates
from tb.runtime.session import Session
from tb.runtime.view import RecordedView, columns_of

try:
    from tb.runtime.policy import gates_of
except ImportError:  # where it stands with the session
    from tb.replay.run import gates_of
from tb.replay.run import markets_of

D = Decimal
HOURS = 30
LONG = strategy(size="10% of equity", stop="10% below entry", target="20% above entry", members=", ".join(SYMBOLS))
POLICY = "limit gross  after.gross <= 100% of equity\n"
TERMS = Terms()
Tell = Callable[[Sequence[Record]], None]


@cache
def project(rules: str = LONG, policy: str = POLICY) -> Compiled:
    return compiled(rules, policy)


@cache
def view_of(rules: str, policy: str, symbols: tuple[str, ...] = SYMBOLS, hours: int = HOURS) -> RecordedView:
    made = project(rules, policy)
    data = market(*(bars(symbol, [flat(100, 1)] * hours) for symbol in symbols))
    markets = markets_of(made.plan, data, made.settings)
    return RecordedView(made.plan.graph, markets, columns_of(made.plan, markets, chunk=100), Rates(made.settings, data.bars))


@cache
def gates(rules: str, policy: str) -> Any:
    return gates_of(project(rules, policy).plan)


class Kept(list):  # type: ignore[type-arg]
    """Stands in for a ledger; `refuses` is raised instead of keeping."""

    refuses: Exception | None = None

    def record(self, records: Sequence[Record]) -> None:
        if self.refuses is not None:
            raise self.refuses
        self.extend(records)

    def of(self, kind: type) -> list[Any]:
        return [one for one in self if isinstance(one, kind)]


@dataclass
class World:
    """One process: `again` starts another one over the same folder and the same truth."""

    folder: Path
    truth: Truth
    kept: Kept = field(default_factory=Kept)
    rules: str = LONG
    policy: str = POLICY
    terms: Terms = TERMS
    steps: Any = STEPS
    call: Any = None
    wrap_journal: Callable[[Journal], Journal] = lambda journal: journal
    now: Callable[[], int] | None = None
    recorder: Any = None
    kill: bool = False
    alarms: list[str] = field(default_factory=list)
    notices: list[tuple[str, str]] = field(default_factory=list)
    hour: int = 1
    symbols: tuple[str, ...] = SYMBOLS
    hours: int = HOURS

    def start(self) -> World:
        self.journal = self.wrap_journal(Journal(self.folder / "journal"))
        self.breaker = Breaker(self.folder / "breaker")
        self.gateway = Gateway(
            exchange=FakeExchange(self.call or self.truth.call),
            journal=self.journal,
            breaker=self.breaker,
            recorder=Backlog(self.recorder or self.kept),
            now=self.now or (lambda: self.truth.time),
            terms=self.terms,
            kill_stands=lambda: self.kill,
            policy_hash="0" * 64,
            alarm=self.alarms.append,
            notice=lambda what, words: self.notices.append((what, words)),
            steps_=self.steps,
        )
        made = project(self.rules, self.policy)
        self.session = Session(
            run="r1",
            plan=made.plan,
            settings=made.settings,
            view=view_of(self.rules, self.policy, self.symbols, self.hours),
            venue=self.gateway,
            recorder=self.gateway.recorder,
            policy_hash="0" * 64,
            gates=gates(self.rules, self.policy),
        )
        self.gateway.attach(self.session.settling)
        return self

    def recovered(self, recorded: Sequence[Record] = ()) -> tuple[StepDone, ...]:
        self.recovery = Recovery(self.gateway, recorded)
        return self.recovery.run()

    def again(self, **changed: Any) -> World:
        """The process is gone, and another one starts."""
        self.journal.close()
        names = ("folder", "truth", "kept", "rules", "policy", "terms", "kill", "hour", "symbols", "hours")
        return World(**{name: getattr(self, name) for name in names} | changed).start()

    # --- what happens --------------------------------------------------------------------------------------------------

    def step(self, hour: int, *symbols: str, enter: int = 0) -> None:
        """The session's step at an hour; the entry holds for these instruments."""
        self.hour = hour
        self.truth.time = max(self.truth.time, START + hour * HOUR + 1000)
        self.session.step(START + hour * HOUR, [Ready(0, enter, symbol, hour - 1) for symbol in symbols])

    def turn(self, after: int = 250) -> None:
        self.truth.time += after
        self.gateway.hear(self.gateway.exchange.events())
        self.gateway.attend()

    def turns(self, count: int, after: int = 1000) -> None:
        for _ in range(count):
            self.turn(after)

    # --- what there is -------------------------------------------------------------------------------------------------

    @property
    def positions(self) -> dict[str, Decimal]:
        found: dict[str, Decimal] = {}
        for position in self.session.positions.values():
            found[position.instrument] = found.get(position.instrument, D(0)) + position.sign * position.remaining
        return found

    @property
    def positions_by_symbol(self) -> dict[str, Decimal]:
        """Without those that add up to nothing."""
        return {symbol: quantity for symbol, quantity in self.positions.items() if quantity}

    @property
    def held(self) -> dict[str, Decimal]:
        """What the venue has."""
        return {symbol: self.truth.holding(symbol) for symbol in self.symbols if self.truth.holding(symbol)}

    @property
    def handlings(self) -> list[Handling]:
        return self.kept.of(Handling)

    @property
    def fills(self) -> list[Fill]:
        return self.kept.of(Fill)

    @property
    def cancels(self) -> list[Cancel]:
        return self.kept.of(Cancel)

    @property
    def orders(self) -> list[Order]:
        return self.kept.of(Order)

    @property
    def trades(self) -> list[Trade]:
        return self.kept.of(Trade)

    def said(self, what: str) -> list[tuple[str, str]]:
        return [(one.status, one.words) for one in self.handlings if one.what == what]


def world(folder: Path, **given: Any) -> World:
    """A process that has started on a new account, and recovered."""
    truth = given.pop("truth", None) or Truth(START + HOUR)
    made = World(folder, truth, **given).start()
    assert [step.done for step in made.recovered()] == [True] * 6
    return made
