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
