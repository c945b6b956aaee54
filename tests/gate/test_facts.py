"""Every fact has a reader, and what an order would do is the worst that could come of it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from itertools import chain, combinations

from hypothesis import given, settings
from hypothesis import strategies as st
from test_account import INSTRUMENTS, ORDERS, PRICES, QUANTITIES, account_with

from tb.engine.derived import DERIVED
from tb.engine.instant import Exact
from tb.gate.account import Account
from tb.gate.facts import READERS, Moment, read
from tb.gate.proposal import Proposal
from tb.vocabulary.facts import FACTS

GROUPS = {"coins": ("BTC-USD", "ETH-USD"), "old": ("BTC-USD",), "other": ("SOL-USD",)}
ORDER = Proposal("a", "BTC-USD", 1, Decimal(2), Decimal(100), Decimal(92), Decimal(115), Decimal(250), 0.7, "majors.core", True)


def moment(account: Account, order: Proposal = ORDER) -> Moment:
    return Moment(3_600_000, order, account, GROUPS, ("SOL-USD",), Decimal(10), None, 60_000, None, None)


def fact(name: str, argument: str, at: Moment) -> Exact:
    """A fact by name, derived ones through their leaves."""
    if name in READERS:
        return read(name, argument, at)
    needs = [read(need, argument if FACTS[need].arguments else "", at) for need in FACTS[name].needs]
    return None if None in needs else DERIVED[name](*needs)


def test_every_leaf_has_a_reader_and_every_derived_fact_a_function() -> None:
    assert set(READERS) == {name for name, spec in FACTS.items() if not spec.is_derived}
    assert set(DERIVED) == {name for name, spec in FACTS.items() if spec.is_derived}
    assert all(need in READERS for spec in FACTS.values() for need in spec.needs)


@given(
    st.lists(st.tuples(st.sampled_from(INSTRUMENTS), QUANTITIES, PRICES), max_size=3),
    st.lists(ORDERS, max_size=4),
    st.sampled_from([1, -1]),
    st.integers(0, 8),
    PRICES,
)
@settings(max_examples=100)
def test_what_an_order_would_do_is_the_worst_over_all_sets_of_orders_that_may_fill(
    held: list[tuple[str, Decimal, Decimal]], orders: list[tuple[str, int, int, Decimal]], sign: int, lots: int, price: Decimal
) -> None:
    account = account_with(held, orders)
    at = moment(account, replace(ORDER, sign=sign, quantity=Decimal(lots), price=price))
    all_orders = [*orders, ("BTC-USD", sign, lots, price)]
    subsets = list(chain.from_iterable(combinations(all_orders, size) for size in range(len(all_orders) + 1)))

    holdings = [(h.instrument, h.quantity * (account.marks.get(h.instrument) or Decimal(0))) for h in account.holdings.values()]
    kept = list(chain.from_iterable(combinations(holdings, size) for size in range(len(holdings) + 1)))

    def after(instrument: str) -> list[Decimal]:
        """Values of a position after any set of orders filled and any set of holdings was closed."""
        filled = [sum((s * q * p for i, s, q, p in some if i == instrument), Decimal(0)) for some in subsets]
        return [sum((v for i, v in left if i == instrument), Decimal(0)) + value for left in kept for value in filled]

    def worst(*instruments: str) -> Decimal:
        return sum((max(abs(value) for value in after(i)) for i in instruments), Decimal(0))

    assert fact("after.exposure", "order.instrument", at) == worst("BTC-USD")
    assert fact("after.exposure", "BTC-USD", at) == worst("BTC-USD")
    assert fact("after.exposure", "ETH-USD", at) == worst("ETH-USD")
    assert fact("after.exposure", "coins", at) == worst("BTC-USD", "ETH-USD")
    assert fact("after.exposure", "group of order.instrument", at) == worst("BTC-USD", "ETH-USD")
    assert fact("after.gross", "", at) == worst("BTC-USD", "ETH-USD")
    assert fact("after.net", "", at) == max(
        sum((max(after(i)) for i in INSTRUMENTS), Decimal(0)), -sum((min(after(i)) for i in INSTRUMENTS), Decimal(0))
    )
    opened = {*account.held(), *(order[0] for order in all_orders)}
    assert fact("after.open_positions", "", at) == len(opened)


def test_what_is_held_now_leaves_orders_out() -> None:
    account = account_with(
        [("BTC-USD", Decimal(2), Decimal(100)), ("ETH-USD", Decimal(-3), Decimal(10))], [("SOL-USD", 1, 5, Decimal(1))]
    )
    at = moment(account)
    values = [fact(name, "", at) for name in ("gross", "net", "open_positions")]
    assert values == [Decimal(230), Decimal(170), Decimal(2)]
    assert fact("exposure", "order.instrument", at) == 200
    assert fact("exposure", "coins", at) == 230
    assert fact("exposure", "SOL-USD", at) == 0
    assert fact("order.opens", "", at) == 0


def test_an_instrument_in_no_group_answers_for_itself() -> None:
    account = account_with([("DOGE-USD", Decimal(2), Decimal(100))], [])
    at = moment(account, replace(ORDER, instrument="DOGE-USD"))
    assert fact("exposure", "group of order.instrument", at) == 200
    assert fact("after.exposure", "group of order.instrument", at) == 400
    assert fact("after.exposure", "other", at) == 0


def test_an_unknown_price_makes_every_fact_about_the_book_unknown() -> None:
    account = account_with([("ETH-USD", Decimal(1), Decimal(10))], [])
    account.mark("ETH-USD", None)
    at = moment(account)
    about_the_book = [(name, "") for name in ("gross", "net", "equity", "after.gross", "after.net", "drawdown")]
    about_the_book += [("exposure", "coins"), ("after.exposure", "coins"), ("after.exposure", "group of order.instrument")]
    assert [fact(name, argument, at) for name, argument in about_the_book] == [None] * len(about_the_book)
    assert fact("after.exposure", "order.instrument", at) == 200
    assert fact("after.open_positions", "", at) == 2


def test_what_the_order_lacks_is_unknown() -> None:
    at = moment(Account("USD", Decimal(1000)), replace(ORDER, price=None, stop=None, confidence=None, tier=None, intended=None))
    names = ["order.price", "order.stop", "order.notional", "order.risk", "reward_risk", "order.confidence", "order.tier"]
    assert [fact(name, "", at) for name in [*names, "order.intended", "after.gross", "since_last_loss"]] == [None] * 10
    assert fact("data_age", "", replace(at, age=None)) is None


def test_derived_facts_about_the_order() -> None:
    at = moment(Account("USD", Decimal(1000)))
    assert fact("order.notional", "", at) == 200
    assert fact("order.risk", "", at) == 16
    assert fact("order.stop_gap", "", at) == 8
    assert fact("order.target_gap", "", at) == 15
    assert fact("reward_risk", "", at) == Decimal("1.875")
    short = replace(at, proposal=replace(ORDER, sign=-1, stop=Decimal(108), target=Decimal(85)))
    assert fact("order.stop_gap", "", short) == 8
    assert fact("order.target_gap", "", short) == 15
    assert fact("reward_risk", "", replace(at, proposal=replace(ORDER, stop=Decimal(100)))) is None
    assert [fact(name, "", at) for name in ("order.side", "restricted", "order.tier")] == ["buy", "SOL-USD", "majors.core"]
    assert fact("order.side", "", short) == "sell"
