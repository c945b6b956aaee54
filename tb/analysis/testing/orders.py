"""An order that a test puts before the gate: the facts of a quiet, flat account, and on top of them what the test gives.

1. Account and order are made as the test says; everything follows from them as in a session.
2. Market values come from the test, else from its last bar, else stand-ins: the order's price is the mid, spread and depth are
   those that the settings state. What nothing tells is unknown.
3. What is given takes the place of what would have been read, and the gate decides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import isnan

from tb.analysis.testing.asked import Asked
from tb.core.records import Decision
from tb.core.settings import Settings
from tb.core.time import day_start, next_day_start
from tb.dsl.checked_capital import Capital
from tb.dsl.checked_tests import Proposes, Test
from tb.engine.calendar import session_value
from tb.engine.clock import calendar_field
from tb.engine.graph import RuleGraph
from tb.engine.instant import EXACT, Exact, exact
from tb.engine.plan import Plan, StrategyPlan
from tb.gate.account import ZERO, Account
from tb.gate.conversion import ONE, converted
from tb.gate.facts import Moment, read
from tb.gate.gate import Gate, Judgement
from tb.gate.proposal import Allotment, Proposal
from tb.vocabulary.fields import FIELDS

Named = Mapping[tuple[str, str], Exact]  # facts that are given, by name and argument


@dataclass(frozen=True, slots=True)
class LastBar:
    """The market at the last bar of a test: the instant of its close, and the value of a market node there."""

    at: int
    value: Callable[[int], float | None]


_LOSSES = ("loss", "drawdown")  # what an unknown equity leaves unknown


@dataclass(frozen=True, slots=True)
class Judged:
    """What the gate said, as the record of a decision, with everything it read by node."""

    decision: Decision
    judgement: Judgement
    inputs: tuple[Exact, ...]
    unread: tuple[str, ...]  # what is given and nothing reads
    at_an_instant: bool


def judge(
    graph: RuleGraph,
    plan: Plan,
    gate: Gate,
    settings: Settings,
    asked: Asked,
    last_bar: LastBar | None,
    read_too: tuple[int, ...],
) -> Judged:
    """Puts the order of a test before the gate. `read_too` are leaves that expectations read besides the policy."""
    proposes = asked.test.proposes
    assert proposes is not None
    facts = Facts(graph, plan, settings, asked, last_bar)
    inputs = tuple(facts.value(leaf) for leaf in gate.policy.leaves)
    proposal = facts.moment.proposal
    spec = settings.instrument(proposal.instrument)
    judgement = gate.decide(inputs, proposal.adds_risk, proposal.quantity, None if spec is None else spec.lot)
    known = {*gate.policy.leaves, *read_too}
    unread = [said.text for node, said in asked.words.items() if node not in known and not facts.is_calendar(node)]
    return Judged(_record(facts, judgement, inputs, proposes), judgement, inputs, tuple(unread), facts.instant is not None)


class Facts:
    """The value of every leaf at the moment of a test's order."""

    def __init__(self, graph: RuleGraph, plan: Plan, settings: Settings, asked: Asked, last_bar: LastBar | None) -> None:
        self.graph = graph
        self.settings = settings
        self.asked = asked
        self.last_bar = last_bar
        self.named: dict[tuple[str, str], Exact] = {}
        for node, value in asked.given.items():
            if graph[node].op == "fact":
                self.named[str(graph[node].consts[0]), str(graph[node].consts[1])] = value
        self.instant = self.named.get(("instant", ""), None if last_bar is None else Decimal(last_bar.at))
        self.moment = self._moment(plan)

    def value(self, leaf: int) -> Exact:
        """What is given, else what follows from account and order, else what stands in."""
        if leaf in self.asked.given:
            return self.asked.given[leaf]
        node = self.graph[leaf]
        if node.op != "fact":
            return exact(self._market(leaf))
        name, argument = str(node.consts[0]), str(node.consts[1])
        if name == "instant":
            return self.instant
        if name in _LOSSES and self._equity_is_unknown:
            return None
        return read(name, argument, self.moment)

    def is_calendar(self, node: int) -> bool:
        """The instant: fields of the calendar follow from it, whether or not a rule reads it."""
        return self.graph[node].op == "fact" and self.graph[node].consts[0] == "instant"

    @property
    def _equity_is_unknown(self) -> bool:
        return ("equity", "") in self.named and self.named["equity", ""] is None

    def _market(self, leaf: int) -> float | None:
        found = None if self.last_bar is None else self.last_bar.value(leaf)
        if found is not None:
            return found
        node, order = self.graph[leaf], self.moment.proposal
        venue = self.settings.venue_for(order.instrument)
        standing_in: Decimal | None = None
        match node.op, node.consts[:1]:
            case "field", ("mid",):
                standing_in = order.price if self.last_bar is None else None
            case "field", ("spread",):
                standing_in = venue.spread if self.last_bar is None else None
            case "depth", _:
                standing_in = venue.depth
            case "field", (str(name),) if name in FIELDS and FIELDS[name].is_calendar and isinstance(self.instant, Decimal):
                standing_in = _of_calendar(name, int(self.instant))
            case ("during" | "since_open" | "to_close") as op, _ if isinstance(self.instant, Decimal):
                told = session_value(op, node.consts, int(self.instant))
                return None if isnan(told) else told
        return None if standing_in is None else float(standing_in)

    # --- the order and the account ---------------------------------------------------------------------------------

    def _rate(self, symbol: str) -> Decimal | None:
        """What is given; 1 for what is priced in the account's currency; a rate that nobody tells is not known."""
        given = self.named.get(("order.rate", ""), None if self.settings.is_foreign(symbol) else ONE)
        return given if isinstance(given, Decimal) else None

    def _moment(self, plan: Plan) -> Moment:
        proposes = self.asked.test.proposes
        assert proposes is not None
        at = int(self.instant) if isinstance(self.instant, Decimal) else 0
        account = _account(self.asked.test, self.settings, plan.program.capital, self.named, at)
        spec = self.settings.instrument(proposes.instrument)
        return Moment(
            at=at,
            proposal=_proposal(plan, proposes, account, self.named, self._rate(proposes.instrument)),
            account=account,
            groups={group.name: group.members for group in plan.program.groups.values() if group.in_policy},
            restricted=self.settings.restricted,
            minimum=None if spec is None else spec.minimum_notional,
            maximum=None if spec is None else spec.max_quantity,
            age=0,
            halted_by=None,
            paused_by=None,
            settings=self.settings,
            book=account.book_of(proposes.strategy),
        )


