"""Explanations: reproduced from the record alone, true by evaluation, and no longer reproduced once the record is changed."""

from __future__ import annotations

import math
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_projects import Replayed, bars, between, compiled, flat, market, run, strategy
from small_runs import Drawn, Written, markets, projects

from tb.core.records import Advice, Ballot, Decision, LegOrder, Likeness, Round, Together
from tb.core.time import DAY
from tb.engine.explain.clauses import truth_of
from tb.engine.instant import Exact
from tb.engine.interpret import from_leaves
from tb.engine.plan import EnterPlan
from tb.engine.say import say
from tb.gate.explain import explain, html, text
from tb.gate.explain.reproduce import facts_of, reproduce
from tb.gate.gate import Gate
from tb.gate.sizing import size
from tb.replay.data import load_market
from tb.replay.sample import write_sample
from tb.runtime.policy import Compiled, compile_project, gates_of, project_of
from tb.runtime.project import load_project

D = Decimal


@pytest.fixture(scope="module")
def default(root: Path) -> Compiled:
    return compile_project(load_project(root))


@pytest.fixture(scope="module")
def sampled(default: Compiled, tmp_path_factory: pytest.TempPathFactory) -> Replayed:
    folder = tmp_path_factory.mktemp("sample")
    write_sample(folder)
    return run(default, load_market(folder))


def gate_of(done: Replayed, decision: Decision) -> Gate:
    return gates_of(done.compiled.plan)[done.compiled.plan.strategy(decision.strategy).period]


def one_gate(done: Replayed) -> Gate:
    gates = gates_of(done.compiled.plan)
    assert len(gates) == 1
    return next(iter(gates.values()))


# --- reproduced -------------------------------------------------------------------------------------------------------


def test_every_decision_on_the_sample_market_is_reproduced(sampled: Replayed) -> None:
    gate, plan, here = one_gate(sampled), sampled.compiled.plan, sampled.compiled.settings
    assert len(sampled.decisions) > 50
    assert {d.kind for d in sampled.decisions} == {"enter", "exit"}
    for decision in sampled.decisions:
        assert reproduce(plan, gate, here, decision).differences == ()


def test_every_decision_on_recorded_markets_is_reproduced(default: Compiled, recorded_data: Path) -> None:
    whole = load_market(recorded_data / "crypto_1h")
    done = run(default, between(whole, whole.first + 500 * DAY, whole.first + 640 * DAY))
    gate = one_gate(done)
    assert len(done.decisions) > 100
    for decision in done.decisions:
        found = explain(done.compiled.plan, gate, default.settings, decision, policy_hash="0" * 64, deep=False)
        assert found.reproduced, (found.id, found.differences)


@settings(max_examples=40)
@given(projects(), markets())
def test_every_decision_of_any_project_is_reproduced(written: Written, drawn: Drawn) -> None:
    done = run(written.compiled, drawn.market)
    for decision in done.decisions:
        found = done.explained(decision, deep=False)
        assert found.reproduced, (found.id, found.differences)
        # the record survives the ledger's encoding
        again = msgspec.json.decode(msgspec.json.encode(decision), type=Decision)
        assert done.explained(again, deep=False) == found


def test_an_old_decision_is_explained_under_the_texts_that_made_it(sampled: Replayed, root: Path) -> None:
    old = compile_project(project_of(sampled.compiled.project.texts, root))
    gate = next(iter(gates_of(old.plan).values()))
    decision = sampled.decisions[0]
    assert explain(old.plan, gate, old.settings, decision, policy_hash="x") == explain(
        sampled.compiled.plan, one_gate(sampled), sampled.compiled.settings, decision, policy_hash="x"
    )


# --- flip points ------------------------------------------------------------------------------------------------------


