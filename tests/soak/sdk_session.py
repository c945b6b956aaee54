"""A trading session of Coinbase's own library against the sandbox, in that library's environment: `tests/soak/sdk.py` runs it.

Reads where the sandbox is as JSON from standard input, and writes what the library made of the answers as JSON.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import time
from typing import Any

import requests
from coinbase.rest import RESTClient
from coinbase.websocket import WebsocketResponse, WSClient

BRACKET = {"limit_price": "170", "stop_trigger_price": "140"}


class Session:
    """The library's two clients, and a name for each thing asked for."""

    def __init__(self, given: dict[str, Any]) -> None:
        self.given = given
        self.client = RESTClient(key_file=given["key_file"], base_url=given["host"], timeout=20)
        self.public = RESTClient(base_url=given["host"], timeout=20)
        self.seen: dict[str, Any] = {}
        self.counts: dict[str, list[int]] = {}

    def command(self, method: str, path: str, body: Any = None) -> Any:
        url = f"https://{self.given['host']}/sandbox{path}"
        return requests.request(method, url, json=body, timeout=20).json()

    def do(self, name: str, call: Any) -> Any:
        """Asks, and notes the answer and which requests of the sandbox's record it made."""
        before = self.command("GET", "/state")["requests"]
        answer = call().to_dict()
        self.counts[name] = [before, self.command("GET", "/state")["requests"]]
        self.seen[name] = answer
        return answer

    def trade(self) -> None:
        client, one = self.client, {"product_id": "BTC-USD"}
        self.do("clock", self.public.get_unix_time)
        self.do("rules", lambda: client.get_products(product_ids=["BTC-USD"]))
        self.do("balances", lambda: client.get_accounts(limit=250))
        self.do("market", lambda: client.market_order_buy("s-1", base_size="1", **one))
        self.do("market again", lambda: client.market_order_buy("s-1", base_size="1", **one))
        self.do("bracket", lambda: client.trigger_bracket_order_gtc_sell("s-2", base_size="1", **BRACKET, **one))
        limit = {"base_size": "0.5", "limit_price": "149", "post_only": True}
        resting = self.do("limit", lambda: client.limit_order_gtc_buy("s-3", **limit, **one))
        order_id = resting["success_response"]["order_id"]
        self.do("amend", lambda: client.edit_order(order_id, size="0.6", price="149.5"))
        other = self.do("limit to cancel", lambda: client.limit_order_gtc_buy("s-4", base_size="1", limit_price="90", **one))
        self.do("cancel", lambda: client.cancel_orders([other["success_response"]["order_id"]]))
        stop = {"limit_price": "160", "stop_price": "160", "stop_direction": "STOP_DIRECTION_STOP_UP"}
        self.do("stop", lambda: client.stop_limit_order_gtc_buy("s-5", base_size="0.1", **stop, **one))
        attached = {"trigger_bracket_gtc": BRACKET}
        market = {"market_market_ioc": {"base_size": "0.2"}}
        self.do(
            "with bracket",
            lambda: client.create_order("s-6", "BTC-USD", "BUY", market, attached_order_configuration=attached),
        )
        self.do("refused", lambda: client.market_order_buy("s-7", base_size="100000", **one))
        self.do("open", lambda: client.list_orders(order_status=["OPEN"]))
        self.command("POST", "/clock", {"bars": 3})
        self.do("find", lambda: client.list_orders(product_ids=["BTC-USD"], start_date=self.given["since"]))
        self.do("fills", lambda: client.get_fills(start_sequence_timestamp=self.given["since"]))
        self.do("quotes", lambda: client.get_best_bid_ask(product_ids=["BTC-USD"]))
        self.do("candles", lambda: client.get_candles("BTC-USD", *self.given["span"], "ONE_HOUR"))
        self.do("balances after", lambda: client.get_accounts(limit=250))

    def listen(self, while_: Any) -> list[dict[str, Any]]:
        """The stream's messages while something happens, as the library's own types take them."""
        heard: list[dict[str, Any]] = []
        ready = threading.Event()

        def hear(text: str) -> None:
            message = json.loads(text)
            if message["channel"] != "subscriptions":
                WebsocketResponse(json.loads(text))  # the library can read it
            heard.append(message)
            if {"user", "ticker", "heartbeats"} <= {one["channel"] for one in heard}:
                ready.set()

        stream = WSClient(key_file=self.given["key_file"], base_url=self.given["stream"], on_message=hear, retry=False)
        stream.open()
        stream.subscribe(["BTC-USD"], ["user", "ticker", "heartbeats"])
        if not ready.wait(20):
            raise SystemExit("the stream did not begin")
        while_()
        time.sleep(1.5)  # a heartbeat later everything has come
        stream.close()
        return heard


def main() -> None:
    given = json.load(sys.stdin)
    os.environ["REQUESTS_CA_BUNDLE"] = given["certificate"]
    logging.disable(logging.CRITICAL)
    session = Session(given)
    heard = session.listen(session.trade)
    print(json.dumps({"seen": session.seen, "counts": session.counts, "heard": heard}))


if __name__ == "__main__":
    main()
