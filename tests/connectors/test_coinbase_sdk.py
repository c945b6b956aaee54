"""The adapter sends what Coinbase's own library sends: method, path, query, body, header and claims of the token.

`sdk_requests.json` is what that library sent (`make sdk` records it anew). Two differences are meant: the library sends `{}` as
the body of what only reads, and says its own name.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import jwt
import pytest
from coinbase_answers import NOW, created, fill, order, product
from made_keys import ed25519_raw
from scripted_venue import PREFIX, Asked, Connection, Venue

from tb.connectors.coinbase import Coinbase, Credentials, connect, credentials_of
from tb.core.time import HOUR
from tb.runtime.ports.exchange import OrderState, Request

D = Decimal
RECORDED: dict[str, Any] = json.loads(Path(__file__).with_name("sdk_requests.json").read_text(encoding="utf-8"))
FIRST, LAST = NOW // HOUR * HOUR - 14 * HOUR, NOW // HOUR * HOUR
RESTING = OrderState("c-1", "v-1", "BTC-USD", "buy", D(1), D(0), None, D(0), "open", NOW, form="limit", price=D(1))
LEVELS: dict[str, Any] = {"stop": D("55000.5"), "target": D(70000)}
BOTH = ["BTC-USD", "ETH-USD"]


def entry(**more: Any) -> Request:
    asked: dict[str, Any] = {"side": "buy", "form": "market", **more}
    return Request("c-1", "BTC-USD", quantity=D("0.10"), **asked)


CALLS: dict[str, Callable[[Coinbase], Any]] = {
    "market": lambda venue: venue.place(entry()),
    "limit": lambda venue: venue.place(entry(form="limit", price=D(60000), post_only=True)),
    "limit until": lambda venue: venue.place(entry(form="limit", price=D(60000), expires=NOW)),
    "stop": lambda venue: venue.place(entry(form="stop", price=D(61000))),
    "bracket": lambda venue: venue.place(entry(form="bracket", side="sell", **LEVELS)),
    "bracket until": lambda venue: venue.place(entry(form="bracket", side="sell", expires=NOW, **LEVELS)),
    "with bracket": lambda venue: venue.place(entry(**LEVELS)),
    "amend": lambda venue: venue.amend(RESTING, D("0.4"), D(59000)),
    "cancel": lambda venue: venue.cancel(RESTING),
    "find": lambda venue: venue.find("c-1", "BTC-USD", NOW),
    "find by id": lambda venue: (venue.place(entry()), venue.find("c-1", "BTC-USD", NOW)),
    "open": lambda venue: venue.open_orders(),
    "fills": lambda venue: venue.fills(NOW),
    "orders of fills": lambda venue: venue.fills(0),
    "balances": lambda venue: venue.balances(),
    "balances by Ed25519": lambda venue: venue.balances(),
    "rules": lambda venue: venue.rules(BOTH),
    "candles": lambda venue: venue.candles("BTC-USD", HOUR, FIRST, LAST),
    "quotes": lambda venue: venue.quotes(BOTH),
    "clock": lambda venue: venue.clock(),
}
IN_PUBLIC: dict[str, Callable[[Coinbase], Any]] = {
    "rules in public": CALLS["rules"],
    "candles in public": CALLS["candles"],
    "quotes in public": CALLS["quotes"],
}


@pytest.fixture
def answering(venue: Venue) -> Venue:
    for twin in ("", "/market"):
        venue.on(f"{twin}/products", (200, {"products": [product()]}))
        venue.on(f"{twin}/products/BTC-USD/candles", (200, {"candles": []}))
    venue.on("/orders", (200, created()))
    venue.on("/orders/historical/batch", (200, {"orders": [], "has_next": False}))
    venue.on("/orders/historical/v-1", (200, {"order": order()}))
    executions = [fill(), fill(entry_id="e-2", order_id="v-2")]
    venue.on("/orders/historical/fills", (200, {"fills": executions, "cursor": ""}))
    return venue


def shown(asked: Asked, key: Any) -> dict[str, Any]:
    """A request in the form in which the library's are recorded."""
    token = asked.headers.get("authorization", "").removeprefix("Bearer ")
    return {
        "method": asked.method,
        "path": PREFIX + asked.path,
        "query": sorted(map(list, asked.query)),
        "body": asked.json if asked.body else {},
        "token": read(token, key) if token else None,
    }


def read(token: str, key: Any) -> dict[str, Any]:
    header = jwt.get_unverified_header(token)
    options = {"verify_exp": False, "verify_nbf": False}
    claims = jwt.decode(token, key.public_key(), algorithms=[header["alg"]], options=options)
    header["nonce"] = len(header["nonce"])
    claims["exp"] -= claims.pop("nbf")
    return {"header": header, "claims": claims}


def recorded(name: str, venue: Venue) -> dict[str, Any]:
    """What the library sent, to this host."""
    said = json.loads(json.dumps(RECORDED[name]).replace("venue.example:8443", f"127.0.0.1:{venue.port}"))
    del said["content_type"]
    return said


@pytest.mark.parametrize("name", [*CALLS, *IN_PUBLIC])
def test_the_adapter_sends_what_the_library_sends(answering: Venue, credentials: Credentials, name: str) -> None:
    key = credentials_of(credentials.name, base64.b64encode(ed25519_raw()[0]).decode()) if "Ed25519" in name else credentials
    adapter = connect(None if name in IN_PUBLIC else key, base_url=answering.url, clock=lambda: NOW)
    (CALLS | IN_PUBLIC)[name](adapter)
    adapter.close()
    sent = answering.asked[-1]
    assert shown(sent, key.key.open()) == recorded(name, answering)
    if sent.method == "POST":
        assert sent.headers["content-type"] == RECORDED[name]["content_type"]


def test_it_subscribes_as_the_library_does(venue: Venue, credentials: Credentials) -> None:
    async def script(connection: Connection) -> None:
        await connection.hear()
        await connection.hear()
        await connection.tell("user", {"type": "snapshot", "orders": []})
        await connection.tell("ticker", {"type": "snapshot", "tickers": []})
        await connection.stay()

    venue.sockets = [script]
    adapter = connect(credentials, base_url=venue.url, market_url=venue.ws, user_url=venue.ws, clock=lambda: NOW)
    adapter.watch(BOTH)
    while len(venue.said) < 4:
        adapter.events()
    adapter.close()
    key = credentials.key.open()
    heard = {said["channel"]: {**said, "jwt": read(said["jwt"], key)} for said in venue.said}
    assert heard == {name: RECORDED[f"subscribe {name}"] for name in ("user", "heartbeats", "ticker")}
