"""What is said to follow holds at every value tried, known or unknown; a witness is one for the interpreter, too."""

from __future__ import annotations

import math
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_contradictions import LITERALS, TREES, UNIVERSE, Tree, arithmetic, contradictions, joined, planned

from tb.analysis.implied import Implications
from tb.analysis.witness import witness
from tb.core.diagnostics import has_errors
from tb.dsl.check import check
from tb.dsl.parse import parse
from tb.engine.interpret import from_leaves
from tb.engine.leaves import leaves_of
from tb.engine.plan import Plan
from tb.engine.planning import plan

CONJUNCTIONS = st.lists(LITERALS, min_size=1, max_size=3).map(lambda parts: joined("and", parts) if parts[1:] else parts[0])
STEPS = (*range(0, 101, 10), math.nan)


def two(one: str, other: str) -> tuple[Plan, int, int]:
    """A plan with both conditions as exits, and their nodes."""
    text = f"{UNIVERSE}strategy s on u every 1h\n  enter long when close > 0\n    size 5% of equity\n"
    file, mistakes = parse("rules/r.tb", f"{text}  exit when {one}\n  exit when {other}\n", is_policy=False)
    program, findings = check([file])
    assert program is not None
    assert not has_errors([*mistakes, *findings])
    made = plan(program)
    return made, *(exit_.when for exit_ in made.strategies[0].exits)


@settings(max_examples=150)
@given(CONJUNCTIONS | TREES, CONJUNCTIONS | TREES)
def test_what_follows_is_true_wherever_the_other_is(one: Tree, other: Tree) -> None:
    made, first, second = two(one.text, other.text)
    implications = Implications(contradictions(made))
    if first == second or not one.truth.any():
        return
    follows = bool((~one.truth | other.truth).all())
    if implications.implies(first, second):
        assert follows
        _holds_where_values_are_missing(made, first, second)
    elif follows and implications.values(second) <= implications.values(first) and " or " not in one.text + other.text:
        # without `or` everything that a true conjunction reads is known, so nothing may be overlooked
        assert "not (" in one.text + other.text or implications.contradictions.never(second, False)


def _holds_where_values_are_missing(made: Plan, first: int, second: int) -> None:
    leaves = [leaf for leaf in leaves_of(made.graph, [first, second], in_policy=False) if made.graph[leaf].op == "apply"]
    for values in product(STEPS, repeat=len(leaves)):
        answers = from_leaves(made.graph, dict(zip(leaves, values, strict=True)), [first, second])
        assert answers[first] != 1.0 or answers[second] == 1.0, values


@settings(max_examples=100)
@given(arithmetic(), arithmetic())
def test_what_follows_with_arithmetic(one: str, other: str) -> None:
    made, first, second = two(one, other)
    if first == second or not Implications(contradictions(made)).implies(first, second):
        return
    leaves = [leaf for leaf in leaves_of(made.graph, [first, second], in_policy=False) if made.graph[leaf].op == "apply"]
    for values in product((*range(0, 101, 4), 0.1, 33.3, 2.5, math.nan), repeat=len(leaves)):
        answers = from_leaves(made.graph, dict(zip(leaves, values, strict=True)), [first, second])
        assert answers[first] != 1.0 or answers[second] == 1.0, values


@settings(max_examples=150)
@given(CONJUNCTIONS | TREES | st.lists(arithmetic(), min_size=1, max_size=2).map(" and ".join))
def test_a_witness_is_one(condition: Tree | str) -> None:
    made = planned(condition if isinstance(condition, str) else condition.text)
    when = made.strategies[0].enters[0].when
    found = witness(contradictions(made), [(when, True)])
    if found is None:
        # whatever has no arithmetic is decided
        assert isinstance(condition, str) or not condition.truth.any()
        return
    leaves = {leaf: float(value) for leaf, value in found.values.items()}
    others = {leaf: 50.0 for leaf in leaves_of(made.graph, [when], in_policy=False) if leaf not in leaves}
    assert from_leaves(made.graph, {**others, **leaves}, [when])[when] == 1.0


@pytest.mark.parametrize(
    ("one", "other", "follows"),
    [
        ("rsi(close, 14) > 70", "rsi(close, 14) > 60", True),
        ("rsi(close, 14) > 70", "rsi(close, 14) > 60 or volume > 10 * volume[1]", False),  # looks at more
        ("rsi(close, 14) > 70 and volume > volume[1]", "rsi(close, 14) > 60 or volume > volume[2]", False),
        ("volume > 3 * mean(volume, 24)", "volume > 2 * mean(volume, 24)", True),
        ("close - 3 * atr(14) > 0", "close - 2 * atr(14) > 0", True),
        ("close / open > 2", "close > open", True),  # no price is negative, and above an open of 0 the first is unknown
        ("close > 3 * open", "close / open > 2", False),  # and here the second
        ("close > high[1]", "close > close[1]", False),  # a close before that is unknown
        ("close > 0 or close <= 0", "close >= 0", True),
        ("tier is core", "tier is not rest", False),
    ],
)
def test_what_is_seen_to_follow(one: str, other: str, follows: bool) -> None:
    made, first, second = two(one, other)
    assert Implications(contradictions(made)).implies(first, second) is follows
