"""The gateway's files, read beside it: what there has to be at the venue, also after stops that filled while nobody ran."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from fake_exchange import FakeExchange
from gateway_world import World, world

from tb.runtime.gateway.entries import Outside, decode
from tb.runtime.gateway.journal import Journal
from tb.runtime.gateway.looking import catch_up, known_assets
from tb.runtime.gateway.tracked import Orders
from tb.runtime.ports.exchange import NoAnswer

D = Decimal


def read(here: World) -> tuple[Orders, dict[str, Decimal]]:
    orders, outside = Orders(), dict[str, Decimal]()
    for payload in Journal.payloads(here.folder / "journal"):
        entry = decode(payload)
        orders.apply(entry)
        if isinstance(entry, Outside):
            outside[entry.asset] = entry.amount
    return orders, outside


def there(here: World) -> dict[str, Decimal]:
    return {one.asset: one.available + one.held for one in here.truth.do_balances()}


def test_what_a_stop_sold_while_nobody_ran_is_known_after_asking(tmp_path: Path) -> None:
    here = world(tmp_path)
    here.step(1, "BTC-USD")
    here.turns(3)
    assert here.held
    rules = here.gateway.demands.known()
    orders, outside = read(here)
    assert known_assets(orders, outside, rules) == {asset: there(here)[asset] for asset in outside}
    here.journal.close()
    here.truth.move("BTC-USD", 1)  # far below the stop
    assert not here.held
    orders, outside = read(here)
    before = known_assets(orders, outside, rules)
    assert before["BTC"] != there(here)["BTC"]
    assert catch_up(orders, here.gateway.exchange) is None
    assert known_assets(orders, outside, rules) == {asset: there(here)[asset] for asset in outside}


def test_where_the_venue_does_not_say_it_is_not_known(tmp_path: Path) -> None:
    here = world(tmp_path)
    here.step(1, "BTC-USD")
    here.turns(3)
    orders, _ = read(here)
    silent = FakeExchange(lambda *asked: NoAnswer("the connection timed out"))
    assert catch_up(orders, silent) == NoAnswer("the connection timed out")
