"""The core of the sandbox: prices between opens and closes, orders against them, money, and what it notes for tests."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sandbox_client import HOUR, START, rising

from tb.connectors.sandbox.account import Account
from tb.connectors.sandbox.candles import candles_json
from tb.connectors.sandbox.checks import Rejection
from tb.connectors.sandbox.faults import Fault, Faults, read_fault
from tb.connectors.sandbox.matching import Matching, NewOrder
from tb.connectors.sandbox.order import Order
from tb.connectors.sandbox.pricing import Prices
from tb.connectors.sandbox.product import product_named
from tb.connectors.sandbox.recording import Columns, Series, series_of
from tb.connectors.sandbox.shapes import Malformed, read_terms

D = Decimal
NONE = D(0)


def matching(series: Series | None = None, *, usd: int = 100_000, spread: str = "0", start: int = START + HOUR) -> Matching:
    """One product, at the start of the second bar: the price is 101, no spread, fees of 0.6 % and 0.4 %."""
    recorded = series or rising()
    product = product_named(recorded.symbol)
    prices = Prices({recorded.symbol: product}, {recorded.symbol: recorded}, D(spread), D(250_000))
    account = Account({product.quote: D(usd), product.base: NONE})
    return Matching(prices, account, start, D("0.006"), D("0.004"), Faults(1), 1)


def request(core: Matching, client_id: str, side: Any, shape: str, *, attached: Any = None, **fields: Any) -> NewOrder:
    product = next(iter(core.prices.products.values()))
    configuration = {shape: fields}
    return NewOrder(
        client_id=client_id,
        product=product,
        side=side,
        terms=read_terms(configuration),
        configuration=configuration,
        attached=None if attached is None else read_terms(attached, attached=True),
        attached_configuration=attached,
    )


def placed(core: Matching, client_id: str, side: Any, shape: str, **fields: Any) -> Order:
    made = core.place(request(core, client_id, side, shape, **fields))
    assert isinstance(made, Order), made
    return made


def bought(core: Matching, size: str = "1", client_id: str = "entry") -> Order:
    return placed(core, client_id, "BUY", "market_market_ioc", base_size=size)


# prices


def test_the_price_goes_through_the_extremes_of_a_bar() -> None:
    series = rising(3)
    third = HOUR // 3
    assert [series.price(START + at) for at in (0, third // 2, third, 2 * third, HOUR - 1)][:4] == [100, 99, 98, 103]
    assert round(series.price(START + HOUR - 1) or NONE, 3) == 101
    assert series.price(START + HOUR) == 101  # the open of the next bar
    assert series.price(START - 1) is None
    assert series.price(START + 9 * HOUR) == 103  # after the end: the last close


def test_bars_without_a_price_are_left_out_and_the_price_stays() -> None:
    nan = float("nan")
    columns = Columns([0, HOUR, 2 * HOUR], [1.0, nan, 3.0], [nan, 2.0, 4.0], [1.0, 2.0, nan], [1.5, 2.0, 3.5], [1.0, 1.0, nan])
    series = Series("A-B", HOUR, columns)
    assert len(series) == 2
    assert series.price(HOUR + HOUR // 2) == D("1.5")
    assert series.bar(1).volume == 0
    assert (series.bar(0).high, series.bar(1).low) == (D("1.5"), 3)


@given(level=st.integers(95, 110), begin=st.integers(0, 4 * HOUR), length=st.integers(1, 4 * HOUR), falling=st.booleans())
def test_the_first_instant_beyond_a_level_is_the_first(level: int, begin: int, length: int, falling: bool) -> None:
    series = rising(6)
    found = series.first_beyond(lambda _: D(level), START + begin, START + begin + length, falling=falling)

    def beyond(at: int) -> bool:
        price = series.price(at)
        assert price is not None
        return price <= level if falling else price >= level

    step = max(length // 97, 1)
    looked = [at for at in range(START + begin + 1, START + begin + length + 1, step) if beyond(at)]
    if found is None:
        assert looked == []
    else:
        assert START + begin < found <= START + begin + length
        assert beyond(found)
        assert found == START + begin + 1 or not beyond(found - 1)
        assert not looked or looked[0] >= found


def test_quotes_are_recorded_ones_as_of_the_close_before() -> None:
    columns = Columns(
        [0, HOUR], [100.0, 100.0], [101.0, 101.0], [99.0, 99.0], [100.0, 100.0], [1.0, 1.0], [99.0, 90.0], [101.0, 110.0]
    )
    prices = Prices({"A-B": product_named("A-B")}, {"A-B": Series("A-B", HOUR, columns)}, D("0.5"), D(1000))
    first, second = prices.quote("A-B", 0), prices.quote("A-B", HOUR)
    assert first is not None
    assert second is not None
    assert (first.bid, first.ask) == (75, 125)  # nothing quoted yet: the given spread
    assert (second.bid, second.ask) == (99, 101)
    assert prices.quote("A-B", -1) is None
    late = prices.quote("A-B", 7 * HOUR)
    assert late is not None
    assert late.at == 2 * HOUR  # the time of a quote stands still where bars are missing


# orders


def test_a_market_order_walks_the_book_and_pays_the_taker_fee() -> None:
    core = matching()
    order = bought(core, "300")
    # a tenth of 250,000 USD at each level
    assert next(fill.size for fill in order.fills) == core.prices.products["BTC-USD"].lots_below(D(25_000) / D("101.01"))
    assert order.status == "FILLED"
    assert len(order.fills) == 2
    assert order.fees == order.value * D("0.006")
    assert core.account.total == {"USD": 100_000 - order.value - order.fees, "BTC": 300}
    assert core.account.available("USD") == core.account.total["USD"]


def test_a_market_order_by_funds_includes_its_fee() -> None:
    core = matching()
    order = placed(core, "a", "BUY", "market_market_ioc", quote_size="1000.00")
    assert order.status == "FILLED"
    assert 999 < order.value + order.fees <= 1000
    assert order.size == order.filled


def test_what_the_book_does_not_hold_of_a_market_order_is_cancelled() -> None:
    core = matching(usd=10_000_000)
    order = bought(core, "5000")
    assert order.status == "CANCELLED"
    assert 2400 < order.filled < 2500
    assert core.account.held["USD"] == 0


def test_a_limit_rests_holds_money_and_fills_at_its_price() -> None:
    core = matching()
    order = placed(core, "a", "BUY", "limit_limit_gtc", base_size="2", limit_price="100")
    assert order.status == "OPEN"
    assert core.account.held["USD"] == 200 * D("1.006")
    core.advance(core.now + HOUR)  # the low is 99
    assert order.status == "FILLED"
    assert [(fill.price, fill.is_taker) for fill in order.fills] == [(100, False)]
    assert order.fills[0].at == START + HOUR + HOUR // 6  # half of the way from 101 down to 99
    assert core.account.held["USD"] == 0


def test_a_limit_beyond_the_market_fills_at_once_and_no_worse_than_its_price() -> None:
    core = matching()
    order = placed(core, "a", "BUY", "limit_limit_gtc", base_size="1", limit_price="150")
    assert (order.status, order.average) == ("FILLED", D("101.01"))
    sold = placed(core, "b", "SELL", "limit_limit_gtc", base_size="1", limit_price="100.5")
    assert (sold.status, sold.average) == ("FILLED", 101)


def test_post_only_fill_or_kill_immediate_and_until_a_date() -> None:
    core = matching()
    crossing = core.place(request(core, "a", "BUY", "limit_limit_gtc", base_size="1", limit_price="150", post_only=True))
    assert isinstance(crossing, Rejection)
    assert crossing.reason == "INVALID_LIMIT_PRICE_POST_ONLY"
    assert placed(core, "b", "BUY", "limit_limit_fok", base_size="300", limit_price="101.01").status == "CANCELLED"
    assert placed(core, "c", "BUY", "limit_limit_fok", base_size="3", limit_price="101.01").status == "FILLED"
    part = placed(core, "d", "BUY", "sor_limit_ioc", base_size="300", limit_price="101.01")
    assert part.status == "CANCELLED"
    assert 0 < part.filled < 300
    dated = placed(core, "e", "BUY", "limit_limit_gtd", base_size="1", limit_price="50", end_time="2023-11-15T00:00:00Z")
    core.advance(core.now + 10 * HOUR)
    assert dated.status == "EXPIRED"
    assert core.account.held["USD"] == 0


def test_a_stop_limit_waits_triggers_and_fills() -> None:
    core = matching()
    bought(core)
    order = placed(
        core, "s", "SELL", "stop_limit_stop_limit_gtc", base_size="1", limit_price="99.0", stop_price="99.5",
        stop_direction="STOP_DIRECTION_STOP_DOWN",
    )  # fmt: skip
    assert not order.is_triggered
    core.advance(core.now + HOUR // 3)
    assert order.is_triggered
    assert order.status == "FILLED"
    assert D("99.4") <= order.average <= D("99.5")


def test_a_bracket_closes_at_stop_or_target_never_both() -> None:
    low, high = matching(), matching()
    for core in (low, high):
        bought(core)
    stopped = placed(low, "b", "SELL", "trigger_bracket_gtc", base_size="1", limit_price="103", stop_trigger_price="99.5")
    reached = placed(high, "b", "SELL", "trigger_bracket_gtc", base_size="1", limit_price="103", stop_trigger_price="98")
    low.advance(low.now + HOUR)
    high.advance(high.now + HOUR)
    assert (stopped.status, stopped.is_triggered) == ("FILLED", True)
    assert D("99.4") < stopped.average <= D("99.5")
    assert (reached.status, reached.is_triggered, reached.average) == ("FILLED", False, 103)
    for core in (low, high):
        assert core.account.total["BTC"] == core.account.held["BTC"] == 0


def test_an_attached_bracket_protects_what_was_filled_from_the_fill_on() -> None:
    core = matching()
    attached = {"trigger_bracket_gtc": {"limit_price": "120", "stop_trigger_price": "98.5"}}
    entry = core.place(request(core, "e", "BUY", "limit_limit_gtc", base_size="2", limit_price="100", attached=attached))
    assert isinstance(entry, Order)
    child = core.orders[entry.child or ""]
    assert (child.status, child.size) == ("PENDING", 0)
    core.advance(core.now + HOUR // 4)
    assert (entry.status, child.status, child.size) == ("FILLED", "OPEN", 2)
    assert [(one.since, one.until) for one in core.watch.bare] == []
    core.cancel(child.id)
    assert [(one.size, one.until) for one in core.watch.bare] == [(2, None)]
    never = core.place(request(core, "n", "BUY", "limit_limit_gtc", base_size="2", limit_price="50", attached=attached))
    assert isinstance(never, Order)
    core.cancel(never.id)
    assert core.orders[never.child or ""].status == "CANCELLED"


def test_the_same_client_order_id_gives_the_earlier_order() -> None:
    core = matching()
    assert bought(core) is bought(core, "7")
    assert len(core.orders) == 1
    assert core.watch.arrivals == {"entry": 2}
    assert core.watch.created == {"entry": 1}


REFUSED = (
    ("BUY", "market_market_ioc", {"base_size": "0"}, "PREVIEW_INVALID_BASE_SIZE_TOO_SMALL"),
    ("BUY", "market_market_ioc", {"base_size": "0.000000001"}, "PREVIEW_INVALID_SIZE_PRECISION"),
    ("BUY", "market_market_ioc", {"base_size": "2000000000"}, "PREVIEW_INVALID_BASE_SIZE_TOO_LARGE"),
    ("BUY", "market_market_ioc", {"quote_size": "0.50"}, "PREVIEW_INVALID_QUOTE_SIZE_TOO_SMALL"),
    ("BUY", "market_market_ioc", {"quote_size": "50.001"}, "PREVIEW_INVALID_QUOTE_SIZE_PRECISION"),
    ("BUY", "market_market_ioc", {"base_size": "1500"}, "PREVIEW_INSUFFICIENT_FUND"),
    ("SELL", "market_market_ioc", {"base_size": "1"}, "PREVIEW_INSUFFICIENT_FUND"),
    ("BUY", "limit_limit_gtc", {"base_size": "1", "limit_price": "100.001"}, "PREVIEW_INVALID_PRICE_PRECISION"),
    ("BUY", "limit_limit_gtc", {"base_size": "1", "limit_price": "0"}, "PREVIEW_INVALID_LIMIT_PRICE"),
    ("BUY", "limit_limit_gtc", {"base_size": "0.001", "limit_price": "100"}, "PREVIEW_INVALID_QUOTE_SIZE_TOO_SMALL"),
    (
        "SELL",
        "trigger_bracket_gtc",
        {"base_size": "1", "limit_price": "90", "stop_trigger_price": "95"},
        "PREVIEW_INVALID_BRACKET_PRICES",
    ),
    (
        "SELL",
        "trigger_bracket_gtc",
        {"base_size": "1", "limit_price": "130", "stop_trigger_price": "120"},
        "PREVIEW_STOP_PRICE_ABOVE_LAST_TRADE_PRICE",
    ),
)


@pytest.mark.parametrize(("side", "shape", "fields", "preview"), REFUSED)
def test_what_is_refused(side: str, shape: str, fields: dict[str, str], preview: str) -> None:
    core = matching()
    answer = core.place(request(core, "a", side, shape, **fields))
    assert isinstance(answer, Rejection)
    assert answer.preview == preview
    assert core.orders == {}
    assert core.account.held.get("USD", NONE) == 0


@pytest.mark.parametrize(
    ("state", "market", "limit"),
    [("online", True, True), ("limit_only", False, True), ("cancel_only", False, False), ("trading_disabled", False, False)],
)
def test_the_state_of_a_product(state: str, market: bool, limit: bool) -> None:
    core = matching()
    product = replace(product_named("BTC-USD"), state=state)
    for client_id, shape, fields, taken in (
        ("m", "market_market_ioc", {"base_size": "1"}, market),
        ("l", "limit_limit_gtc", {"base_size": "1", "limit_price": "50"}, limit),
    ):
        answer = core.place(replace(request(core, client_id, "BUY", shape, **fields), product=product))
        assert isinstance(answer, Order) is taken


MALFORMED: tuple[Any, ...] = (
    {},
    {"limit_limit_gtc": {"base_size": "1"}},
    {"limit_limit_gtc": {"base_size": 1, "limit_price": "2"}},
    {"limit_limit_gtc": {"base_size": "1", "limit_price": "-2"}},
    {"limit_limit_gtc": {"base_size": "1", "limit_price": "2e3"}},
    {"limit_limit_gtc": {"base_size": "1", "limit_price": "2", "post_only": "yes"}},
    {"limit_limit_gtc": {"base_size": "1", "limit_price": "2", "color": "red"}},
    {"market_market_ioc": {"base_size": "1", "quote_size": "1"}},
    {"market_market_ioc": {}},
    {"limit_limit_gtd": {"base_size": "1", "limit_price": "2", "end_time": "soon"}},
    {"no_such_shape": {}},
    {"limit_limit_gtc": {}, "market_market_ioc": {}},
    [],
    None,
)


@pytest.mark.parametrize("configuration", MALFORMED, ids=str)
def test_what_cannot_be_read(configuration: Any) -> None:
    with pytest.raises(Malformed):
        read_terms(configuration)


def test_cancels_and_edits() -> None:
    core = matching()
    order = placed(core, "a", "BUY", "limit_limit_gtc", base_size="2", limit_price="50")
    assert core.edit(order.id, D(3), D(60)) == ""
    assert core.account.held["USD"] == 180 * D("1.006")
    assert order.configuration["limit_limit_gtc"]["base_size"] == "3"
    assert core.edit(order.id, D(0), D(60)) == "INVALID_EDITED_SIZE"
    assert core.edit(order.id, D(3), D("60.001")) == "INVALID_EDITED_PRICE"
    assert core.edit(order.id, D(3), D(60)) == "EDIT_REQUEST_EQUAL_TO_ORIGINAL_REQUEST"
    assert core.edit(order.id, D(3_000), D(60)) == "COMMANDER_REJECTED_EDIT_ORDER"
    assert core.account.held["USD"] == 180 * D("1.006")
    assert core.edit("nobody", D(3), D(60)) == "ORDER_NOT_FOUND"
    assert core.edit(order.id, D(1), D(101.5)) == ""
    assert order.status == "FILLED"
    assert core.cancel(order.id) == "INVALID_CANCEL_REQUEST"
    assert core.cancel("nobody") == "UNKNOWN_CANCEL_ORDER"


SHAPES_OF = st.sampled_from(
    [
        ("BUY", "limit_limit_gtc", {"base_size": "1", "limit_price": "99.5"}),
        ("BUY", "limit_limit_gtc", {"base_size": "2", "limit_price": "98.2"}),
        ("SELL", "trigger_bracket_gtc", {"base_size": "1", "limit_price": "104", "stop_trigger_price": "99"}),
        ("SELL", "limit_limit_gtc", {"base_size": "1", "limit_price": "103.3"}),
        ("BUY", "limit_limit_gtd", {"base_size": "1", "limit_price": "98.5", "end_time": "2023-11-15T00:00:00Z"}),
    ]
)


@given(orders=st.lists(SHAPES_OF, max_size=5), cuts=st.lists(st.integers(1, 6 * HOUR), max_size=6))
def test_many_steps_or_one_give_the_same(orders: list[Any], cuts: list[int]) -> None:
    whole, cut = matching(spread="0.002"), matching(spread="0.002")
    for core in (whole, cut):
        bought(core, "3")
        core.faults.arm(Fault("partial-fill", times=2, share=0.5))
        for number, (side, shape, fields) in enumerate(orders):
            core.place(request(core, f"o{number}", side, shape, **fields))
    end = START + 8 * HOUR
    for at in sorted(START + HOUR + cut_at for cut_at in cuts):
        cut.advance(at)
    for core in (whole, cut):
        core.advance(end)
    told = [
        [(order.client_id, order.status, order.fills, order.hold) for order in core.orders.values()] for core in (whole, cut)
    ]
    assert told[0] == told[1]
    assert whole.account == cut.account


@given(orders=st.lists(SHAPES_OF, max_size=6), hours=st.integers(0, 9))
def test_money_is_neither_made_nor_lost(orders: list[Any], hours: int) -> None:
    core = matching()
    bought(core, "3")
    for number, (side, shape, fields) in enumerate(orders):
        core.place(request(core, f"o{number}", side, shape, **fields))
    core.advance(core.now + hours * HOUR)
    made = list(core.orders.values())
    spent = sum((order.value * (1 if order.is_buy else -1) + order.fees for order in made), NONE)
    got = sum((order.filled * (1 if order.is_buy else -1) for order in made), NONE)
    assert core.account.total == {"USD": 100_000 - spent, "BTC": got}
    for currency in ("USD", "BTC"):
        holds = [order.hold[1] for order in made if order.hold[0] == currency]
        assert core.account.held.get(currency, NONE) == sum(holds, NONE)
        assert core.account.available(currency) >= 0


# faults of orders


def test_partial_fills() -> None:
    core = matching()
    core.faults.arm(Fault("partial-fill", times=2, share=0.25))
    market = bought(core, "4")
    assert (market.status, market.filled) == ("CANCELLED", 1)
    rest = placed(core, "a", "BUY", "limit_limit_gtc", base_size="4", limit_price="100")
    core.advance(START + HOUR + HOUR // 6)
    assert (rest.status, rest.filled) == ("OPEN", 1)
    core.advance(START + HOUR + HOUR // 6 + 1_000)
    assert rest.filled == 1
    core.advance(START + HOUR + HOUR // 6 + 1_001)
    assert (rest.status, len(rest.fills)) == ("FILLED", 2)


@pytest.mark.parametrize(("fault", "between"), [("late-fill", "CANCEL_QUEUED"), ("fill-after-cancelled", "CANCELLED")])
def test_a_cancel_that_comes_too_late(fault: str, between: str) -> None:
    core = matching()
    order = placed(core, "a", "BUY", "limit_limit_gtc", base_size="4", limit_price="50")
    core.faults.arm(Fault(fault))
    assert core.cancel(order.id) == ""
    assert (order.status, order.filled) == (between, 0)
    assert core.cancel(order.id) == "DUPLICATE_CANCEL_REQUEST"
    core.advance(core.now + 1_000)
    assert (order.status, order.filled) == ("FILLED", 4)
    assert core.account.held["USD"] == 0


def test_rejections_on_command() -> None:
    core = matching()
    core.faults.arm(Fault("reject"))
    core.faults.arm(Fault("fail-later"))
    assert isinstance(core.place(request(core, "a", "BUY", "market_market_ioc", base_size="1")), Rejection)
    failed = bought(core, client_id="a")  # an order that was refused is none: its id is free
    assert (failed.status, failed.filled, core.account.held["USD"]) == ("FAILED", 0, 0)
    core.faults.arm(Fault("reject-attached"))
    attached = {"trigger_bracket_gtc": {"limit_price": "120", "stop_trigger_price": "90"}}
    entry = core.place(request(core, "b", "BUY", "market_market_ioc", base_size="1", attached=attached))
    assert isinstance(entry, Order)
    assert core.orders[entry.child or ""].status == "FAILED"
    assert [(one.product, one.size) for one in core.watch.bare] == [("BTC-USD", 1)]


def test_a_fault_strikes_when_it_is_told_to() -> None:
    faults = Faults(3)
    faults.arm(Fault("slow", times=2, after=1, on="orders"))
    assert [faults.take("slow", kind, at=0) is not None for kind in ("orders", "reads", "orders", "orders", "orders")] == [
        False, False, True, True, False,
    ]  # fmt: skip
    faults.arm(Fault("gap", times=0, chance=0.3))
    again = Faults(3)
    again.arm(Fault("gap", times=0, chance=0.3))
    struck = [faults.take("gap", at=0) is not None for _ in range(50)]
    assert struck == [again.take("gap", at=0) is not None for _ in range(50)]
    assert 5 < sum(struck) < 25
    faults.clear("gap")
    assert faults.armed == []


@pytest.mark.parametrize(
    ("given_fault", "words"),
    [
        ("slow", "is a mapping"),
        ({"fault": "sloow"}, "no fault `sloow`"),
        ({"fault": "slow", "times": "2"}, "`times` of `slow`"),
        ({"fault": "slow", "times": True}, "`times` of `slow`"),
        ({"fault": "slow", "often": 2}, "no `often`"),
        ({"fault": "slow", "on": "sunday"}, "`on` cannot be"),
        ({"fault": "slow", "chance": 1.5}, "`chance` lies"),
        ({"fault": "slow", "after": -1}, "not negative"),
    ],
)
def test_a_fault_that_cannot_be_read(given_fault: Any, words: str) -> None:
    found = read_fault(given_fault)
    assert isinstance(found, str)
    assert words in found


def test_exposure_and_bare_positions_are_noted() -> None:
    core = matching()
    bought(core, "2")
    placed(core, "limit", "BUY", "limit_limit_gtc", base_size="10", limit_price="50")
    assert core.watch.worst == {"USD": {"held": 202, "with_orders": 702}}
    assert [(one.since, one.until) for one in core.watch.bare] == [(core.now, None)]
    core.advance(core.now + 60_000)
    placed(core, "b", "SELL", "trigger_bracket_gtc", base_size="2", limit_price="130", stop_trigger_price="80")
    assert [(one.until, one.size) for one in core.watch.bare] == [(core.now, 2)]
    assert core.watch.positions() == {"BTC-USD": 2}


# candles


def test_candles_stop_at_the_simulated_now() -> None:
    series = rising(10)
    now = START + 3 * HOUR + HOUR // 3
    shown = candles_json(series, HOUR, START, START + 9 * HOUR, now)
    assert [int(one["start"]) * 1_000 for one in shown] == [START + place * HOUR for place in (3, 2, 1, 0)]
    growing, closed = shown[0], shown[1]
    assert (growing["open"], growing["high"], growing["low"], growing["close"]) == ("103", "103", "101", "101")
    assert D(growing["volume"]) < 10
    assert (closed["open"], closed["high"], closed["low"], closed["close"], closed["volume"]) == (
        "102",
        "105",
        "100",
        "103",
        "10",
    )


def test_coarse_candles_are_made_of_fine_bars() -> None:
    series = series_of("A-B", HOUR, 0, [(1, 4, 1, 2, 1.0), (2, 3, 0.5, 3, 2.0), (3, 9, 3, 8, 3.0)])
    shown = candles_json(series, 2 * HOUR, 0, 4 * HOUR, 10 * HOUR)
    assert [(one["open"], one["high"], one["low"], one["close"], one["volume"]) for one in shown] == [
        ("3", "9", "3", "8", "3"),
        ("1", "4", "0.5", "3", "3"),
    ]
