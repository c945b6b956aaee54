"""why-not: the clauses it names fail, each can be moved past its threshold, and what is unknown is named with its place."""

from __future__ import annotations

import math
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from small_projects import NAN, START, Replayed, bars, between, compiled, flat, market, run, strategy
from small_runs import Drawn, Written, markets, projects

from tb.core.time import DAY, HOUR, MINUTE
from tb.engine.columns import evaluate
from tb.engine.explain.clauses import truth_of
from tb.engine.explain.words import describe
from tb.engine.instant import Exact
from tb.engine.interpret import from_leaves
from tb.engine.markets import Markets
from tb.engine.plan import EnterPlan, StrategyPlan
from tb.engine.tiers import tier_value
from tb.replay.data import load_market
from tb.replay.run import markets_of
from tb.replay.why_not import Answer, Failing, WhyNot, text, why_not
from tb.runtime.policy import compile_project
from tb.runtime.project import load_project


def asked(done: Replayed, instrument: str, at: int) -> WhyNot:
    plan, here = done.compiled.plan, done.compiled.settings
    made = [d for d in done.decisions if d.instrument == instrument]
    quiet = [q for q in done.quiet if q.instrument == instrument]
    return why_not(plan, markets_of(plan, done.market, here), instrument, at, quiet=quiet, decisions=made)


def values_at(
    done: Replayed, places: Markets, owner: StrategyPlan, enter: EnterPlan, symbol: str, row: int
) -> dict[int, Exact | float]:
    graph = done.compiled.plan.graph
    roots = [enter.when] if owner.membership is None else [owner.membership, enter.when]
    columns = evaluate(graph, {symbol: owner.roots}, places)
    leaves: dict[int, Exact | float] = {}
    for leaf in enter.leaves:
        value = columns.at(leaf, symbol, row)
        leaves[leaf] = NAN if value is None else value
    return from_leaves(graph, leaves, [*roots, *(() if owner.tier is None else graph[owner.tier].args)])


def really_fails(done: Replayed, values: dict[int, Exact | float], roots: list[int], failing: Failing) -> None:
    """By evaluation: the clause is not as wanted, and is once what it measures lies just past its threshold."""
    graph = done.compiled.plan.graph
    wanted = failing.wanted == "true"
    candidates = [
        id_
        for id_ in graph.reach(tuple(roots))
        if id_ in values
        and describe(graph, id_) == failing.clause.split(" where ")[-1]
        and f"{graph[id_].spans[0].file}:{graph[id_].spans[0].line}" == failing.place
    ]
    assert candidates, failing.clause
    node = graph[candidates[0]]
    assert truth_of(values[node.id]) == failing.truth != failing.wanted
    if node.op not in {"lt", "le", "gt", "ge", "eq", "ne"}:
        return
    left, right = node.args
    measured, bound = (right, left) if graph[left].stage == "constant" else (left, right)
    threshold = values[bound]
    assert isinstance(threshold, float) or not isinstance(threshold, str)
    at = float(threshold) if threshold is not None else NAN
    if math.isnan(at):
        assert not failing.verified
        return
    tries = (at, math.nextafter(at, math.inf), math.nextafter(at, -math.inf))
    known: dict[int, Exact | float] = {bound: at}
    answers = [truth_of(from_leaves(graph, {**known, measured: to}, [node.id])[node.id]) for to in tries]
    assert ("true" if wanted else "false") in answers
    assert failing.verified


