"""The account against a model that keeps every event and computes everything anew."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import chain, combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from tb.gate.account import Account, Working

INSTRUMENTS = ("BTC-USD", "ETH-USD")
STRATEGIES = ("a", "b")
START = Decimal(10_000)
HOUR = 3_600_000

QUANTITIES = st.integers(-8, 8).filter(bool).map(lambda lots: Decimal(lots) / 4)
PRICES = st.integers(1, 400).map(lambda ticks: Decimal(ticks) / 2)


@dataclass
class Model:
    """The obvious account: lists of what happened."""

    fills: list[tuple[str, str, Decimal, Decimal, Decimal]] = field(default_factory=list)
    marks: dict[str, Decimal | None] = field(default_factory=dict)
    noted: list[tuple[int, Decimal]] = field(default_factory=list)
    entries: list[int] = field(default_factory=list)
    orders: list[int] = field(default_factory=list)
    profits: list[tuple[int, Decimal]] = field(default_factory=list)
    day: tuple[int, Decimal | None] = (0, None)

    def held(self) -> dict[tuple[str, str], Decimal]:
        found: dict[tuple[str, str], Decimal] = {}
        for strategy, instrument, quantity, _, _ in self.fills:
            found[strategy, instrument] = found.get((strategy, instrument), Decimal(0)) + quantity
        return {key: quantity for key, quantity in found.items() if quantity}

    def equity(self) -> Decimal | None:
        total = START - sum((q * price + fee for _, _, q, price, fee in self.fills), Decimal(0))
        for (_, instrument), quantity in self.held().items():
            mark = self.marks.get(instrument)
            if mark is None:
                return None
            total += quantity * mark
        return total

    def loss(self, before: Decimal | None) -> Decimal | None:
        equity = self.equity()
        return None if equity is None or before is None else max(Decimal(0), before - equity)

    def losses_in_a_row(self) -> int:
        count = 0
        for _, profit in self.profits:
            count = count + 1 if profit < 0 else 0
        return count


@given(st.data())
@settings(max_examples=80)
def test_the_account_equals_a_model_that_computes_everything_anew(data: st.DataObject) -> None:
    account, model, at = Account("USD", START), Model(), 0
    for _ in range(data.draw(st.integers(1, 25))):
        at += data.draw(st.sampled_from([0, 60_000, HOUR, 7 * HOUR]))
        instrument = data.draw(st.sampled_from(INSTRUMENTS))
        match data.draw(st.sampled_from(["fill", "mark", "mark", "observe", "observe", "order", "close", "day"])):
            case "fill":
                strategy, quantity = data.draw(st.sampled_from(STRATEGIES)), data.draw(QUANTITIES)
                price, fee = data.draw(PRICES), data.draw(st.sampled_from([Decimal(0), Decimal("0.3")]))
                was_held = instrument in {i for _, i in model.held()}
                account.fill(strategy, instrument, quantity, price, fee)
                model.fills.append((strategy, instrument, quantity, price, fee))
                if not was_held:
                    model.marks[instrument] = price
            case "mark" if instrument in {i for _, i in model.held()}:
                mark = data.draw(st.none() | PRICES)
                account.mark(instrument, mark)
                model.marks[instrument] = mark
            case "observe":
                account.observe(at)
                equity = model.equity()
                model.noted += [(at, equity)] if equity is not None else []
            case "order":
                is_entry = data.draw(st.booleans())
                account.count_order(at, is_entry=is_entry, strategy="a")
                model.orders.append(at)
                model.entries += [at] if is_entry else []
            case "close":
                profit = data.draw(st.sampled_from([Decimal(-1), Decimal(0), Decimal(2)]))
                account.trade_closed(at, profit, strategy="a", value=Decimal(100))
                model.profits.append((at, profit))
            case "day":
                account.begin_day(at, at + 24 * HOUR)
                model.day = (at, model.equity())
        compare(account, model, at)


def compare(account: Account, model: Model, at: int) -> None:
    assert account.equity() == model.equity()
    assert set(account.held()) == {instrument for _, instrument in model.held()}
    for instrument in INSTRUMENTS:
        net = sum((q for (_, i), q in model.held().items() if i == instrument), Decimal(0))
        assert account.position(instrument) == net
        mark = model.marks.get(instrument)
        assert account.value(instrument) == (Decimal(0) if not net else None if mark is None else net * mark)
    day, day_equity = model.day
    assert account.loss("today", at) == model.loss(day_equity)
    for window in (60_000, HOUR, 24 * HOUR):
        earlier = [equity for noted, equity in model.noted if noted <= at - window]
        first = model.noted[0][1] if model.noted else None
        assert account.loss(str(window), at) == model.loss(earlier[-1] if earlier else first)
        for times, mine in ((account.entry_times, model.entries), (account.order_times, model.orders)):
            assert account.count(times, str(window), at) == sum(1 for t in mine if at - window < t <= at)
            assert account.count(times, "today", at) == sum(1 for t in mine if t >= day)
    high = max((equity for _, equity in model.noted), default=None)
    equity = model.equity()
    if equity is None or high is None or high <= 0:
        assert account.drawdown() is None
    else:
        assert account.drawdown() == max(Decimal(0), (high - equity) / high)
    assert account.losses_in_a_row == model.losses_in_a_row()
    assert account.last_loss == max((t for t, profit in model.profits if profit < 0), default=None)


ORDERS = st.tuples(st.sampled_from(INSTRUMENTS), st.sampled_from([1, -1]), st.integers(1, 8), PRICES)


def account_with(held: list[tuple[str, Decimal, Decimal]], orders: list[tuple[str, int, int, Decimal]]) -> Account:
    account = Account("USD", START)
    for number, (instrument, quantity, price) in enumerate(held):
        account.fill(STRATEGIES[number % 2], instrument, quantity, price, Decimal(0))
    for number, (instrument, sign, quantity, price) in enumerate(orders):
        account.working[str(number)] = Working(str(number), instrument, sign, Decimal(quantity), price, "a")
    return account


@given(st.lists(st.tuples(st.sampled_from(INSTRUMENTS), QUANTITIES, PRICES), max_size=4), st.lists(ORDERS, max_size=5))
@settings(max_examples=100)
def test_the_worst_case_is_the_worst_over_all_sets_of_orders_that_may_fill(
    held: list[tuple[str, Decimal, Decimal]], orders: list[tuple[str, int, int, Decimal]]
) -> None:
    account = account_with(held, orders)
    subsets = list(chain.from_iterable(combinations(orders, size) for size in range(len(orders) + 1)))
    for instrument in INSTRUMENTS:
        values = list(after_any(account, instrument, subsets))
        assert account.sides(instrument) == (max(values), min(values))
        assert account.worst([instrument]) == max(abs(value) for value in values)
    assert account.worst(INSTRUMENTS) == sum(
        (max(abs(value) for value in after_any(account, instrument, subsets)) for instrument in INSTRUMENTS), Decimal(0)
    )
    assert set(account.engaged()) == {i for i in INSTRUMENTS if i in account.held()} | {order[0] for order in orders}


def after_any(account: Account, instrument: str, subsets: list[tuple[tuple[str, int, int, Decimal], ...]]) -> Iterator[Decimal]:
    """Values of a position after any set of its orders filled and any set of its holdings was closed."""
    mark = account.marks.get(instrument) or Decimal(0)
    held = [holding.quantity * mark for holding in account.holdings.values() if holding.instrument == instrument]
    kept = list(chain.from_iterable(combinations(held, size) for size in range(len(held) + 1)))
    for some in subsets:
        filled = sum((s * q * p for i, s, q, p in some if i == instrument), Decimal(0))
        for left in kept:
            yield sum(left, Decimal(0)) + filled


def test_exits_of_strategies_that_hold_against_each_other_exceed_nothing() -> None:
    account = Account("USD", START)
    account.fill("a", "BTC-USD", Decimal(1), Decimal(100), Decimal(0))
    account.fill("b", "BTC-USD", Decimal(-2), Decimal(100), Decimal(0))
    assert account.value("BTC-USD") == -100
    assert account.sides("BTC-USD") == (100, -200)
    assert account.worst(["BTC-USD"]) == 200


def test_a_held_instrument_without_a_price_makes_equity_unknown() -> None:
    account = Account("USD", START)
    account.fill("a", "BTC-USD", Decimal(1), Decimal(100), Decimal(1))
    account.observe(0)
    assert account.equity() == START - 1
    account.mark("BTC-USD", None)
    account.observe(1)
    assert account.equity() is None
    assert account.drawdown() is None
    assert account.loss("today", 1) is None
    assert account.loss("60000", 1) is None
    assert account.value("BTC-USD") is None
    assert account.sides("BTC-USD") is None
    assert account.worst(["BTC-USD"]) is None
    assert account.history.before(1) == account.history.last() == START - 1


def test_two_strategies_that_hold_against_each_other_keep_the_price() -> None:
    account = Account("USD", START)
    for strategy, quantity in (("a", 1), ("b", -1), ("c", 1), ("c", -1)):
        account.fill(strategy, "BTC-USD", Decimal(quantity), Decimal(100), Decimal(0))
    assert account.position("BTC-USD") == 0
    assert account.held() == ("BTC-USD",)
    assert account.equity() == START
    assert account.value("BTC-USD") == 0


def test_a_lifted_halt_measures_the_drawdown_anew() -> None:
    account = Account("USD", START)
    account.observe(0)
    account.fill("a", "BTC-USD", Decimal(10), Decimal(100), Decimal(0))
    account.mark("BTC-USD", Decimal(50))
    assert account.drawdown() == Decimal("0.05")
    account.rebase()
    assert account.drawdown() == 0


def test_the_far_end_of_a_window_is_outside_and_its_near_end_inside() -> None:
    account = Account("USD", START)
    for at in (1_000, 2_000, 11_000):
        account.count_order(at, is_entry=True, strategy="a")
    assert account.count(account.order_times, "10000", 11_000) == 2
    assert account.count(account.order_times, "10001", 11_000) == 3
