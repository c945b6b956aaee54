"""The adapter at the sandbox: orders from their first request to their last fill, and every fault of the venue between them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sandbox_client import HOUR, START, rising

from tb.cli import tb
from tb.connectors.coinbase import Coinbase, connect, credentials_of
from tb.connectors.sandbox.server import Sandbox
from tb.replay.data import load_market
from tb.runtime.ports.exchange import Event, Lost, NoAnswer, OrderState, Quoted, Refusal, Request

D = Decimal
BEGIN = START + 50 * HOUR  # the price is 150 then, and rises by 1 an hour
CHANGES = ("drop-request", "drop-reply", "server-error", "error-after", "vague", "garbled", "truncated")
FROM_HERE = "told from here on; what happened before has to be asked for"
ARRIVES = {"drop-reply", "error-after", "vague", "garbled", "truncated"}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    series = {"BTC-USD": rising(), "ETH-USD": rising(symbol="ETH-USD", first=10)}
    with Sandbox(series, start=BEGIN, heartbeat=0.05, legacy=True) as running:
        yield running


@pytest.fixture
def adapter(sandbox: Sandbox) -> Iterator[Coinbase]:
    made = at(sandbox)
    yield made
    made.close()


def at(sandbox: Sandbox, kind: Any = "ES256") -> Coinbase:
    key = sandbox.keys[kind]
    return connect(
        credentials_of(key.name, key.secret, legacy=kind == "HMAC"),
        base_url=sandbox.base_url,
        market_url=sandbox.ws_url,
        user_url=sandbox.ws_url + "/user",
        timeout=5,
        silence=1,
        pause=0.01,
        authorities=None if sandbox.ca_file is None else str(sandbox.ca_file),
    )


def buy(client_id: str = "c-1", quantity: str = "1", **more: Any) -> Request:
    asked: dict[str, Any] = {"side": "buy", "form": "market", **more}
    return Request(client_id, "BTC-USD", quantity=D(quantity), **asked)


def sell(client_id: str, quantity: str = "1", **more: Any) -> Request:
    return buy(client_id, quantity, side="sell", reducing=True, **more)


def found(adapter: Coinbase, client_id: str) -> OrderState:
    order = adapter.find(client_id, "BTC-USD", BEGIN)
    assert isinstance(order, OrderState)
    return order


def working(adapter: Coinbase) -> tuple[OrderState, ...]:
    orders = adapter.open_orders()
    assert isinstance(orders, tuple)
    return orders


def quoted(adapter: Coinbase) -> Quoted:
    quotes = adapter.quotes(["BTC-USD"])
    assert isinstance(quotes, tuple)
    return quotes[0]


def hear(adapter: Coinbase, enough: Callable[[list[Event]], bool]) -> list[Event]:
    heard: list[Event] = []
    end = time.monotonic() + 20
    while not enough(heard):
        assert time.monotonic() < end, heard
        heard += adapter.events()
        time.sleep(0.005)
    return heard


def losses(heard: list[Event]) -> list[str]:
    return [event.why for event in heard if isinstance(event, Lost) and event.channel == "orders"]


def is_told(heard: list[Event]) -> bool:
    """Whether all that happens from now on is told."""
    return bool(losses(heard)) and losses(heard)[-1] == FROM_HERE


def states(heard: list[Event], client_id: str = "c-1") -> list[OrderState]:
    return [event for event in heard if isinstance(event, OrderState) and event.client_id == client_id]


@pytest.mark.parametrize("kind", ["ES256", "EdDSA", "HMAC"])
def test_an_order_from_request_to_fill_with_every_kind_of_key(sandbox: Sandbox, kind: str) -> None:
    adapter = at(sandbox, kind)
    rules = adapter.rules(["BTC-USD", "ETH-USD", "GONE-USD"])
    assert not isinstance(rules, NoAnswer)
    assert (sorted(rules), rules["BTC-USD"].status, rules["BTC-USD"].currency) == (["BTC-USD", "ETH-USD"], "open", "USD")
    hear(adapter, lambda events: is_told(events) and any(isinstance(one, Quoted) for one in events))
    placed = adapter.place(buy())
    assert isinstance(placed, OrderState)
    heard = hear(adapter, lambda events: any(state.is_over for state in states(events)))
    last = states(heard)[-1]
    order = found(adapter, "c-1")
    assert (order.venue_id, order.status, order.filled) == (placed.venue_id, "filled", D(1))
    assert (last.filled, last.average, last.fees, last.quantity) == (order.filled, order.average, order.fees, order.quantity)
    fills = adapter.fills(BEGIN)
    assert isinstance(fills, tuple)
    assert sum(fill.quantity for fill in fills) == 1
    assert sum(fill.fee for fill in fills) == order.fees
    assert {fill.client_id for fill in fills} == {"c-1"}
    balances = adapter.balances()
    assert isinstance(balances, tuple)
    there = {balance.asset: balance.available for balance in balances}
    assert there["BTC"] == 1
    assert there["USD"] == 10_000 - sum(fill.quantity * fill.price + fill.fee for fill in fills)
    assert adapter.open_orders() == ()
    adapter.close()


def test_a_resting_order_is_changed_and_cancelled(sandbox: Sandbox, adapter: Coinbase) -> None:
    placed = adapter.place(buy(form="limit", price=D(120), post_only=True))
    assert isinstance(placed, OrderState)
    (resting,) = working(adapter)
    assert (resting.client_id, resting.form, resting.price, resting.status) == ("c-1", "limit", D(120), "open")
    changed = adapter.amend(resting, D(2), D(121))
    assert isinstance(changed, OrderState)
    again = found(adapter, "c-1")
    assert (again.quantity, again.price, again.venue_id) == (D(2), D(121), placed.venue_id)
    assert adapter.cancel(changed) is None
    assert found(adapter, "c-1").status == "cancelled"
    assert adapter.open_orders() == ()
    refused = adapter.cancel(changed)
    assert isinstance(refused, Refusal)
    assert isinstance(adapter.place(buy("c-2", "1000")), Refusal)


def test_protection_closes_what_is_held_at_its_target_or_its_stop(sandbox: Sandbox, adapter: Coinbase) -> None:
    adapter.place(buy())
    bracket = adapter.place(sell("c-2", form="bracket", stop=D(100), target=D(155)))
    assert isinstance(bracket, OrderState)
    (guard,) = working(adapter)
    assert (guard.form, guard.stop, guard.target, guard.side) == ("bracket", D(100), D(155), "sell")
    sandbox.step(8)
    closed = found(adapter, "c-2")
    assert (closed.status, closed.average) == ("filled", D(155))
    stop = buy("c-3", form="stop", price=D(165))
    adapter.place(stop)
    (waiting,) = working(adapter)
    assert (waiting.form, waiting.price) == ("stop", D(165))
    adapter.place(buy("c-4"))
    assert isinstance(adapter.place(sell("c-5", form="stop", price=D(130))), OrderState)
    guarding = [order for order in working(adapter) if order.client_id == "c-5"]
    assert [(order.form, order.price, order.side) for order in guarding] == [("stop", D(130), "sell")]


def test_an_entry_takes_its_bracket_along(sandbox: Sandbox, adapter: Coinbase) -> None:
    adapter.place(buy(stop=D(100), target=D(155)))
    (child,) = working(adapter)
    assert (child.form, child.stop, child.target, child.quantity, child.side) == ("bracket", D(100), D(155), D(1), "sell")
    sandbox.step(8)
    assert adapter.open_orders() == ()


@pytest.mark.parametrize("fault", CHANGES)
def test_a_lost_reply_is_no_answer_and_a_look_tells(sandbox: Sandbox, adapter: Coinbase, fault: str) -> None:
    sandbox.fault(fault, on="orders")
    answer = adapter.place(buy(form="limit", price=D(120)))
    assert isinstance(answer, NoAnswer)
    there = adapter.find("c-1", "BTC-USD", BEGIN)
    assert isinstance(there, OrderState) == (fault in ARRIVES)
    assert there is None or isinstance(there, OrderState)
    assert sandbox.state()["arrivals"].get("c-1", 0) <= 1
    if isinstance(there, OrderState):
        sandbox.fault(fault, on="cancel")
        assert isinstance(adapter.cancel(there), NoAnswer)
        assert found(adapter, "c-1").status == "cancelled"
    assert sandbox.state()["created"].get("c-1", 0) == (1 if fault in ARRIVES else 0)


def test_what_strikes_reading(sandbox: Sandbox, adapter: Coinbase) -> None:
    adapter.place(buy())
    sandbox.fault("unauthorized", on="reads")
    assert found(adapter, "c-1").status == "filled"
    sandbox.fault("answer-twice", on="reads", times=0)
    fills, orders = adapter.fills(BEGIN), adapter.open_orders()
    assert isinstance(fills, tuple)
    assert isinstance(orders, tuple)
    assert len({fill.id for fill in fills}) == len(fills)
    sandbox.clear_faults()
    sandbox.fault("too-many", on="reads")
    answer = adapter.balances()
    assert isinstance(answer, NoAnswer)
    assert answer.wait is not None


@pytest.mark.parametrize("fault", ["gap", "disconnect", "silent", "unauthorized"])
def test_what_strikes_the_stream_is_told_and_it_goes_on(sandbox: Sandbox, adapter: Coinbase, fault: str) -> None:
    if fault == "unauthorized":
        sandbox.fault(fault, on="user")
    else:
        hear(adapter, is_told)
        sandbox.fault(fault, on="user-stream", times=0 if fault == "silent" else 1)
    heard = hear(adapter, lambda events: any(why != FROM_HERE for why in losses(events)))
    sandbox.clear_faults()
    if fault != "gap":  # the connection is a new one
        hear(adapter, lambda events: is_told([*heard, *events]))
    sandbox.clear_faults()
    adapter.place(buy())
    hear(adapter, lambda events: any(state.status == "filled" for state in states(events)))


def test_parts_repeats_and_a_fill_after_a_cancel_come_out_as_the_venue_has_them(sandbox: Sandbox, adapter: Coinbase) -> None:
    hear(adapter, is_told)
    sandbox.fault("repeat", on="user", times=0)
    sandbox.fault("partial-fill", on="orders", share=0.5)
    sandbox.fault("late-fill", on="cancel")
    adapter.place(buy())
    adapter.place(buy("c-2", form="limit", price=D(145)))
    adapter.cancel(found(adapter, "c-2"))
    sandbox.advance(5_000)
    ends = {
        state.client_id: state
        for state in hear(adapter, lambda events: all(any(s.is_over for s in states(events, one)) for one in ("c-1", "c-2")))
        if isinstance(state, OrderState)
    }
    for client_id, told in ends.items():
        order = found(adapter, client_id)
        assert (told.filled, told.average, told.fees, told.status) == (order.filled, order.average, order.fees, order.status)
    fills = adapter.fills(BEGIN)
    assert isinstance(fills, tuple)
    for client_id, told in ends.items():
        assert sum(fill.quantity for fill in fills if fill.client_id == client_id) == told.filled


def test_quotes_come_old_and_crossed_as_they_are(sandbox: Sandbox, adapter: Coinbase) -> None:
    adapter.rules(["BTC-USD"])
    sandbox.fault("crossed-quotes", on="BTC-USD", times=0)
    quote = quoted(adapter)
    assert quote.bid > quote.ask
    sandbox.clear_faults()
    hear(adapter, lambda events: any(isinstance(one, Quoted) for one in events))
    sandbox.step()
    fresh = quoted(adapter)
    told = [one for one in hear(adapter, lambda events: any(isinstance(e, Quoted) for e in events)) if isinstance(one, Quoted)]
    assert (told[-1].bid, told[-1].ask, told[-1].at) == (fresh.bid, fresh.ask, fresh.at)


def test_a_bar_is_told_as_soon_as_it_has_closed(sandbox: Sandbox, adapter: Coinbase) -> None:
    for closed in (50, 51, 52):
        bars = adapter.candles("BTC-USD", HOUR, START, BEGIN + 100 * HOUR)
        assert isinstance(bars, tuple)
        assert (len(bars), bars[-1].close) == (closed, D(100 + closed))
        sandbox.step()
        time.sleep(0.21)  # the clock is not asked for more often


def test_over_tls_and_into_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Sandbox({"BTC-USD": rising()}, start=BEGIN, heartbeat=0.05, tls=True) as sandbox:
        adapter = at(sandbox)
        hear(adapter, is_told)
        assert adapter.clock() == BEGIN
        adapter.place(buy())
        hear(adapter, lambda events: bool(states(events)))
        adapter.close()
        monkeypatch.setenv("SSL_CERT_FILE", str(sandbox.ca_file))
        command = ["data", "fetch", "--instrument", "BTC-USD", "--since", "2023-11-01", "--base-url", sandbox.base_url]
        answer = CliRunner().invoke(tb, [*command, "--to", str(tmp_path)])
    assert answer.exit_code == 0, answer.output
    bars = load_market(tmp_path).bars["BTC-USD"]
    assert (len(bars), bars.close[-1]) == (50, 150.0)


def test_an_answer_that_comes_twice_is_never_that_of_the_next_request(sandbox: Sandbox, adapter: Coinbase) -> None:
    sandbox.fault("reply-twice", times=0)
    assert adapter.fills(BEGIN) == ()
    placed = adapter.place(buy())
    assert isinstance(placed, OrderState)
    fills = adapter.fills(BEGIN)
    assert isinstance(fills, tuple)
    assert [fill.client_id for fill in fills] == ["c-1"]
    second = adapter.place(buy("c-2", "0.5", form="limit", price=D(90)))
    assert isinstance(second, OrderState)
    assert second.client_id == "c-2"
    assert [order.client_id for order in working(adapter)] == ["c-2"]
    assert adapter.cancel(second) is None
    assert working(adapter) == ()
