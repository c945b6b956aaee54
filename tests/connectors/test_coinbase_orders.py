"""Orders at Coinbase: what is sent, and what each answer, or lack of one, becomes. Against a real server on this machine."""

from __future__ import annotations

import time
from dataclasses import replace
from decimal import Decimal
from socket import socket
from typing import Any

import jwt
import pytest
from coinbase_answers import NOW, created, declined, order, product
from scripted_venue import PREFIX, Venue, rude

from tb.connectors.coinbase import Coinbase, Credentials, connect
from tb.runtime.ports.exchange import NoAnswer, OrderState, Refusal, Request

D = Decimal
ENTRY = Request("c-1", "BTC-USD", "buy", D("0.10"), "market")
RESTING = OrderState("c-1", "v-1", "BTC-USD", "buy", D("0.5"), D(0), None, D(0), "open", NOW, form="limit", price=D("60000"))


def sent(venue: Venue, path: str = "/orders") -> Any:
    return venue.of(path)[-1].json


def test_an_order_is_sent_once_signed_and_told_by_the_venues_id(
    venue: Venue, adapter: Coinbase, credentials: Credentials
) -> None:
    venue.on("/orders", (200, created()))
    placed = adapter.place(ENTRY)
    assert placed == OrderState("c-1", "v-1", "BTC-USD", "buy", D("0.10"), D(0), None, D(0), "pending", NOW)
    (asked,) = venue.asked
    assert (asked.method, asked.headers["content-type"]) == ("POST", "application/json")
    assert asked.json == {
        "client_order_id": "c-1",
        "product_id": "BTC-USD",
        "side": "BUY",
        "order_configuration": {"market_market_ioc": {"base_size": "0.10"}},
    }
    made = asked.headers["authorization"].removeprefix("Bearer ")
    options = {"verify_exp": False, "verify_nbf": False}
    claims = jwt.decode(made, credentials.key.open().public_key(), algorithms=["ES256"], options=options)
    assert claims["uri"] == f"POST 127.0.0.1:{venue.port}{PREFIX}/orders"
    assert claims["nbf"] == NOW // 1000


BRACKET = {"limit_price": "70000", "stop_trigger_price": "55000.5"}
LEVELS: dict[str, Any] = {"stop": D("55000.5"), "target": D(70000)}
SHAPES: tuple[tuple[dict[str, Any], dict[str, Any]], ...] = (
    ({"form": "limit", "price": D("6E+4")}, {"limit_limit_gtc": {"limit_price": "60000", "post_only": False}}),
    (
        {"form": "limit", "price": D("60000.1"), "post_only": True, "expires": NOW + 1},
        {"limit_limit_gtd": {"limit_price": "60000.1", "post_only": True, "end_time": "2026-01-02T03:04:05.001Z"}},
    ),
    (
        {"form": "stop", "price": D(61000)},
        {
            "stop_limit_stop_limit_gtc": {
                "limit_price": "61000",
                "stop_price": "61000",
                "stop_direction": "STOP_DIRECTION_STOP_UP",
            }
        },
    ),
    ({"form": "bracket", "side": "sell", **LEVELS}, {"trigger_bracket_gtc": BRACKET}),
    (
        {"form": "bracket", "side": "sell", "expires": NOW, **LEVELS},
        {"trigger_bracket_gtd": {**BRACKET, "end_time": "2026-01-02T03:04:05.000Z"}},
    ),
)


@pytest.mark.parametrize(("changed", "expected"), SHAPES, ids=[next(iter(shape[1])) for shape in SHAPES])
def test_every_form_has_its_configuration(
    venue: Venue, adapter: Coinbase, changed: dict[str, Any], expected: dict[str, dict[str, Any]]
) -> None:
    venue.on("/orders", (200, created()))
    assert isinstance(adapter.place(replace(ENTRY, **changed)), OrderState)
    name, shape = next(iter(expected.items()))
    assert sent(venue)["order_configuration"] == {name: {"base_size": "0.10", **shape}}


def test_an_entry_with_stop_and_target_takes_its_bracket_along(venue: Venue, adapter: Coinbase) -> None:
    venue.on("/orders", (200, created()))
    adapter.place(replace(ENTRY, **LEVELS))
    assert sent(venue)["attached_order_configuration"] == {"trigger_bracket_gtc": BRACKET}


