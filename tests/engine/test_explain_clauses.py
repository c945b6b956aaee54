"""Clause trees: what is to blame is exactly what keeps the whole from being as wanted."""

from __future__ import annotations

import math

from hypothesis import given, settings
from hypothesis import strategies as st
from small_projects import compiled, strategy

from tb.engine.explain.clauses import Clause, blame, clause_tree, flips_when_moved, truth_of, unknown_leaves
from tb.engine.explain.words import describe
from tb.engine.instant import Exact
from tb.engine.interpret import from_leaves
from tb.engine.plan import Plan

NAN = math.nan


def conditions() -> st.SearchStrategy[str]:
    atoms = st.sampled_from(
        ["hour > 5", "hour <= 7", "weekday >= 2", "weekday < 2", "hour == 5", "weekday != 2", "rsi(close, 9) > 50"]
    )
    return st.recursive(
        atoms,
        lambda inner: st.one_of(
            st.tuples(inner, st.sampled_from([" and ", " or "]), inner).map(lambda t: f"({t[0]}{t[1]}{t[2]})"),
            inner.map(lambda text: f"not {text}" if text.startswith("(") else f"not ({text})"),
        ),
        max_leaves=6,
    )


def every(clause: Clause) -> list[Clause]:
    return [clause, *(below for part in clause.parts for below in every(part))]


def leaves_of(plan: Plan, hour: float, weekday: float, rsi: float) -> dict[int, Exact | float]:
    enter = plan.strategies[0].enters[0]
    known = {"hour": hour, "weekday": weekday}
    return {leaf: known.get(str(plan.graph[leaf].consts[0]), rsi) for leaf in enter.leaves}


@settings(max_examples=40)
@given(
    conditions(),
    st.sampled_from([3.0, 5.0, 6.0, 9.0, NAN]),
    st.sampled_from([1.0, 2.0, NAN]),
    st.sampled_from([20.0, 50.0, 70.0, NAN]),
)
def test_what_is_blamed_put_right_makes_the_whole_true(condition: str, hour: float, weekday: float, rsi: float) -> None:
    plan = compiled(strategy(condition)).plan
    graph, root = plan.graph, plan.strategies[0].enters[0].when
    values = from_leaves(graph, leaves_of(plan, hour, weekday, rsi), [root])
    tree = clause_tree(graph, root, values)
    blamed = list(blame(tree))
    assert (blamed == []) == (values[root] == 1.0)
    for clause in blamed:
        assert clause.parts == ()
        assert clause.truth == truth_of(values[clause.at]) != clause.wanted
        assert flips_when_moved(graph, clause, values) or clause.truth == "unknown" or clause.wanted not in {"true", "false"}
    fixed = {clause.at: 1.0 if clause.wanted == "true" else 0.0 for clause in blamed}
    atoms = {id_: v for id_, v in values.items() if graph[id_].op not in {"and", "or", "not"}}
    wanted: dict[int, set[str]] = {}
    for clause in every(tree):
        wanted.setdefault(clause.at, set()).add(clause.wanted)
    if all(len(found) == 1 for found in wanted.values()):  # `a and not a` can never be put right
        assert from_leaves(graph, {**atoms, **fixed}, [root])[root] == 1.0


def test_unknown_leaves_are_the_lowest_ones() -> None:
    plan = compiled(strategy("hour > 5 and (weekday + hour) / 2 > 1")).plan
    root = plan.strategies[0].enters[0].when
    values = from_leaves(plan.graph, leaves_of(plan, NAN, 1.0, 0.0), [root])
    assert [describe(plan.graph, leaf) for leaf in unknown_leaves(plan.graph, root, values)] == ["hour"]
    values = from_leaves(plan.graph, leaves_of(plan, 7.0, 1.0, 0.0), [root])
    assert unknown_leaves(plan.graph, root, values) == ()


def test_sides_are_told_apart_and_shown_in_one_unit() -> None:
    plan = compiled(strategy("5 < hour and close / open - 1 > 3%")).plan
    enter = plan.strategies[0].enters[0]
    leaves: dict[int, Exact | float] = {
        leaf: {"hour": 3.0, "close": 101.0, "open": 100.0}[str(plan.graph[leaf].consts[0])] for leaf in enter.leaves
    }
    tree = clause_tree(plan.graph, enter.when, from_leaves(plan.graph, leaves, [enter.when]))
    shown = [(c.value_text, c.value, c.threshold, c.distance) for c in tree.parts]
    assert shown == [("hour", "3", "5", "2"), ("close / open - 1", "1%", "3%", "2%")]


def test_a_regime_is_a_clause_by_itself_with_its_conditions_below() -> None:
    rules = "regime\n  late when hour > 20\n  early when hour < 6\n  day otherwise\n\n" + strategy("regime is day")
    plan = compiled(rules).plan
    enter = plan.strategies[0].enters[0]
    tree = clause_tree(plan.graph, enter.when, from_leaves(plan.graph, dict.fromkeys(enter.leaves, 3.0), [enter.when]))
    assert [(c.text, c.value, c.threshold) for c in blame(tree)] == [("regime is day", "early", "day")]
    assert [(part.text, part.truth) for part in tree.parts] == [("hour > 20", "false"), ("hour < 6", "true")]
