"""Signals and tables: bounds hold for every answer an unknown signal could give; missing input approves nothing; real data."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_projects import NAN, bars, between, compiled, market, run

from tb.core.time import DAY, HOUR
from tb.engine.instant import market_value
from tb.replay.data import load_market

VOTES = st.lists(st.sampled_from([0.0, 1.0, NAN]), min_size=1, max_size=5)
SAID = st.lists(st.sampled_from([-7.0, 0.0, 1.0, 4.5, 10.0, NAN]), min_size=1, max_size=4)
RULES = """
universe u on venue
  tier t BTC-USD

signal tide
  long when change(close, 1) > 0%  conviction 4  because "up {change(close, 1):.2%}"

signal crowd
  long  when volume > mean(volume, 3)  conviction 8
  short when volume < mean(volume, 3) / 2  conviction 2

table share
  tide | result
  long | 5%
  otherwise | 1%

strategy s on u every 1h
  enter long when CONDITION
    size SIZE
    because "{tide.because}"
  exit when crowd is short
"""


@settings(max_examples=60)
@given(VOTES, st.sampled_from([0.0, 1.0, 1.5, 2.0, 4.0]), st.sampled_from(["lt", "le", "gt", "ge", "eq", "ne"]))
def test_agreement_is_known_exactly_where_every_completion_gives_one_answer(votes: list[float], bound: float, op: str) -> None:
    choices = [(0.0, 1.0) if vote != vote else (vote,) for vote in votes]  # noqa: PLR0124 - NaN differs from itself
    answers = {market_value(op, (), [sum(choice), bound]) for choice in product(*choices)}
    found = market_value("agrees", (op,), [NAN, bound, *votes])
    assert (found != found) == (len(answers) == 2)  # noqa: PLR0124
    assert found != found or answers == {found}  # noqa: PLR0124


@settings(max_examples=60)
@given(SAID)
def test_a_conviction_is_the_least_that_unknown_signals_could_make_it(said: list[float]) -> None:
    found = market_value("conviction", (1,), said)
    if not any(value > 0.0 for value in said):
        assert found != found  # noqa: PLR0124 - NaN differs from itself
        return
    choices = [(-7.0, 0.0, 1.0, 5.0, 10.0) if value != value else (value,) for value in said]  # noqa: PLR0124
    possible = [market_value("conviction", (1,), choice) for choice in product(*choices)]
    assert found == pytest.approx(min(possible))


@pytest.mark.parametrize(
    ("condition", "size"),
    [("crowd is long", "5% of equity"), ("tide is long or crowd is long", "share of equity if crowd is long")],
)
def test_a_missing_input_approves_nothing_and_is_named(condition: str, size: str) -> None:
    rows = [(100.0 + hour, 101.0 + hour, 99.0 + hour, 100.5 + hour, NAN) for hour in range(12)]
    done = run(compiled(RULES.replace("CONDITION", condition).replace("SIZE", size)), market(bars("BTC-USD", rows)))
    assert bool(done.decisions) == (" or " in condition)
    assert [d.approved for d in done.decisions if d.approved] == []
    for decision in done.decisions:
        assert "volume" in " ".join(done.explained(decision).missing)


def test_signals_and_tables_decide_on_recorded_bars(recorded_data: Path) -> None:
    rules = RULES.replace("CONDITION", "agree(long, tide, crowd) >= 2").replace("SIZE", "conviction 1..10 as 1%..5% of equity")
    whole = load_market(recorded_data / "crypto_1h", instruments=["BTC-USD"])
    first = int(whole.bars["BTC-USD"].closes[0])
    done = run(compiled(rules), between(whole, first, first + 30 * DAY))
    entries = [d for d in done.decisions if d.kind == "enter"]
    assert entries
    assert {d.conviction for d in entries} == {6.0}
    assert done.explained(entries[0]).reproduced
    assert {d.at % HOUR for d in entries} == {0}
