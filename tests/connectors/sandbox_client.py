"""A plain client of the sandbox for tests, and recordings that can be read at a glance."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx
import jwt

from tb.connectors.sandbox.keys import Key
from tb.connectors.sandbox.recording import Series, series_of
from tb.connectors.sandbox.server import Sandbox

HOUR = 3_600_000
START = 1_700_000_000_000 // HOUR * HOUR
PREFIX = "/api/v3/brokerage"


def rising(bars: int = 200, symbol: str = "BTC-USD", first: float = 100.0) -> Series:
    """Bars of an hour that rise by 1 each: open 100, high 103, low 98, close 101; then 101, ..."""
    rows = [(first + i, first + i + 3, first + i - 2, first + i + 1, 10.0) for i in range(bars)]
    return series_of(symbol, HOUR, START, rows)


def token(key: Key, uri: str | None, /, nonce: str | None = None, **claims: Any) -> str:
    """A token as the official SDK makes it; claims replace its own, and None takes one away."""
    seconds = int(time.time())
    made: dict[str, Any] = {"sub": key.name, "iss": "cdp", "nbf": seconds, "exp": seconds + 120}
    if uri is not None:
        made["uri"] = uri
    made = {name: value for name, value in {**made, **claims}.items() if value is not None}
    return jwt.encode(
        made,
        key.secret,
        algorithm=key.kind,
        headers={"kid": key.name, "nonce": secrets.token_hex() if nonce is None else nonce},
    )


@dataclass
class Client:
    """Asks one sandbox, signed with its key."""

    sandbox: Sandbox
    http: httpx.Client
    key: Key

    def ask(self, method: str, path: str, body: Any = None, **query: Any) -> httpx.Response:
        host = self.sandbox.base_url.split("//")[1]
        signed = token(self.key, f"{method} {host}{PREFIX}{path}")
        return self.http.request(
            method,
            self.sandbox.base_url + PREFIX + path,
            json=body,
            params=query,
            headers={"Authorization": f"Bearer {signed}"},
        )

    def get(self, path: str, **query: Any) -> Any:
        answer = self.ask("GET", path, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: Any) -> Any:
        answer = self.ask("POST", path, body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def place(self, client_id: str, side: str = "BUY", product: str = "BTC-USD", **more: Any) -> Any:
        """An order; `shape={...}` is its configuration, everything else goes into the body."""
        configuration = more.pop("configuration", None) or {
            more.pop("shape"): {k: more.pop(k) for k in list(more) if k in FIELDS}
        }
        body = {"client_order_id": client_id, "product_id": product, "side": side, "order_configuration": configuration, **more}
        return self.post("/orders", body)

    def buy(self, client_id: str, size: str = "1") -> Any:
        return self.place(client_id, shape="market_market_ioc", base_size=size)

    def orders(self, **query: Any) -> Any:
        return self.get("/orders/historical/batch", **query)["orders"]

    def order(self, client_id: str) -> Any:
        return next(one for one in self.orders(limit=1000) if one["client_order_id"] == client_id)

    def command(self, method: str, path: str, body: Any = None) -> httpx.Response:
        return self.http.request(method, f"{self.sandbox.base_url}/sandbox{path}", json=body)


FIELDS = frozenset("base_size quote_size limit_price stop_price stop_direction stop_trigger_price end_time post_only".split())


def dec(text: str) -> Decimal:
    return Decimal(text)
