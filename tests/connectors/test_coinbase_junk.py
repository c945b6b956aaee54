"""Whatever a venue answers, no method raises, and no number comes out that is none.

Answers are good ones with one place changed. They come from within the process: there are a thousand of them.
"""

from __future__ import annotations

import copy
import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import fields, is_dataclass
from decimal import Decimal
from typing import Any

import httpx
import pytest
from coinbase_answers import NOW, account, candle, created, declined, fill, order, product
from hypothesis import given, settings
from hypothesis import strategies as st
from made_keys import secret_words
from scripted_venue import PREFIX, Connection, Venue

from tb.connectors.coinbase import Coinbase, Credentials, connect
from tb.connectors.coinbase.book import Book
from tb.connectors.coinbase.messages import orders_in, quotes_in
from tb.connectors.coinbase.wire import Unreadable
from tb.core.redaction import forget_secrets
from tb.core.time import HOUR
from tb.runtime.ports.exchange import NoAnswer, OrderState, Refusal, Request

D = Decimal
ENTRY = Request("c-1", "BTC-USD", "buy", D("0.10"), "market")
RESTING = OrderState("c-1", "v-1", "BTC-USD", "buy", D(1), D(0), None, D(0), "open", NOW, form="limit", price=D(1))
LEVEL = {"price": "10", "size": "1"}
QUOTE = {"product_id": "BTC-USD", "bids": [LEVEL], "asks": [LEVEL], "time": "2026-01-02T03:04:04Z"}
PAGE = {"has_next": False, "cursor": ""}
BATCH, FILLS, CANDLES = "/orders/historical/batch", "/orders/historical/fills", "/products/BTC-USD/candles"