def _account(test: Test, settings: Settings, capital: Capital, named: Named, at: int) -> Account:
    """A flat account with the equity that is given, or with what is held and so much cash that its equity is that.

    Its books have their shares of that. What is held of the order's own instrument is held by the order's strategy, all else
    by nobody: it is in no book.
    """
    equity = named.get(("equity", ""))
    whole = equity if isinstance(equity, Decimal) else settings.account.equity
    account = Account(settings.account.currency, whole)
    for book in capital.books:
        account.open_book(book.name, book.share, book.strategies)
    own = test.proposes
    for holding in test.held:
        strategy = own.strategy if own is not None and own.instrument == holding.instrument else ""
        # so many units, bought at a price of 1; a value that is not known is a price that is not
        if holding.value is None:
            account.fill(strategy, holding.instrument, Decimal(1), ZERO, ZERO)
            account.mark(holding.instrument, None)
        elif holding.value:
            account.fill(strategy, holding.instrument, holding.value, Decimal(1), ZERO)
    account.high_water = whole
    zone = settings.account.timezone
    account.begin_day(day_start(at, zone), next_day_start(at, zone))
    account.observe(at)
    before = named.get(("equity at day_start", ""), account.equity_at_day_start)
    account.equity_at_day_start = before if isinstance(before, Decimal) else None
    return account


def _proposal(plan: Plan, proposes: Proposes, account: Account, named: Named, rate: Decimal | None) -> Proposal:
    strategy = plan.strategy(proposes.strategy)
    symbol, price = proposes.instrument, proposes.price
    held = account.position(symbol)
    adds_risk = not held or (held > 0) == (proposes.sign > 0)
    tier = strategy.tiers.get(symbol)
    return Proposal(
        strategy=strategy.name,
        instrument=symbol,
        sign=proposes.sign,
        quantity=proposes.quantity,
        price=price,
        stop=proposes.stop,
        target=proposes.target,
        intended=converted(EXACT.multiply(proposes.quantity, price), rate) if price is not None and adds_risk else None,
        confidence=None,
        tier=None if tier is None else f"{strategy.universe}.{tier}",
        adds_risk=adds_risk,
        missing=None if not adds_risk else "price" if price is None else "rate" if rate is None else None,
        rate=rate,
        allotment=_allotment(plan.program.capital, strategy, symbol),
        votes_for=_votes_for(plan, proposes, named),
    )


def _allotment(capital: Capital, strategy: StrategyPlan, symbol: str) -> Allotment | None:
    """What a strategy that has closed no trade yet may use; how like other instruments are is not known, so they are one."""
    allocation = capital.allocation
    if allocation is None:
        return None
    alike = tuple(other for other in strategy.correlations if other != symbol and allocation.is_one(None))
    return Allotment(0, allocation.trades, 0, ZERO, ZERO, allocation.fraction, allocation.most_each, alike)


def _votes_for(plan: Plan, proposes: Proposes, named: Named) -> Decimal | None:
    """The share of the council that is given, else that of the strategy alone: nobody else proposes."""
    council = plan.program.capital.council
    if council is None or proposes.strategy not in council.members:
        return None
    if ("votes_for", "") in named:
        given = named["votes_for", ""]
        return given if isinstance(given, Decimal) else None
    asked = [vote for vote in council.votes if plan.strategy(vote.strategy).covers(proposes.instrument)]
    return EXACT.divide(council.weight(proposes.strategy), sum((vote.weight for vote in asked), ZERO))


def _record(facts: Facts, judgement: Judgement, inputs: tuple[Exact, ...], proposes: Proposes) -> Decision:
    proposal = facts.moment.proposal
    confidence = facts.named.get(("order.confidence", ""))
    return Decision(
        seq=1,
        at=facts.moment.at,
        kind="enter" if proposal.adds_risk else "exit",
        strategy=proposal.strategy,
        enter=0,
        instrument=proposal.instrument,
        side="buy" if proposes.sign > 0 else "sell",
        row=0,
        verdict=judgement.verdict,
        deciding=judgement.deciding,
        proposed=proposal.quantity,
        approved=judgement.quantity,
        price=proposal.price,
        stop=proposal.stop,
        target=proposal.target,
        confidence=float(confidence) if isinstance(confidence, Decimal) else None,
        reason="",
        failed=judgement.failed,
        unknown=judgement.unknown,
        facts=tuple(None if value is None else str(value) for value in inputs),
        market=(),
        ages=(),
        rows=(),
        shadowed=judgement.shadowed,
    )


def _of_calendar(name: str, at: int) -> Decimal | None:
    import numpy as np

    found = calendar_field(name, np.array([at], dtype=np.int64))
    return None if found is None else Decimal(int(found[0]))