def check_answer(done: Replayed, places: Markets, symbol: str, answer: Answer, instant: int) -> None:
    owner = done.compiled.plan.strategy(answer.strategy)
    enter = next(e for e in owner.enters if f"{e.span.file}:{e.span.line}" == answer.place and e.direction == answer.direction)
    row = int(places.bars(symbol, owner.period).closes.searchsorted(instant, side="right")) - 1
    values = values_at(done, places, owner, enter, symbol, row)
    roots = [enter.when] if owner.membership is None else [owner.membership, enter.when]
    assert answer.agrees
    if all(values[root] == 1.0 for root in roots):
        assert answer.failing == ()
        assert "true" in answer.state
    else:
        assert answer.failing, answer.state
    for failing in answer.failing:
        really_fails(done, values, roots, failing)
        assert failing.missing == "" or failing.truth == "unknown"
    # all of them as wanted make the whole true: nothing that fails was left out
    changed = dict(values)
    for failing in answer.failing:
        for id_ in values:
            if describe(done.compiled.plan.graph, id_) == failing.clause.split(" where ")[-1]:
                changed[id_] = 1.0 if failing.wanted == "true" else 0.0
    fixed = {id_: v for id_, v in changed.items() if not _is_join(done, id_)}
    if owner.tier is not None:
        tier = done.compiled.plan.graph[owner.tier]
        given = [float(changed[arg]) for arg in tier.args]  # type: ignore[arg-type]
        fixed[owner.tier] = tier_value(tier, symbol, given)
    assert all(from_leaves(done.compiled.plan.graph, fixed, roots)[root] == 1.0 for root in roots)


def _is_join(done: Replayed, id_: int) -> bool:
    return done.compiled.plan.graph[id_].op in {"and", "or", "not", "member"}


def test_a_hundred_instants_without_a_trade_on_recorded_markets(root: Path, recorded_data: Path) -> None:
    whole = load_market(recorded_data / "crypto_1h")
    project = compile_project(load_project(root))
    # the first days of a market too, where nothing is ready
    done = run(project, between(whole, whole.first + 230 * DAY, whole.first + 300 * DAY))
    places = markets_of(project.plan, done.market, project.settings)
    traded = {(order.instrument, order.at) for order in done.orders if order.kind == "entry"}
    draw, seen = random.Random(20), 0
    while seen < 100:
        symbol = draw.choice(sorted(done.market.bars))
        instant = int(draw.choice(done.market.bars[symbol].closes.tolist()))
        if (symbol, instant) in traded:
            continue
        seen += 1
        found = asked(done, symbol, instant)
        assert len(found.answers) == 3
        for answer in found.answers:
            check_answer(done, places, symbol, answer, instant)
        assert text(found).count("\nstrategy ") == 3


@settings(max_examples=40)
@given(projects(), markets())
def test_any_instant_of_any_project(written: Written, drawn: Drawn) -> None:
    done = run(written.compiled, drawn.market)
    places = markets_of(done.compiled.plan, done.market, done.compiled.settings)
    for symbol, one in done.market.bars.items():
        for instant in one.closes.tolist()[::7]:
            found = asked(done, symbol, instant)
            for answer in found.answers:
                if answer.direction:
                    check_answer(done, places, symbol, answer, instant)
            text(found)


# --- states -------------------------------------------------------------------------------------------------------------


def only(found: WhyNot) -> Answer:
    assert len(found.answers) == 1
    return found.answers[0]


def test_busy_cooling_and_proposed_are_told_from_the_run() -> None:
    rules = strategy(stop="5% below entry", more=["cool down 3h after stop"])
    rows = [flat(100, 1), flat(100, 1), (100, 100, 90, 91, 1), flat(91, 1), flat(91), flat(91, 1)]
    done = run(compiled(rules), market(bars("BTC-USD", rows)))
    answers = [only(asked(done, "BTC-USD", START + n * HOUR)) for n in range(1, 7)]
    assert [answer.state.split(":")[0] for answer in answers] == [
        "the entry condition is true",
        "the condition is true, but a position, an order or another entry of the strategy stood already",
        "the condition is true, but the strategy cools down here",
        "the condition is true, but the strategy cools down here",
        "the entry condition is false",
        "the entry condition is true",
    ]
    assert [answer.decisions for answer in answers][::5] == [("d1: approve",), ("d2: approve",)]
    assert all(answer.agrees for answer in answers)


def test_what_the_run_recorded_is_compared_with_what_is_found_now() -> None:
    done = run(compiled(strategy()), market(bars("BTC-USD", [flat(100, 1), flat(100)])))
    other = run(compiled(strategy("volume > 0 and close > high")), done.market)
    plan = other.compiled.plan
    found = why_not(plan, markets_of(plan, other.market, other.compiled.settings), "BTC-USD", START + HOUR, quiet=done.quiet)
    assert not only(found).agrees
    assert "the run recorded something else: the entry condition is true: it proposed" in text(found)


