"""Resting orders in whole runs: each ends once, none fills after its end or beyond its price, all count while they rest."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, settings
from small_projects import NAN, START, Collected, Replayed, bars, compiled, flat, market, run, strategy
from small_runs import Drawn, Written, markets, projects
from stepping import stepped

from tb.core.records import Cancel, Fill, Order
from tb.core.time import HOUR, MINUTE
from tb.gate.account import Working
from tb.runtime.session import Session

D = Decimal
SIGNAL = flat(100, 1)
WIDE = (100, 110, 90, 100, 1)


def replayed(order: str, rows: list[tuple[float, ...] | None], direction: str = "long", **settings: str) -> Replayed:
    side = "below" if direction == "long" else "above"
    rules = strategy(direction=direction, stop=f"10% {side} entry", more=[f"  order {order}"])
    return run(compiled(rules, **settings), market(bars("BTC-USD", [WIDE, *rows])))


def ends(done: Replayed) -> list[tuple[str, D, float]]:
    """What ended each order, at which price (0: none) and how many hours after the start of the data."""
    found = []
    for record in done.records.records:
        if isinstance(record, Fill):
            found.append((record.cause, record.price, (record.at - START) / HOUR))
        elif isinstance(record, Cancel):
            found.append((record.cause, D(0), (record.at - START) / HOUR))
    return found


@settings(max_examples=60)
@given(projects(), markets())
def test_every_order_ends_once_and_counts_until_then(written: Written, drawn: Drawn) -> None:
    project, data = written.compiled, drawn.market
    worst: dict[str, Working] = {}

    def check(at: int, session: Session, records: Collected) -> None:
        worst.update(session.account.working)
        known = {order.id: order for order in records.of(Order)}
        for order in session.waiting.values():
            assert order.expires is None or at < order.expires
            assert known[order.id] == order
        # nothing rests under a halt: it was cancelled in the step in which the halt began
        assert not (session.latches.active and session.waiting)

    records = stepped(project, data, check)
    orders = {order.id: order for order in records.of(Order)}
    fills, cancels = records.of(Fill), records.of(Cancel)
    ended = [fill.order for fill in fills if fill.order in orders] + [cancel.order for cancel in cancels]
    assert len(ended) == len(set(ended))
    for fill in fills:
        order = orders.get(fill.order)
        if order is None:
            continue
        assert fill.at >= order.at
        assert order.expires is None or fill.at <= order.expires
        if order.kind == "entry":
            assert worst[order.id].quantity == fill.quantity
        if order.style == "limit" and order.price is not None:
            assert fill.price <= order.price if fill.side == "buy" else fill.price >= order.price
            assert fill.slippage <= D("0.01")  # at most the rounding to a tick
            if fill.side == "buy":
                assert fill.quantity * fill.price <= worst[order.id].quantity * worst[order.id].price
    for cancel in cancels:
        order = orders[cancel.order]
        assert cancel.quantity == order.quantity
        assert cancel.at >= order.at


def test_a_limit_is_rounded_so_that_it_never_pays_more_and_a_trigger_so_that_it_never_starts_early() -> None:
    long, short = replayed("limit at close / 3", []), replayed("limit at close / 3", [], "short")
    assert (long.orders[0].price, short.orders[0].price) == (D("33.33"), D("33.34"))
    long, short = replayed("stop at close / 3", []), replayed("stop at close / 3", [], "short")
    assert (long.orders[0].price, short.orders[0].price) == (D("33.34"), D("33.33"))
    # the gate judges a stop entry at its trigger made worse by slippage
    costs = "{fee: 0%, slippage: 1%, spread: 0%, depth: 1B USD}"
    assert replayed("stop at high", [], venue=costs).decisions[0].price == D("111.10")
    assert replayed("limit at 90% of close", [], venue=costs).decisions[0].price == D("90.00")


def test_without_a_life_time_an_order_rests_for_one_bar_of_the_strategy() -> None:
    done = replayed("limit at 90% of close", [flat(100), flat(80)])
    assert done.orders[0].expires == START + 2 * HOUR
    assert ends(done) == [("expired", 0, 2)]


def test_the_inside_of_a_bar_counts_only_where_it_closes_in_time() -> None:
    falls = (100, 100, 85, 90)
    assert ends(replayed("limit at 90% of close, valid 59m", [falls])) == [("expired", 0, 1 + 59 / 60)]
    assert ends(replayed("limit at 90% of close, valid 60m", [falls])) == [("entry", D(90), 2)]
    # its open counts while the order stands at that instant
    assert ends(replayed("limit at close, valid 1m", [flat(100)])) == [("entry", D(100), 1)]
    assert ends(replayed("limit at close, valid 61m", [(101, 102, 101, 101), flat(99)])) == [("entry", D(99), 2)]
    assert ends(replayed("limit at close, valid 60m", [(101, 102, 101, 101), flat(99)])) == [("expired", 0, 2)]


def test_an_order_whose_time_passes_in_a_gap_is_cancelled_at_its_time() -> None:
    data = market(
        bars("BTC-USD", [SIGNAL, None, None, flat(80)]),
        bars("ETH-USD", [flat(1)] * 4),
    )
    rules = strategy(members="BTC-USD, ETH-USD", more=["  order limit at 90% of close, valid 90m"])
    done = run(compiled(rules), data)
    assert [(c.cause, (c.at - START) // MINUTE) for c in done.cancels] == [("expired", 150)]
    assert not done.fills


def test_a_limit_touched_exactly_fills_as_a_target_does_and_a_better_open_is_paid() -> None:
    assert ends(replayed("limit at 90% of close", [(100, 100, 90, 95)])) == [("entry", D(90), 2)]
    assert ends(replayed("limit at 90% of close", [(100, 100, 90.01, 95)])) == [("expired", 0, 2)]
    assert ends(replayed("limit at 90% of close", [(88, 89, 87, 88)])) == [("entry", D(88), 1)]
    assert ends(replayed("limit at high", [(112, 113, 111, 112)], "short")) == [("entry", D(112), 1)]


def test_a_sale_that_a_gap_fills_above_its_limit_counts_at_the_market_from_then_on() -> None:
    rules = strategy(
        direction="short",
        members="BTC-USD, ETH-USD",
        stop="30% above entry",
        more=["  order limit at 102% of close, valid 90m"],
    )
    gap = bars("BTC-USD", [SIGNAL, flat(100), (120, 120, 120, 120, 0), flat(120)])
    other = bars("ETH-USD", [flat(100), flat(100), flat(100), SIGNAL])
    done = run(compiled(rules, "limit gross  after.gross <= 15% of equity  otherwise shrink\n"), market(gap, other))
    first, later = done.decisions
    assert (first.proposed, first.approved, first.price) == (D("9.803"), D("9.803"), D(102))  # judged at its limit
    [fill] = done.fills
    assert (fill.price, fill.quantity) == (D(120), D("9.803"))
    # the next order sees what that is worth now, and the room that is left
    assert later.approved == ((1_500 - 120 * D("9.803")) / 102).quantize(D("0.001"), "ROUND_DOWN")


def test_a_stop_entry_starts_at_its_price_or_the_open_beyond_it() -> None:
    assert ends(replayed("stop at high", [(100, 110, 100, 105)])) == [("entry", D(110), 2)]
    assert ends(replayed("stop at high", [(115, 116, 114, 115)])) == [("entry", D(115), 1)]
    assert ends(replayed("stop at low", [(95, 96, 90, 95)], "short")) == [("entry", D(90), 2)]
    assert ends(replayed("stop at high", [(100, 109.99, 100, 105)])) == [("expired", 0, 2)]


def test_the_stop_comes_first_in_the_bar_of_the_entry_and_its_target_does_not_count() -> None:
    rules = strategy(stop="10% below entry", target="5% above entry", more=["  order limit at 90% of close"])
    data = market(bars("BTC-USD", [SIGNAL, (100, 120, 81, 100), flat(100)]))
    assert ends(run(compiled(rules), data)) == [("entry", D(90), 2), ("stop", D(81), 2)]
    # the high of that bar may have come before the entry: only what followed counts, and the next open is beyond the target
    data = market(bars("BTC-USD", [SIGNAL, (100, 120, 82, 93), flat(100)]))
    done = run(compiled(rules), data)
    assert ends(done) == [("entry", D(90), 2), ("target", D(100), 2)]
    assert abs(done.trades[0].worst - (1 - 82 / 90)) < 1e-12


def test_post_only_is_cancelled_where_it_would_fill_on_arrival_and_arrives_at_an_open_that_is_known() -> None:
    assert ends(replayed("limit at close, post only", [flat(100)])) == [("would cross", 0, 1)]
    assert ends(replayed("limit at close, post only", [(101, 101, 99, 100)])) == [("entry", D(100), 2)]
    late = replayed("limit at close, valid 5h, post only", [(NAN, 101, 99, 100), (101, 101, 100.5, 101), (99, 99, 99, 99)])
    # arrived at 2h above its price: from then on it rests, and a better open is a better price
    assert ends(late) == [("entry", D(99), 3)]


def test_what_rests_counts_against_limits_at_its_price() -> None:
    rules = strategy("volume > 0", members="BTC-USD, ETH-USD", size="10% of equity", more=["  order limit at close, valid 9h"])
    data = market(bars("BTC-USD", [SIGNAL, flat(101, 1)]), bars("ETH-USD", [flat(10), flat(10, 1)]))
    done = run(compiled(rules, "limit gross after.gross <= 15% of equity otherwise shrink\n"), data)
    assert [(d.instrument, d.approved) for d in done.decisions] == [("BTC-USD", D(10)), ("ETH-USD", D(50))]
    assert done.outcome.counts["trades"] == 0


def test_one_entry_at_a_time_however_long_it_rests() -> None:
    done = replayed("limit at 50% of close, valid 3 bars", [flat(100, 1)] * 5)
    assert [(d.at - START) // HOUR for d in done.decisions] == [1, 4]
