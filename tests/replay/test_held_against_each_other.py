"""Strategies that hold against each other in one instrument: what is watched is what every step would have seen."""

from __future__ import annotations

from small_projects import bars, compiled, flat, market, run, strategy
from stepping import stepped

from tb.core.records import Latch


def test_what_is_held_net_is_watched_at_every_bar() -> None:
    rules = strategy(name="a", size="10% of equity", stop="") + strategy(
        name="b", direction="short", size="6% of equity", stop="", universe=False
    )
    policy = "forbid little  when gross > 0 USD and gross < 350 USD  otherwise halt\n"
    rows = [flat(100, 1), flat(100), flat(100), flat(100), flat(80), flat(80), flat(100), flat(100)]
    project, data = compiled(rules, policy), market(bars("BTC-USD", rows))
    halts = stepped(project, data).of(Latch)
    assert [latch.rule for latch in halts] == ["little"]
    assert run(project, data).latches == halts
