"""TB210 cannot happen: a stateful value behind a condition is computed at every bar, so `and` and `or` may be turned round."""

from __future__ import annotations

import sys
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.append(str(Path(__file__).resolve().parent.parent / "engine"))

import pytest
from programs import markets, planned

from tb.engine.interpret import Histories

RULES = """universe majors on exchange
  tier core BTC-USD, ETH-USD

strategy s on majors every 1h
  enter long when {first} {word} {second}
    size 5% of equity
  exit when {second} {word} {first}
"""


@pytest.mark.parametrize("word", ["and", "or"])
@settings(max_examples=10)
@given(data=st.data())
def test_what_stands_first_changes_no_value(word: str, data: st.DataObject) -> None:
    made = planned(RULES.format(word=word, first="close > open", second="ema(close, 3) > rma(close, 5)"))
    market = data.draw(markets(made, bars=30))
    histories, strategy = Histories(made.graph, market), made.strategies[0]
    for symbol in market.base:
        one, other = (histories.history(node, symbol) for node in (strategy.enters[0].when, strategy.exits[0].when))
        assert repr(list(one)) == repr(list(other))