@pytest.mark.parametrize(("side", "limit"), [("sell", "52250.47"), ("buy", "57750.53")])
def test_a_stop_that_closes_has_a_limit_beyond_its_trigger_on_the_tick(
    venue: Venue, adapter: Coinbase, side: Any, limit: str
) -> None:
    stop = replace(ENTRY, form="stop", side=side, price=D("55000.50"), reducing=True)
    venue.on("/products", (503, {}), (200, {"products": []}), (200, {"products": [product()]}))
    assert isinstance(adapter.place(stop), NoAnswer)
    assert isinstance(adapter.place(stop), Refusal)
    assert venue.of("/orders") == []
    venue.on("/orders", (200, created()))
    adapter.place(stop)
    adapter.place(stop)
    assert len(venue.of("/products")) == 3
    assert sent(venue)["order_configuration"]["stop_limit_stop_limit_gtc"]["limit_price"] == limit


@pytest.mark.parametrize(
    "changed",
    [
        {"quantity": D("NaN")},
        {"quantity": D(0)},
        {"quantity": D("Infinity")},
        {"form": "limit"},
        {"form": "limit", "price": D(-1)},
        {"form": "bracket"},
        {"form": "market", "stop": D(1)},
        {"form": "market", "expires": NOW},
        {"form": "market", "post_only": True},
        {"client_id": ""},
    ],
)
def test_what_the_venue_has_no_words_for_is_not_sent(venue: Venue, adapter: Coinbase, changed: dict[str, Any]) -> None:
    answer = adapter.place(replace(ENTRY, **changed))
    assert isinstance(answer, Refusal)
    assert answer.code == "NOT_SENT"
    assert venue.asked == []


def test_the_venues_no_is_a_refusal_with_its_most_exact_reason(venue: Venue, adapter: Coinbase) -> None:
    venue.on(
        "/orders",
        (200, declined(error="INSUFFICIENT_FUND", message="too little", error_details="")),
        (200, declined(new_order_failure_reason="INVALID_LIMIT_PRICE_POST_ONLY", preview_failure_reason="UNKNOWN_PREVIEW")),
        (200, declined(preview_failure_reason="PREVIEW_INVALID_BASE_SIZE_TOO_SMALL")),
        (400, {"error": "INVALID_ARGUMENT", "message": "bad size", "error_details": "size"}),
    )
    assert adapter.place(ENTRY) == Refusal("INSUFFICIENT_FUND", "too little")
    assert adapter.place(ENTRY) == Refusal("INVALID_LIMIT_PRICE_POST_ONLY", "no")
    assert adapter.place(ENTRY) == Refusal("PREVIEW_INVALID_BASE_SIZE_TOO_SMALL", "no")
    assert adapter.place(ENTRY) == Refusal("INVALID_ARGUMENT", "bad size; size")


UNCLEAR: dict[str, tuple[int, Any]] = {
    "a server's error": (502, {"error": "INTERNAL", "message": "x"}),
    "401": (401, {"error": "Unauthorized", "message": "x"}),
    "408": (408, {"error": "TIMEOUT", "message": "x"}),
    "a page": (200, b"<html>maintenance</html>"),
    "a page with 403": (403, b"<html>blocked</html>"),
    "a redirect": (302, {"error": "moved"}),
    "nothing": (200, b""),
    "a list": (200, []),
    "another shape": (200, {"ok": True}),
    "success as a word": (200, {"success": "true"}),
    "no order": (200, {"success": True}),
    "no id": (200, {"success": True, "success_response": {"client_order_id": "c-1", "order_id": ""}}),
    "another's": (200, created(client_id="c-2")),
    "a refusal of no reason": (200, {"success": False}),
    "a refusal of an unknown reason": (200, declined()),
    "a refusal whose reasons are all unknown": (200, declined(preview_failure_reason="UNKNOWN_PREVIEW_FAILURE_REASON")),
    "a refusal with words alone": (200, {"success": False, "error_response": {"error": "", "message": "try again"}}),
    "a refusal of the venue's own failure": (200, declined(new_order_failure_reason="INTERNAL")),
    "an unknown error with 400": (400, {"error": "unknown", "message": "x"}),
    "a request that the venue gave up": (499, {"error": "CANCELLED", "message": "x"}),
    "a request that met another": (409, {"error": "ABORTED", "message": "x"}),
    "there already": (200, declined(new_order_failure_reason="DUPLICATE_CLIENT_ORDER_ID")),
    "there already, with 409": (409, {"error": "ALREADY_EXISTS", "message": "x"}),
    "there already, with 400": (400, {"error": "DUPLICATE_CLIENT_ORDER_ID", "message": "x"}),
    "a number that is none": (200, b'{"success": NaN}'),
}


