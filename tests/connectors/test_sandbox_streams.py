"""The sandbox over WebSocket: who may subscribe, what each channel tells, numbers, heartbeats, and faults of the stream."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from sandbox_client import HOUR, START, Client, rising, token
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tb.connectors.sandbox.recording import series_of
from tb.connectors.sandbox.server import Sandbox

MINUTE = 60_000


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    series = {"BTC-USD": rising(), "ETH-USD": rising(symbol="ETH-USD", first=10)}
    with Sandbox(series, start=START + 50 * HOUR, heartbeat=3_600, legacy=True) as running:
        yield running


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Client]:
    with httpx.Client() as http:
        yield Client(sandbox, http, sandbox.key)


class Listener:
    """A connection that keeps count of the numbers it saw."""

    def __init__(self, sandbox: Sandbox, socket: ClientConnection) -> None:
        self.sandbox, self.socket, self.numbers = sandbox, socket, list[int]()

    def subscribe(self, channel: str, *products: str, kind: str = "subscribe", **more: Any) -> None:
        message = {
            "type": kind,
            "product_ids": list(products),
            "channel": channel,
            "jwt": token(self.sandbox.key, None),
            **more,
        }
        self.socket.send(json.dumps({name: value for name, value in message.items() if value is not None}))

    def next(self) -> Any:
        message = json.loads(self.socket.recv(timeout=10))
        if "sequence_num" in message:
            self.numbers.append(message["sequence_num"])
        return message

    def of(self, channel: str) -> Any:
        """The next message of a channel."""
        while True:
            message = self.next()
            if message.get("channel", message.get("type")) == channel:
                return message

    def begin(self, channel: str, *products: str) -> Any:
        """Subscribes; the first message of the channel, after the subscription is confirmed."""
        self.subscribe(channel, *products)
        first = self.next()
        if first["channel"] != "subscriptions":
            assert channel in self.next()["events"][0]["subscriptions"]
        return first


@contextmanager
def listening(sandbox: Sandbox, path: str = "") -> Iterator[Listener]:
    with connect(sandbox.ws_url + path, open_timeout=10) as socket:
        yield Listener(sandbox, socket)


# who may


def test_the_user_channel_asks_for_proof_and_others_do_not(sandbox: Sandbox) -> None:
    uri = f"GET {sandbox.base_url.split('//')[1]}/api/v3/brokerage/accounts"
    wrong: tuple[Any, ...] = (None, "x.y.z", token(sandbox.key, uri), token(sandbox.key, None, exp=1, nbf=0))
    with listening(sandbox) as one:
        for proof in wrong:
            one.subscribe("user", jwt=proof)
            assert one.next() == {"type": "error", "message": "authentication failure"}
        one.subscribe("ticker", "BTC-USD", jwt="x.y.z")
        assert one.next()["message"] == "authentication failure"
        one.subscribe("ticker", "BTC-USD", jwt=None)
        assert one.next()["channel"] == "ticker"
    with listening(sandbox, "/user") as other:
        assert other.begin("user")["channel"] == "user"
        assert other.numbers == [0, 1]


def test_the_old_scheme_signs_time_channel_and_products(sandbox: Sandbox) -> None:
    key, stamp = sandbox.keys["HMAC"], str(int(time.time()))
    signed = hmac.new(key.secret.encode(), f"{stamp}userBTC-USD".encode(), hashlib.sha256).hexdigest()
    with listening(sandbox) as one:
        one.subscribe("user", "BTC-USD", jwt=None, api_key=key.name, timestamp=stamp, signature="0" * 64)
        assert one.next()["message"] == "authentication failure"
        one.subscribe("user", "BTC-USD", jwt=None, api_key=key.name, timestamp=stamp, signature=signed)
        assert one.next()["channel"] == "user"


def test_messages_that_are_none_and_channels_that_are_not_there(sandbox: Sandbox) -> None:
    with listening(sandbox) as one:
        one.socket.send("no json")
        assert one.next()["message"] == "failed to parse message"
        one.socket.send("[]")
        assert one.next()["message"] == "failed to parse message"
        one.subscribe("ticker", "BTC-USD", kind="order")
        assert one.next()["message"] == "unknown message type"
        for channel, words in (
            ("tickers", "unknown channel"),
            ("futures_balance_summary", "no futures"),
            ("candles", "no bars of 5 minutes"),
        ):
            one.subscribe(channel, "BTC-USD")
            assert words in one.next()["message"]
        one.subscribe("ticker", "XXX-USD")
        assert one.next()["message"] == "unknown product XXX-USD"


def test_who_does_not_subscribe_is_disconnected(sandbox: Sandbox) -> None:
    sandbox.streams.first = 0.05
    with listening(sandbox) as one, pytest.raises(ConnectionClosed):
        one.next()


# what is told


def test_orders_are_told_in_sums(client: Client) -> None:
    with listening(client.sandbox) as one:
        client.place("resting", shape="limit_limit_gtc", base_size="1", limit_price="50")
        snapshot = one.begin("user", "BTC-USD")["events"][0]
        assert (snapshot["type"], [order["client_order_id"] for order in snapshot["orders"]]) == ("snapshot", ["resting"])
        client.place("other", product="ETH-USD", shape="limit_limit_gtc", base_size="1", limit_price="5")
        client.sandbox.fault("partial-fill", share=0.25)
        client.place("entry", shape="limit_limit_gtc", base_size="4", limit_price="149")
        client.sandbox.step()
        told = [one.of("user")["events"][0]["orders"][0] for _ in range(4)]
        assert [(order["client_order_id"], order["status"], order["cumulative_quantity"]) for order in told] == [
            ("entry", "PENDING", "0"),
            ("entry", "OPEN", "0"),
            ("entry", "OPEN", "1"),
            ("entry", "FILLED", "4"),
        ]
        last = told[-1]
        assert (last["leaves_quantity"], last["avg_price"], last["number_of_fills"]) == ("0", "149", "2")
        assert last["total_fees"] == client.order("entry")["total_fees"]
        assert one.numbers == list(range(len(one.numbers)))


def test_tickers_tell_what_is_new_and_when_it_was(client: Client) -> None:
    with listening(client.sandbox) as one:
        first = one.begin("ticker", "BTC-USD", "ETH-USD")
        assert first["timestamp"] == "2023-11-17T00:00:00.000000Z"
        ticks = first["events"][0]["tickers"]
        assert [(tick["product_id"], tick["price"], tick["best_bid"], tick["best_ask"]) for tick in ticks] == [
            ("BTC-USD", "150", "149.92", "150.08"),
            ("ETH-USD", "60", "59.97", "60.03"),
        ]
        assert (ticks[0]["low_24_h"], ticks[0]["high_24_h"], ticks[0]["volume_24_h"]) == ("124", "152", "240")
        client.sandbox.step()
        assert [tick["price"] for tick in one.of("ticker")["events"][0]["tickers"]] == ["151", "61"]
        client.sandbox.advance_to(START + 5_000 * HOUR)
        end = one.of("ticker")
        assert end["timestamp"] == "2023-11-23T06:00:00.000000Z"  # the recording's end, not the simulated now
        client.sandbox.advance(HOUR)
        one.subscribe("ticker", "ETH-USD", kind="unsubscribe")
        assert one.next()["events"][0]["subscriptions"] == {"ticker": ["BTC-USD"]}  # nothing new was told in between


def test_books_trades_status_and_batches(client: Client) -> None:
    with listening(client.sandbox) as one:
        book = one.begin("level2", "BTC-USD")
        assert book["channel"] == "l2_data"
        assert len(book["events"][0]["updates"]) == 20
        assert one.begin("status", "BTC-USD")["events"][0]["products"][0]["id"] == "BTC-USD"
        assert one.begin("market_trades", "BTC-USD")["events"][0]["trades"][0]["price"] == "150"
        client.sandbox.desk.steady = lambda: 100.0
        assert one.begin("ticker_batch", "ETH-USD")["channel"] == "ticker_batch"
        levels = {(one["side"], one["price_level"]): one["new_quantity"] for one in book["events"][0]["updates"]}
        client.sandbox.step()
        for change in one.of("l2_data")["events"][0]["updates"]:
            levels[change["side"], change["price_level"]] = change["new_quantity"]
        there = {key: size for key, size in levels.items() if size != "0"}
        shown = client.get("/product_book", product_id="BTC-USD", limit=50)["pricebook"]
        assert there == {
            **{("bid", level["price"]): level["size"] for level in shown["bids"]},
            **{("offer", level["price"]): level["size"] for level in shown["asks"]},
        }
        assert one.of("ticker_batch")["events"][0]["tickers"][0]["price"] == "61"
        client.sandbox.step()  # no five seconds have passed
        assert [one.next()["channel"] for _ in range(2)] == ["l2_data", "market_trades"]


def test_candles_where_the_recording_is_fine_enough() -> None:
    bars = [(100 + n, 102 + n, 99 + n, 101 + n, 1.0) for n in range(60)]
    series = {"BTC-USD": series_of("BTC-USD", MINUTE, START, bars)}
    with Sandbox(series, start=START + 12 * MINUTE, heartbeat=3_600) as sandbox, listening(sandbox) as one:
        first = one.begin("candles", "BTC-USD")["events"][0]["candles"]
        assert [(candle["open"], candle["volume"]) for candle in first] == [("110", "2"), ("105", "5"), ("100", "5")]
        sandbox.step()
        assert [candle["volume"] for candle in one.of("candles")["events"][0]["candles"]] == ["3"]


def test_heartbeats_count() -> None:
    with Sandbox({"BTC-USD": rising()}, heartbeat=0.02) as sandbox, listening(sandbox) as one:
        one.subscribe("heartbeats")
        counters = [one.of("heartbeats")["events"][0]["heartbeat_counter"] for _ in range(3)]
        assert counters == ["1", "2", "3"]
        assert one.numbers == list(range(len(one.numbers)))


# faults


def test_gaps_repeats_silence_and_doubles(client: Client) -> None:
    with listening(client.sandbox) as one:
        one.begin("user")
        client.sandbox.fault("gap", on="user")
        client.place("a", shape="limit_limit_gtc", base_size="1", limit_price="50")
        assert (one.next()["events"][0]["orders"][0]["status"], one.numbers) == ("OPEN", [0, 1, 3])
        client.sandbox.fault("repeat", on="user-stream")
        client.place("b", shape="limit_limit_gtc", base_size="1", limit_price="50")
        assert [one.next()["sequence_num"] for _ in range(3)] == [4, 4, 5]
        client.sandbox.fault("silent", on="user", times=2)
        client.place("c", shape="limit_limit_gtc", base_size="1", limit_price="50")
        client.sandbox.fault("answer-twice", on="user", times=1)
        client.place("d", shape="limit_limit_gtc", base_size="1", limit_price="50")
        told = [one.next() for _ in range(3)]
        assert [message["sequence_num"] for message in told] == [6, 7, 8]
        assert told[0]["events"] == told[1]["events"]
        assert told[0]["events"][0]["orders"][0]["client_order_id"] == "d"


def test_a_connection_that_is_cut_and_one_that_is_refused(client: Client) -> None:
    with listening(client.sandbox) as user, listening(client.sandbox) as market:
        user.begin("user")
        market.begin("ticker", "BTC-USD")
        client.sandbox.fault("disconnect", on="market-stream")
        client.sandbox.step()
        with pytest.raises(ConnectionClosed) as closed:
            market.next()
        assert closed.value.rcvd is None  # without a word
        client.place("a", shape="limit_limit_gtc", base_size="1", limit_price="50")
        assert user.next()["channel"] == "user"
    client.sandbox.fault("refuse-stream")
    with pytest.raises(InvalidStatus), listening(client.sandbox):
        pass
    with listening(client.sandbox) as again:
        assert again.begin("ticker", "BTC-USD")["channel"] == "ticker"


def test_stale_quotes_on_the_stream_keep_their_time(client: Client) -> None:
    with listening(client.sandbox) as one:
        first = one.begin("ticker", "BTC-USD")
        client.sandbox.fault("stale-quotes", on="BTC-USD", times=2)
        client.sandbox.fault("crossed-quotes", on="BTC-USD", after=2)
        client.sandbox.step()
        client.sandbox.step()
        client.sandbox.step()
        crossed = one.of("ticker")
        tick = crossed["events"][0]["tickers"][0]
        assert tick["price"] == "153"
        assert float(tick["best_bid"]) > float(tick["best_ask"])
        assert first["events"][0]["tickers"][0]["price"] == "150"


def test_an_unauthorized_subscription_on_command(client: Client) -> None:
    with listening(client.sandbox) as one:
        client.sandbox.fault("unauthorized", on="user")
        one.subscribe("user")
        assert one.next()["message"] == "authentication failure"
        assert one.begin("user")["channel"] == "user"
        noted = [note for note in client.sandbox.requests() if note["method"] == "WS"]
        assert [note["status"] for note in noted] == ["authentication failure", "ok"]
        assert "jwt" not in noted[0]["body"]
        assert set(noted[0]["token"]["claims"]) == {"sub", "iss", "nbf", "exp"}
