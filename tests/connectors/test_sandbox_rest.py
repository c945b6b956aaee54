"""The sandbox over HTTP: proof of who asks, lists and pages, faults around requests, its own commands."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import ssl
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sandbox_client import HOUR, PREFIX, START, Client, rising, token

from tb.connectors.sandbox.keys import Key, make_key, write_key
from tb.connectors.sandbox.product import product_named
from tb.connectors.sandbox.server import Sandbox, first_instant
from tb.core.diagnostics import Refused

LIMIT = {"limit_limit_gtc": {"base_size": "1", "limit_price": "50"}}


@pytest.fixture(scope="module")
def shared() -> Iterator[Sandbox]:
    with Sandbox({"BTC-USD": rising()}, legacy=True, start=START + 50 * HOUR) as running:
        yield running


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    series = {"BTC-USD": rising(), "ETH-USD": rising(symbol="ETH-USD", first=10)}
    with Sandbox(series, start=START + 50 * HOUR) as running:
        yield running


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Client]:
    with httpx.Client() as http:
        yield Client(sandbox, http, sandbox.key)


def asked(
    sandbox: Sandbox, authorization: str | None, path: str = "/accounts", method: str = "GET", **headers: str
) -> httpx.Response:
    sent = dict(headers) if authorization is None else {"Authorization": authorization, **headers}
    return httpx.request(method, sandbox.base_url + PREFIX + path, headers=sent)


# proof


@pytest.mark.parametrize("kind", ["ES256", "EdDSA"])
@pytest.mark.parametrize("dialect", ["sdk", "ccxt", "uris"])
def test_tokens_of_the_dialects_are_good(shared: Sandbox, kind: Any, dialect: str) -> None:
    key, uri = shared.keys[kind], f"GET {shared.base_url.split('//')[1]}{PREFIX}/accounts"
    ccxt = {
        "iss": "coinbase-cloud",
        "aud": ["retail_rest_api_proxy"],
        "iat": int(time.time()),
        "uri": uri.replace("127", "http://127"),
    }
    claims: dict[str, Any] = {"sdk": {}, "ccxt": ccxt, "uris": {"aud": ["cdp_service"], "uri": None, "uris": [uri]}}[dialect]
    assert asked(shared, f"Bearer {token(key, uri, **claims)}", "/accounts?limit=5").status_code == 200


BAD_CLAIMS: tuple[dict[str, Any], ...] = (
    {"uri": "GET 127.0.0.1:1/api/v3/brokerage/accounts"},
    {"uri": None},
    {"uri": 7},
    {"iss": "somebody"},
    {"iss": None},
    {"aud": ["others"]},
    {"sub": "another key"},
    {"exp": None},
    {"exp": "later"},
)


@pytest.mark.parametrize("claims", BAD_CLAIMS, ids=str)
def test_tokens_that_do_not_hold(shared: Sandbox, claims: dict[str, Any]) -> None:
    uri = f"GET {shared.base_url.split('//')[1]}{PREFIX}/accounts"
    assert asked(shared, f"Bearer {token(shared.key, uri)}").status_code == 200
    assert asked(shared, f"Bearer {token(shared.key, uri, **claims)}").status_code == 401


@pytest.mark.parametrize(("begins", "ends"), [(-180, -60), (60, 180), (0, 3_600)])
def test_tokens_of_another_time(shared: Sandbox, begins: int, ends: int) -> None:
    now, uri = int(time.time()), f"GET {shared.base_url.split('//')[1]}{PREFIX}/accounts"
    late = token(shared.key, uri, nbf=now + begins, exp=now + ends)
    assert asked(shared, f"Bearer {late}").status_code == 401
    near = token(shared.key, uri, nbf=now - 110, exp=now + 10)
    assert asked(shared, f"Bearer {near}").status_code == 200


@pytest.mark.parametrize(
    ("nonce", "status"), [("7" * 64, 200), ("e11bf4ce8f463afd1e5b8d9d7598", 200), ("7" * 15, 401), ("", 401), ("x" * 64, 401)]
)
def test_the_nonce_of_a_token(shared: Sandbox, nonce: str, status: int) -> None:
    uri = f"GET {shared.base_url.split('//')[1]}{PREFIX}/accounts"
    assert asked(shared, f"Bearer {token(shared.key, uri, nonce=nonce)}").status_code == status


def test_other_keys_other_methods_and_no_token_at_all(shared: Sandbox) -> None:
    host = shared.base_url.split("//")[1]
    uri = f"GET {host}{PREFIX}/accounts"
    stranger = make_key("ES256")
    named = Key(shared.key.name, "ES256", stranger.secret)
    with_query = token(shared.key, f"{uri}?limit=5")
    for wrong in (
        token(stranger, uri),
        token(named, uri),
        token(shared.key, uri.replace("GET", "POST")),
        with_query,
        "x.y.z",
        "x",
    ):
        assert asked(shared, f"Bearer {wrong}", "/accounts?limit=5").status_code == 401
    assert asked(shared, None).status_code == 401
    for public in ("/time", "/market/products", "/market/products/BTC-USD", "/market/product_book?product_id=BTC-USD"):
        assert asked(shared, None, public).status_code == 200


def test_the_old_scheme_where_it_is_allowed(shared: Sandbox, sandbox: Sandbox) -> None:
    key, stamp = shared.keys["HMAC"], str(int(time.time()))

    def headers(path: str, at: str = stamp) -> dict[str, str]:
        signed = hmac.new(key.secret.encode(), f"{at}GET{PREFIX}{path}".encode(), hashlib.sha256).hexdigest()
        return {"CB-ACCESS-KEY": key.name, "CB-ACCESS-SIGN": signed, "CB-ACCESS-TIMESTAMP": at}

    assert asked(shared, None, "/accounts?limit=3", **headers("/accounts")).status_code == 200
    assert asked(shared, None, "/accounts", **headers("/orders")).status_code == 401
    assert asked(shared, None, "/accounts", **headers("/accounts", "1700000000")).status_code == 401
    assert asked(sandbox, None, "/accounts", **headers("/accounts")).status_code == 401
    assert "HMAC" not in sandbox.keys


def test_no_secret_is_shown(shared: Sandbox) -> None:
    uri = f"GET {shared.base_url.split('//')[1]}{PREFIX}/accounts"
    sent = token(shared.key, uri)
    asked(shared, f"Bearer {sent}")
    told = json.dumps(shared.requests()) + json.dumps(shared.state()) + repr(shared.keys) + repr(shared.desk)
    assert sent not in told
    assert sent.split(".")[2] not in told
    for key in shared.keys.values():
        assert key.secret not in told
        assert key.secret.splitlines()[1 if "\n" in key.secret else 0] not in told
    assert shared.requests()[-1]["token"]["claims"]["uri"] == uri


def test_key_files_are_private_and_overwrite_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    first, second = make_key("ES256"), make_key("EdDSA")
    write_key(first, path)
    write_key(second, path)
    assert json.loads(path.read_text())["name"] == second.name
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    real = tmp_path / "real.json"
    for text in ('{"name": "n", "privateKey": "p"}', "no json", "[]"):
        real.write_text(text)
        with pytest.raises(Refused, match="no sandbox wrote it"):
            write_key(first, real)
        assert real.read_text() == text
    with pytest.raises(Refused, match="cannot be written"):
        write_key(first, tmp_path / "no" / "key.json")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["key.json", "real.json"]


def test_over_tls_with_its_own_certificate() -> None:
    with Sandbox({"BTC-USD": rising()}, tls=True) as sandbox:
        assert sandbox.ca_file is not None
        folder = sandbox.ca_file.parent
        assert [one.name for one in folder.iterdir()] == ["certificate.pem"]  # the private key is in memory alone
        context = ssl.create_default_context(cafile=str(sandbox.ca_file))
        with httpx.Client(verify=context) as http:
            assert Client(sandbox, http, sandbox.key).get("/products")["num_products"] == 1
        with pytest.raises(httpx.ConnectError), httpx.Client() as stranger:
            stranger.get(sandbox.base_url + PREFIX + "/time")
    assert not folder.exists()


# orders and lists


def test_an_order_from_placing_to_its_fill(client: Client) -> None:
    made = client.place("one", shape="limit_limit_gtc", base_size="1", limit_price="149")
    assert made["success"] is True
    assert made["order_configuration"] == {"limit_limit_gtc": {"base_size": "1", "limit_price": "149"}}
    assert client.order("one")["status"] == "OPEN"
    client.sandbox.step()
    shown = client.get(f"/orders/historical/{made['success_response']['order_id']}")["order"]
    assert (shown["status"], shown["filled_size"], shown["average_filled_price"]) == ("FILLED", "1", "149")
    assert shown["completion_percentage"] == "100"
    fill = client.get("/orders/historical/fills", order_ids=[shown["order_id"]])["fills"][0]
    assert (fill["price"], fill["size"], fill["liquidity_indicator"], fill["commission"]) == ("149", "1", "MAKER", "0.596")
    accounts = {one["currency"]: one["available_balance"]["value"] for one in client.get("/accounts")["accounts"]}
    assert accounts == {"USD": "9850.404", "BTC": "1", "ETH": "0"}


def test_the_same_order_again_is_the_earlier_one(client: Client) -> None:
    first, second = (client.buy("one", size) for size in ("1", "2"))
    assert first["success_response"] == second["success_response"]
    state = client.sandbox.state()
    assert (state["arrivals"], state["created"], len(state["orders"])) == ({"one": 2}, {"one": 1}, 1)


def test_refusals_are_answers_and_malformed_bodies_are_errors(client: Client) -> None:
    refused = client.buy("big", "10000")
    assert refused["success"] is False
    assert refused["error_response"]["error"] == "INSUFFICIENT_FUND"
    good = {"client_order_id": "x", "product_id": "BTC-USD", "side": "BUY", "order_configuration": LIMIT}
    changes: tuple[dict[str, Any], ...] = (
        {"product_id": "XXX-USD"},
        {"side": "buy"},
        {"client_order_id": ""},
        {"client_order_id": 7},
        {"order_configuration": {}},
        {"colour": "red"},
        {"attached_order_configuration": LIMIT},
    )
    for change in changes:
        answer = client.ask("POST", "/orders", {**good, **change})
        assert (answer.status_code, answer.json()["error"]) == (400, "INVALID_ARGUMENT"), change
    assert client.ask("POST", "/orders", [1]).status_code == 400
    assert client.sandbox.state()["orders"] == []
    assert client.ask("GET", "/orders/historical/nobody").status_code == 404
    assert client.ask("GET", "/products/XXX-USD").status_code == 404


def test_cancel_edit_and_preview(client: Client) -> None:
    ids = [client.place(f"o{n}", configuration=LIMIT)["success_response"]["order_id"] for n in range(2)]
    assert client.post("/orders/edit", {"order_id": ids[0], "size": "2", "price": "60"})["success"] is True
    assert client.order("o0")["edit_history"][0]["price"] == "60"
    missing = client.post("/orders/edit", {"order_id": ids[0], "price": "61"})
    assert missing["errors"][0]["edit_failure_reason"] == "INVALID_EDITED_SIZE"  # what is left out counts as 0
    assert client.post("/orders/edit_preview", {"order_id": ids[0], "size": "2", "price": "61"})["errors"] == []
    results = client.post("/orders/batch_cancel", {"order_ids": [*ids, "nobody"]})["results"]
    assert [one["success"] for one in results] == [True, True, False]
    assert results[2]["failure_reason"] == "UNKNOWN_CANCEL_ORDER"
    assert {one["status"] for one in client.orders()} == {"CANCELLED"}
    body = {"product_id": "BTC-USD", "side": "BUY", "order_configuration": {"market_market_ioc": {"base_size": "10"}}}
    seen = client.post("/orders/preview", body)
    assert (seen["errs"], seen["base_size"], seen["best_ask"]) == ([], "10", "150.08")
    body["order_configuration"] = {"market_market_ioc": {"base_size": "10000"}}
    assert client.post("/orders/preview", body)["errs"] == ["PREVIEW_INSUFFICIENT_FUND"]
    assert len(client.orders()) == 2


def test_lists_are_filtered_and_paged(client: Client) -> None:
    for number in range(5):
        client.place(f"b{number}", configuration=LIMIT)
        client.sandbox.advance(60_000)
    client.place("e", product="ETH-USD", shape="limit_limit_gtc", base_size="1", limit_price="5")
    client.post("/orders/batch_cancel", {"order_ids": [client.order("b0")["order_id"]]})
    names: list[str] = []
    cursor, pages = "", 0
    while True:
        query = {"limit": 2, "product_ids": ["BTC-USD"], **({"cursor": cursor} if cursor else {})}
        page = client.get("/orders/historical/batch", **query)
        names += [one["client_order_id"] for one in page["orders"]]
        client.place(f"late{pages}", configuration=LIMIT)  # a list that grows meanwhile repeats and skips nothing
        pages, cursor = pages + 1, page["cursor"]
        if not page["has_next"]:
            break
    assert (names, pages) == (["b4", "b3", "b2", "b1", "b0"], 3)
    assert [one["client_order_id"] for one in client.orders(order_status="CANCELLED")] == ["b0"]
    since = client.order("b3")["created_time"]
    assert {"b3", "b4"} <= {one["client_order_id"] for one in client.orders(start_date=since)}
    assert "b2" not in {one["client_order_id"] for one in client.orders(start_date=since)}
    assert client.ask("GET", "/orders/historical/batch", order_status=["OPEN", "FILLED"]).status_code == 400
    for query in ({"cursor": "x"}, {"limit": "-1"}, {"start_date": "monday"}):
        assert client.ask("GET", "/orders/historical/batch", **query).status_code == 400


def test_market_data(client: Client) -> None:
    product = client.get("/products/BTC-USD")
    assert (product["price"], product["base_increment"], product["price_increment"]) == ("150", "0.00000001", "0.01")
    assert product["volume_24h"] == "240"
    book = client.get("/product_book", product_id="BTC-USD", limit=2)
    assert [one["price"] for one in book["pricebook"]["bids"]] == ["149.92", "149.9"]
    best = client.get("/best_bid_ask", product_ids=["ETH-USD"])["pricebooks"]
    assert [one["product_id"] for one in best] == ["ETH-USD"]
    now = START + 50 * HOUR
    assert client.get("/time")["epochMillis"] == str(now)
    query = {"start": str(START // 1_000), "end": str((now + 9 * HOUR) // 1_000), "granularity": "ONE_HOUR"}
    candles = client.get("/products/BTC-USD/candles", **query)["candles"]
    assert len(candles) == 51  # the newest is the one that begins now
    assert candles == client.get("/market/products/BTC-USD/candles", **query)["candles"]
    for wrong in (
        {"granularity": "ONE_MINUTE"},
        {"granularity": "x"},
        {"end": "soon"},
        {"end": str((now + 400 * HOUR) // 1_000)},
    ):
        assert client.ask("GET", "/products/BTC-USD/candles", **{**query, **wrong}).status_code == 400
    assert client.get("/key_permissions")["can_transfer"] is False
    assert client.get("/transaction_summary")["fee_tier"]["taker_fee_rate"] == "0.006"
    assert client.get("/portfolios")["portfolios"][0]["type"] == "DEFAULT"
    assert client.get("/products/BTC-USD/ticker", limit=1)["best_bid"] == "149.92"
    account = client.get("/accounts", limit=1)
    assert account["has_next"] is True
    assert client.get(f"/accounts/{account['accounts'][0]['uuid']}")["account"] == account["accounts"][0]
    rest = client.get("/accounts", limit=5, cursor=account["cursor"])
    assert (rest["has_next"], rest["size"]) == (False, 2)


# faults around requests


@pytest.mark.parametrize(("fault", "placed"), [("drop-request", False), ("drop-reply", True), ("truncated", True)])
def test_connections_that_are_cut(client: Client, fault: str, placed: bool) -> None:
    client.sandbox.fault(fault, on="orders")
    client.get("/accounts")
    with pytest.raises(httpx.RemoteProtocolError if fault == "truncated" else httpx.TransportError):
        client.buy("one")
    assert len(client.orders()) == int(placed)
    assert client.buy("one")["success"] is True
    state = client.sandbox.state()
    assert state["created"] == {"one": 1}
    assert state["faults"] == {"armed": [], "struck": [{"fault": fault, "on": "orders", "at": START + 50 * HOUR}]}


@pytest.mark.parametrize(
    ("fault", "status", "placed"),
    [("unauthorized", 401, 0), ("too-many", 429, 0), ("server-error", 503, 0), ("error-after", 502, 1), ("garbled", 200, 1)],
)
def test_answers_that_are_none(client: Client, fault: str, status: int, placed: int) -> None:
    client.sandbox.fault(fault, on="orders", times=2)
    body = {"client_order_id": "one", "product_id": "BTC-USD", "side": "BUY", "order_configuration": LIMIT}
    for _ in range(2):
        answer = client.ask("POST", "/orders", body)
        assert answer.status_code == status
        if fault != "too-many":
            with pytest.raises(ValueError, match=r"."):
                answer.json()
    assert len(client.orders()) == placed
    assert client.ask("POST", "/orders", body).status_code == 200


def test_slow_answers_double_rows_and_a_clock_that_jumps(client: Client) -> None:
    client.buy("one")
    client.sandbox.fault("answer-twice")
    assert len(client.orders()) == 2
    assert len(client.orders()) == 1
    client.sandbox.fault("slow", on="orders", seconds=0.3)
    with pytest.raises(httpx.ReadTimeout):
        client.http.post(
            client.sandbox.base_url + PREFIX + "/orders", timeout=0.1, headers={"Authorization": "Bearer x"}, json={}
        )
    before = int(client.get("/time")["epochMillis"])
    client.sandbox.fault("clock-jump", seconds=-90)
    assert int(client.get("/time")["epochMillis"]) == before - 90_000
    assert int(client.get("/time")["epochMillis"]) == before - 90_000


def test_an_answer_that_comes_twice_on_the_wire(sandbox: Sandbox) -> None:
    sandbox.fault("reply-twice")
    sent = f"GET {PREFIX}/time HTTP/1.1\r\nHost: {sandbox.base_url.split('//')[1]}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", sandbox.port), timeout=10) as wire:
        wire.sendall(sent.encode())
        came = b""
        while came.count(b"epochMillis") < 2:
            piece = wire.recv(65_536)
            assert piece, came
            came += piece
    assert came.count(b"HTTP/1.1 200 OK") == 2


def test_stale_and_crossed_quotes(client: Client) -> None:
    first = client.get("/best_bid_ask", product_ids=["BTC-USD"])["pricebooks"]
    client.sandbox.fault("stale-quotes", times=2, on="BTC-USD")
    client.sandbox.fault("crossed-quotes", on="ETH-USD")
    assert client.get("/best_bid_ask", product_ids=["BTC-USD"])["pricebooks"] == first
    client.sandbox.step()
    assert client.get("/best_bid_ask", product_ids=["BTC-USD"])["pricebooks"] == first
    assert client.get("/best_bid_ask", product_ids=["BTC-USD"])["pricebooks"] != first
    crossed = client.get("/best_bid_ask", product_ids=["ETH-USD"])["pricebooks"][0]
    assert float(crossed["bids"][0]["price"]) > float(crossed["asks"][0]["price"])


def test_more_requests_than_the_rate_allows() -> None:
    with Sandbox({"BTC-USD": rising()}, rate=3) as sandbox, httpx.Client() as http:
        sandbox.desk.steady = lambda: 7.0
        client = Client(sandbox, http, sandbox.key)
        assert [client.ask("GET", "/accounts").status_code for _ in range(4)] == [200, 200, 200, 429]
        answer = client.ask("GET", "/accounts")
        assert answer.json()["errors"][0]["id"] == "rate_limit_exceeded"
        assert answer.headers["x-ratelimit-remaining"] == "0"
        sandbox.desk.steady = lambda: 8.0
        assert client.ask("GET", "/accounts").status_code == 200


# its own commands


def test_commands_over_http(client: Client) -> None:
    known = client.command("GET", "/faults").json()["known"]
    assert {"drop-reply", "late-fill", "gap", "silent"} <= set(known)
    assert client.command("POST", "/faults", {"fault": "slow", "times": 3}).json()["armed"][0]["left"] == 3
    assert client.command("POST", "/faults", {"fault": "slower"}).status_code == 400
    assert client.command("DELETE", "/faults").json() == {"armed": []}
    assert client.command("POST", "/clock", {"bars": 2}).json()["now"] == START + 52 * HOUR
    assert client.command("POST", "/clock", {"by": "90m"}).json()["now"] == START + 53 * HOUR + HOUR // 2
    assert client.command("POST", "/clock", {"to": "2023-11-20T00:00"}).json()["time"] == "2023-11-20T00:00:00.000000Z"
    for wrong in ({"by": "soon"}, {"to": "then"}, {"bars": 0}, {"speed": -1}, {"day": 1}, [1]):
        assert client.command("POST", "/clock", wrong).status_code == 400
    assert client.http.get(client.sandbox.base_url + "/sandbox/state", headers={"Origin": "http://x"}).status_code == 403
    assert client.command("GET", "/state").json() == client.sandbox.state()


def test_the_clock_goes_by_itself_at_a_speed() -> None:
    with Sandbox({"BTC-USD": rising()}, start=START) as sandbox:
        steady = [100.0]
        sandbox.desk.steady = lambda: steady[0]
        sandbox.set_speed(3_600.0)
        assert sandbox.now == START
        with httpx.Client() as http:
            client = Client(sandbox, http, sandbox.key)
            client.get("/time")
            steady[0] += 2
            assert client.get("/time")["epochMillis"] == str(START + 2 * HOUR)
            sandbox.set_speed(None)
            steady[0] += 2
            assert client.get("/time")["epochMillis"] == str(START + 2 * HOUR)


def test_where_a_simulation_starts_and_what_it_needs() -> None:
    assert first_instant({"BTC-USD": rising(200)}) == START + 100 * HOUR
    assert first_instant({"BTC-USD": rising(4_000)}) == START + 60 * 24 * HOUR
    with pytest.raises(ValueError, match="one product"):
        Sandbox({})
    product = product_named("BTC-USD", tick="0.5", lot="0.1")
    with Sandbox({"BTC-USD": rising()}, products={"BTC-USD": product}) as sandbox, httpx.Client() as http:
        assert Client(sandbox, http, sandbox.key).get("/products/BTC-USD")["price_increment"] == "0.5"
        with pytest.raises(OSError, match=r"."):
            Sandbox({"BTC-USD": rising()}, port=sandbox.port).start()
    with pytest.raises(RuntimeError):
        sandbox.state()
    sandbox.stop()