@pytest.mark.parametrize("name", UNCLEAR)
def test_what_is_not_clear_is_no_answer_and_nothing_is_sent_again(venue: Venue, adapter: Coinbase, name: str) -> None:
    venue.on("/orders", UNCLEAR[name])
    answer = adapter.place(ENTRY)
    assert isinstance(answer, NoAnswer)
    assert answer.why
    assert answer.undone == (name == "401")  # turned away before anybody read it
    assert len(venue.asked) == 1


def test_a_401_without_words_was_turned_away_too(venue: Venue, adapter: Coinbase) -> None:
    venue.on("/orders", (401, b"Unauthorized\n"))
    answer = adapter.place(ENTRY)
    assert isinstance(answer, NoAnswer)
    assert answer.undone


def drop(connection: socket) -> None:
    """Takes the request and goes."""


def half(connection: socket) -> None:
    connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"success": true')


def drip(connection: socket) -> None:
    """A byte now and then, each well within the time limit, and no end."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    for _ in range(400):
        time.sleep(0.02)
        try:
            connection.sendall(b" ")
        except OSError:
            return


def drip_head(connection: socket) -> None:
    """The same, before there is an answer at all."""
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    for number in range(400):
        time.sleep(0.02)
        try:
            connection.sendall(b"x-%d: y\r\n" % number)
        except OSError:
            return
    connection.sendall(b"Content-Length: 2\r\n\r\n{}")


@pytest.mark.parametrize("manner", [drop, half, drip])
def test_a_connection_that_fails_is_no_answer_and_nothing_is_sent_again(credentials: Credentials, manner: Any) -> None:
    with rude(manner) as (url, heard):
        adapter = connect(credentials, base_url=url, timeout=0.5)
        answers = [
            adapter.place(ENTRY),
            adapter.cancel(RESTING),
            adapter.amend(RESTING, D(1), D(2)),
        ]
        adapter.close()
    assert [type(answer) for answer in answers] == [NoAnswer] * 3
    assert [piece.split(b" ")[1].decode().removeprefix(PREFIX) for piece in heard] == [
        "/orders",
        "/orders/batch_cancel",
        "/orders/edit",
    ]


def test_an_answer_whose_head_never_ends_is_not_waited_for(credentials: Credentials) -> None:
    with rude(drip_head) as (url, _):
        adapter = connect(credentials, base_url=url, timeout=0.3)
        answer = adapter.place(ENTRY)
        assert isinstance(answer, NoAnswer)
        assert "the connection ended before the answer did" in answer.why
        assert not answer.undone
        adapter.close()


def test_nobody_there_is_no_answer(credentials: Credentials) -> None:
    with rude(drop) as (url, _):
        pass
    adapter = connect(credentials, base_url=url, timeout=1)
    assert adapter.place(ENTRY) == NoAnswer("POST /orders: no connection", undone=True)
    assert adapter.clock() == NoAnswer("GET /time: no connection", undone=True)
    adapter.close()


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, 1000),
        ({"retry-after": "3"}, 3000),
        ({"x-ratelimit-reset": "2"}, 2000),
        ({"x-ratelimit-reset": str(NOW // 1000 + 4)}, 4000),
        ({"x-ratelimit-reset": "soon"}, 1000),
        ({"retry-after": "999999"}, 60_000),
    ],
)
def test_too_many_requests_is_no_answer_with_the_time_to_wait(
    venue: Venue, adapter: Coinbase, headers: dict[str, str], wait: int
) -> None:
    venue.on("/orders", (429, {"errors": [{"id": "rate_limit_exceeded", "message": "x"}]}, headers))
    assert adapter.place(ENTRY) == NoAnswer("POST /orders: too many requests", wait, undone=True)


def test_a_cancel_and_what_closes_go_out_while_all_else_is_held_back(venue: Venue, credentials: Credentials) -> None:
    adapter = connect(credentials, base_url=venue.url, timeout=1)
    venue.on("/orders", (429, {}, {"retry-after": "50"}))
    venue.on("/orders/batch_cancel", (200, {"results": [{"success": True, "failure_reason": "", "order_id": "v-1"}]}))
    adapter.place(ENTRY)
    held = adapter.place(ENTRY)
    assert isinstance(held, NoAnswer)
    assert held.wait is not None
    assert held.wait > 1000
    assert adapter.cancel(RESTING) is None
    venue.on("/orders", (200, created("c-2", "v-2")))
    assert isinstance(adapter.place(replace(ENTRY, client_id="c-2", side="sell", reducing=True)), OrderState)
    assert [asked.path for asked in venue.asked] == ["/orders", "/orders/batch_cancel", "/orders"]
    adapter.close()


def test_cancels(venue: Venue, adapter: Coinbase) -> None:
    def result(**changed: Any) -> tuple[int, Any]:
        return 200, {
            "results": [{"success": True, "failure_reason": "UNKNOWN_CANCEL_FAILURE_REASON", "order_id": "v-1", **changed}]
        }

    venue.on(
        "/orders/batch_cancel",
        result(),
        result(success=False, failure_reason="UNKNOWN_CANCEL_ORDER"),
        result(success=False, failure_reason="DUPLICATE_CANCEL_REQUEST"),
        result(order_id="v-2"),
        (200, {"results": []}),
    )
    assert adapter.cancel(RESTING) is None
    assert sent(venue, "/orders/batch_cancel") == {"order_ids": ["v-1"]}
    assert adapter.cancel(RESTING) == Refusal("UNKNOWN_CANCEL_ORDER", "the venue did not take up the cancel")
    assert adapter.cancel(RESTING) is None
    assert isinstance(adapter.cancel(RESTING), NoAnswer)
    assert isinstance(adapter.cancel(RESTING), NoAnswer)
    assert isinstance(adapter.cancel(replace(RESTING, venue_id="")), Refusal)


def test_a_change_sends_size_and_price(venue: Venue, adapter: Coinbase) -> None:
    failed = {"success": False, "errors": [{"edit_failure_reason": "CANNOT_EDIT_TO_BELOW_FILLED_SIZE"}]}
    venue.on("/orders/edit", (200, {"success": True}), (200, failed), (200, {"errors": []}))
    changed = adapter.amend(RESTING, D("0.4"), D("59000"))
    assert changed == replace(RESTING, quantity=D("0.4"), price=D("59000"), at=NOW)
    assert sent(venue, "/orders/edit") == {"order_id": "v-1", "size": "0.4", "price": "59000"}
    assert adapter.amend(RESTING, D("0.1"), D("59000")) == Refusal("CANNOT_EDIT_TO_BELOW_FILLED_SIZE", "")
    assert isinstance(adapter.amend(RESTING, D("0.1"), D("59000")), NoAnswer)
    assert isinstance(adapter.amend(replace(RESTING, form="bracket"), D(1), D(1)), Refusal)
    assert isinstance(adapter.amend(RESTING, D("NaN"), D(1)), Refusal)
    assert len(venue.asked) == 3


def batch(*orders: Any, cursor: str = "") -> tuple[int, Any]:
    return 200, {"orders": list(orders), "has_next": bool(cursor), "cursor": cursor, "sequence": "0"}


BATCH = "/orders/historical/batch"


def test_an_order_is_found_by_our_id_on_the_last_page(venue: Venue, adapter: Coinbase) -> None:
    others = [order(order_id=f"v-{n}", client_order_id=f"x-{n}") for n in range(2, 4)]
    venue.on(BATCH, batch(others[0], cursor="a"), batch(others[1], cursor="b"), batch(order()))
    found = adapter.find("c-1", "BTC-USD", NOW)
    assert found == OrderState(
        client_id="c-1",
        venue_id="v-1",
        instrument="BTC-USD",
        side="buy",
        quantity=D("0.50"),
        filled=D("0.20"),
        average=D("59999.123456789"),
        fees=D("12.000000005"),
        status="open",
        at=1_767_322_860_500,
        form="limit",
        price=D("60000.10"),
    )
    assert [asked.query for asked in venue.asked] == [
        [("product_ids", "BTC-USD"), ("start_date", "2026-01-02T02:59:05.000Z"), *more]
        for more in ([], [("cursor", "a")], [("cursor", "b")])
    ]


def test_an_order_whose_venues_id_is_known_is_asked_for_by_that(venue: Venue, adapter: Coinbase) -> None:
    venue.on("/orders", (200, created()))
    adapter.place(ENTRY)
    venue.on("/orders/historical/v-1", (200, {"order": order(status="FILLED")}))
    found = adapter.find("c-1", "BTC-USD", NOW)
    assert isinstance(found, OrderState)
    assert (found.status, venue.of(BATCH)) == ("filled", [])
    venue.on("/orders/historical/v-1", (200, {"order": order(client_order_id="c-2")}))
    assert isinstance(adapter.find("c-1", "BTC-USD", NOW), NoAnswer)
    venue.on("/orders/historical/v-1", (404, {"error": "NOT_FOUND", "message": "x"}))
    venue.on(BATCH, batch(order(status="OPEN")))
    found = adapter.find("c-1", "BTC-USD", NOW)
    assert isinstance(found, OrderState)
    assert found.status == "open"
    venue.on("/orders/historical/v-1", (500, {}))
    assert isinstance(adapter.find("c-1", "BTC-USD", NOW), NoAnswer)


def test_an_order_that_is_not_there_is_none_only_after_the_whole_list(venue: Venue, adapter: Coinbase) -> None:
    other = order(client_order_id="x")
    venue.on(BATCH, batch(other, cursor="a"), batch(other))
    assert adapter.find("c-1", "BTC-USD", NOW) is None
    unclear = (
        batch(other, cursor="a"),
        (200, {"orders": [other], "has_next": True, "cursor": ""}),
        (200, {"orders": None, "has_next": False}),
        (500, {}),
        batch({name: value for name, value in other.items() if name != "client_order_id"}),
        batch(order(client_order_id=None)),
        batch(order(), order(order_id="v-2")),
        (200, {"orders": [other]}),
    )
    for answer in unclear:
        venue.on(BATCH, answer)
        assert isinstance(adapter.find("c-1", "BTC-USD", NOW), NoAnswer)


def test_a_good_token_that_was_refused_is_made_anew_once_for_what_reads(venue: Venue, adapter: Coinbase) -> None:
    refused = (401, {"error": "Unauthorized", "message": "x"})
    venue.on(BATCH, refused, batch())
    assert adapter.find("c-1", "BTC-USD", NOW) is None
    tokens = [asked.headers["authorization"] for asked in venue.asked]
    assert len(set(tokens)) == 2
    venue.on(BATCH, refused)
    assert isinstance(adapter.find("c-1", "BTC-USD", NOW), NoAnswer)
    assert len(venue.asked) == 4


STATES: tuple[tuple[dict[str, Any], dict[str, Any]], ...] = (
    ({"status": "QUEUED"}, {"status": "pending"}),
    ({"status": "CANCEL_QUEUED"}, {"status": "open"}),
    ({"status": "FAILED", "reject_reason": "X", "reject_message": "words"}, {"status": "rejected", "reason": "X: words"}),
    (
        {"status": "CANCELLED", "cancel_message": "User requested cancel"},
        {"status": "cancelled", "reason": "User requested cancel"},
    ),
    ({"status": "SOMETHING_NEW"}, {"status": "unknown"}),
    ({"filled_size": "0", "average_filled_price": "0", "last_fill_time": None}, {"filled": D(0), "average": None}),
    (
        {"order_configuration": {"trigger_bracket_gtc": {"base_size": "1", "limit_price": "7", "stop_trigger_price": "5"}}},
        {"form": "bracket", "stop": D(5), "target": D(7), "price": None, "quantity": D(1)},
    ),
    (
        {"order_configuration": {"stop_limit_stop_limit_gtd": {"base_size": "1", "limit_price": "7", "stop_price": "6"}}},
        {"form": "stop", "price": D(6), "quantity": D(1)},
    ),
    (
        {"order_configuration": {"market_market_ioc": {"quote_size": "9"}}, "status": "FILLED"},
        {"form": "market", "quantity": D("0.2")},
    ),
    ({"order_configuration": {"limit_limit_gtc": {"quote_size": "9", "limit_price": "7"}}}, {"quantity": D("1.28571428")}),
)


@pytest.mark.parametrize(("changed", "expected"), STATES)
def test_the_states_of_orders(venue: Venue, adapter: Coinbase, changed: dict[str, Any], expected: dict[str, Any]) -> None:
    venue.on(BATCH, batch(order(**changed)))
    found = adapter.find("c-1", "BTC-USD", NOW)
    assert isinstance(found, OrderState)
    assert {name: getattr(found, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"filled_size": "NaN"}, "filled_size"),
        ({"filled_size": "-1"}, "filled_size"),
        ({"filled_size": None}, "filled_size"),
        ({"filled_size": True}, "filled_size"),
        ({"average_filled_price": "0"}, "average_filled_price"),
        ({"status": "FILLED", "filled_size": "0"}, "filled_size"),
        ({"total_fees": "Infinity"}, "total_fees"),
        ({"total_fees": ""}, "total_fees"),
        ({"side": "UNKNOWN_ORDER_SIDE"}, "side"),
        ({"status": ""}, "status"),
        ({"order_id": 7}, "order_id"),
        ({"created_time": "yesterday"}, "created_time"),
        ({"order_configuration": {"market_market_ioc": {"quote_size": "9"}}}, "base_size"),
        ({"order_configuration": {"something_new": {}}}, "order_configuration"),
        ({"order_configuration": None}, "order_configuration"),
    ],
)
def test_an_order_that_lacks_something_is_no_answer_that_names_it(
    venue: Venue, adapter: Coinbase, changed: dict[str, Any], named: str
) -> None:
    venue.on(BATCH, batch(order(**changed)))
    for answer in (adapter.find("c-1", "BTC-USD", NOW), adapter.open_orders()):
        assert isinstance(answer, NoAnswer)
        assert f"`{named}`" in answer.why


def test_open_orders_are_those_on_their_way_and_those_that_rest(venue: Venue, adapter: Coinbase) -> None:
    opened = order(order_id="v-2", client_order_id="", created_time="2026-01-02T02:00:00Z", last_fill_time=None)
    venue.on(BATCH, batch({**opened, "status": "PENDING"}), batch(order(), opened))
    found = adapter.open_orders()
    assert isinstance(found, tuple)
    assert [(state.venue_id, state.client_id, state.status) for state in found] == [("v-2", "", "open"), ("v-1", "c-1", "open")]
    statuses = [[value for name, value in asked.query if name == "order_status"] for asked in venue.asked]
    assert statuses == [["PENDING", "QUEUED", "CANCEL_QUEUED", "EDIT_QUEUED"], ["OPEN"]]


def test_a_bracket_that_came_along_has_the_size_of_its_entry(venue: Venue, adapter: Coinbase) -> None:
    shape = {"trigger_bracket_gtc": {"limit_price": "7", "stop_trigger_price": "5"}}
    child = order(order_id="v-2", client_order_id="", order_configuration=shape, originating_order_id="v-1", filled_size="0")
    venue.on(BATCH, batch(child), batch(order()), batch())
    orders = adapter.open_orders()
    assert isinstance(orders, tuple)
    found = orders[0]
    assert (found.venue_id, found.quantity, found.stop, found.target) == ("v-2", D("0.50"), D(5), D(7))
    assert venue.asked[1].query == [("order_ids", "v-1")]
    venue.on(BATCH, batch(order(**{**child, "order_id": "v-4", "originating_order_id": "v-3"})), batch())
    assert isinstance(adapter.open_orders(), NoAnswer)