def test_a_refusal_is_named() -> None:
    done = run(compiled(strategy(), "limit small order.notional <= 1 USD\n"), market(bars("BTC-USD", [flat(100, 1)])))
    assert only(asked(done, "BTC-USD", START + HOUR)).decisions == ("d1: reject by small",)


def test_an_exit_is_not_told_as_a_decision_about_an_entry() -> None:
    done = run(
        compiled(strategy(more=["exit when volume == 0"])), market(bars("BTC-USD", [flat(100, 1), flat(100), flat(100)]))
    )
    assert [(d.kind, d.at) for d in done.decisions] == [("enter", START + HOUR), ("exit", START + 2 * HOUR)]
    assert only(asked(done, "BTC-USD", START + HOUR)).decisions == ("d1: approve",)
    assert only(asked(done, "BTC-USD", START + 2 * HOUR)).decisions == ()


def test_a_decision_stands_under_the_entry_that_proposed_it() -> None:
    rules = strategy().rstrip() + "\n  enter short when close > 2 * open\n    size 5% of equity\n"
    done = run(compiled(rules), market(bars("BTC-USD", [flat(100, 1), flat(100)])))
    assert [answer.decisions for answer in asked(done, "BTC-USD", START + HOUR).answers] == [("d1: approve",), ()]


def test_between_two_closes_the_newest_bar_answers() -> None:
    done = run(compiled(strategy()), market(bars("BTC-USD", [flat(100, 1), flat(100)])))
    found = asked(done, "BTC-USD", START + HOUR + 59 * MINUTE)
    assert (found.asked, found.bar) == ("2024-01-01T01:59Z", "2024-01-01T01:00Z")


@pytest.mark.parametrize("offset", [0, -DAY])
def test_an_instant_before_the_data(offset: int) -> None:
    done = run(compiled(strategy()), market(bars("BTC-USD", [flat(100)])))
    found = asked(done, "BTC-USD", START + offset)
    assert (found.bar, only(found).state, only(found).failing) == ("none", "no bar of 1h had closed by then", ())
    assert "strategy s  (" in text(found)


@pytest.mark.parametrize("instrument", ["XXX-USD", "ETH-USD"])
def test_an_instrument_that_nothing_covers_or_that_has_no_data(instrument: str) -> None:
    done = run(compiled(strategy(members="BTC-USD, ETH-USD")), market(bars("BTC-USD", [flat(100)])))
    found = asked(done, instrument, START + HOUR)
    assert found.answers == ()
    assert "no strategy covers this instrument, or there is no data for it" in text(found)


def test_outside_its_universe() -> None:
    rules = strategy().replace("  tier t BTC-USD\n", "  tier t BTC-USD\n  only when close > 200\n".replace("200", "2 * low"))
    done = run(compiled(rules), market(bars("BTC-USD", [flat(100, 1)])))
    answer = only(asked(done, "BTC-USD", START + HOUR))
    assert answer.state == "the instrument is not in the universe"
    assert [(f.clause, f.value, f.threshold, f.distance) for f in answer.failing] == [("close > 2 * low", "100", "200", "100")]


def test_a_stretch_of_bars_that_holds_now_but_not_before_is_named_itself() -> None:
    rules = strategy("close > open for 3 bars")
    rows = [flat(100), (100, 101, 100, 101), flat(101), (101, 102, 101, 102)]
    done = run(compiled(rules), market(bars("BTC-USD", rows)))
    answer = only(asked(done, "BTC-USD", START + 4 * HOUR))
    assert [(f.clause, f.truth, f.wanted) for f in answer.failing] == [("(close > open) for 3 bars", "false", "true")]
    rules = strategy("volume > 0 and not (close > open within 3 bars)")
    done = run(compiled(rules), market(bars("BTC-USD", [*rows[:3], flat(101, 1)])))
    answer = only(asked(done, "BTC-USD", START + 4 * HOUR))
    assert [(f.clause, f.truth, f.wanted) for f in answer.failing] == [("(close > open) within 3 bars", "true", "false")]


# --- unknown ------------------------------------------------------------------------------------------------------------


