"""The rule graph: equal computations once, in order, with every place that says them."""

from __future__ import annotations

import math
from decimal import Decimal

import policies
import programs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tb.core.span import Span
from tb.core.units import NUMBER, TRUTH
from tb.engine.bounds import bounds_of
from tb.engine.graph import GraphBuilder, RuleGraph
from tb.engine.instant import market_value
from tb.engine.leaves import leaves_of


def shape(graph: RuleGraph) -> None:
    for position, node in enumerate(graph.nodes):
        assert node.id == position
        assert all(argument < position for argument in node.args)
        assert all(
            graph[argument].look_back <= node.look_back for argument in node.args if graph[argument].period == node.period
        )
        assert node.spans
        assert node.low is None or node.high is None or node.low <= node.high
        assert (node.stage == "market") == (node.period > 0 and node.op != "fact")
        if node.stage == "market":
            assert all(graph[argument].stage != "decision" for argument in node.args)
    assert len({node.key for node in graph.nodes}) == len(graph.nodes)


@given(st.data())
@programs.examples(60)
def test_every_graph_is_in_order_and_says_nothing_twice(data: st.DataObject) -> None:
    shape(programs.planned(data.draw(programs.rules())).graph)
    shape(policies.plan_of(data.draw(policies.constraints())).graph)


@given(programs.rules())
@programs.examples(30)
def test_the_same_text_gives_the_same_graph(text: str) -> None:
    assert programs.planned(text).graph == programs.planned(text).graph


RULES = (
    programs.UNIVERSE
    + """let fast = ema(close, 20)
trigger up
  when fast > ema(close, 20)[1]
strategy one on majors every 1h
  enter long when up and ema(close, 20) > open
    size 5% of equity
strategy two on majors every 1h
  enter long when fast > ema(close, 20)[1] and up
    size 5% of equity
"""
)


def test_equal_nodes_are_shared_across_strategies_and_definitions() -> None:
    plan = programs.planned(RULES, "forbid wild when close > 2 * ema(close, 20)\n")
    [mean] = [node for node in plan.graph.nodes if node.op == "apply"]
    assert mean.names == ("fast",)
    assert [(span.file, span.line) for span in mean.spans] == [
        ("rules/rules.tb", 4),
        ("rules/rules.tb", 6),
        ("rules/rules.tb", 8),
        ("rules/rules.tb", 11),
        ("policy/policy.tb", 1),
    ]
    one, two = plan.strategies
    assert one.enters[0].triggers == two.enters[0].triggers == (("up", one.enters[0].triggers[0][1]),)


def test_periods_and_universes_keep_nodes_apart() -> None:
    text = RULES.replace("strategy two on majors every 1h", "strategy two on majors every 4h")
    plan = programs.planned(text)
    assert sorted(node.period for node in plan.graph.nodes if node.op == "apply") == [3_600_000, 14_400_000]
    assert sorted(plan.policies) == [3_600_000, 14_400_000]
    assert [s.period for s in plan.strategies] == [3_600_000, 14_400_000]


def test_a_node_is_what_it_computes_not_where_it_stands() -> None:
    builder = GraphBuilder()
    here, there = Span("a.tb", 1, 1, 1, 2), Span("a.tb", 2, 1, 2, 2)

    def add(span: Span, **changes: object) -> int:
        parts = {"op": "field", "args": (), "consts": ("close",), "unit": NUMBER, "period": 1, "stage": "market", **changes}
        return builder.add(**parts, span=span)  # type: ignore[arg-type]

    one = add(here)
    assert add(there) == one
    assert add(here) == one
    others = [
        add(here, period=2),
        add(here, consts=("open",)),
        add(here, op="depth"),
        add(here, args=(one,)),
        add(here, consts=(Decimal(1),)),
    ]
    others += [add(here, consts=("1",)), add(here, consts=(1,))]
    assert len({one, *others}) == 8
    graph = builder.freeze()
    assert graph[one].spans == (here, there)
    assert graph.reach((others[3],)) == (one, others[3])


def test_look_back_adds_up() -> None:
    lets = {
        "close": 0,
        "close[3]": 3,
        "sma(close, 5)": 4,
        "sma(close[3], 5)[2]": 9,
        "rsi(close, 14)": 14,
        "sma(close, 5) + highest(high, 9)": 8,
        "change(close, 24h)": 24,
        "sma(close, 3)@4h": 16,
    }
    for text, bars in lets.items():
        rules = f"strategy s on majors every 1h\n  enter long when {text} > 0 * ({text})\n    size 1% of equity\n"
        plan = programs.planned(programs.UNIVERSE + rules)
        assert plan.graph[plan.strategies[0].enters[0].when].look_back == bars, text
    held = programs.planned(
        programs.UNIVERSE
        + "strategy s on majors every 1h\n  enter long when sma(close, 3) > open for 4 bars\n    size 1% of equity\n"
    )
    assert held.graph[held.strategies[0].enters[0].when].look_back == 5


def test_leaves_are_what_a_snapshot_must_hold() -> None:
    plan = policies.plan_of(["limit one after.exposure(coins) <= 5% of equity", "require two (close > open for 2 bars)"])
    policy = policies.policy_of(plan)
    names = {plan.graph[leaf].consts[0] for leaf in policy.leaves if plan.graph[leaf].op == "fact"}
    assert {"order.quantity", "scope.inside", "scope.others", "book.long", "book.short", "equity"} <= names
    assert [plan.graph[leaf].op for leaf in policy.market] == ["every"]
    needed = leaves_of(plan.graph, [c.node for c in policy.constraints], in_policy=True)
    always = {"order.instrument", "order.side"}
    assert set(policy.leaves) - set(needed) == {leaf for leaf in policy.leaves if plan.graph[leaf].consts[0] in always}


def test_a_constraint_knows_whether_it_reads_the_order() -> None:
    sides = ["drawdown <= 5%", "order.notional <= 5 USD", "gross <= 5 USD", "spread <= 1%"]
    sides += ["exposure(order.instrument) <= 5 USD", "exposure(coins) <= 5 USD", "data_age <= 1h"]
    lines = [f"limit {name} {side}" for name, side in zip("abcdefg", sides, strict=True)]
    policy = policies.policy_of(policies.plan_of(lines))
    assert {c.name: c.reads_order for c in policy.constraints if len(c.name) == 1} == {
        "a": False,
        "b": True,
        "c": False,
        "d": True,
        "e": True,
        "f": False,
        "g": True,
    }


ENDS = st.none() | st.sampled_from([-2.0, -1.0, 0.0, 0.5, 1.0, 3.0])


@given(st.sampled_from("neg add sub mul div abs min max sign exp sqrt".split()), st.data())
@programs.examples(150)
def test_bounds_are_never_narrower_than_the_truth(op: str, data: st.DataObject) -> None:
    args, values = [], []
    for _ in range(1 if op in {"neg", "abs", "sign", "exp", "sqrt"} else 2):
        low, high = data.draw(ENDS), data.draw(ENDS)
        if low is not None and high is not None and low > high:
            low, high = high, low
        args.append((low, high))
        values.append(data.draw(st.floats(-5.0 if low is None else low, 5.0 if high is None else high)))
    low, high = bounds_of(op, args)
    value = market_value(op, (), values)
    if not math.isnan(value):
        assert low is None or low <= value
        assert high is None or value <= high


@pytest.mark.parametrize("op", ["lt", "and", "not", "regime_is"])
def test_a_truth_value_lies_between_false_and_true(op: str) -> None:
    assert bounds_of(op, [(None, None)]) == (0.0, 1.0)
    assert TRUTH.kind.value == "truth value"
