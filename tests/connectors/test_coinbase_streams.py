"""What Coinbase tells by WebSocket: orders in sums, quotes, heartbeats, and every way in which messages can be missed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import jwt
import pytest
from coinbase_answers import NOW, created, product
from scripted_venue import Connection, Venue

from tb.connectors.coinbase import Coinbase, Credentials, connect
from tb.connectors.coinbase.book import Book
from tb.connectors.coinbase.messages import orders_in
from tb.connectors.inbox import Inbox
from tb.runtime.ports.exchange import Event, Heartbeat, Lost, OrderState, Quoted, Request

D = Decimal
AT = 1_767_323_045_123  # of every scripted message
FIRST = "told from here on; what happened before has to be asked for"


def told(**changed: Any) -> dict[str, Any]:
    """An order as the channel `user` tells of it."""
    return {
        "order_id": "v-1",
        "client_order_id": "c-1",
        "product_id": "BTC-USD",
        "order_side": "BUY",
        "order_type": "Limit",
        "status": "OPEN",
        "cumulative_quantity": "0.2",
        "leaves_quantity": "0.3",
        "avg_price": "59999.5",
        "total_fees": "12.01",
        "limit_price": "60000",
        "stop_price": "",
        "number_of_fills": "2",
        **changed,
    }


def snapshot(*orders: dict[str, Any]) -> dict[str, Any]:
    return {"type": "snapshot", "orders": list(orders)}


def update(*orders: dict[str, Any]) -> dict[str, Any]:
    return {"type": "update", "orders": list(orders)}


def ticker(name: str, bid: str, ask: str) -> dict[str, Any]:
    return {"type": "update", "tickers": [{"type": "ticker", "product_id": name, "best_bid": bid, "best_ask": ask}]}


STATE = OrderState(
    "c-1", "v-1", "BTC-USD", "buy", D("0.5"), D("0.2"), D("59999.5"), D("12.01"), "open", AT, form="limit", price=D(60000)
)


@pytest.fixture
def talking(venue: Venue, credentials: Credentials) -> Iterator[Callable[..., Coinbase]]:
    """Makes an adapter that hears these scripts, one for each connection."""
    made: list[Coinbase] = []

    def make(*scripts: Any, silence: float = 5.0, key: bool = True) -> Coinbase:
        venue.sockets = list(scripts)
        adapter = connect(
            credentials if key else None,
            base_url=venue.url,
            market_url=venue.ws,
            user_url=venue.ws,
            silence=silence,
            pause=0.01,
            clock=lambda: NOW,
        )
        made.append(adapter)
        return adapter

    yield make
    for adapter in made:
        adapter.close()


def hear(adapter: Coinbase, enough: Callable[[list[Event]], bool]) -> list[Event]:
    """Events until there are enough."""
    heard: list[Event] = []
    end = time.monotonic() + 20
    while not enough(heard):
        assert time.monotonic() < end, heard
        heard += adapter.events()
        time.sleep(0.005)
    return heard


def count(number: int) -> Callable[[list[Event]], bool]:
    return lambda heard: len(heard) >= number


async def begun(connection: Connection, messages: int = 2) -> None:
    for _ in range(messages):
        await connection.hear()


def test_orders_are_told_in_sums_after_a_snapshot(
    venue: Venue, credentials: Credentials, talking: Callable[..., Coinbase]
) -> None:
    async def script(connection: Connection) -> None:
        await begun(connection)
        await connection.tell("subscriptions", {"subscriptions": {"user": ["u"]}})
        await connection.tell(
            "user", snapshot(told(cumulative_quantity="0", leaves_quantity="0.5", avg_price="", total_fees="0"))
        )
        await connection.tell("heartbeats", {"current_time": "x", "heartbeat_counter": 1})
        await connection.tell("user", update(told()))
        # once it is over nothing is left, and half of it was ordered all the same
        await connection.tell(
            "user", update(told(status="CANCELLED", leaves_quantity="0", cancel_reason="User requested cancel"))
        )
        await connection.stay()

    heard = hear(talking(script), count(5))
    from dataclasses import replace

    assert heard == [
        replace(STATE, filled=D(0), average=None, fees=D(0)),
        Lost("orders", FIRST, NOW, "back"),
        Heartbeat(NOW),
        STATE,
        replace(STATE, status="cancelled", reason="User requested cancel"),
    ]
    assert [(said["type"], said["channel"], said["product_ids"]) for said in venue.said] == [
        ("subscribe", "heartbeats", []),
        ("subscribe", "user", []),
    ]
    tokens = [said["jwt"] for said in venue.said]
    options = {"verify_exp": False, "verify_nbf": False}
    claims = [jwt.decode(one, credentials.key.open().public_key(), algorithms=["ES256"], options=options) for one in tokens]
    assert all(set(claim) == {"sub", "iss", "nbf", "exp"} for claim in claims)
    assert len({jwt.get_unverified_header(one)["nonce"] for one in tokens}) == 2


def test_an_order_of_ours_keeps_its_form_and_levels(venue: Venue, talking: Callable[..., Coinbase]) -> None:
    async def script(connection: Connection) -> None:
        await begun(connection)
        bracket = told(order_type="Bracket", order_side="SELL", limit_price="70000", stop_price="")
        await connection.tell(
            "user", snapshot(bracket, told(order_id="v-9", client_order_id="", order_type="Stop Limit", stop_price="7"))
        )
        await connection.stay()

    adapter = talking(script)
    venue.on("/orders", (200, created()))
    adapter.place(Request("c-1", "BTC-USD", "sell", D("0.5"), "bracket", stop=D(55000), target=D(70000), reducing=True))
    first, other, *_ = hear(adapter, count(3))
    assert isinstance(first, OrderState)
    assert (first.form, first.stop, first.target, first.price, first.side) == ("bracket", D(55000), D(70000), None, "sell")
    assert isinstance(other, OrderState)
    assert (other.form, other.price, other.client_id) == ("stop", D(7), "")


def test_a_gap_is_told_and_a_message_that_came_before_is_passed_over(talking: Callable[..., Coinbase]) -> None:
    async def script(connection: Connection) -> None:
        await begun(connection)
        await connection.tell("user", snapshot())
        await connection.tell("user", update(told(order_id="v-2")), skip=2)
        connection.number -= 1
        await connection.tell("user", update(told(order_id="v-3")))
        await connection.tell("user", update(told(order_id="v-4")))
        await connection.stay()

    heard = hear(talking(script), count(4))
    assert [event.why if isinstance(event, Lost) else getattr(event, "venue_id", "") for event in heard] == [
        FIRST,
        "2 messages are missing",
        "v-2",
        "v-4",
    ]


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("silence", "nothing was heard for 0.2 s"),
        ("no answer", "the channel `user` does not tell anything"),
        ("close", "the connection ended (ConnectionClosedOK)"),
        ("error", "the venue refuses: authentication failure"),
        ("back", "the numbers of messages go back"),
    ],
)
def test_a_connection_that_is_of_no_use_is_told_and_made_anew(
    venue: Venue, talking: Callable[..., Coinbase], how: str, why: str
) -> None:
    async def bad(connection: Connection) -> None:
        await begun(connection)
        if how == "error":
            await connection.send_raw('{"type": "error", "message": "authentication failure"}')
        elif how == "back":
            for _ in range(2):
                connection.number = 5
                for _ in range(3):
                    await connection.tell("heartbeats", {})
        elif how == "no answer":
            import asyncio

            for _ in range(60):
                await connection.tell("heartbeats", {})
                await asyncio.sleep(0.02)
        if how == "close":
            await connection.close()
        else:
            await connection.stay()

    async def good(connection: Connection) -> None:
        await begun(connection)
        await connection.tell("user", snapshot(told()))
        await connection.stay()

    silence = 0.2 if how in {"silence", "no answer"} else 5.0
    heard = hear(talking(bad, good, silence=silence), lambda events: STATE in events and isinstance(events[-1], Lost))
    lost = [event.why for event in heard if isinstance(event, Lost)]
    assert why in lost
    # what happened while there was no connection is in no message
    assert lost.index(FIRST) > lost.index(why)
    states = {event.why: event.state for event in heard if isinstance(event, Lost)}
    assert (states[why], states[FIRST]) == ("away", "back")
    assert len(venue.said) >= 4


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"cumulative_quantity": "NaN"}, "cumulative_quantity"),
        ({"cumulative_quantity": None}, "cumulative_quantity"),
        ({"status": "FILLED", "cumulative_quantity": "0"}, "cumulative_quantity"),
        ({"leaves_quantity": ""}, "leaves_quantity"),
        ({"avg_price": "0"}, "avg_price"),
        ({"total_fees": None}, "total_fees"),
        ({"order_side": "?"}, "order_side"),
    ],
)
def test_a_message_that_cannot_be_read_is_a_loss(talking: Callable[..., Coinbase], changed: dict[str, Any], named: str) -> None:
    async def script(connection: Connection) -> None:
        await begun(connection)
        await connection.tell("user", snapshot())
        await connection.tell("user", update(told(**changed)))
        await connection.send_raw("not json")
        await connection.tell("user", update(told()))
        await connection.stay()

    heard = hear(talking(script), lambda events: STATE in events)
    losses = [event.why for event in heard if isinstance(event, Lost)]
    assert [event.state for event in heard if isinstance(event, Lost)] == ["back", "gap", "gap"]
    assert f"`{named}`" in losses[1]
    assert losses[2] == "a message cannot be read: the answer is not JSON"


def test_quotes_of_what_is_watched_as_they_are(venue: Venue, talking: Callable[..., Coinbase]) -> None:
    async def script(connection: Connection) -> None:
        await begun(connection)
        await connection.tell("heartbeats", {})
        await connection.tell("ticker", ticker("BTC-USD", "10", "9"))
        await connection.tell("ticker", ticker("BTC-USD", "", "9"))
        await connection.tell("ticker", ticker("ETH-USD", "1", "2"))
        await connection.hear()
        await connection.tell("ticker", ticker("ETH-USD", "1", "3"))
        await connection.stay()

    adapter = talking(script, key=False)
    both = [product(), product(product_id="BTC-USDC", alias="BTC-USD", alias_to=[])]
    venue.on("/market/products", (200, {"products": both}))
    adapter.rules(["BTC-USD", "BTC-USDC"])
    heard = hear(adapter, count(3))
    adapter.watch(["ETH-USD"])
    heard += hear(adapter, count(1))
    assert heard == [
        Heartbeat(NOW),
        Quoted("BTC-USD", D(10), D(9), AT, NOW),
        Quoted("BTC-USDC", D(10), D(9), AT, NOW),
        Quoted("ETH-USD", D(1), D(3), AT, NOW),
    ]
    assert [(said["channel"], said["product_ids"]) for said in venue.said] == [
        ("heartbeats", []),
        ("ticker", ["BTC-USD"]),
        ("ticker", ["ETH-USD"]),
    ]
    assert all("jwt" not in said for said in venue.said)


def test_nobody_there_is_told_and_closing_ends_it(credentials: Credentials) -> None:
    import socket
    import threading

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    adapter = connect(credentials, base_url="http://127.0.0.1:1", user_url=f"ws://127.0.0.1:{port}", pause=0.01)
    heard = hear(adapter, count(1))
    assert isinstance(heard[0], Lost)
    assert heard[0].why == "no connection (ConnectionRefusedError)"
    adapter.close()
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("coinbase")] == []
    assert isinstance(adapter.events(), tuple)
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("coinbase")] == []


def test_an_inbox_nobody_empties_says_what_it_lost() -> None:
    inbox = Inbox(most=3)
    for at in range(4):
        inbox.put(Heartbeat(at))
    why = "more than 3 events that nobody fetched"
    assert inbox.take() == (Lost("orders", why, 3), Lost("market", why, 3), Heartbeat(3))
    for at in range(5):
        inbox.put(Lost("orders", "gone", at))
    assert inbox.take() == (Lost("orders", "gone", 0),)
    assert inbox.take() == ()


@pytest.mark.parametrize("said", ["", None])
def test_a_message_without_our_id_takes_none_from_an_order_of_ours(said: str | None) -> None:
    book = Book()
    message = {"timestamp": "2026-01-02T03:04:05Z", "events": [update(told())]}
    (known,) = orders_in(message, book)
    message["events"] = [update(told(client_order_id=said))]
    (after,) = orders_in(message, book)
    assert after.client_id == known.client_id != ""
    book.keep([replace(known, client_id="")])
    kept = book.of(known.venue_id)
    assert kept is not None
    assert kept.client_id == known.client_id
