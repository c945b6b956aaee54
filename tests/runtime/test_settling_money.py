"""What fills come to in money: parts at different rates, what joins another position, and legs that end apart."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as st
from small_projects import START, Collected, bars, compiled, flat, market, strategy

from tb.core.records import Fill, Order, Trade
from tb.core.time import HOUR
from tb.gate.account import Account
from tb.gate.proposal import Proposal
from tb.replay.run import markets_of
from tb.runtime.leg_drafts import LegProposer
from tb.runtime.leg_groups import Group, name_of
from tb.runtime.rates import Rates
from tb.runtime.settling import Sent, Settling
from tb.runtime.view import RecordedView, columns_of

D = Decimal
RATES = "{EUR: EUR_USD}"
LEGS = ("BTC-EUR", "BTC-EUR-PERP")


class Kept(Collected):
    def record(self, records: Any) -> None:
        self.records += records


class World:
    """A settling that is told of orders and fills by hand."""

    def __init__(self, rules: str) -> None:
        made = compiled(rules, rates=RATES)
        data = market(*(bars(symbol, [flat(100, 1)] * 8) for symbol in LEGS), bars("EUR_USD", [flat(1.2)] * 8))
        markets = markets_of(made.plan, data, made.settings)
        view = RecordedView(
            made.plan.graph, markets, columns_of(made.plan, markets, chunk=100), Rates(made.settings, data.bars)
        )
        self.kept, self.account, self.plan = Kept(), Account("USD", D(10_000)), made.plan
        self.counts, self.settings, self.view = {"trades": 0}, made.settings, view
        self.settling = Settling(
            plan=made.plan,
            settings=made.settings,
            view=view,
            venue=None,  # type: ignore[arg-type]
            recorder=self.kept,
            account=self.account,
            counts=self.counts,
        )
        self.orders = 0

    def order(self, side: str, quantity: str, which: int = 0, symbol: str = "BTC-EUR") -> Sent:
        self.orders += 1
        order = Order(
            id=f"o{self.orders}",
            decision=self.orders,
            at=START + HOUR,
            strategy="s",
            instrument=symbol,
            side=side,  # type: ignore[arg-type]
            quantity=D(quantity),
            kind="entry",
            stop=None,
            target=None,
        )
        return Sent(order, self.plan.strategies[0], which, 0)

    def engage(self, sent: Sent, group: str = "") -> None:
        order = sent.order
        sign, price = (1 if order.side == "buy" else -1), D(100)
        asked = Proposal("s", order.instrument, sign, order.quantity, price, None, None, None, None, None, True, rate=D("1.2"))
        self.settling.engage(sent, asked, None, group=group)

    def legs(self) -> tuple[Sent, Sent]:
        """Both legs, on their way."""
        both = self.order("buy", "1", symbol=LEGS[0]), self.order("sell", "1", symbol=LEGS[1])
        name = name_of(self.plan.strategies[0], self.plan.strategies[0].baskets[0])
        for leg in both:
            self.engage(leg, name)
        self.settling.groups.begin(name, Group(both[0].order.decision, self.plan.strategies[0], LEGS))
        return both

    def fill(self, sent: Sent | None, side: str, quantity: str, price: str, rate: str, cause: str = "entry") -> Fill:
        return Fill(
            order="stop" if sent is None else sent.order.id,
            at=START + 2 * HOUR,
            row=-1,
            instrument="BTC-EUR" if sent is None else sent.order.instrument,
            side=side,  # type: ignore[arg-type]
            quantity=D(quantity),
            price=D(price),
            fee=D(0),
            slippage=D(0),
            cause=cause,
            rate=D(rate),
        )

    def profit(self) -> Decimal:
        last = {trade.seq: trade for trade in self.kept.records if isinstance(trade, Trade)}
        return sum((trade.profit for trade in last.values() if trade.profit is not None), D(0))

    def close(self) -> None:
        for position in list(self.settling.positions.values()):
            side = "sell" if position.sign > 0 else "buy"
            self.settling.exited(position, self.fill(None, side, str(position.remaining), "110", "1.3", "stop"))

    def held(self) -> Decimal:
        return sum((position.sign * position.remaining for position in self.settling.positions.values()), D(0))


PLAIN = strategy(members="BTC-EUR", size="10% of equity")
TAKES = """universe u on exchange
  tier t BTC-EUR