def missing(rules: str, at: int, *series: object, **here: str) -> list[str]:
    done = run(compiled(rules, **here), market(*series))  # type: ignore[arg-type]
    answer = only(asked(done, "BTC-USD", START + at * HOUR))
    assert answer.state == "the entry condition cannot be known"
    return [failing.missing for failing in answer.failing]


HOLE = [flat(100), flat(100), (100, 101, 99, NAN, 5), flat(100), flat(100)]


def test_warm_up_says_how_far_a_value_looks_back() -> None:
    assert missing(strategy("sma(close, 4) > 0"), 2, bars("BTC-USD", HOLE)) == [
        "`sma(close, 4)` is not ready: it looks back 3 bars, 1 have closed before"
    ]


def test_an_empty_value_is_named_with_file_and_row_as_people_count() -> None:
    one = bars("BTC-USD", HOLE)
    assert missing(strategy("close > 0"), 3, one) == ["`close` is missing in row 3 of BTC-USD.csv"]
    assert missing(strategy("sma(close, 3) > 0"), 5, one) == [
        "`sma(close, 3)` is unknown: `close` is missing in row 3 of BTC-USD.csv"
    ]
    assert missing(strategy("close[2] > 0"), 5, one) == ["`close[2]` is unknown: `close` is missing in row 3 of BTC-USD.csv"]


def test_another_instrument_is_named() -> None:
    rules = strategy("close of ETH-USD > 0", members="BTC-USD, ETH-USD")
    here = bars("BTC-USD", [flat(100)] * 5)
    assert missing(rules, 3, here) == ["`close of ETH-USD` is missing: there is no data for ETH-USD"]
    gap = bars("ETH-USD", [flat(10), flat(10), None, flat(10), flat(10)])
    assert missing(rules, 3, here, gap) == [
        "`close of ETH-USD` is missing: ETH-USD has no bar that closed at 2024-01-01T03:00Z"
    ]
    hole = bars("ETH-USD", [flat(10), flat(10), (10, 10, 10, NAN, 1), flat(10)])
    assert missing(rules, 3, here, hole) == ["`close of ETH-USD` is missing in row 3 of ETH-USD.csv"]
    late = bars("ETH-USD", [flat(10)] * 3, start=START + 2 * HOUR)
    assert missing(strategy("sma(close, 4) of ETH-USD > 0", members="BTC-USD, ETH-USD"), 5, here, late) == [
        "`sma(close, 4) of ETH-USD` is not ready: it looks back 3 bars, 2 have closed before"
    ]


def test_what_nobody_recorded_or_stated_is_named() -> None:
    here, bare = bars("BTC-USD", [flat(100)]), "{fee: 0%, slippage: 0%}"
    assert missing(strategy("spread < 1%"), 1, here, venue=bare) == [
        "`spread` is missing: no quotes are recorded, and no spread is stated"
    ]
    assert missing(strategy("depth(1%) > 10k USD"), 1, here, venue=bare) == [
        "`depth(1%)` is missing: no depth is recorded or stated"
    ]


def test_a_coarser_period_that_has_not_closed_yet() -> None:
    assert missing(strategy("close@4h > 0"), 2, bars("BTC-USD", HOLE)) == [
        "`close@4h` is not ready: no bar of 4h has closed yet"
    ]


def test_no_answer_is_not_called_missing() -> None:
    assert missing(strategy("close / (high - low) > 1"), 1, bars("BTC-USD", [flat(100)])) == [
        "`close / (high - low)` is unknown: a value it needs is unknown, or there is no answer, as after a division by zero"
    ]


def test_what_must_not_be_is_told_as_another() -> None:
    rules = "regime\n  up    when volume > 0\n  flat  otherwise\n\n" + strategy("regime is not up and close > 0")
    done = run(compiled(rules), market(bars("BTC-USD", [flat(100, 1)])))
    assert "is up, would have to be another\n" in text(asked(done, "BTC-USD", START + HOUR))
    done = run(compiled(rules.replace("is not up", "is flat")), market(bars("BTC-USD", [flat(100, 1)])))
    assert "is up, would have to be flat\n" in text(asked(done, "BTC-USD", START + HOUR))
