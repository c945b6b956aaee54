"""Facts about conduct, each worked out by hand from what an account has done."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from test_facts import ORDER, fact, moment

from tb.core.settings import parse_settings
from tb.gate.account import Account, Working
from tb.gate.activity import SentOrder
from tb.gate.facts import Moment
from tb.gate.standing import Standing

D = Decimal
SETTINGS, _ = parse_settings(
    "tb.yaml",
    "name: small\naccount: {currency: USD, equity: 10_000 USD}\n"
    "instruments: {default: {tick: 0.01, lot: 0.001, margin: 20%}}\nvenue: {fee: 10bps, slippage: 0%}\n",
)
NOW = 3_600_000  # of `moment`


def at(account: Account, **order: object) -> Moment:
    return replace(moment(account, replace(ORDER, **order)), settings=SETTINGS)  # type: ignore[arg-type]


def sent(
    ago: int, quantity: str, *, price: str = "100", strategy: str = "a", sign: int = 1, is_entry: bool = True
) -> SentOrder:
    return SentOrder(NOW - ago, strategy, "BTC-USD", sign, D(quantity), D(price), is_entry)


def test_an_order_is_a_duplicate_of_one_with_its_side_price_and_quantity_inside_the_window() -> None:
    account = Account("USD", D(1000))
    for order in (sent(10_000, "2"), sent(9_999, "2"), sent(5, "2", price="101"), sent(4, "2", sign=-1), sent(3, "2.5")):
        account.activity.send(order)
    assert fact("duplicates", "10000", at(account)) == 1  # what was sent exactly ten seconds ago is outside
    assert fact("duplicates", "10001", at(account)) == 2
    assert fact("duplicates", "10000", at(account, quantity=D("2.500"))) == 1
    assert fact("duplicates", "10000", at(account, quantity=D(1))) == 0


def test_entries_commit_their_value_and_every_message_counts() -> None:
    account = Account("USD", D(1000))
    account.activity.propose(NOW - 7)
    account.activity.send(sent(6, "2"))
    account.activity.send(sent(5, "3", strategy="b"))
    account.activity.send(sent(4, "9", is_entry=False))
    account.activity.cancel(NOW - 3)
    assert fact("committed", "1000", at(account)) == 500
    assert fact("strategy.committed", "1000", at(account)) == 200
    assert fact("messages", "1000", at(account)) == 4
    assert fact("messages", "5", at(account)) == 2
    assert fact("proposals", "1000", at(account)) == 1


def test_what_is_on_its_way_is_reserved_with_its_fee_binds_margin_and_may_be_met() -> None:
    account = Account("USD", D(1000))
    account.working["o1"] = Working("o1", "BTC-USD", 1, D(2), D(100), "a")
    account.working["o2"] = Working("o2", "BTC-USD", -1, D(1), D(100), "b")
    here = at(account)
    assert fact("reserved", "", here) == D("300.3")
    assert fact("margin_free", "", here) == 1000 - 40  # the larger side, a fifth of it
    assert fact("order.margin", "", here) == 40
    assert fact("order.fee", "", here) == D("0.2")
    assert (fact("working_orders", "", here), fact("strategy.working_orders", "", here)) == (2, 1)
    assert fact("self_match", "", here) == 1
    assert fact("self_match", "", at(account, price=D("99.99"))) == 0
    assert fact("self_match", "", at(account, price=None)) is None
    assert fact("margin_free", "", replace(here, settings=None)) is None


def test_children_add_up_under_their_parent_and_a_whole_order_is_its_own() -> None:
    account = Account("USD", D(1000))
    account.activity.send(sent(5, "2"), "p1")
    account.activity.send(sent(4, "1"), "p1")
    child = at(account, parent="p1", parent_quantity=D(5))
    assert (fact("parent.sent", "", child), fact("parent.quantity", "", child)) == (3, 5)
    assert (fact("parent.sent", "", at(account)), fact("parent.quantity", "", at(account))) == (0, 2)
    assert fact("parent.quantity", "", at(account, parent="p2")) is None


def test_rows_of_stops_and_refusals_begin_anew_and_a_person_ends_what_is_unattended() -> None:
    account = Account("USD", D(1000))
    done = account.activity
    done.close(NOW - 30, by_stop=True)
    done.close(NOW - 20, by_stop=True)
    done.reject(NOW - 10)
    done.enter("b")
    done.enter("a")
    here = at(account)
    assert (fact("stops_in_a_row", "", here), fact("since_last_stop", "", here)) == (2, 20)
    assert (fact("rejects_in_a_row", "", here), fact("since_last_reject", "", here)) == (0, 10)
    assert fact("strategy.unattended", "", here) == 1
    account.working["o1"] = Working("o1", "ETH-USD", 1, D(2), D(100), "a")
    assert fact("strategy.unattended", "", here) == 2
    done.close(NOW, by_stop=False)
    account.rebase()
    assert (fact("stops_in_a_row", "", here), fact("strategy.unattended", "", here)) == (0, 1)


def test_distances_from_the_grid_are_exact() -> None:
    here = at(Account("USD", D(1000)), price=D("100.005"), quantity=D("1.0005"))
    assert (fact("order.off_tick", "", here), fact("order.off_lot", "", here)) == (D("0.005"), D("0.0005"))


def test_what_nobody_states_is_unknown() -> None:
    here = at(Account("USD", D(1000)))
    names = (
        "venue.status",
        "breaker",
        "venue.heartbeat_age",
        "venue.reconciled_age",
        "venue.unknown_orders",
        "venue.clock_skew",
    )
    assert [fact(name, "", here) for name in names] == [None] * 6
    said = replace(here, standing=Standing("open", "active", 1, 2, 0, 3))
    assert [fact(name, "", said) for name in names] == ["open", "active", 1, 2, 0, 3]
