"""The first divergence of two small runs: which input it names, for each way in which runs come to part."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec
from small_projects import PLAIN_POLICY, START, Replayed, bars, compiled, flat, market, run, strategy

from tb.core.records import Decision, Run
from tb.core.time import HOUR
from tb.replay.parity import Divergence, Likeness, Names, Side, align, diverge
from tb.replay.run import markets_of

RULES = strategy("close > close[1]", target="4% above entry")
PRICES = [flat(100), flat(101), flat(102), flat(103), flat(107), flat(106), flat(108), flat(107)]


def played(rules: str = RULES, policy: str = PLAIN_POLICY, rows: Any = PRICES, **settings: str) -> Replayed:
    return run(compiled(rules, policy, **settings), market(bars("BTC-USD", rows)))


def side(label: str, of: Replayed, *, data: bool = True) -> Side:
    record = Run(
        id=label,
        mode="replay",
        started=0,
        policy_hash="",
        data="",
        data_hash="",
        first=of.market.first,
        last=of.market.last,
        instruments=tuple(of.market.bars),
        period=HOUR,
        initial_equity=Decimal(10_000),
        currency="USD",
        config={},
        version="",
    )
    plan = of.compiled.plan
    markets = markets_of(plan, of.market, of.compiled.settings) if data else None
    return Side(label, record, of.compiled, Names(plan), of.trades, of.fills, of.quiet, markets)


def parted(a: Replayed, b: Replayed, *, data: bool = True, altered: list[Decision] | None = None) -> Divergence:
    """The first divergence of two runs; `altered` stand in for the decisions of the second."""
    sides = side("r1", a, data=data), side("r2", b, data=data)
    names = None if a.compiled is b.compiled else (sides[0].names, sides[1].names)
    decisions = a.decisions, b.decisions if altered is None else altered
    tally = align(decisions, (a.latches, b.latches), (a.quiet, b.quiet), Likeness(names, rows=True))
    assert tally.first is not None
    return diverge(tally.first, *sides)


def test_the_limit_of_the_clause_that_came_out_differently_is_the_cause() -> None:
    policy = "limit one  after.gross <= limits.max_gross_pct of equity\nlimit two  order.notional <= limits.max_order_value\n"
    a, b = (
        played(policy=policy, limits=f"max_gross_pct: {wide}\nmax_order_value: {narrow}\n")
        for wide, narrow in (("80%", "5000 USD"), ("50%", "500 USD"))
    )
    found = parted(a, b)
    assert found.cause == "limits.max_order_value is 5000 USD in r1 and 500 USD in r2"
    assert [(line.what, line.a, line.b) for line in found.inputs] == [
        ("limits.max_gross_pct", "80%", "50%"),
        ("limits.max_order_value", "5000 USD", "500 USD"),
    ]
    (clause,) = found.clauses
    assert (clause.name, [(line.what, line.a, line.b) for line in clause.lines]) == (
        "two",
        [
            ("came out as", "passed", "failed"),
            ("order.notional", "999.90 USD", "999.90 USD"),
            ("limits.max_order_value", "5,000.00 USD", "500.00 USD"),
        ],
    )


def test_another_constraint_is_told_as_such() -> None:
    found = parted(played(), played(policy="limit gross  after.gross <= 5% of equity\n"))
    assert found.cause == "gross is another constraint in r2 than in r1"
    assert [line.what for line in found.outcome][:2] == ["verdict", "decided by"]
    new = parted(played(), played(policy="forbid always  when order.notional > 0 USD\n" + PLAIN_POLICY))
    assert new.cause == "always is another constraint in r2 than in r1"
    assert new.clauses[0].a == ""
    assert next((line.a, line.b) for line in new.clauses[0].lines) == ("not there", "failed")


def test_another_value_of_the_market_comes_before_all_that_follows_from_it() -> None:
    rows = [*PRICES[:3], (102, 104, 102, 104, 0), *PRICES[4:]]
    a, b = played(), played(rows=rows)
    found = parted(replace(a, compiled=b.compiled), b)
    assert (found.how, found.what) == ("value", "s enters BTC-USD")
    assert found.cause == "close[1] (BTC-USD bars of 1h, row 4) is 103 in r1 and 104 in r2"


def test_the_first_fill_that_differs_tells_why_an_account_does() -> None:
    fees = [f"{{fee: {fee}, slippage: 0%, spread: 0%, depth: 1B USD}}" for fee in ("0%", "1%")]
    found = parted(*(played(venue=venue) for venue in fees))
    assert "since the fill of buy 9.9 BTC-USD at 2024-01-01T02:00Z had a fee of 0 in r1 and 10.098 in r2" in found.cause
    assert found.inputs[0].where == "account"


def test_a_record_that_was_altered_is_no_input() -> None:
    a = played()
    changed = [msgspec.structs.replace(a.decisions[0], verdict="reject"), *a.decisions[1:]]
    found = parted(a, a, altered=changed)
    assert found.how == "verdict"
    assert found.cause == "the same inputs, and not the same verdict: the code differs, or a record was altered"


def test_an_entry_of_one_run_names_the_clause_that_failed_in_the_other() -> None:
    other = strategy("close > close[1] and close > mean(close, 2) * 1.01", target="4% above entry")
    found = parted(played(), played(other))
    assert (found.how, found.a, found.b) == ("only_a", "r1.d1", "")
    assert found.cause == "in r2 the entry condition is false: close > mean(close, 2) * 1.01 is no clause of it in r1"
    assert [(line.what, line.a, line.b) for line in found.clauses[0].lines] == [
        ("close", "", "101"),
        ("mean(close, 2) * 1.01", "", "101.505"),
    ]
    turned = parted(played(other), played())
    assert (turned.how, turned.a, turned.b) == ("only_b", "", "r2.d1")
    assert turned.cause == found.cause.replace("r1", "r0").replace("r2", "r1").replace("r0", "r2")


def test_without_bars_the_record_alone_tells_what_it_can() -> None:
    found = parted(played(), played(strategy("close < close[1]")), data=False)
    assert found.cause == "in r2 it did not propose this"
    assert found.clauses == ()
    renamed = parted(played(), played(strategy("close > close[1]", name="t")))
    assert renamed.cause in {"in r2 there is no strategy s", "in r1 there is no strategy t"}
    short = run(played().compiled, market(bars("BTC-USD", PRICES[:1])))
    assert parted(played(), short).cause == "in r2 the data goes from 2024-01-01T01:00Z to 2024-01-01T01:00Z"


def test_an_exit_of_one_run_tells_what_the_other_held() -> None:
    leaves = strategy("close > close[1]", more=["exit when close > 1.05 * mean(close, 4)[1]"])
    stays = strategy("close > close[1]", more=["exit when close > 9 * mean(close, 4)[1]"])
    found = parted(played(leaves), played(stays))
    assert found.what == "s leaves BTC-USD"
    assert found.cause == "in r2 it held 9.9 BTC-USD since 2024-01-01T02:00Z and kept it"


def test_a_halt_of_one_run() -> None:
    halts = "limit drawdown  drawdown <= 1%  otherwise halt\n"
    rows = [flat(100), flat(101), flat(102), (102, 102, 90, 90, 0), flat(91)]
    quick = strategy("close > close[1]", stop="50% below entry")
    a, b = (played(quick, halts.replace("1%", bound) + PLAIN_POLICY, rows) for bound in ("1%", "50%"))
    found = parted(a, b)
    assert (found.what, found.at) == ("halt by drawdown", "2024-01-01T04:00Z")
    assert found.cause == "only r1 has it; in r2 nothing set it"
    assert a.latches[0].at == START + 4 * HOUR