CASES: dict[str, tuple[str, Any, Callable[[Coinbase], Any]]] = {
    "place": ("/orders", created(), lambda venue: venue.place(ENTRY)),
    "refused": ("/orders", declined(error="X"), lambda venue: venue.place(ENTRY)),
    "amend": (
        "/orders/edit",
        {"success": False, "errors": [{"edit_failure_reason": "X"}]},
        lambda venue: venue.amend(RESTING, D(1), D(1)),
    ),
    "cancel": (
        "/orders/batch_cancel",
        {"results": [{"success": False, "failure_reason": "X", "order_id": "v-1"}]},
        lambda venue: venue.cancel(RESTING),
    ),
    "find": (BATCH, {"orders": [order()], **PAGE}, lambda venue: venue.find("c-1", "BTC-USD", NOW)),
    "open": (BATCH, {"orders": [order()], **PAGE}, lambda venue: venue.open_orders()),
    "fills": (FILLS, {"fills": [fill(order_id="v-1")], "cursor": ""}, lambda venue: venue.fills(0)),
    "balances": ("/accounts", {"accounts": [account("USD", "1", "2")], **PAGE}, lambda venue: venue.balances()),
    "rules": ("/products", {"products": [product()]}, lambda venue: venue.rules(["BTC-USD"])),
    "candles": (CANDLES, {"candles": [candle(3600)]}, lambda venue: venue.candles("BTC-USD", HOUR, 0, 5 * HOUR)),
    "quotes": ("/best_bid_ask", {"pricebooks": [QUOTE]}, lambda venue: venue.quotes(["BTC-USD"])),
    "clock": ("/time", {"epochMillis": str(NOW)}, lambda venue: venue.clock()),
}
TEXTS = (
    "",
    "x",
    "NaN",
    "Infinity",
    "-Infinity",
    "1e999999",
    "-1",
    "0",
    "9" * 40 + "." + "9" * 40,
    "1e99",
    "1e-99",
    "\ud800",
    "\x00/?",
)
OTHERS: tuple[Any, ...] = (None, True, 10**30, -1, 0, 1.5, [], {}, [[]], [None], {"value": "NaN"})
JUNK = st.sampled_from((*TEXTS, *OTHERS, "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "y" * 70_000))


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place of a document, the whole first."""
    yield at
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from places(inner, (*at, key))


def changed(document: Any, at: tuple[Any, ...], junk: Any) -> Any:
    if not at:
        return junk
    made = copy.deepcopy(document)
    inner = made
    for key in at[:-1]:
        inner = inner[key]
    inner[at[-1]] = junk
    return made


def numbers(value: Any) -> Iterator[Decimal]:
    if isinstance(value, Decimal):
        yield value
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from numbers(getattr(value, field.name))
    elif isinstance(value, tuple | list):
        for inner in value:
            yield from numbers(inner)
    elif isinstance(value, dict):
        yield from numbers(list(value.values()))


@pytest.mark.parametrize("name", CASES)
def test_no_answer_makes_the_adapter_raise(credentials: Credentials, name: str) -> None:
    path, document, call = CASES[name]
    answers = {"/time": {"epochMillis": str(NOW)}, BATCH: {"orders": [order()], **PAGE}}

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=json.dumps(answers[request.url.path.removeprefix(PREFIX)]).encode())

    adapter = connect(credentials, base_url="https://venue.example", timeout=5)
    adapter._transport.client = httpx.Client(base_url="https://venue.example", transport=httpx.MockTransport(answer))
    adapter._transport.private.rooms = adapter._transport.public.rooms = (1_000_000,)

    @settings(max_examples=100, deadline=None)
    @given(st.sampled_from(list(places(document))), JUNK)
    def check(at: tuple[Any, ...], junk: Any) -> None:
        answers[path] = changed(document, at, junk)
        found = call(adapter)
        assert found is None or isinstance(found, NoAnswer | Refusal | OrderState | tuple | dict | int)
        assert all(number.is_finite() for number in numbers(found))
        if isinstance(found, OrderState):  # whatever its id is: it can be asked for
            answers[f"/orders/historical/{found.venue_id}"] = {"order": order(order_id=found.venue_id)}
            adapter.find(found.client_id, "BTC-USD", NOW)

    check()
    adapter.close()


MESSAGE = {
    "channel": "user",
    "timestamp": "2026-01-02T03:04:05.123456789Z",
    "sequence_num": 1,
    "events": [
        {
            "type": "update",
            "orders": [
                {
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
                }
            ],
            "tickers": [{"product_id": "BTC-USD", "best_bid": "1", "best_ask": "2"}],
        }
    ],
}


@given(st.sampled_from(list(places(MESSAGE))[1:]), JUNK)
def test_no_message_makes_the_stream_raise_anything_but_what_it_tells(at: tuple[Any, ...], junk: Any) -> None:
    message = json.loads(json.dumps(changed(MESSAGE, at, junk)), parse_float=Decimal)
    for read in (lambda: orders_in(message, Book()), lambda: quotes_in(message, NOW, lambda name: [name])):
        with suppress(Unreadable):
            assert all(number.is_finite() for number in numbers(list(read())))


def test_many_threads_at_once(venue: Venue, adapter: Coinbase) -> None:
    venue.on("/orders", lambda asked: (200, created(asked.json["client_order_id"], f"v-{asked.json['client_order_id']}")))
    adapter._transport.private.rooms = (1_000_000,)
    answers: list[Any] = []

    def place(first: int) -> None:
        requests = (Request(f"c-{number}", "BTC-USD", "buy", D(1), "market") for number in range(first, first + 10))
        answers.extend(map(adapter.place, requests))

    threads = [threading.Thread(target=place, args=(first,)) for first in range(0, 80, 10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.venue_id for answer in answers} == {f"v-c-{number}" for number in range(80)}
    assert sorted(asked.json["client_order_id"] for asked in venue.asked) == sorted(f"c-{number}" for number in range(80))
    adapter.close()
    assert adapter.place(ENTRY) == NoAnswer("POST /orders: the adapter was closed")


def test_nothing_of_a_key_or_token_is_in_any_log(
    venue: Venue, credentials: Credentials, pem: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def script(connection: Connection) -> None:
        await connection.hear()
        await connection.hear()
        await connection.tell("user", {"type": "snapshot", "orders": []})
        await connection.stay()

    forget_secrets()  # nothing is taken out afterwards: it must not have been there
    venue.sockets = [script]
    venue.on("/orders", (200, created()), (500, {}))
    with caplog.at_level(logging.DEBUG):
        adapter = connect(credentials, base_url=venue.url, market_url=venue.ws, user_url=venue.ws)
        answers = [adapter.place(ENTRY), adapter.place(ENTRY), adapter.balances()]
        while not (heard := adapter.events()):
            pass
        adapter.close()
    told = "\n".join([*(record.getMessage() for record in caplog.records), repr(answers), repr(heard), repr(adapter.__dict__)])
    assert "httpcore" in {record.name.split(".")[0] for record in caplog.records}  # that the log is on, as loud as it gets
    tokens = [asked.headers["authorization"].removeprefix("Bearer ") for asked in venue.asked]
    tokens += [said["jwt"] for said in venue.said]
    assert len(tokens) == 5
    assert [word for word in [*tokens, *(one.split(".")[2] for one in tokens), *secret_words(pem)] if word in told] == []
