"""Lets Coinbase's own library trade against the sandbox, and compares what tb's adapter sends with what it sends.

    python tests/soak/sdk.py          # or `make sdk`

The library is installed into `.sdk` (it needs an older `websockets` than tb). Two sandboxes with the same prices, over TLS:

    1. the library trades at the first; what it saw of orders, fills, balances, candles and the stream has to be what happened
    2. tb's adapter does the same at the second; the requests of each step, as the servers got them, are compared by field

Ends with 1 where anything differs that is not in `MEANT`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "connectors")]

from sandbox_client import HOUR, START, rising  # noqa: E402

from tb.connectors.coinbase import Coinbase, connect, credentials_of  # noqa: E402
from tb.connectors.sandbox.keys import write_key  # noqa: E402
from tb.connectors.sandbox.server import Sandbox  # noqa: E402
from tb.core.encode import plain  # noqa: E402
from tb.runtime.ports.exchange import OrderState, Request  # noqa: E402

D = Decimal
BEGIN = START + 50 * HOUR
ENVIRONMENT = ROOT / ".sdk"
Differences = list[str]

# what differs on purpose, with the reason
MEANT = {
    "body of a request that only reads": "the library sends `{}` with it, tb nothing",
    "content-type of a request that only reads": "there is no content",
    "user-agent": "each says its own name",
    "limit": "tb asks for pages of a size of its own",
    "get_all_products": "the library says that it does not want them, which is so when nothing is said",
    "more requests": "tb may ask for more than the library did; one of its requests has to be the library's",
}
IGNORED_QUERY = frozenset(
    "limit cursor start_date start_sequence_timestamp start end get_tradability_status get_all_products".split()
)


def interpreter() -> Path:
    """The library's environment, made where it is missing."""
    inside = ENVIRONMENT / "bin" / "python"
    if not (ENVIRONMENT / ".installed").exists():
        subprocess.run([sys.executable, "-m", "venv", str(ENVIRONMENT)], check=True)
        wanted = str(ROOT / "tests" / "connectors" / "sdk_requests.txt")
        quiet = ("install", "--quiet", "--disable-pip-version-check")
        subprocess.run([str(inside), "-m", "pip", *quiet, "-r", wanted], check=True)
        (ENVIRONMENT / ".installed").touch()
    return inside


def sandbox() -> Sandbox:
    return Sandbox({"BTC-USD": rising()}, start=BEGIN, tls=True, heartbeat=0.2, seed=4)