def spread_out(decisions: list[Decision], count: int) -> list[Decision]:
    """Some of each verdict."""
    kinds: dict[tuple[str, str], list[Decision]] = {}
    for decision in decisions:
        kinds.setdefault((decision.kind, decision.verdict), []).append(decision)
    return [d for found in kinds.values() for d in found[:: max(len(found) // count, 1)][:count]]


def test_flip_points_flip_at_and_beyond_them_and_not_before(sampled: Replayed) -> None:
    plan, gate = sampled.compiled.plan, one_gate(sampled)
    graph, seen = plan.graph, 0
    for decision in spread_out(sampled.decisions, 6):
        found = sampled.explained(decision)
        inputs = dict(zip(gate.policy.leaves, facts_of(graph, gate, decision), strict=True))
        for rule, constraint in zip(found.rules, gate.policy.constraints, strict=True):
            for flip in rule.flips:
                leaf = next(x for x in gate.policy.leaves if _named(graph, x, flip.input))
                seen += 1
                value, point = inputs[leaf], D(flip.exact)
                assert isinstance(value, D)
                step = max(abs(point), abs(value), D("1e-9")) * D("1e-9")

                def answer(to: D, known: dict = inputs, leaf: int = leaf, node: int = constraint.node) -> str:  # type: ignore[type-arg]
                    return truth_of(from_leaves(graph, {**known, leaf: to}, [node])[node])

                now = answer(value)
                away = [1, -1] if point == value else [1] if point > value else [-1]
                sides = [(answer(point - a * step), answer(point), answer(point + a * step)) for a in away]
                assert (flip.inside, flip.at_point, flip.outside) in sides
                assert flip.inside == now
                assert now in {"true", "false"}
                assert (flip.at_point, flip.outside) != (now, now)
                # nothing between the value and the point flips already
                for share in (D("0.25"), D("0.5"), D("0.99")):
                    between_ = value + (point - value) * share
                    assert point == value or answer(between_) == now
    assert seen > 200


def _named(graph: object, leaf: int, name: str) -> bool:
    from tb.engine.explain.words import describe

    return describe(graph, leaf, expand=False) == name  # type: ignore[arg-type]


# --- sizes ------------------------------------------------------------------------------------------------------------


def passes(done: Replayed, decision: Decision, quantity: D) -> bool:
    gate = gate_of(done, decision)
    inputs = facts_of(done.compiled.plan.graph, gate, decision)
    return gate.decide(gate.with_quantity(inputs, quantity), True, quantity, None).verdict in {"approve", "warn"}


@settings(max_examples=60)
@given(projects(), markets())
def test_the_largest_quantity_is_the_largest_on_the_lot_grid(written: Written, drawn: Drawn) -> None:
    done = run(written.compiled, drawn.market)
    for decision in [d for d in done.decisions if d.kind == "enter"][:12]:
        said, lot = done.explained(decision).size.largest, D("0.001")
        if decision.verdict in {"approve", "warn"}:
            assert said == ""
        elif said == "none":
            # none of a spread of smaller sizes passes
            tries = {(decision.proposed * n / 40) // lot * lot for n in range(40)} | {lot, decision.proposed}
            assert not any(passes(done, decision, quantity) for quantity in tries)
        else:
            assert passes(done, decision, D(said))
            assert not passes(done, decision, D(said) + lot)
            assert D(said) % lot == 0
            assert decision.verdict != "shrink" or D(said) == decision.approved


def test_a_rejecting_limit_says_which_size_would_have_passed() -> None:
    done = run(compiled(strategy(), "limit biggest order.notional <= 500 USD\n"), market(bars("BTC-USD", [flat(100, 1)])))
    found = done.explained(done.decisions[0])
    assert (found.verdict, found.size.largest) == ("reject", "5")
    assert "would pass at quantity <= 5\n" in text(found)


def test_the_next_binding_limit_is_the_first_to_fail_as_the_order_grows() -> None:
    policy = (
        "limit first order.notional <= 500 USD otherwise shrink\nlimit second order.notional <= 1500 USD otherwise shrink\n"
        "limit third after.gross <= 20% of equity\n"
    )
    done = run(compiled(strategy(), policy), market(bars("BTC-USD", [flat(100, 1)])))
    decision = done.decisions[0]
    found = done.explained(decision)
    assert (decision.verdict, decision.approved, found.decided_by) == ("shrink", D(5), ("first",))
    assert found.size.next_binding == "second (at 15)"
    assert found.if_lifted == "approve"
    gate = one_gate(done)
    inputs = facts_of(done.compiled.plan.graph, gate, decision)
    bits = {c.name: 1 << bit for bit, c in enumerate(gate.policy.constraints)}
    at, beyond = (gate.decide(gate.with_quantity(inputs, q), True, q, None).failed for q in (D(15), D("15.001")))
    assert not at & (bits["second"] | bits["third"])
    assert beyond & bits["second"]
    assert not beyond & bits["third"]


@settings(max_examples=40)
@given(projects(), markets())
def test_without_the_deciding_rules_the_verdict_is_what_a_policy_without_them_says(written: Written, drawn: Drawn) -> None:
    from dataclasses import replace

    done = run(written.compiled, drawn.market)
    graph = done.compiled.plan.graph
    for decision in [d for d in done.decisions if d.deciding][:6]:
        gate = gate_of(done, decision)
        kept = tuple(c for c in gate.policy.constraints if c.name not in decision.deciding)
        without = Gate(graph, replace(gate.policy, constraints=kept))
        inputs = facts_of(graph, gate, decision)
        judged = without.decide(inputs, decision.kind == "enter", decision.proposed, D("0.001"))
        # a shrink that finds no size is a rejection for the gate; here the rules at the proposed size are named
        failing = without._strictest(judged.failed, judged.unknown)
        said = done.explained(decision, deep=False).if_lifted
        stands = f"{failing[0]} by {', '.join(failing[1])}" if failing[1] else failing[0]
        # an order of 0 units could not go, whatever the rules left say
        assert said == ("" if not decision.proposed and failing[0] in {"approve", "warn", "shrink"} else stands)


# --- tampering --------------------------------------------------------------------------------------------------------

# in the record once, and nothing else follows from them: only the ledger's hash chain can hold these
OUTSIDE = {"seq", "at", "row", "ages", "rows"}


def tampered(decision: Decision, field: str, pick: int) -> Decision:
    """The decision with one field, or one element of it, changed."""
    value = getattr(decision, field)
    match field:
        case "facts" | "market":
            at = pick % max(len(value), 1)
            new = tuple(_other(v, pick) if i == at else v for i, v in enumerate(value)) if value else (1.5,)
        case "deciding":
            new = (*value, "position") if pick % 2 or not value else value[1:]
        case "failed" | "unknown":
            new = value ^ (1 << pick % 31)
        case "strategy":
            new = ("continuation", "breakouts", "bounces", "nobody")[pick % 4]
        case "instrument":
            new = ("BTC-USD", "ETH-USD", "DOGE-USD", "XXX-USD")[pick % 4]
        case "kind":
            new = "exit" if value == "enter" else "enter"
        case "side":
            new = "sell" if value == "buy" else "buy"
        case "verdict":
            new = ("approve", "warn", "shrink", "reject", "pause", "halt")[pick % 6]
        case "enter":
            new = value + (1, -1, 5)[pick % 3]
        case "feeds":
            new = ((pick, None), *value)
        case "together":
            new = _alone_as_a_leg(decision)
        case "reason":
            new = value + "." if pick % 2 else value[1:]
        case "votes":
            new = (*value, Ballot(strategy="bounces", says=("for", "against", "nothing")[pick % 3], how=""))
        case "advice":
            new = (*value, Advice(advisor="a", outcome="agree", why="", adjust=D(0), note="", latency=1, cost=None))
        case "likeness":
            new = (*value, Likeness(instrument="ETH-USD", correlation=0.5))
        case "confidence" | "conviction" if value is None:
            new = 7.5
        case _:
            new = _other(value, pick)
    return msgspec.structs.replace(decision, **{field: new})


def _alone_as_a_leg(decision: Decision) -> Together:
    """What would stand in the record of a leg to which the same was said."""
    leg = LegOrder(instrument=decision.instrument, side=decision.side, price=decision.price, approved=decision.approved)
    said = Round(
        quantities=(decision.proposed,),
        verdicts=(decision.verdict,),
        deciding=(decision.deciding,),
        allowed=(decision.approved,),
    )
    return Together(place=0, asset="BTC", looked_at=decision.instrument, legs=(leg,), rounds=(said,))


def _other(value: object, pick: int) -> object:
    match value:
        case None:
            return ("7", 7.5)[0] if pick % 2 else "1"
        case float():
            return (value * 1.5 + 1, value * 0.5 - 1, None)[pick % 3]
        case D():
            return (value + D("0.01"), value * 2 + 1, D(0))[pick % 3]
        case str():
            try:
                return (str(D(value) * 2 + 1), str(D(value) - 1), None)[pick % 3]
            except ArithmeticError:
                return (value + "x", None)[pick % 2]
    return 1.0


FIELDS = [name for name in Decision.__struct_fields__ if name not in OUTSIDE]


def test_a_changed_record_is_not_reproduced_unless_the_change_alters_no_answer(sampled: Replayed) -> None:
    @settings(max_examples=600)
    @given(st.integers(0, 10_000), st.sampled_from(FIELDS), st.integers(0, 5000))
    def check(which: int, field: str, pick: int) -> None:
        decision = sampled.decisions[which % len(sampled.decisions)]
        changed = tampered(decision, field, pick)
        if changed == decision:
            return
        found = reproduce(sampled.compiled.plan, one_gate(sampled), sampled.compiled.settings, changed)
        if not found.differences:
            # the end of a position held too long reads nothing: another strategy with such a bound would have said the same
            is_timed = field == "strategy" and decision.enter == -1
            assert field in {"facts", "market"} or is_timed, field
            assert answers(sampled, changed) == answers(sampled, decision)

    check()


def answers(done: Replayed, decision: Decision) -> object:
    """Everything that follows from the facts and market values of a record, without `reproduce`."""
    plan, gate, graph = done.compiled.plan, one_gate(done), done.compiled.plan.graph
    strategy_ = plan.strategy(decision.strategy)
    inputs = facts_of(graph, gate, decision)
    spec = done.compiled.settings.instrument(decision.instrument)
    assert spec is not None
    judged = gate.decide(inputs, decision.kind == "enter", decision.proposed, spec.lot)
    told = (judged.verdict, judged.deciding, judged.failed, judged.unknown, judged.quantity)
    if decision.kind == "exit" and decision.enter < 0:
        return told
    entry = strategy_.enters[decision.enter] if decision.kind == "enter" else strategy_.exits[decision.enter]
    leaves: dict[int, Exact | float] = {
        leaf: float("nan") if value is None else value for leaf, value in zip(entry.leaves, decision.market, strict=True)
    }

    def values(node: int) -> float | None:
        value = from_leaves(graph, leaves, [node])[node]
        value = float(value) if isinstance(value, D) else value
        return value if isinstance(value, float) and not math.isnan(value) else None

    words = say(graph, entry.because, values)
    if not isinstance(entry, EnterPlan):
        return told, values(entry.when), words
    assert decision.price is not None
    equity = inputs[gate.leaf("equity")]
    order = size(graph, entry, decision.price, equity if isinstance(equity, D) else None, spec, values)
    roots = [entry.when] + ([] if strategy_.membership is None else [strategy_.membership])
    return told, [values(root) for root in roots], words, order.quantity, order.stop, order.target, order.missing


def test_a_record_that_does_not_fit_the_policy_is_said_to_differ_and_can_still_be_shown(sampled: Replayed) -> None:
    decision = next(d for d in sampled.decisions if d.kind == "enter")
    held = next((d for d in sampled.decisions if d.enter == -1), None)
    broken = [
        {"strategy": "nobody"},
        {"enter": 7},
        {"enter": -1},
        {"facts": decision.facts[:-1]},
        {"facts": (*decision.facts, "1")},
        {"facts": tuple("a word" for _ in decision.facts)},
        {"market": decision.market[1:]},
        {"ages": ()},
        {"instrument": "XXX-USD"},
        {"price": None},
    ]
    for change in broken:
        found = sampled.explained(decision, deep=False)
        assert found.reproduced
        changed = msgspec.structs.replace(decision, **change)
        plan, here = sampled.compiled.plan, sampled.compiled.settings
        found = explain(plan, one_gate(sampled), here, changed, policy_hash="0" * 64)
        assert not found.reproduced, change
        assert "explanation reproduced: NO" in text(found)
        assert "<strong>NO</strong>" in html(found)
    unbounded = run(
        compiled(strategy(more=["exit when close > open"])), market(bars("BTC-USD", [flat(100, 1), (100, 101, 100, 101)]))
    )
    timed = msgspec.structs.replace(
        unbounded.decisions[1], enter=-1, market=(), ages=(), rows=(), reason="held as long as allowed"
    )
    assert unbounded.explained(timed).differences == ("`s` does not bound how long `BTC-USD` is held",)
    if held is not None:
        assert not sampled.explained(msgspec.structs.replace(held, market=(1.0,), ages=(0,), rows=(0,))).reproduced


# --- what is said -----------------------------------------------------------------------------------------------------


def test_the_forms_show_the_same_and_user_text_stays_text() -> None:
    rules = strategy("volume > 0", stop="5% below entry").replace("    stop", '    because "<b>loud & clear</b>"\n    stop')
    done = run(compiled(rules), market(bars("BTC-USD", [flat(100, 1), flat(100)])))
    found = done.explained(done.decisions[0])
    assert "<b>loud & clear</b>" in text(found)
    assert "&lt;b&gt;loud &amp; clear&lt;/b&gt;" in html(found)
    assert "<b>" not in html(found)
    assert msgspec.json.decode(msgspec.json.encode(found))["reproduced"] is True


def test_readings_have_source_row_and_age() -> None:
    rules = strategy("volume > 0 and close[2] > 0 and close of ETH-USD > 0 and close@2h > 0", members="BTC-USD, ETH-USD")
    policy = "limit other close of ETH-USD <= 1000 USD/ETH\nlimit collar abs(order.price / mid - 1) <= 2%\n"
    data = market(bars("ETH-USD", [flat(10)] * 4), bars("BTC-USD", [flat(100), None, flat(101), flat(102), flat(103, 1)]))
    cut_short = market(bars("ETH-USD", [flat(10)] * 5), data.bars["BTC-USD"])
    done = run(compiled(rules, policy), cut_short)
    readings = {reading.name: reading for reading in done.explained(done.decisions[0]).readings}
    assert (readings["volume"].row, readings["volume"].age) == (3, "0s")
    assert (readings["close[2]"].row, readings["close[2]"].age) == (1, "2h")
    assert (readings["close of ETH-USD"].row, readings["close of ETH-USD"].source) == (4, "ETH-USD bars of 1h")
    # bars of two hours: the last one that had closed ended at hour 4, an hour before
    assert (readings["close@2h"].row, readings["close@2h"].age) == (2, "1h")
    assert readings["mid"].row == 3


def test_near_misses_are_limits_used_almost_up() -> None:
    policy = "limit most order.notional <= 1050 USD\nlimit far order.notional <= 5000 USD\n"
    done = run(compiled(strategy(), policy), market(bars("BTC-USD", [flat(100, 1)])))
    found = done.explained(done.decisions[0])
    assert [line.split(":")[0] for line in found.near_misses] == ["most"]
    assert "50.00 USD left" in found.near_misses[0]


def test_a_warning_that_holds_at_every_size_does_not_hide_the_size_that_would_pass() -> None:
    policy = "warn busy when entries(today) >= 0\nlimit biggest order.notional <= 500 USD\n"
    done = run(compiled(strategy(), policy), market(bars("BTC-USD", [flat(100, 1)])))
    found = done.explained(done.decisions[0])
    assert (found.verdict, found.size.largest) == ("reject", "5")


# --- what cannot be -----------------------------------------------------------------------------------------------------


def test_an_unknown_size_leads_and_the_rules_about_lots_come_after() -> None:
    rules = strategy(size="10% of equity if mood > 50\n           5% of equity otherwise")
    done = run(compiled(f"feed mood: number in 0..100, stale after 6h\n{rules}"), market(bars("BTC-USD", [flat(100, 1)])))
    [decision] = done.decisions
    assert decision.deciding.index("complete_order") > 0  # the record keeps the order of the policy
    found = done.explained(decision)
    assert found.not_known == "the size is not known: `mood` is unknown"
    assert (found.decided_by[0], sorted(found.decided_by)) == ("complete_order", sorted(decision.deciding))
    assert (found.if_lifted, found.reproduced) == ("", True)
    told, page = text(found), html(found)
    first = told.index("the size is not known: `mood` is unknown")
    assert first < told.index("decided by complete_order, ")
    assert first < told.index("an input of the order is not known") < told.index("the order is smaller than one lot")
    assert page.index("the size is not known") < page.index("an input of the order is not known")
    assert page.index("an input of the order is not known") < page.index("the order is smaller than one lot")


@pytest.mark.parametrize("size", ["10% of equity", "0.0000001% of equity"])
def test_no_flip_point_lies_where_its_input_cannot_be(size: str) -> None:
    # each fails, or holds at its very edge, by what the order is: nothing below 0 could change that
    policy = """group both: BTC-USD, ETH-USD
limit gross after.gross <= 1% of equity
limit pair after.exposure(both) <= 1% of equity
limit many after.open_positions <= 0
require some order.notional >= 0 USD
"""
    markets_ = market(*(bars(symbol, [flat(100, 1), flat(100, 1)]) for symbol in ("BTC-USD", "ETH-USD")))
    done = run(compiled(strategy(size=size, members="BTC-USD, ETH-USD"), policy), markets_)
    assert done.decisions
    signed = ("book.long", "book.short", "equity", "long side", "short side")
    for decision in done.decisions:
        for flip in (flip for rule in done.explained(decision).rules for flip in rule.flips):
            if not any(word in flip.input for word in signed):
                assert D(flip.exact) >= 0, flip
                assert (D(flip.exact), flip.change) != (0, "just below"), flip


def test_truths_and_unknown_values_are_no_distance_apart() -> None:
    done = run(compiled(strategy("(volume > 0) == (close > 0)")), market(bars("BTC-USD", [flat(100, 1)])))
    told = text(done.explained(done.decisions[0]))
    assert "[true against true]" in told
    assert "true apart" not in told
    unknown = run(
        compiled(strategy(), "limit most order.price <= 2 * sma(close, 3)\n"), market(bars("BTC-USD", [flat(100, 1)]))
    )
    told = text(unknown.explained(unknown.decisions[0]))
    assert "against unknown]" in told
    assert "unknown apart" not in told
