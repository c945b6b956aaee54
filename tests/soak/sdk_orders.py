"""What Coinbase's own library sees of an account, in that library's environment: `tests/soak/sdk_live.py` runs it.

Reads where the venue is as JSON from standard input, and writes every order, every fill and every balance as JSON.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from typing import Any

from coinbase.rest import RESTClient

PAGE = 50  # small, so that lists have several pages


def paged(call: Any, name: str, **asked: Any) -> list[dict[str, Any]]:
    """A list to its end."""
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        answer = call(limit=PAGE, **asked, **({"cursor": cursor} if cursor else {})).to_dict()
        found += answer[name]
        cursor = answer.get("cursor")
        if not cursor:
            return found


def main() -> None:
    given = json.load(sys.stdin)
    os.environ["REQUESTS_CA_BUNDLE"] = given["certificate"]
    logging.disable(logging.CRITICAL)
    client = RESTClient(key_file=given["key_file"], base_url=given["host"], timeout=20)
    orders = paged(client.list_orders, "orders")
    singly = [client.get_order(one["order_id"]).to_dict()["order"] for one in orders]
    fills = paged(client.get_fills, "fills")
    accounts = paged(client.get_accounts, "accounts")
    print(json.dumps({"orders": orders, "singly": singly, "fills": fills, "accounts": accounts}))


if __name__ == "__main__":
    main()