strategy s on u every 1h
  enter long when volume > 0
    size 10% of equity
    stop 10% below entry
    target 20% above entry
    take 50% at 10% above entry
  enter short when volume < 0
    size 10% of equity
    stop 10% above entry
"""


def test_parts_of_an_entry_that_fill_at_other_rates_earn_what_the_cash_says() -> None:
    world = World(PLAIN)
    sent = world.order("buy", "2")
    world.engage(sent)
    world.settling.entered(sent.order, world.fill(sent, "buy", "1", "100", "1.2"), rest=D(1))
    world.settling.entered(sent.order, world.fill(sent, "buy", "1", "104", "1.5"))
    world.close()
    assert world.account.cash - 10_000 == 2 * 110 * D("1.3") - 100 * D("1.2") - 104 * D("1.5")
    assert abs(world.profit() - (world.account.cash - 10_000)) < D("1e-20")
    assert world.account.losses_in_a_row == (1 if world.account.cash < 10_000 else 0)


def test_what_fills_late_beside_another_position_is_paid_in_the_accounts_currency() -> None:
    world = World(PLAIN)
    first, late = world.order("buy", "1"), world.order("buy", "1")
    world.engage(first)
    world.settling.entered(first.order, world.fill(first, "buy", "1", "100", "1.2"))
    world.settling.late(late, world.fill(late, "buy", "1", "100", "1.25"))
    assert world.account.cash == 10_000 - 120 - 125
    world.close()
    assert abs(world.profit() - (world.account.cash - 10_000)) < D("1e-20")


def test_what_fills_late_against_a_position_whose_take_has_gone_closes_what_is_left() -> None:
    world = World(TAKES)
    first, late = world.order("buy", "2"), world.order("sell", "2", 1)
    world.engage(first)
    held = world.settling.entered(first.order, world.fill(first, "buy", "2", "100", "1.2"))
    assert held is not None
    world.settling.took(held, held.takes[0], world.fill(None, "sell", "1", "110", "1.2", "take"))
    world.settling.late(late, world.fill(late, "sell", "2", "100", "1.25"))
    assert world.held() == world.account.position("BTC-EUR") == -1
    world.close()
    assert abs(world.profit() - (world.account.cash - 10_000)) < D("1e-20")


@how(max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["late buy", "late sell", "more", "take"]),
            st.sampled_from(["0.5", "1", "2"]),
            st.integers(90, 120),
            st.sampled_from(["1.1", "1.2", "1.3"]),
        ),
        max_size=6,
    )
)
def test_whatever_joins_positions_and_cash_agree(events: list[tuple[str, str, int, str]]) -> None:
    world = World(TAKES)
    first = world.order("buy", "9")
    world.engage(first)
    world.settling.entered(first.order, world.fill(first, "buy", "4", "100", "1.2"), rest=D(5))
    rest = D(5)
    for what, quantity, price, rate in events:
        position = world.settling.positions.get(("s", "BTC-EUR"))
        if what == "take":
            if position is not None and position.takes:
                take = position.takes[0]
                side = "sell" if position.sign > 0 else "buy"
                part = min(take.quantity, position.remaining)
                world.settling.took(position, take, world.fill(None, side, str(part), str(price), rate, "take"))
        elif what == "more":
            if rest > 2:
                rest -= D(quantity)
                world.settling.entered(first.order, world.fill(first, "buy", quantity, str(price), rate), rest=rest)
        else:
            side = what.removeprefix("late ")
            late = world.order(side, quantity, 0 if side == "buy" else 1)
            world.settling.late(late, world.fill(late, side, quantity, str(price), rate))
        assert world.held() == world.account.position("BTC-EUR")
        left = world.settling.positions.get(("s", "BTC-EUR"))
        assert left is None or left.remaining > 0
    world.close()
    assert world.account.position("BTC-EUR") == 0
    assert abs(world.profit() - (world.account.cash - 10_000)) < D("1e-18")


TOGETHER = """universe u on exchange
  tier spot BTC-EUR
  tier other BTC-EUR-PERP
