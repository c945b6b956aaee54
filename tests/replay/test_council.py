"""The council: votes follow from what its members propose and hold, and a refusal can be recomputed from its record."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorded_capital import half_a_year, with_capital
from small_projects import Replayed, bars, compiled, market, run, strategy

from tb.core.records import Ballot
from tb.core.span import Span
from tb.dsl.checked_capital import Council, Vote
from tb.gate.explain import html, text

HERE = Span("policy/p.tb", 1, 1, 1, 1)
POLICY = "council a 2, b 1, c 1  approve when weight for {}\n"


def three(bound: str) -> Replayed:
    """Of three members `a` and `b` propose to buy and `c` to sell."""
    rules = strategy("close > open", name="a", size="1% of equity")
    rules += "\n" + strategy("close > open", name="b", size="1% of equity", universe=False)
    rules += "\n" + strategy(
        "close > open", name="c", size="1% of equity", universe=False, direction="short", stop="10% above entry"
    )
    return run(compiled(rules, POLICY.format(bound)), market(bars("BTC-USD", [(100, 101, 100, 101, 1)])))


@pytest.mark.parametrize(
    ("bound", "approved"),
    [(">= 75%", {"a", "b"}), ("> 75%", set()), (">= 76%", set()), ("> 74%", {"a", "b"}), (">= 25%", {"a", "b", "c"})],
)
def test_a_share_at_the_bound_is_enough_unless_more_is_asked_for(bound: str, approved: set[str]) -> None:
    done = three(bound)
    assert {d.strategy for d in done.decisions if d.approved} == approved
    assert {d.deciding for d in done.decisions if not d.approved} <= {("council",)}
    for decision in done.decisions:
        found = done.explained(decision)
        assert found.reproduced, found.differences
        assert any("for it" in line for line in found.combined)


def test_the_explanation_names_the_votes_and_what_would_have_passed() -> None:
    done = three(">= 80%")
    found = done.explained(next(d for d in done.decisions if d.strategy == "a"))
    line = "council    75% for it, 80% needed: a 2 for (proposes), b 1 for (proposes), c 1 against (proposes)"
    assert found.combined == (line,)
    assert f"  {line}\n" in text(found)
    assert "council    75% for it" in html(found)
    rule = next(rule for rule in found.rules if rule.name == "council")
    assert [(flip.input, flip.at) for flip in rule.flips] == [("weight for the order", "80%")]


@pytest.mark.parametrize(
    "change",
    [
        lambda d: {"votes": d.votes[:-1]},
        lambda d: {"votes": (d.votes[0], Ballot(strategy="b", says="nothing", how=""), d.votes[2])},
        lambda d: {"votes": (Ballot(strategy="a", says="nothing", how=""), *d.votes[1:])},
        lambda d: {"votes": ()},
    ],
)
def test_votes_that_do_not_give_the_recorded_share_are_a_difference(change) -> None:  # type: ignore[no-untyped-def]
    done = three(">= 60%")
    decision = next(d for d in done.decisions if d.strategy == "a")
    assert not done.explained(msgspec.structs.replace(decision, **change(decision))).reproduced


def test_legs_and_quotes_are_voted_on_allotted_and_asked_about_like_other_entries() -> None:
    rules = """universe pairs on x
  tier spot BTC-USD
  tier perp BTC-PERP

strategy carry on pairs every 1h
  enter when volume > 0
    leg buy spot 10% of equity
    leg sell perp same quantity
  hold at most 2h

strategy maker on pairs every 1h
  quote bid close - 1% of close, ask close + 1% of close
    size 1% of equity
"""
    policy = """limit gross  after.gross <= 90% of equity  otherwise shrink
book one  60% of capital  strategies carry
book two  40% of capital  strategies maker
council carry 2, maker 3  approve when weight for >= 30%
allocate kelly fraction 0.5 over 3 trades, at most 8% each, correlation above 0.5 counts as one
advisor news
  may adjust conviction by at most 0.1
  answer within 5s otherwise abstain
"""
    rows = [(100, 101, 99, 100, 1), (100, 102, 98, 101, 0), (101, 103, 99, 99, 1), (99, 101, 98, 100, 1)]
    done = run(compiled(rules, policy), market(bars("BTC-USD", rows), bars("BTC-PERP", rows)))
    entries = [decision for decision in done.decisions if decision.kind == "enter"]
    assert {d.strategy for d in entries if d.approved} == {"carry", "maker"}
    assert {(d.strategy, d.side) for d in entries} == {("carry", "buy"), ("carry", "sell"), ("maker", "buy"), ("maker", "sell")}
    for decision in done.decisions:
        found = done.explained(decision)
        assert found.reproduced, found.differences
        assert len(found.combined) >= (3 if decision.kind == "enter" else 0)


WEIGHTS = st.lists(st.integers(1, 9), min_size=1, max_size=5)


@given(WEIGHTS, st.lists(st.sampled_from(["for", "against", "nothing"]), min_size=5, max_size=5))
def test_one_more_vote_for_it_never_makes_the_share_smaller(weights: list[int], says: list) -> None:  # type: ignore[type-arg]
    names = "abcde"[: len(weights)]
    council = Council(tuple(Vote(n, Decimal(w)) for n, w in zip(names, weights, strict=True)), False, Decimal("0.5"), HERE)
    votes = [Ballot(strategy=n, says=s, how="") for n, s in zip(names, says, strict=False)]
    before = council.share_for(votes)
    assert before is not None
    assert 0 <= before <= 1
    for at, vote in enumerate(votes):
        after = council.share_for([*votes[:at], msgspec.structs.replace(vote, says="for"), *votes[at + 1 :]])
        assert after is not None
        assert after >= before
    assert council.share_for([]) is None


def test_on_recorded_markets_members_decide_together(root: Path, recorded_data: Path) -> None:
    policy = "council continuation 2, breakouts 2, bounces 1  approve when weight for >= 60%\n"
    done = with_capital(root, half_a_year(recorded_data), policy)
    entries = [d for d in done.decisions if d.kind == "enter"]
    refused = [d for d in entries if "council" in d.deciding]
    assert len(refused) > 20
    assert any(d.approved for d in entries)
    for decision in entries[:: len(entries) // 25]:
        found = done.explained(decision, deep=False)
        assert found.reproduced, found.differences
    for decision in entries:
        weight = {"continuation": 2, "breakouts": 2, "bounces": 1}
        given_for = sum(weight[vote.strategy] for vote in decision.votes if vote.says == "for")
        assert ("council" in decision.deciding or decision.verdict == "halt") or given_for >= 3
        assert not decision.approved or given_for >= 3
