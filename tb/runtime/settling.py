"""What becomes of approved orders: on their way, filled, cancelled; positions begun, managed and closed; cool-downs.

1. An approved order counts at once: in the windows, in the worst case, and against a second proposal (`engage`).
2. A venue tells of a fill: an entry begins a position (`entered`), whose stop and target are measured from the price that was
   paid; an exit ends it (`exited`). A take lets a part of it go (`took`), and the stop moves with closed bars (`protect`).
3. An entry may fill in parts: the first begins the position, later ones make it larger, and levels are measured anew from the
   average paid while nothing has moved or left. What is left of the order goes on counting.
4. An order ends without a fill when its time is over (`expire`), when a pause or halt begins (`stop_entries`), or when a venue
   says so (`cancelled`). Each is recorded with its cause. One whose end the venue has not confirmed goes on counting
   (`take_back`); what fills after it was told over joins what is held (`joined`).

INVARIANT: `account.working` holds exactly the entries on their way, whatever ended the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import msgspec

from tb.core.records import Cancel, Fill, Order
from tb.core.settings import Settings
from tb.core.span import whole_file
from tb.engine.instant import EXACT
from tb.engine.plan import EnterPlan, Plan, StrategyPlan
from tb.gate.account import Account, Working
from tb.gate.activity import SentOrder
from tb.gate.conversion import at_rate
from tb.gate.levels import Values, levels
from tb.gate.proposal import EXIT_CAUSES, Proposal
from tb.gate.takes import parts_of, take_levels
from tb.runtime.drafts import Key
from tb.runtime.funding import fund
from tb.runtime.inventory import grown, rest_of, share_of, split
from tb.runtime.leg_groups import LegGroups
from tb.runtime.ports import MarketView, Recorder, Venue
from tb.runtime.positions import Position, Take
from tb.runtime.protection import move_stop

REFUSED = "would cross"  # the cause of an order that would have filled at once and may not
REFUSED_BY_VENUE = "refused by the venue"
_REFUSALS = (REFUSED, REFUSED_BY_VENUE)
NOTHING = Decimal(0)
STOPS = frozenset({"stop", "trailing stop"})


@dataclass(frozen=True, slots=True)
class Sent:
    """An approved order on its way. `which` is the number of the `enter` or `exit when` behind it, `row` that of the bar that
    decided. `price` is the one expected then and `rate` its money; `noted` is what the market said then, where that bar
    cannot be read any more."""

    order: Order
    strategy: StrategyPlan
    which: int
    row: int
    noted: Noted | None = None
    price: Decimal | None = None
    rate: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Noted:
    """What the levels of an entry are computed from, by node, and the tier of its instrument."""

    values: Mapping[int, float | None]
    tier: str


class Settling:
    """The orders and positions of one session. Changed by its session and by what the venue tells."""

    def __init__(
        self,
        *,
        plan: Plan,
        settings: Settings,
        view: MarketView,
        venue: Venue,
        recorder: Recorder,
        account: Account,
        counts: dict[str, int],
    ) -> None:
        self.plan = plan
        self.settings = settings
        self.view = view
        self.venue = venue
        self.recorder = recorder
        self.account = account
        self.counts = counts
        self.positions: dict[Key, Position] = {}
        self.waiting: dict[Key, Order] = {}  # approved entries on their way
        self.cooling: dict[Key, int] = {}
        self.groups = LegGroups(account)
        self.looked_at: dict[str, int] = {}  # when a quote that rests on was last found to be right
        self.ending: dict[str, str] = {}  # orders taken back whose end the venue has not confirmed, and why
        self.policy = ""  # by which orders are approved now
        self._sent: dict[str, Sent] = {}
        self._strategies: Mapping[str, StrategyPlan] = {strategy.name: strategy for strategy in plan.strategies}

    def engage(
        self, sent: Sent, proposal: Proposal, position: Position | None, *, group: str = "", counts: bool = True
    ) -> None:
        """The approved order of a proposal goes out; `position` is what an exit closes.

        `group` names the legs that it goes with; all legs after the first do not count as an entry of their own.
        """
        order = sent.order
        self.account.count_order(order.at, is_entry=counts and order.kind == "entry", strategy=order.strategy)
        self._sent[order.id] = Sent(order, sent.strategy, sent.which, sent.row, sent.noted, proposal.price, proposal.rate)
        sign = 1 if order.side == "buy" else -1
        is_entry = position is None
        name, price = (order.strategy, order.instrument), proposal.price
        self.account.activity.send(SentOrder(order.at, *name, sign, order.quantity, price, is_entry, proposal.rate))
        if position is not None:
            position.exiting = True
            return
        assert price is not None  # the gate lets no order without a price or a rate pass
        self.waiting[_waits_as(order)] = order
        self.account.working[order.id] = Working(
            order.id, order.instrument, sign, order.quantity, price, order.strategy, group, proposal.rate
        )

    def revalue(self, at: int) -> None:
        """Entries on their way cost what their currency is worth at a close, where that is not known what it was worth last."""
        for name, order in list(self.account.working.items()):
            if self.settings.is_foreign(order.instrument):
                rate = self.view.marking_rate(order.instrument, at)
                if rate is not None and rate != order.rate:
                    self.account.working[name] = replace(order, rate=rate)

    # --- orders that end without a fill ------------------------------------------------------------------------------

    def fund(self, at: int, among: Iterable[Position] | None = None) -> None:
        """Funding instants until now: what is held then pays or gets. `among` are the positions for which any may have come."""
        for position in self.positions.values() if among is None else among:
            self._fund(position, at)

    def _fund(self, position: Position, at: int) -> None:
        got = fund(position, self.view, at)
        if got:
            self.account.receive(position.strategy, got)

    def expire(self, at: int) -> None:
        """Cancels the resting entries whose time is over by then."""
        for order in list(self.waiting.values()):
            if order.expires is not None and order.expires <= at:
                self.take_back(order, order.expires, "expired")

    def stop_entries(self, strategy: str, at: int, cause: str) -> None:
        """Nothing new after a pause or a halt: a strategy's entries on their way are cancelled, those at market too."""
        for order in [order for order in self.waiting.values() if order.strategy == strategy]:
            self.take_back(order, at, cause)

    def take_back(self, order: Order, at: int, cause: str) -> bool:
        """Asks the venue to end an order; says whether it is over. Where it is not, it counts until the venue tells."""
        if order.id in self.ending:
            return False
        self.ending[order.id] = cause
        is_gone = self.venue.cancel(order.id)
        if self.ending.pop(order.id, None) is None:
            return True  # the venue has told already
        if is_gone:
            self.cancelled(order, at, cause)
        else:
            self.ending[order.id] = cause
        return is_gone

    def strategy(self, name: str) -> StrategyPlan:
        """Raises `KeyError` for one that the plan does not have."""
        return self._strategies[name]

    def has_strategy(self, name: str) -> bool:
        return name in self._strategies

    def as_approved(self, order: Order, which: int) -> StrategyPlan:
        """The strategy of an order that another policy approved: its entries have no levels of their own, so that those of the
        order count. What moves a stop is that of the entry with the same number, where there is one."""
        strategy = self._strategies.get(order.strategy)
        now = () if strategy is None else strategy.entries_of(order.instrument)
        bare = [replace(one, stop=None, target=None, manage=replace(one.manage, takes=())) for one in now]
        span = whole_file("") if strategy is None else strategy.span
        nothing = EnterPlan("long", 0, (), None, None, None, (), (), (), span)
        enters = (*bare, *[nothing] * (which + 1 - len(bare)))
        if strategy is not None:
            return replace(strategy, enters=enters, baskets=())
        return StrategyPlan(order.strategy, "", 1, (), {}, None, enters, (), {}, {}, "", span, ())

    def on_its_way(self, order: str) -> Sent | None:
        """The order of that id, None where it has ended or, of an exit, begun to fill."""
        return self._sent.get(order)

    def cancelled(self, order: Order, at: int, cause: str) -> None:
        """An order, or what was left of it, is over without a fill: what it engaged is free again."""
        self._sent.pop(order.id, None)
        self.ending.pop(order.id, None)
        if cause in _REFUSALS:
            self.account.activity.reject(at)
        else:
            self.account.activity.cancel(at)
        key = (order.strategy, order.instrument)
        if order.kind == "entry":
            self._release(order)
            over = self.groups.cancelled(order) if key not in self.positions else None
            if over is not None:  # the other legs have left already: with this one the trade is over
                self._over(key, at, *over)
        elif key in self.positions:
            self.positions[key].exiting = False  # it may be asked for again
        self.recorder.record(
            [
                Cancel(
                    order=order.id,
                    at=at,
                    strategy=order.strategy,
                    instrument=order.instrument,
                    side=order.side,
                    quantity=order.quantity,
                    cause=cause,
                )
            ]
        )

    def _release(self, order: Order) -> None:
        self.waiting.pop(_waits_as(order), None)
        self.looked_at.pop(order.id, None)
        self.account.working.pop(order.id, None)

    # --- fills -------------------------------------------------------------------------------------------------------

    def position_of(self, order: Order) -> Position | None:
        """The position that an exit order is to close; None where its stop or target was faster."""
        position = self.positions.get((order.strategy, order.instrument))
        return position if position is not None and position.exiting else None

    def cause_of(self, order: Order) -> str:
        """Why an order on its way was sent: `entry`, `quote`, `exit when`, `hold` or `leg gone`."""
        if order.kind == "entry":
            return "quote" if order.is_quote else "entry"
        return EXIT_CAUSES.get(self._sent[order.id].which, "exit when")

    def entered(self, order: Order, fill: Fill, *, rest: Decimal = NOTHING) -> Position | None:
        """An entry filled, but for the rest: the position begins, its stop and target measured from the price that was paid."""
        sent = self._sent[order.id]
        position = self.positions.get((order.strategy, order.instrument))
        is_more = position is not None and position.decision == order.decision
        if rest:
            self._keep(sent, rest)
        else:
            del self._sent[order.id]
            self._release(order)
        if not is_more:
            self.account.activity.enter(order.strategy)
        if order.is_quote:
            return self.joined(sent, fill)
        if position is not None:
            return self._grow(position, sent, fill) if is_more else self.joined(sent, fill)
        return self._begin(sent, fill)

    def _keep(self, sent: Sent, rest: Decimal) -> None:
        """A part of an entry filled: the rest waits on."""
        order = msgspec.structs.replace(sent.order, quantity=rest)
        self.waiting[_waits_as(order)] = order
        self.account.working[order.id] = replace(self.account.working[order.id], quantity=rest)

    def resize(self, order: Order, rest: Decimal, price: Decimal | None) -> None:
        """An entry that waits was changed at the venue: so much of it, at that price, counts from now on."""
        sent = self._sent[order.id]
        self._sent[order.id] = replace(sent, order=msgspec.structs.replace(sent.order, price=price))
        self._keep(self._sent[order.id], rest)
        if price is not None:
            self.account.working[order.id] = replace(self.account.working[order.id], price=price)

    def _grow(self, position: Position, sent: Sent, fill: Fill) -> Position:
        """More of an entry filled: the average paid is what its position was entered at."""
        self._fund(position, fill.at)  # for what was held until now
        position.entry = grown(position.entry, fill)
        if not position.exits and not position.moved_by:
            position.stop, position.target, position.takes = self._levels(sent, position.entry)
            position.initial_stop = position.stop
        self._book(position, position.sign, fill)
        self.recorder.record([fill, position.trade()])
        return position

    def late(self, sent: Sent, fill: Fill) -> Position | None:
        """An entry filled after it was told over: held and protected like another, where its strategy holds nothing else."""
        order = sent.order
        self.account.activity.enter(order.strategy)
        position = self.positions.get((order.strategy, order.instrument))
        if position is None and not order.is_quote:
            return self._begin(sent, fill)
        if position is not None and position.decision == order.decision and not order.is_quote:
            return self._grow(position, sent, fill)
        sign = 1 if fill.side == "buy" else -1
        if not order.is_quote and position is not None and position.sign != sign and fill.quantity > position.remaining:
            part = share_of(fill, position.remaining)
            self.joined(sent, part)
            return self._begin(sent, rest_of(fill, part))  # what is left has the levels that were approved
        return self.joined(sent, fill)

    def _begin(self, sent: Sent, fill: Fill) -> Position:
        order = sent.order
        self._rejoin(order)
        stop, target, takes = self._levels(sent, fill)
        self.counts["trades"] += 1
        sign = 1 if fill.side == "buy" else -1
        position = Position(
            self.counts["trades"],
            order.strategy,
            order.instrument,
            sign,
            order.decision,
            fill,
            stop,
            target,
            self._tier(sent),
            sent.strategy.entries_of(order.instrument)[sent.which].manage,
            takes,
        )
        position.together = self.groups.number_of((order.strategy, order.instrument))
        self.positions[order.strategy, order.instrument] = position
        self._book(position, sign, fill)
        self.recorder.record([fill, position.trade()])
        return position

    def _rejoin(self, order: Order) -> None:
        """What fills of a leg after it left, or was told over, is not left alone: its group has it again, or closes it."""
        strategy = self._strategies.get(order.strategy)
        basket = None if strategy is None else strategy.basket(order.instrument)
        if strategy is not None and basket is not None:
            self.groups.late(order, strategy, basket)

    def _tier(self, sent: Sent) -> str:
        symbol = sent.order.instrument
        if sent.noted is not None:
            return sent.noted.tier
        return sent.strategy.tier_at(symbol, lambda node: self.view.value(node, symbol, sent.row)) or ""

    def note(self, sent: Sent) -> Noted:
        """What the market says now that a fill of this entry will need, for when its bar cannot be read any more."""
        if sent.order.kind == "exit" or sent.order.is_quote:
            return Noted({}, "" if sent.order.kind == "exit" else self._tier(sent))
        enter = sent.strategy.entries_of(sent.order.instrument)[sent.which]
        levels_ = [enter.stop, enter.target, *(take.level for take in enter.manage.takes)]
        values = self._values(sent.order.instrument, sent.row)
        nodes = dict.fromkeys(level.node for level in levels_ if level is not None)
        return Noted({node: values(node) for node in nodes if self.plan.graph[node].op != "const"}, self._tier(sent))

    def _book(self, position: Position, sign: int, fill: Fill) -> None:
        """Cash and holdings after a fill, in the account's currency."""
        price = at_rate(fill.price, fill.rate)
        self.account.fill(position.strategy, position.instrument, sign * fill.quantity, price, fill.fee)

    def quote_of(self, strategy: str, instrument: str, side: str) -> Order | None:
        """The side of a quote that rests now."""
        return self.waiting.get((strategy, f"{instrument} {side}"))

    def joined(self, sent: Sent, fill: Fill) -> Position | None:
        """What was bought or sold joins what is held (`tb.runtime.inventory`), as with quotes; returns what is held then."""
        order = sent.order
        key, sign = (order.strategy, order.instrument), 1 if fill.side == "buy" else -1
        position, rest = self.positions.get(key), fill
        if position is not None:
            self._fund(position, fill.at)  # for what was held until now
        if position is not None and position.sign != sign:
            part = share_of(fill, min(fill.quantity, position.remaining))
            rest = rest_of(fill, part)
            if part.quantity < position.remaining:
                self.counts["trades"] += 1
                self._close(split(position, part.quantity, self.counts["trades"]), part, [fill])
                self.recorder.record([position.trade()])
                return position
            del self.positions[key]
            self._close(position, part, [] if rest.quantity else [fill])
            if not rest.quantity:
                return None
            position = None
        if position is None:
            self.counts["trades"] += 1
            position = Position(self.counts["trades"], *key, sign, order.decision, rest, None, None, self._tier(sent))
            self.positions[key] = position
        else:
            position.entry = grown(position.entry, fill)
        self._book(position, sign, rest)
        self.recorder.record([fill, position.trade()])
        return position

    def _levels(self, sent: Sent, fill: Fill) -> tuple[Decimal | None, Decimal | None, list[Take]]:
        """The levels for the price that was paid; where that price leaves none, those the order was approved with."""
        order, graph = sent.order, self.plan.graph
        enter = sent.strategy.entries_of(order.instrument)[sent.which]
        spec = self.settings.instrument(order.instrument)
        assert spec is not None  # the gate lets no order of an unknown instrument pass
        values = self._values(order.instrument, sent.row) if sent.noted is None else sent.noted.values.get
        stop, target, _ = levels(graph, enter, fill.price, spec.tick, values)
        stop, target = order.stop if stop is None else stop, order.target if target is None else target
        found = take_levels(graph, enter, fill.price, stop, spec.tick, values)
        parts = parts_of([take.share for take in enter.manage.takes], fill.quantity, spec.lot)
        pairs = zip(order.takes if found is None else found, parts, strict=True)
        return stop, target, [Take(number, level, part) for number, (level, part) in enumerate(pairs, 1) if part]

    def took(self, position: Position, take: Take, fill: Fill) -> None:
        """A take was reached: its part leaves, or what filled of it."""
        place = position.takes.index(take)
        left = EXACT.subtract(take.quantity, fill.quantity)
        position.takes[place : place + 1] = [replace(take, quantity=left)] if left > 0 else []
        self.exited(position, fill)

    def exited(self, position: Position, fill: Fill) -> None:
        """A position was closed, or a part of it: by its stop, a take or its target, or by an order."""
        position.see(float(fill.price), float(fill.price))
        self._sent.pop(fill.order, None)
        if fill.quantity == position.remaining:
            del self.positions[position.strategy, position.instrument]
            self._close(position, fill, [fill])
            return
        self._fund(position, fill.at)  # for all that was held until now
        position.leave(fill)
        self._book(position, -position.sign, fill)
        self.recorder.record([fill, position.trade()])

    def _close(self, position: Position, fill: Fill, told: Sequence[Fill]) -> None:
        """What a closing fill does to the account and its trade; `told` are the fills not recorded yet."""
        key = (position.strategy, position.instrument)
        self._fund(position, fill.at)
        position.leave(fill)
        self._book(position, -position.sign, fill)
        trade = position.trade()
        assert trade.profit is not None
        self.account.activity.close(fill.at, by_stop=fill.cause in STOPS)
        # legs are one trade: it is won or lost once the last one has left
        closed = (trade.profit, at_rate(EXACT.multiply(trade.entry_price, trade.quantity), trade.rate))
        over = closed if position.together is None else self.groups.left(key, *closed)
        if over is not None:
            self._over(key, fill.at, *over, by_stop=fill.cause in STOPS)
        self.recorder.record([*told, trade])

    # --- while a position is open ------------------------------------------------------------------------------------

    def protect(self, at: int) -> None:
        """Moves the stops of positions at the close of a bar of their strategy."""
        for position in self.positions.values():
            strategy, symbol, manage = self._strategies.get(position.strategy), position.instrument, position.manage
            if strategy is None or (manage.trailing is None and manage.break_even is None):
                continue  # of an earlier policy, or one that nothing moves: its stop stays
            row, spec = self.view.row(symbol, strategy.period, at), self.settings.instrument(symbol)
            if row is None or spec is None:
                continue
            close, values = self.view.close(symbol, at), self._values(symbol, row)
            move_stop(position, manage, self.plan.graph, close, spec.tick, values)

    def _values(self, symbol: str, row: int) -> Values:
        return lambda node: self.view.value(node, symbol, row)

    def record_open(self) -> None:
        """At the end of a run: positions whose stop has moved since they were recorded, as they stand."""
        moved = [position.trade() for position in self.positions.values() if position.moved_by]
        if moved:
            self.recorder.record(moved)

    def _over(self, key: Key, at: int, profit: Decimal, value: Decimal, *, by_stop: bool = False) -> None:
        """A trade is over, of one instrument or of legs together: it is won or lost, and its strategy cools down."""
        self.account.trade_closed(at, profit, strategy=key[0], value=value)
        strategy = self._strategies.get(key[0])
        if strategy is None:
            return  # of an earlier policy: nothing of it can be proposed
        lengths = [strategy.cool_downs.get("exit", 0)]
        lengths.append(strategy.cool_downs.get("loss", 0) if profit < 0 else 0)
        lengths.append(strategy.cool_downs.get("stop", 0) if by_stop else 0)
        if max(lengths):
            for symbol in strategy.together(key[1]):
                own = (key[0], symbol)  # what leaves in parts: the part that cools longest counts
                self.cooling[own] = max(self.cooling.get(own, 0), at + max(lengths))


def _waits_as(order: Order) -> Key:
    """Under what an entry waits: a strategy waits once in an instrument, a quote once on each side."""
    return order.strategy, f"{order.instrument} {order.side}" if order.is_quote else order.instrument
