"""Texts that were sound until something in them was changed: still no accident in the checker, the plan or the columns."""

from __future__ import annotations

import re

import policies
import programs
from hypothesis import given
from hypothesis import strategies as st

from tb.core.diagnostics import has_errors
from tb.dsl.check import check
from tb.dsl.parse import parse
from tb.engine.columns import evaluate
from tb.engine.decide import generate
from tb.engine.planning import plan

PIECES = re.compile(r"[A-Za-z_.]+|[0-9.]+|[^\sA-Za-z0-9]")
WORDS = "close equity order.price 0 1 5% 3h 2 USD spike regime core open > and not ( ) volume number_0 for of @4h [1]".split()


@given(st.data())
@programs.examples(150)
def test_a_changed_word_makes_no_accident(data: st.DataObject) -> None:
    texts = [data.draw(programs.rules(depth=2)), policies.GROUPS + "\n".join(data.draw(policies.constraints())) + "\n"]
    which = data.draw(st.integers(0, 1))
    for _ in range(data.draw(st.integers(1, 3))):
        found = list(PIECES.finditer(texts[which]))
        piece = found[data.draw(st.integers(0, len(found) - 1))]
        texts[which] = texts[which][: piece.start()] + data.draw(st.sampled_from(["", *WORDS])) + texts[which][piece.end() :]
    parsed = [parse("rules/r.tb", texts[0], is_policy=False), parse("policy/p.tb", texts[1], is_policy=True)]
    program, findings = check([file for file, _ in parsed])
    assert (program is None) == has_errors(findings)
    if program is None:
        return
    made = plan(program)
    for policy in made.policies.values():
        judge = generate(made.graph, policy).judge
        failed, unknown = judge([None] * len(policy.leaves))
        assert failed & unknown == 0
    markets = data.draw(programs.markets(made, bars=12))
    for strategy in made.strategies:
        if all(period % 3_600_000 == 0 for period in (made.graph[node].period for node in made.graph.reach(strategy.roots))):
            evaluate(made.graph, dict.fromkeys(strategy.members, strategy.roots), markets)