strategy s on u every 1h
  enter when volume > 0
    leg buy spot 10% of equity
    leg sell other same money
  exit when close < open
  cool down 5h after loss
"""


def test_a_leg_that_has_left_before_the_other_was_cancelled_counts_as_a_trade() -> None:
    world = World(TOGETHER)
    one, other = world.legs()
    held = world.settling.entered(one.order, world.fill(one, "buy", "1", "100", "1.2"))
    assert held is not None
    world.settling.exited(held, world.fill(one, "sell", "1", "90", "1.2", "leg gone"))
    assert world.account.losses_in_a_row == 0
    world.settling.cancelled(other.order, START + 3 * HOUR, "expired")
    assert (world.account.losses_in_a_row, world.account.last_loss) == (1, START + 3 * HOUR)
    assert world.account.returns == {"s": [D("-0.1")]}
    assert world.settling.cooling == {("s", symbol): START + 8 * HOUR for symbol in LEGS}
    assert not world.settling.groups.open
    assert not world.account.together


def test_a_leg_that_fills_after_all_were_told_over_is_closed_as_what_is_left_of_them() -> None:
    world = World(TOGETHER)
    one, other = world.legs()
    for leg in (one, other):
        world.settling.cancelled(leg.order, START + 2 * HOUR, "expired")
    assert not world.settling.groups.open
    held = world.settling.late(other, world.fill(other, "sell", "1", "100", "1.2"))
    assert held is not None
    (group,) = world.settling.groups.open.values()
    assert [key for key in group.members if key in world.settling.positions] == [("s", LEGS[1])]
    draft = LegProposer(world.plan, world.settings, world.view).exit(group.strategy, [held], START + 3 * HOUR, is_whole=False)
    assert draft is not None
    assert [(leg.proposal.instrument, leg.proposal.sign, leg.proposal.quantity) for leg in draft.legs] == [(LEGS[1], 1, 1)]
    world.settling.exited(held, world.fill(other, "buy", "1", "110", "1.2", "leg gone"))
    assert world.account.losses_in_a_row == 1
    assert not world.settling.groups.open


def test_a_leg_that_fills_late_while_the_other_is_held_belongs_to_it_again() -> None:
    world = World(TOGETHER)
    one, other = world.legs()
    first = world.settling.entered(one.order, world.fill(one, "buy", "1", "100", "1.2"))
    world.settling.cancelled(other.order, START + 2 * HOUR, "expired")
    second = world.settling.late(other, world.fill(other, "sell", "1", "100", "1.2"))
    assert first is not None
    assert second is not None
    assert first.together == second.together == one.order.decision
    (group,) = world.settling.groups.open.values()
    assert group.missing == 0
    world.settling.exited(first, world.fill(one, "sell", "1", "110", "1.2", "exit when"))
    assert world.account.returns == {}
    world.settling.exited(second, world.fill(other, "buy", "1", "105", "1.2", "exit when"))
    assert world.account.returns == {"s": [D("0.025")]}


def test_what_fills_of_a_leg_after_it_has_left_is_closed_too() -> None:
    world = World(TOGETHER)
    one, other = world.legs()
    held = world.settling.entered(one.order, world.fill(one, "buy", "0.5", "100", "1.2"), rest=D("0.5"))
    assert held is not None
    world.settling.cancelled(other.order, START + 2 * HOUR, "expired")
    world.settling.exited(held, world.fill(None, "sell", "0.5", "100", "1.2", "leg gone"))
    more = world.settling.entered(one.order, world.fill(one, "buy", "0.5", "100", "1.2"))
    (group,) = world.settling.groups.open.values()
    assert more is not None
    assert [world.settling.positions.get(key) for key in group.members] == [more, None]
    world.settling.exited(more, world.fill(None, "sell", "0.5", "90", "1.2", "leg gone"))
    assert world.account.losses_in_a_row == 1
    assert not world.settling.groups.open
