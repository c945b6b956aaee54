"""Looks at the records of a replay as they pass on their way to the ledger, and keeps what the summary needs.

INVARIANT: with and without a ledger behind it, the same records give the same decision log.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from operator import itemgetter

from tb.cli.shut_out import READ, ShutOuts
from tb.core.curve import columns
from tb.core.records import Cancel, Curve, Decision, Fill, Latch, Mark, Order, Quiet, Record, Trade
from tb.engine.plan import Plan
from tb.ledger import DecisionLog, Group
from tb.ledger.sheets import Sheet
from tb.ledger.store import Ledger

MISSING = "order.missing"
# bytes of `Quiet.states`, in words
STATES = ("false", "proposed", "unknown", "outside the universe", "held already", "cooling down")


@dataclass(slots=True)
class Watched:
    """What passed. `refusals` counts the `refused` entries by each rule that decided, `states` bars by what a condition was.

    `ended` counts approved entries that ended without a fill by what ended them, `on_their_way` holds those that
    have not ended. `unknown` counts refused entries by what of their order could not be computed, `first_unknown` is the first.
    """

    marks: list[tuple[int, Decimal | str]] = field(default_factory=list)  # instant and equity
    curves: list[Curve] = field(default_factory=list)
    latches: list[Latch] = field(default_factory=list)
    open_trades: dict[int, Trade] = field(default_factory=dict)
    refused: int = 0
    refusals: Counter[str] = field(default_factory=Counter)
    states: dict[str, Counter[int]] = field(default_factory=dict)
    ended: Counter[str] = field(default_factory=Counter)
    on_their_way: dict[str, Order] = field(default_factory=dict)
    unknown: Counter[str] = field(default_factory=Counter)
    first_unknown: int | None = None
    places: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  # strategy -> where facts are among its own
    first_decision: Decision | None = None
    shut_outs: ShutOuts = field(init=False)

    def __post_init__(self) -> None:
        self.shut_outs = ShutOuts(self.places)

    @property
    def equity(self) -> list[tuple[int, float]]:
        """Marked equity in order of time; where several stand at one instant, the marks come last."""
        points = [(at, 0, equity) for curve in self.curves for at, equity in zip(*columns(curve)[:2], strict=True)]
        points += [(at, 1, float(equity)) for at, equity in self.marks]
        return [(at, equity) for at, _, equity in sorted(points, key=itemgetter(0, 1))]

    @property
    def not_filled(self) -> Counter[str]:
        """How many approved entries did not fill, by why: what ended them, or that the data did."""
        left = ("no next bar" if order.style == "market" else "resting at the end" for order in self.on_their_way.values())
        return self.ended + Counter(left)

    def see(self, record: Record) -> None:
        match record:
            case Mark():
                self.marks.append((record.at, record.equity))
            case Curve():
                self.curves.append(record)
            case Latch():
                self.latches.append(record)
            case Trade() if record.exit_at is None:
                self.open_trades[record.seq] = record
            case Trade():
                self.open_trades.pop(record.seq, None)
            case Order() if record.kind == "entry":
                self.on_their_way[record.id] = record
            case Fill():
                self.on_their_way.pop(record.order, None)
            case Cancel() if self.on_their_way.pop(record.order, None) is not None:
                self.ended[record.cause] += 1
            case Decision() if record.kind == "enter":
                self.shut_outs.see(record)
                if not record.approved:
                    self._see_refused(record)
            case Quiet():
                self.states.setdefault(record.strategy, Counter()).update(zlib.decompress(record.states))
            case _:
                pass

    def see_group(self, group: Group) -> None:
        """The same of many: what is there as columns is counted by them, and few of its records are made."""
        filled = dict.fromkeys(order for sheet in group.sheets if sheet.kind is Fill for order in sheet.cells("order"))
        for sheet in group.sheets:
            self._see_sheet(sheet, filled)
        for order in filled if self.on_their_way else ():
            self.on_their_way.pop(order, None)
        for record in group.beside:
            self.see(record)

    def _see_sheet(self, sheet: Sheet, filled: Collection[str]) -> None:
        """What is on it, but for its fills; `filled` are the orders of those that follow."""
        if sheet.kind is Mark:
            self.marks += zip(*(sheet.all_cells(name) for name in ("at", "equity")), strict=True)
        elif sheet.kind is Order and set(sheet.cells("kind")) == {"entry"}:
            left = [place for place, order in enumerate(sheet.all_cells("id")) if order not in filled]
            self.on_their_way |= {order.id: order for order in (sheet.records(left) if left else ())}
        elif sheet.kind is Trade and None not in sheet.cells("exit_at"):
            for seq in sheet.cells("seq") if self.open_trades else ():
                self.open_trades.pop(seq, None)
        elif sheet.kind is Decision and _are_approved_entries(sheet):
            for strategy in dict.fromkeys(sheet.cells("strategy")):
                self.shut_outs.found.pop(strategy, None)
        elif sheet.kind is not Fill:
            for record in sheet.records():
                self.see(record)

    def _see_refused(self, decision: Decision) -> None:
        self.refused += 1
        self.refusals.update(decision.deciding)
        at = self.places.get(decision.strategy, {}).get(MISSING)
        told = None if at is None else decision.facts[at]
        if told is not None:
            self.unknown[str(told)] += 1
            self.first_unknown = self.first_unknown or decision.seq


def _are_approved_entries(sheet: Sheet) -> bool:
    """Whether a sheet of decisions has approved entries alone."""
    same = set(sheet.cells("kind")) == {"enter"} and set(sheet.cells("verdict")) == {"approve"}
    return same and all(map(float, sheet.cells("approved")))


class WatchedLedger(Ledger):
    """Stands where a ledger stands in a replay: passes records on to the one behind it, if there is one.

    `places` says for each strategy where facts are among those of its decisions, by name.
    """

    def __init__(self, ledger: Ledger | None, places: Mapping[str, Mapping[str, int]] | None = None) -> None:
        self.behind = ledger
        self.watched = Watched(places=places or {})

    def expect_much(self) -> None:
        if self.behind is not None:
            self.behind.expect_much()

    def append_group(self, run: str, *groups: Group, log: DecisionLog | None = None) -> None:
        for group in groups:
            self.watched.see_group(group)
        if self.behind is not None:
            self.behind.append_group(run, *groups, log=log)
        elif log is not None:
            for group in groups:
                log.take(group)


def places_of_facts(plan: Plan) -> dict[str, dict[str, int]]:
    """For each strategy where facts are among those of its decisions, by name; without those that its policy does not ask."""
    wanted = {MISSING, *READ}
    found: dict[str, dict[str, int]] = {}
    for strategy in plan.strategies:
        leaves = plan.policies[strategy.period].leaves
        names = [str(plan.graph[leaf].consts[0]) if plan.graph[leaf].op == "fact" else "" for leaf in leaves]
        found[strategy.name] = {name: place for place, name in enumerate(names) if name in wanted}
    return found