def session(running: Sandbox, folder: Path) -> Any:
    """What the library saw."""
    key_file = folder / "key.json"
    write_key(running.key, key_file)
    host = running.base_url.removeprefix("https://")
    given = {
        "host": host,
        "stream": running.ws_url,
        "key_file": str(key_file),
        "certificate": str(running.ca_file),
        "since": "2023-11-16T00:00:00Z",
        "span": [str((BEGIN - 10 * HOUR) // 1_000), str((BEGIN + 3 * HOUR) // 1_000)],
    }
    script = Path(__file__).with_name("sdk_session.py")
    done = subprocess.run(
        [str(interpreter()), str(script)], input=json.dumps(given), capture_output=True, text=True, check=False, timeout=300
    )
    if done.returncode:
        raise SystemExit(f"the library's session ended with {done.returncode}:\n{done.stderr[-4_000:]}")
    return json.loads(done.stdout.splitlines()[-1])


# what the library saw is what happened


def unlike(name: str, seen: Any, happened: Any) -> Differences:
    return [] if seen == happened else [f"{name}: the library saw {seen!r}, and it was {happened!r}"]


def looked(session: Any, running: Sandbox) -> Differences:
    seen, state = session["seen"], running.state()
    fields = ("order_id", "client_order_id", "status", "filled_size", "average_filled_price", "total_fees", "number_of_fills")
    orders = {one["order_id"]: [one[name] for name in fields] for one in seen["find"]["orders"]}
    fill_fields = ("trade_id", "order_id", "price", "size", "commission", "side", "liquidity_indicator")
    fills = sorted([one[name] for name in fill_fields] for one in seen["fills"]["fills"])
    money = {one["currency"]: one["available_balance"]["value"] for one in seen["balances after"]["accounts"]}
    wrong = unlike("orders", orders, {one["order_id"]: [one[name] for name in fields] for one in state["orders"]})
    wrong += unlike("fills", fills, sorted([one[name] for name in fill_fields] for one in state["fills"]))
    wrong += unlike("balances", money, {name: one["available"] for name, one in state["balances"].items()})
    wrong += unlike("the order sent twice", seen["market again"]["success_response"], seen["market"]["success_response"])
    wrong += unlike("arrivals", state["arrivals"]["s-1"], 2)
    wrong += unlike("the refusal", seen["refused"]["error_response"]["error"], "INSUFFICIENT_FUND")
    wrong += unlike("the cancel", seen["cancel"]["results"][0]["success"], True)
    statuses = {one["client_order_id"]: one["status"] for one in state["orders"]}
    wanted = {"s-1": "FILLED", "s-2": "OPEN", "s-3": "FILLED", "s-4": "CANCELLED", "s-5": "OPEN", "s-6": "FILLED"}
    wrong += unlike("statuses", {name: statuses[name] for name in wanted}, wanted)
    recorded = running.desk.matching.prices.series["BTC-USD"]
    bars = [recorded.bar(place) for place in recorded.places(BEGIN - 10 * HOUR, BEGIN + 2 * HOUR)]
    shown = [(one["start"], one["open"], one["high"], one["low"], one["close"]) for one in seen["candles"]["candles"]]
    told = [(str(bar.start // 1_000), *map(plain, (bar.open, bar.high, bar.low, bar.close))) for bar in reversed(bars)]
    return [*wrong, *unlike("candles", shown[1:], told), *streamed(session["heard"], state)]


def streamed(heard: list[Any], state: Any) -> Differences:
    """The stream's numbers have no gap, and its last word on each order is how the order stands."""
    numbers = [message["sequence_num"] for message in heard]
    last: dict[str, Any] = {}
    for message in heard:
        for event in message["events"] if message["channel"] == "user" else ():
            last.update({order["order_id"]: order for order in event["orders"]})
    told = {
        name: [one["status"], one["cumulative_quantity"], one["avg_price"], one["total_fees"]] for name, one in last.items()
    }
    stands = {
        one["order_id"]: [one["status"], one["filled_size"], one["average_filled_price"], one["total_fees"]]
        for one in state["orders"]
        if one["order_id"] in last
    }
    ticks = [tick for one in heard if one["channel"] == "ticker" for event in one["events"] for tick in event["tickers"]]
    return [
        *unlike("numbers of the stream", numbers, list(range(len(numbers)))),
        *unlike("orders of the stream", told, stands),
        *unlike("orders that the stream left out", sorted(set(stands)), sorted(one["order_id"] for one in state["orders"])),
        *unlike("the last quote", [ticks[-1]["best_bid"], ticks[-1]["best_ask"]], ["152.92", "153.08"]),
    ]


# the adapter sends the same


def steps(venue: Coinbase, running: Sandbox) -> dict[str, Callable[[], Any]]:
    """The same session in the adapter's words."""
    kept: dict[str, OrderState] = {}

    def place(name: str, side: Any, size: str, form: Any, **more: Any) -> Any:
        made = venue.place(Request(name, "BTC-USD", side, D(size), form, **more))
        if isinstance(made, OrderState):
            kept[name] = made
        return made

    return {
        "clock": venue.clock,
        "rules": lambda: venue.rules(["BTC-USD"]),
        "balances": venue.balances,
        "market": lambda: place("s-1", "buy", "1", "market"),
        "bracket": lambda: place("s-2", "sell", "1", "bracket", stop=D(140), target=D(170), reducing=True),
        "limit": lambda: place("s-3", "buy", "0.5", "limit", price=D(149), post_only=True),
        "amend": lambda: venue.amend(kept["s-3"], D("0.6"), D("149.5")),
        "limit to cancel": lambda: place("s-4", "buy", "1", "limit", price=D(90)),
        "cancel": lambda: venue.cancel(kept["s-4"]),
        "stop": lambda: place("s-5", "buy", "0.1", "stop", price=D(160)),
        "with bracket": lambda: place("s-6", "buy", "0.2", "market", stop=D(140), target=D(170)),
        "refused": lambda: place("s-7", "buy", "100000", "market"),
        "open": venue.open_orders,
        "find": lambda: (running.step(3), venue.find("s-3", "BTC-USD", BEGIN))[1],
        "fills": lambda: venue.fills(BEGIN),
        "quotes": lambda: venue.quotes(["BTC-USD"]),
        "candles": lambda: venue.candles("BTC-USD", HOUR, BEGIN - 10 * HOUR, BEGIN + 3 * HOUR),
    }


def adapted(running: Sandbox) -> dict[str, list[Any]]:
    """The requests that the server got for each step."""
    venue = connect(
        credentials_of(running.key.name, running.key.secret),
        base_url=running.base_url,
        market_url=running.ws_url,
        user_url=running.ws_url,
        authorities=str(running.ca_file),
    )
    made = {}
    try:
        for name, call in steps(venue, running).items():
            before = running.state()["requests"]
            call()
            made[name] = [one for one in running.requests() if one["number"] > before and one["method"] != "WS"]
    finally:
        venue.close()
    return made


def plain_request(one: Any, names: dict[str, str]) -> dict[str, Any]:
    """What has to be the same, with ids by the name that they have in the session."""

    def named(text: str) -> str:
        for order_id, name in names.items():
            text = text.replace(order_id, name)
        return text

    reads = one["method"] == "GET"
    body = json.loads(one["body"] or "{}")
    token = one["token"]
    claims = dict(token.get("claims", {}))
    host = one["headers"]["host"]
    return {
        "method": one["method"],
        "path": named(one["path"]),
        "query": sorted([name, named(value)] for name, value in one["query"] if name not in IGNORED_QUERY),
        "body": {} if reads else json.loads(named(json.dumps(body, sort_keys=True))),
        "content-type": None if reads else one["headers"].get("content-type"),
        "token header": {**token["header"], "kid": "KEY", "nonce": len(token["header"]["nonce"])} if token else None,
        "claims": {
            **claims,
            "sub": "KEY" if claims["sub"] == token["header"]["kid"] else claims["sub"],
            "exp": claims["exp"] - claims.pop("nbf"),
            "nbf": "NOW",
            "uri": claims["uri"].replace(host, "HOST"),
        }
        if claims
        else None,
    }


def compared(session: Any, first: Sandbox, made: dict[str, list[Any]], second: Sandbox) -> Differences:
    """Where none of the adapter's requests of a step is the library's."""
    names = [
        {
            one["order_id"]: one["client_order_id"]
            for one in running.state()["orders"]
            if one["client_order_id"].startswith("s-")
        }
        for running in (first, second)
    ]
    recorded = [one for one in first.requests() if one["method"] != "WS"]
    wrong = []
    for step, requests in made.items():
        since, until = session["counts"][step]
        asked = [plain_request(one, names[0]) for one in recorded if since < one["number"] <= until]
        sent = [plain_request(one, names[1]) for one in requests]
        if not sent:
            wrong.append(f"{step}: the adapter asked nothing")
            continue
        theirs = asked[0]
        ours = max(sent, key=lambda one: sum(one[field] == theirs[field] for field in one))
        wrong += [
            f"{step}, {field}: the library {theirs[field]!r}, the adapter {ours[field]!r}"
            for field in theirs
            if theirs[field] != ours[field]
        ]
    return wrong


def subscribed(first: Sandbox, second: Sandbox) -> Differences:
    """The messages of the streams: type, channel, and what the token says."""

    def told(running: Sandbox) -> dict[str, Any]:
        found = {}
        for one in running.requests():
            if one["method"] == "WS":
                body = json.loads(one["body"])
                found[body["channel"]] = [sorted({*body, "jwt"}), body["type"], sorted(one["token"]["claims"]), one["status"]]
        return found

    theirs = told(first)
    venue = connect(
        credentials_of(second.key.name, second.key.secret),
        base_url=second.base_url,
        market_url=second.ws_url,
        user_url=second.ws_url,
        authorities=str(second.ca_file),
    )
    venue.watch(["BTC-USD"])
    venue.events()
    for _ in range(200):
        if set(told(second)) >= {"user", "heartbeats", "ticker"}:
            break
        time.sleep(0.05)
    venue.close()
    return [
        line for channel in theirs for line in unlike(f"subscription of {channel}", theirs[channel], told(second).get(channel))
    ]


def main() -> int:
    with tempfile.TemporaryDirectory() as folder, sandbox() as first, sandbox() as second:
        done = session(first, Path(folder))
        wrong = looked(done, first)
        made = adapted(second)
        differs = [*compared(done, first, made, second), *subscribed(first, second)]
    asked, orders = sum(until - since for since, until in done["counts"].values()), done["seen"]["find"]["orders"]
    print(f"the library: {asked} requests, {len(orders)} orders, {len(done['seen']['fills']['fills'])} fills, ", end="")
    print(f"{len(done['heard'])} messages of the stream; {len(wrong)} unlike what happened")
    for line in wrong:
        print(f"  {line}")
    print(f"the adapter: {len(made)} steps compared by field with the library's requests; {len(differs)} differences")
    for line in differs:
        print(f"  {line}")
    print("meant: " + "; ".join(f"{what} ({why})" for what, why in MEANT.items()))
    return 1 if wrong or differs else 0


if __name__ == "__main__":
    sys.exit(main())
