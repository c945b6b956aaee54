"""An exit that the gate shrinks: what is left of the position leaves with the next ones."""

from __future__ import annotations

from decimal import Decimal

from small_projects import bars, compiled, flat, market, run, strategy
from stepping import stepped

from tb.core.records import Decision, Fill

D = Decimal


def test_what_a_shrunk_exit_leaves_leaves_with_the_next() -> None:
    rules = strategy(size="10% of equity", stop="", more=["exit when close < open"])
    policy = (
        "limit slice  order.notional <= 200 USD  on every order  otherwise shrink\n"
        "limit position  after.exposure(order.instrument) <= 2.1% of equity  otherwise shrink\n"
    )
    down = (150, 150, 149, 149)
    data = market(bars("BTC-USD", [flat(100, 1), flat(100), flat(150), down, down, down, flat(149)]))
    project = compiled(rules, policy)
    done = run(project, data)
    again = stepped(project, data)
    assert [again.of(Decision), again.of(Fill)] == [done.decisions, done.fills]
    assert [(d.kind, d.verdict, d.deciding, d.proposed, d.approved) for d in done.decisions] == [
        ("enter", "shrink", ("slice", "position"), 10, 2),
        ("exit", "shrink", ("slice",), 2, D("1.342")),
        ("exit", "approve", (), D("0.658"), D("0.658")),
    ]
    for decision in done.decisions:
        assert done.explained(decision).differences == ()
    assert [trade.exit_at is not None for trade in done.trades] == [True]


LEGS = """universe u on exchange
  tier spot BTC-USD
  tier perp BTC-PERP
strategy carry on u every 1h
  enter when volume > 0
    leg buy spot 10% of equity
    leg sell perp same quantity
  exit when close > 2 * high
  exit when close < open
"""


def test_legs_that_shrink_when_they_leave_leave_in_the_same_proportion() -> None:
    policy = "limit slice  order.notional <= 200 USD  on every order  otherwise shrink\n"
    down = (150, 150, 149, 149)
    rows = [flat(100, 1), flat(100), flat(150), down, down, down, flat(149)]
    project, data = compiled(LEGS, policy), market(bars("BTC-USD", rows), bars("BTC-PERP", rows))
    done, again = run(project, data), stepped(project, data)
    assert [again.of(Decision), again.of(Fill)] == [done.decisions, done.fills]
    assert [(d.kind, d.instrument, d.verdict, d.approved) for d in done.decisions] == [
        ("enter", "BTC-USD", "shrink", 2),
        ("enter", "BTC-PERP", "shrink", 2),
        ("exit", "BTC-USD", "shrink", D("1.342")),
        ("exit", "BTC-PERP", "shrink", D("1.342")),
        ("exit", "BTC-USD", "approve", D("0.658")),
        ("exit", "BTC-PERP", "approve", D("0.658")),
    ]
    for decision in done.decisions:
        assert done.explained(decision).differences == ()
