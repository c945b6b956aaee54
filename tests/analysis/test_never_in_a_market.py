"""Generated programs on generated markets: no bar shows what the linter calls impossible, or breaks what it calls certain."""

from __future__ import annotations

import sys
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.append(str(Path(__file__).resolve().parent.parent / "engine"))

from programs import markets, planned, rules

from tb.analysis.contradiction import Contradictions
from tb.analysis.implied import Implications, shared
from tb.analysis.lint import lint
from tb.core.units import Kind
from tb.dsl.parse import parse
from tb.engine.interpret import Histories


@settings(max_examples=60)
@given(st.data())
def test_no_bar_proves_the_linter_wrong(data: st.DataObject) -> None:
    text = data.draw(rules(depth=2))
    assert "TB301" in {finding.code for finding in lint([parse("rules/rules.tb", text, is_policy=False)[0]])}
    made = planned(text)
    tiers = {u.name: tuple(tier.name for tier in u.tiers) for u in made.program.universes.values()}
    found = Contradictions(made.graph, tiers)
    nodes = [node for node in made.graph.nodes if node.unit.kind is Kind.TRUTH and node.stage == "market"]
    claims = [(node.id, wanted) for node in nodes for wanted in (True, False) if found.never(node.id, wanted)]
    if not claims:
        return
    market = data.draw(markets(made, bars=40))
    histories = Histories(made.graph, market)
    for node, wanted in claims:
        for symbol in market.base:
            assert (1.0 if wanted else 0.0) not in histories.history(node, symbol), (node, wanted)


@settings(max_examples=40)
@given(st.data())
def test_no_bar_shows_one_condition_without_what_follows(data: st.DataObject) -> None:
    made = planned(data.draw(rules(depth=2)))
    tiers = {u.name: tuple(tier.name for tier in u.tiers) for u in made.program.universes.values()}
    implications = Implications(Contradictions(made.graph, tiers))
    nodes = [node.id for node in made.graph.nodes if node.unit.kind is Kind.TRUTH and node.stage == "market"][:25]
    near = shared(implications, nodes)
    claims = [(one, other) for one in nodes for other in sorted(near[one]) if implications.implies(one, other)]
    if not claims:
        return
    market = data.draw(markets(made, bars=40))
    histories = Histories(made.graph, market)
    for symbol in market.base:
        for one, other in claims:
            both = zip(histories.history(one, symbol), histories.history(other, symbol), strict=True)
            assert all(a != 1.0 or b == 1.0 for a, b in both), (one, other)
