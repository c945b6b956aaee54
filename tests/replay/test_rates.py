"""Other currencies: what converts them, when it is known, and what it costs."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as st
from small_projects import NAN, START, bars, compiled, cut, flat, market, run, settings_text, strategy
from stepping import stepped

from tb.cli.fit import check_fit
from tb.core.diagnostics import Refused
from tb.core.records import Decision, Fill, Trade
from tb.core.settings import parse_settings
from tb.core.time import HOUR
from tb.engine.instant import EXACT
from tb.gate.account import Account, Working
from tb.gate.facts import Moment, read
from tb.gate.proposal import Proposal
from tb.runtime.rates import Rates

D = Decimal
EURO = "{EUR: EUR_USD, JPY: USD_JPY}"
POLICY = "limit one after.exposure(order.instrument) <= 20% of equity otherwise shrink\nrequire fresh data_age <= 2h\n"


def rates(*series) -> Rates:  # type: ignore[no-untyped-def]
    data = market(*series)
    return Rates(compiled(strategy(members="BTC-EUR, ETH-JPY"), rates=EURO).settings, data.bars)


def test_a_rate_is_the_last_closed_price_or_one_over_it() -> None:
    found = rates(bars("EUR_USD", [flat(1.2), flat(1.25)]), bars("USD_JPY", [flat(100), flat(80)]))
    assert [found.now("BTC-EUR", START + at) for at in (0, HOUR - 1, HOUR, 2 * HOUR)] == [None, None, D("1.2"), D("1.25")]
    assert found.now("ETH-JPY", START + 2 * HOUR) == D("0.0125")
    assert found.now("BTC-USD", START) == found.now("BTC-PERP", START) == 1
    assert found.now("BTC-GBP", START + HOUR) is None


def test_with_quotes_it_is_the_middle_and_a_fill_pays_half_the_spread() -> None:
    found = rates(bars("EUR_USD", [flat(1.2)], quotes=[(1.19, 1.21)]), bars("USD_JPY", [flat(100)], quotes=[(99, 101)]))
    at = START + HOUR
    assert [found.now("BTC-EUR", at), found.paid("BTC-EUR", 1, at), found.paid("BTC-EUR", -1, at)] == [
        D("1.2"),
        D("1.21"),
        D("1.19"),
    ]
    # to pay yen one sells dollars: at 99 yen each
    assert (found.paid("ETH-JPY", 1, at), found.paid("ETH-JPY", -1, at)) == (
        EXACT.divide(D(1), D(99)),
        EXACT.divide(D(1), D(101)),
    )
    assert found.paid("ETH-JPY", 1, at) > found.now("ETH-JPY", at) > found.paid("ETH-JPY", -1, at)  # type: ignore[operator]


def test_what_is_not_known_now_is_none_and_a_fill_takes_the_last_that_was() -> None:
    found = rates(bars("EUR_USD", [flat(1.2), flat(NAN), None, flat(1.3)]))
    at = START + 3 * HOUR
    assert (found.now("BTC-EUR", at), found.paid("BTC-EUR", 1, at), found.age("BTC-EUR", at)) == (None, D("1.2"), 2 * HOUR)
    assert found.age("BTC-EUR", START) is None


@pytest.mark.parametrize(
    ("rates", "said"),
    [
        ("{EUR: GBP_USD}", "`GBP_USD` does not say what `EUR` is worth in `USD`"),
        ("{EUR: BTC-EUR}", "`BTC-EUR` does not say what `EUR` is worth in `USD`"),
        ("{USD: EUR_USD}", "`USD` is the account's currency: nothing is to be converted"),
    ],
)
def test_what_converts_nothing_is_refused(rates: str, said: str) -> None:
    text = settings_text(rates=rates)
    settings, findings = parse_settings("tb.yaml", text)
    assert settings is None
    assert [(f.code, f.message) for f in findings] == [("TB614", said)]


def test_a_replay_needs_the_rate_and_its_bars() -> None:
    rules = strategy(members="BTC-EUR")
    series = bars("BTC-EUR", [flat(100, 1), flat(100)])
    for given_, code in (("{}", "TB606"), ("{EUR: EUR_USD}", "TB614")):
        with pytest.raises(Refused) as refused:
            check_fit(compiled(rules, rates=given_), market(series))
        assert [f.code for f in refused.value.findings] == [code]
    assert check_fit(compiled(rules, rates=EURO), market(series, bars("EUR_USD", [flat(1.2), flat(1.2)]))) == []


def test_a_rate_that_is_old_is_not_known_to_an_order_and_still_marks_what_is_held() -> None:
    rules = strategy(members="BTC-EUR", size="10% of equity", more=["hold at most 3h"])
    coins = bars("BTC-EUR", [flat(100, 1), flat(100), flat(100), flat(100), flat(100, 1), flat(100)])
    done = run(compiled(rules, rates=EURO), market(coins, bars("EUR_USD", [flat(1.2), flat(1.2)])))
    entered, left, refused = done.decisions
    assert (entered.rate, entered.approved > 0, left.kind, left.approved > 0) == (D("1.2"), True, "exit", True)
    # at 5h the rate is three hours old, and no limit on the age of data is needed to refuse it
    assert (refused.rate, refused.approved, "complete_order" in refused.deciding) == (None, 0, True)
    assert "rate" in done.explained(refused).not_known
    assert done.outcome.final_equity is not None
    found = rates(bars("EUR_USD", [flat(1.2)]))
    assert [found.now("BTC-EUR", START + hour * HOUR) for hour in (1, 2, 3)] == [D("1.2"), D("1.2"), None]
    assert found.newest("BTC-EUR", START + 9 * HOUR) == D("1.2")


@given(st.sampled_from(["1.29", "1.3", "1.31"]))
def test_orders_that_would_meet_are_found_whatever_the_rate_has_become(now: str) -> None:
    account = Account("USD", D(10_000))
    account.working["bid"] = Working("bid", "BTC-EUR", 1, D(1), D(100), "a", rate=D("1.3"))
    assert account.sides("BTC-EUR") == (D(130), D(0))
    ask = Proposal("b", "BTC-EUR", -1, D(1), D(100), None, None, None, None, None, True, rate=D(now))
    moment = Moment(0, ask, account, {}, (), None, None, 0, None, None)
    assert read("self_match", "", moment) == 1


def test_what_a_trade_earned_follows_from_its_record() -> None:
    rules = strategy(members="BTC-EUR", size="10% of equity", more=["hold at most 2h"])
    coins = bars("BTC-EUR", [flat(100, 1), flat(100), flat(110), flat(110), flat(110)])
    euros = bars("EUR_USD", [flat(1.2), flat(1.2), flat(1.3), flat(1.4), flat(1.4)])
    (trade,) = run(compiled(rules, rates=EURO), market(coins, euros)).trades
    assert trade.rate is not None
    assert trade.exit_rate is not None
    assert trade.exit_price is not None
    earned = trade.quantity * (trade.exit_price * trade.exit_rate - trade.entry_price * trade.rate) - trade.fees
    assert (trade.rate, trade.profit) == (D("1.2"), earned)


def test_an_old_rate_is_old_data() -> None:
    rules = strategy(members="BTC-EUR", size="10% of equity")
    for known, deciding in ((1, ("fresh",)), (2, ())):
        # the bar that could enter closes at 4h, where the rate is three hours old, or two
        held = market(bars("BTC-EUR", [flat(100)] * 3 + [flat(100, 1), flat(100)]), bars("EUR_USD", [flat(1.2)] * known))
        done = run(compiled(rules, POLICY, rates=EURO, rates_stale_after="9h"), held)
        assert [d.deciding for d in done.decisions] == [deciding]


RULES = strategy(
    "close > close[1]", members="BTC-EUR, ETH-USD", size="10% of equity", stop="3% below entry", target="4% below entry"
).replace("target 4% below", "target 4% above")


@how(max_examples=40)
@given(
    st.lists(
        st.tuples(st.integers(80, 120), st.integers(90, 110), st.sampled_from([1.0, 1.1, 1.25, NAN])), min_size=4, max_size=40
    )
)
def test_money_adds_up_in_the_accounts_currency_whatever_the_rate_does(drawn: list[tuple[int, int, float]]) -> None:
    coins = bars(
        "BTC-EUR", [(before, max(before, now), min(before, now), now, 1.0) for before, now in _pairs([c for c, _, _ in drawn])]
    )
    other = bars(
        "ETH-USD", [(before, max(before, now), min(before, now), now, 1.0) for before, now in _pairs([c for _, c, _ in drawn])]
    )
    data = market(coins, other, bars("EUR_USD", [flat(rate) for _, _, rate in drawn]))
    project = compiled(RULES, POLICY, rates=EURO, venue="{fee: 0.1%, slippage: 0.1%, spread: 0.1%, depth: 1B USD}")
    done = run(project, data)
    told = [
        [r for r in kept.records if isinstance(r, Decision | Fill | Trade)] for kept in (done.records, stepped(project, data))
    ]
    assert told[0] == told[1]
    cash = project.settings.account.equity
    for fill in done.fills:
        value = fill.quantity * fill.price * (fill.rate or 1)
        cash += (value if fill.side == "sell" else -value) - fill.fee
        assert (fill.rate is not None) == (fill.instrument == "BTC-EUR")
    if not done.outcome.open_positions:
        assert done.outcome.final_equity == cash
        profits = sum((trade.profit for trade in done.trades if trade.profit is not None), D(0))
        assert done.outcome.final_equity == project.settings.account.equity + profits
    for decision in done.decisions:
        assert done.explained(decision).reproduced
        if decision.kind == "enter" and decision.instrument == "BTC-EUR" and decision.rate is None:
            assert not decision.approved
    for last in {decision.at for decision in done.decisions}:
        assert run(project, cut(data, last)).decisions == [d for d in done.decisions if d.at <= last]


def _pairs(closes: list[int]) -> list[tuple[int, int]]:
    return list(zip([closes[0], *closes], closes, strict=False))


@pytest.mark.parametrize(
    ("euros", "sizes"), [([flat(1.25)] * 6, {D("8")}), ([flat(NAN)] * 6, {D(0)})], ids=["known", "not known"]
)
def test_quotes_are_sized_and_judged_at_the_rate_of_their_currency(euros: list[object], sizes: set[Decimal]) -> None:
    maker = "strategy maker on u every 1h\n  quote bid 0.99 * mid, ask 1.01 * mid\n    size 10% of equity\n"
    rules = f"universe u on venue\n  tier t BTC-EUR\n\n{maker}"
    data = market(bars("BTC-EUR", [flat(101)] * 6), bars("EUR_USD", euros))  # type: ignore[arg-type]
    done = run(compiled(rules, rates="{EUR: EUR_USD}"), data)
    bids = [decision for decision in done.decisions if decision.side == "buy"]
    assert bids
    assert {round(decision.proposed) for decision in bids} == sizes
    assert bool(done.orders) == (sizes != {D(0)})
    assert all(done.explained(decision).reproduced for decision in done.decisions)


@pytest.mark.parametrize(("then", "passes"), [(1.2, True), (1.9, True), (2.4, False), (NAN, True)])
def test_an_entry_that_rests_is_worth_what_its_currency_is_worth_now(then: float, passes: bool) -> None:
    waits = strategy(members="BTC-EUR", name="waits").replace("    size", "    order limit at close * 0.5, valid 20h\n    size")
    asks = strategy(name="asks").replace("on u", "on v").replace("universe u", "universe v")
    coins = bars("BTC-EUR", [flat(100, 1), *[flat(100)] * 5])
    dollars = bars("BTC-USD", [flat(100), flat(100), flat(100), flat(100, 1), flat(100), flat(100)])
    euros = bars("EUR_USD", [flat(1.2), flat(1.2), flat(1.2), flat(then), flat(then), flat(then)])
    policy = "limit gross  after.gross <= 26% of equity\n"
    done = run(compiled(f"{waits}\n{asks}", policy, rates="{EUR: EUR_USD}"), market(coins, dollars, euros))
    first, second = done.decisions
    assert (first.strategy, first.approved > 0, second.strategy) == ("waits", True, "asks")
    assert bool(second.approved) == passes
    assert all(done.explained(decision).reproduced for decision in done.decisions)
