"""What Coinbase's own library sends for each thing that the adapter does: `make sdk` writes it into `sdk_requests.json`.

Runs in an environment of its own: the library needs an older `websockets` than tb. Nothing leaves the machine: each request is
caught as it would go out, after all that the library does to it.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
from coinbase.rest import RESTClient
from coinbase.websocket import WSClient
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

NAME = "organizations/1/apiKeys/2"
HOST = "venue.example:8443"
TARGET = Path(__file__).with_name("sdk_requests.json")
STOP = {"stop_price": "61000", "stop_direction": "STOP_DIRECTION_STOP_UP"}
LEVELS = {"limit_price": "70000", "stop_trigger_price": "55000.5"}
END = "2026-01-02T03:04:05.000Z"


def shown(token: str) -> dict[str, Any]:
    """Header and claims of a token, without what differs each time."""
    header, claims = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in token.split(".")[:2])
    header["nonce"] = len(header["nonce"])
    claims["exp"] -= claims.pop("nbf")
    return {"header": header, "claims": claims}


class Caught(Exception):
    """A request on its way out."""

    def __init__(self, request: requests.PreparedRequest) -> None:
        super().__init__(request.url)
        self.request = request


def sent(call: Any) -> dict[str, Any]:
    try:
        call()
    except Caught as caught:
        request = caught.request
        url = urlsplit(request.url)
        body = request.body if isinstance(request.body, str) else (request.body or b"{}").decode()
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return {
            "method": request.method,
            "path": url.path,
            "query": sorted(parse_qsl(url.query)),
            "body": json.loads(body),
            "content_type": request.headers["Content-Type"],
            "token": shown(token) if token else None,
        }
    raise AssertionError("nothing was sent")


def main() -> None:
    def catch(_self: requests.Session, request: requests.PreparedRequest, **_more: Any) -> Any:
        raise Caught(request)

    requests.Session.send = catch
    key = generate_private_key(SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
    seed = base64.b64encode(Ed25519PrivateKey.generate().private_bytes_raw()).decode()
    client = RESTClient(api_key=NAME, api_secret=pem, base_url=HOST)
    edwards = RESTClient(api_key=NAME, api_secret=seed, base_url=HOST)
    public = RESTClient(base_url=HOST)
    order = {"client_order_id": "c-1", "product_id": "BTC-USD", "side": "BUY"}
    exit_ = {**order, "side": "SELL", "base_size": "0.10"}
    both = {"product_ids": ["BTC-USD", "ETH-USD"], "get_all_products": None}
    start, end = "1767272400", "1767319200"
    attached = {"trigger_bracket_gtc": LEVELS}
    market = {"market_market_ioc": {"base_size": "0.10"}}
    limit = {"base_size": "0.10", "limit_price": "60000"}
    calls = {
        "market": lambda: client.market_order(**order, base_size="0.10"),
        "limit": lambda: client.limit_order_gtc(**order, **limit, post_only=True),
        "limit until": lambda: client.limit_order_gtd(**order, **limit, end_time=END, post_only=False),
        "stop": lambda: client.stop_limit_order_gtc(**order, base_size="0.10", limit_price="61000", **STOP),
        "bracket": lambda: client.trigger_bracket_order_gtc(**exit_, **LEVELS),
        "bracket until": lambda: client.trigger_bracket_order_gtd(**exit_, **LEVELS, end_time=END),
        "with bracket": lambda: client.create_order(**order, order_configuration=market, attached_order_configuration=attached),
        "amend": lambda: client.edit_order("v-1", size="0.4", price="59000"),
        "cancel": lambda: client.cancel_orders(["v-1"]),
        "find": lambda: client.list_orders(product_ids=["BTC-USD"], start_date="2026-01-02T02:59:05.000Z"),
        "find by id": lambda: client.get_order("v-1"),
        "open": lambda: client.list_orders(order_status=["OPEN"]),
        "fills": lambda: client.get_fills(start_sequence_timestamp="2026-01-02T02:59:05.000Z"),
        "orders of fills": lambda: client.list_orders(order_ids=["v-1", "v-2"]),
        "balances": lambda: client.get_accounts(limit=250),
        "rules": lambda: client.get_products(**both, get_tradability_status="true"),
        "rules in public": lambda: public.get_public_products(**both),
        "candles": lambda: client.get_candles("BTC-USD", start, end, "ONE_HOUR"),
        "candles in public": lambda: public.get_public_candles("BTC-USD", start, end, "ONE_HOUR"),
        "quotes": lambda: client.get_best_bid_ask(product_ids=["BTC-USD", "ETH-USD"]),
        "quotes in public": lambda: public.get_public_product_book("BTC-USD", limit=1),
        "clock": public.get_unix_time,
        "balances by Ed25519": lambda: edwards.get_accounts(limit=250),
    }
    recorded: dict[str, Any] = {name: sent(call) for name, call in calls.items()}
    stream = WSClient(api_key=NAME, api_secret=pem, on_message=print)
    for name, products in (("user", []), ("heartbeats", []), ("ticker", ["BTC-USD", "ETH-USD"])):
        message = stream._build_subscription_message(products, name, "subscribe", False)
        recorded[f"subscribe {name}"] = {**message, "jwt": shown(message["jwt"])}
    TARGET.write_text(json.dumps(recorded, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(f"wrote {len(recorded)} requests into {TARGET.name}")


if __name__ == "__main__":
    main()
