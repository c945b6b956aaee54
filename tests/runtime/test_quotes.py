"""Quotes: two sides that rest, are judged, replaced, and fill into one position."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from small_projects import HOUR, NAN, START, Replayed, bars, compiled, cut, flat, market, run
from small_runs import Drawn, markets
from stepping import equity_of, stepped

from tb.core.records import Cancel, Decision, Fill, Order
from tb.replay.data import load_market
from tb.runtime.inventory import grown, rest_of, share_of
from tb.runtime.session import Session

D = Decimal
RULES = (
    "universe u on exchange\n  tier t {members}\n"
    "strategy maker on u every {period}\n  quote bid {bid}, ask {ask}\n    size {size}\n{more}"
)
POLICY = "limit position  after.exposure(order.instrument) <= 12% of equity  otherwise shrink\n"


def maker(**said: str) -> str:
    here = {
        "members": "BTC-USD",
        "period": "1h",
        "bid": "close * 0.99",
        "ask": "close * 1.01",
        "size": "1% of equity",
        "more": "",
    }
    return RULES.format(**{**here, **said})


def quoted(rows: list, rules: str = "", policy: str = POLICY) -> Replayed:  # type: ignore[type-arg]
    return run(compiled(rules or maker(), policy), market(bars("BTC-USD", rows)))


@settings(max_examples=30)
@given(
    markets(),
    st.sampled_from(("1h", "2h")),
    st.sampled_from(("close - 1% of close", "low")),
    st.sampled_from(("", "    skew by position, at most 2% of close\n", "    only when volume > 0\n")),
    st.sampled_from(("", "  hold at most 3h\n", "  exit when close < close[1]\n  cool down 2h after loss\n")),
    st.sampled_from(
        (
            "",
            "limit rate orders(2h) <= 3 on every order\n",
            "limit few entries(today) < 6\n",
            "limit deep drawdown <= 0.3% otherwise halt\n",
        )
    ),
)
def test_replay_jumps_as_if_it_stepped_and_explains_itself(
    made: Drawn, period: str, bid: str, more: str, end: str, limit: str
) -> None:
    rules = maker(
        members="AAA-USD, BBB-USD, CCC-USD",
        period=period,
        bid=bid,
        ask="close + 1% of close",
        size="9% of equity",
        more=more + end,
    )
    project = compiled(rules, POLICY + limit, venue="{fee: 20bps, slippage: 7bps, spread: 0%, depth: 1B USD}")
    done = run(project, made.market)
    again = stepped(project, made.market)
    for kind in (Decision, Order, Cancel, Fill):
        assert again.of(kind) == done.records.of(kind)
    for decision in done.decisions:
        assert done.explained(decision, deep=False).differences == ()
    assert done.outcome.final_equity == equity_of(done.fills, made.market, made.market.last, D(10_000))
    closed = [trade for trade in done.trades if trade.exit_at is not None]
    if not done.outcome.open_positions and done.outcome.final_equity is not None:
        profit = sum((trade.profit for trade in closed if trade.profit is not None), D(0))
        assert abs(done.outcome.final_equity - 10_000 - profit) < D("1e-15")
    middle = made.market.first + (made.market.last - made.market.first) // 2
    shorter = cut(made.market, middle)
    early = [d for d in done.decisions if d.at <= middle]
    assert not shorter.bars or [d for d in run(project, shorter).decisions if d.at <= middle] == early


def test_a_quote_that_is_touched_does_not_fill_and_one_traded_through_fills_at_its_price() -> None:
    touched = quoted([flat(100), (100, 101, 99, 100), flat(100)])
    assert touched.fills == []
    through = quoted([flat(100), (100, 100.5, 98, 100), flat(100)])
    assert [(fill.side, fill.price) for fill in through.fills] == [("buy", D("99.00"))]


def test_a_side_that_would_cross_is_not_sent() -> None:
    done = quoted([flat(100), flat(98), flat(98)])
    crossed = [c for c in done.records.of(Cancel) if c.cause == "would cross"]
    assert [c.side for c in crossed] == ["buy"]
    assert done.fills == []


def test_what_has_not_changed_rests_on_and_is_not_sent_again() -> None:
    done = quoted([flat(100)] * 6)
    assert len(done.orders) == 2
    assert done.records.of(Cancel) == []


def test_a_pause_takes_both_sides_back_and_nothing_is_quoted_under_it() -> None:
    policy = POLICY + "pause moved for 2h when since_last_loss is set\nlimit deep drawdown <= 0.01% otherwise halt\n"
    done = quoted([flat(100), (100, 100, 90, 90), flat(90), flat(90)], policy=policy)
    assert {c.cause for c in done.records.of(Cancel)} == {"halt deep"}
    assert all("not_halted" in d.deciding for d in done.decisions[2:])
    assert not [order for order in done.orders if order.at > done.latches[0].at]


def test_each_side_is_judged_as_if_it_were_filled() -> None:
    done = quoted([flat(100), (100, 100, 98, 100), flat(100)], maker(size="9% of equity"))
    bid = [d for d in done.decisions if d.side == "buy"][-1]
    assert (bid.verdict, bid.deciding) == ("shrink", ("position",))


def test_without_a_price_nothing_is_quoted_and_what_rests_is_taken_back() -> None:
    done = quoted([flat(100), (100, 100, 100, NAN), flat(100)])
    assert {c.cause for c in done.records.of(Cancel)} == {"not quoted"}
    assert [d.at for d in done.decisions if d.at == done.market.first + HOUR] == []


def test_a_position_has_its_average_cost() -> None:
    def fill(quantity: str, price: str, fee: str) -> Fill:
        return Fill(
            order="o",
            at=0,
            row=0,
            instrument="BTC-USD",
            side="buy",
            cause="entry",
            quantity=D(quantity),
            price=D(price),
            fee=D(fee),
            slippage=D(0),
        )

    held = grown(fill("1", "100", "0.1"), fill("3", "104", "0.3"))
    assert (held.quantity, held.price, held.fee) == (D(4), D(103), D("0.4"))
    part = share_of(held, D(1))
    assert (part.quantity, part.price, part.fee) == (D(1), D(103), D("0.1"))
    assert rest_of(held, part).fee == D("0.3")


def test_a_maker_on_recorded_quotes(recorded_data: Path) -> None:
    rules = maker(
        period="1m",
        bid="mid - gap",
        ask="mid + gap",
        more='    skew by position, at most gap\n    only when spread < 20bps\n    because "mid {mid:.2f}"\n',
    ).replace("strategy", "let gap = 15bps of mid\nstrategy", 1)
    policy = POLICY + "limit rate  orders(1m) <= 10  on every order\nlimit fresh  data_age <= 2m\n"
    whole = load_market(recorded_data / "coinbase_1m_2018", instruments=["BTC-USD"])
    done = run(compiled(rules, policy, venue="{fee: 0%, slippage: 1bps}"), cut(whole, whole.first + 6 * HOUR))
    assert len(done.fills) >= 10
    assert {fill.cause for fill in done.fills} == {"quote"}
    for decision in done.decisions:
        assert done.explained(decision, deep=False).differences == ()
    assert "a quote: post only" in done.explained(done.decisions[0]).order


def test_a_side_that_rests_on_is_no_duplicate_of_itself_and_is_committed_once() -> None:
    for limit in (
        "forbid duplicate_order when duplicates(10h) > 0\n",
        "limit credit committed(today) + order.notional <= 250 USD\n",
    ):
        done = quoted([flat(100)] * 6, policy=POLICY + limit)
        assert [(order.side, order.at - done.market.first) for order in done.orders] == [("buy", 0), ("sell", 0)]
        assert done.records.of(Cancel) == []


def test_a_side_that_rests_on_is_counted_once_where_entries_and_orders_are() -> None:
    book = "book all 100% of capital  strategies maker\n"
    for limit in (
        "limit few entries(today) < 2\n",
        "limit few orders(10h) < 2\n",
        f"{book}limit few entries(today) of book < 2\n",
        f"{book}limit few orders(10h) of book < 2 on every order\n",
    ):
        done = quoted([flat(100)] * 6, policy=POLICY + limit)
        assert [(order.side, order.at - done.market.first) for order in done.orders] == [("buy", 0), ("sell", 0)]
        assert done.records.of(Cancel) == []
    # one side alone is let out, and the other is refused at each look: what rests counts against it
    done = quoted([flat(100)] * 3, policy=POLICY + "limit few entries(today) < 1\n")
    assert [d.deciding for d in done.decisions if d.side == "sell"] == [("few",)] * 3
    assert [order.side for order in done.orders] == ["buy"]


def test_a_side_that_is_sent_anew_is_another_entry() -> None:
    done = quoted([flat(100), flat(100.5)], policy=POLICY + "limit few entries(today) < 2\n")
    assert [d.deciding for d in done.decisions[-2:]] == [("few",)] * 2


def test_a_side_that_comes_back_to_a_price_of_before_is_a_duplicate() -> None:
    policy = POLICY + "forbid duplicate_order when duplicates(10h) > 0\n"
    done = quoted([flat(100), flat(100.5), flat(100)], policy=policy)
    assert [d.deciding for d in done.decisions[-2:]] == [("duplicate_order",)] * 2


def test_parts_that_leave_one_after_the_other_cool_down_as_long_as_the_longest() -> None:
    more = "  exit when close > close[1]\n  cool down 6h after loss\n  cool down 1h after exit\n"
    # bought twice at 99; a part leaves at a loss in hour 4, the rest at a gain in hour 6
    rows = [flat(100), (100, 100, 98, 100), (100, 100, 98, 90), (90, 92, 90, 90), flat(120), flat(105), *[flat(105)] * 8]
    done = quoted(rows, maker(more=more))
    leaving = [fill for fill in done.fills if fill.side == "sell"]
    assert [fill.price for fill in leaving] == [D("90.90"), D(105)]
    first, last = (fill.at for fill in leaving)
    assert first + 6 * HOUR > last + HOUR
    later = [order.at for order in done.orders if order.kind == "entry" and order.at > first]
    assert min(later) >= first + 6 * HOUR


def test_a_side_of_which_a_part_filled_is_asked_about_again_like_another() -> None:
    size = "10% of equity if high > close\n         4% of equity otherwise"
    data = market(bars("BTC-USD", [(100, 100.5, 100, 100)] * 2 + [flat(100)] * 2))
    asked = []

    def watch(at: int, session: Session, kept: object) -> None:
        bid = session.settling.quote_of("maker", "BTC-USD", "buy")
        if at == START + 2 * HOUR and bid is not None:
            rest = D(4)
            for _ in range(9):  # as much as is asked for next, of what equity will be
                rest = (D("0.04") * (10_000 + (bid.quantity - rest)) / 99).quantize(D("0.001"), "ROUND_FLOOR")
            part = Fill(
                order=bid.id,
                at=at,
                row=-1,
                instrument="BTC-USD",
                side="buy",
                quantity=bid.quantity - rest,
                price=D("99.00"),
                fee=D(0),
                slippage=D(0),
                cause="quote",
            )
            session.settling.entered(bid, part, rest=rest)
        asked.append(session.settling.quote_of("maker", "BTC-USD", "buy"))

    policy = "limit rate orders(9h) <= 3 on every order\nlimit copies duplicates(9h) < 1\n"
    stepped(compiled(maker(size=size), policy), data, watch)
    assert [one is not None and (one.id, one.quantity) for one in asked[2:]] == [(asked[0].id, asked[1].quantity)] * 2


def test_what_a_quote_left_has_the_tier_it_was_quoted_in() -> None:
    """With it how long it is held at most, and what an exit is judged by."""
    rules = maker().replace("tier t BTC-USD", "tier busy where volume >= volume  hold at most 3h\n  tier idle BTC-USD")
    policy = 'forbid odd when order.tier != "u.busy" on every order\n'
    rows = [flat(100, 10), flat(100, 10), [100.0, 100, 98.5, 99.5, 10.0], *[[99.5, 99.6, 99.4, 99.5, 10.0]] * 6]
    done = quoted(rows, rules, policy)
    (left,) = [decision for decision in done.decisions if decision.kind == "exit"]
    (trade,) = [trade for trade in done.trades if trade.cause == "hold"]
    assert left.verdict == "approve"
    assert "u.busy" in left.facts
    assert trade.exit_at == trade.entry_at + 3 * HOUR
    assert done.explained(left).reproduced
