"""The REST half of the protocol: proof, rate, faults and a record around every endpoint.

1. a fault that comes before anything: the connection cut, 401, 429, 503
2. the proof that the request comes from a known key, but for public endpoints; the rate
3. the endpoint                                             (tb.connectors.sandbox.trading, looking)
4. a fault that comes after it: the reply lost, an error in its place, unreadable, late
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tb.connectors.sandbox import looking, trading
from tb.connectors.sandbox.desk import Desk
from tb.connectors.sandbox.shapes import Malformed
from tb.connectors.sandbox.tokens import Asked, proven, told_token
from tb.connectors.sandbox.trading import Answer, Call, Endpoint
from tb.connectors.sandbox.wires import Wires

PREFIX = "/api/v3/brokerage"
VAGUE = {"success": False, "error_response": {"error": "UNKNOWN_FAILURE_REASON", "message": "", "error_details": ""}}
SECRET_HEADERS = frozenset({"authorization", "cb-access-sign", "cookie"})


@dataclass(frozen=True, slots=True)
class Place:
    """An endpoint under the prefix: what kind of request it is for faults, and whether it asks for proof."""

    method: str
    path: str
    endpoint: Endpoint
    kind: str = "reads"
    is_public: bool = False


PLACES = (
    Place("POST", "/orders", trading.create, "orders"),
    Place("POST", "/orders/preview", trading.preview, "preview"),
    Place("POST", "/orders/batch_cancel", trading.cancel, "cancel"),
    Place("POST", "/orders/edit", trading.edit, "edit"),
    Place("POST", "/orders/edit_preview", trading.edit_preview, "preview"),
    Place("GET", "/orders/historical/batch", trading.orders),
    Place("GET", "/orders/historical/fills", trading.fills),
    Place("GET", "/orders/historical/{order_id}", trading.order),
    Place("GET", "/accounts", looking.accounts),
    Place("GET", "/accounts/{account}", looking.account),
    Place("GET", "/products", looking.products),
    Place("GET", "/products/{product}", looking.product),
    Place("GET", "/products/{product}/candles", looking.candles),
    Place("GET", "/products/{product}/ticker", looking.trades),
    Place("GET", "/product_book", looking.book),
    Place("GET", "/best_bid_ask", looking.best),
    Place("GET", "/key_permissions", looking.permissions),
    Place("GET", "/transaction_summary", looking.summary),
    Place("GET", "/portfolios", looking.portfolios),
    Place("GET", "/time", looking.server_time, is_public=True),
    Place("GET", "/market/products", looking.products, is_public=True),
    Place("GET", "/market/products/{product}", looking.product, is_public=True),
    Place("GET", "/market/products/{product}/candles", looking.candles, is_public=True),
    Place("GET", "/market/products/{product}/ticker", looking.trades, is_public=True),
    Place("GET", "/market/product_book", looking.book, is_public=True),
)


def routes(desk: Desk, wires: Wires) -> list[Route]:
    """The endpoints as the server's routes."""
    return [Route(PREFIX + place.path, _handler(desk, wires, place), methods=[place.method]) for place in PLACES]


def _handler(desk: Desk, wires: Wires, place: Place) -> Callable[[Request], Awaitable[Response]]:
    async def handle(request: Request) -> Response:
        body = await request.body()
        desk.keep_time()
        desk.asked += 1
        note = _noted(desk, request, place, body)
        desk.jumped(place.kind)
        early = _early(desk, wires, request, place)
        if early is None:
            status, answer = _answered(desk, request, place, body)
            note["status"] = status
            response = await _late(desk, wires, request, place, status, json.dumps(answer).encode())
        else:
            note["status"] = early.status_code
            response = early
        return response

    return handle


def _noted(desk: Desk, request: Request, place: Place, body: bytes) -> dict[str, Any]:
    """The request in the record: headers without what proves, the token's claims, the body."""
    headers = {name: value for name, value in request.headers.items() if name not in SECRET_HEADERS}
    note = {
        "number": desk.asked,
        "kind": place.kind,
        "method": request.method,
        "path": request.url.path,
        "query": [list(pair) for pair in request.query_params.multi_items()],
        "headers": headers,
        "token": told_token(request.headers.get("authorization", "")),
        "body": body.decode("utf-8", errors="replace"),
        "at": desk.matching.now,
        "status": None,
    }
    desk.requests.append(note)
    return note


def _early(desk: Desk, wires: Wires, request: Request, place: Place) -> Response | None:
    """What a fault answers before anything is done; None where none strikes."""
    for name, status, text in (
        ("drop-request", 0, ""),
        ("unauthorized", 401, "Unauthorized\n"),
        ("too-many", 429, json.dumps({"errors": [{"id": "rate_limit_exceeded", "message": "Too many requests"}]})),
        ("server-error", 503, "Service Unavailable"),
    ):
        if desk.faults.take(name, place.kind, at=desk.matching.now):
            if not status:
                return _cut(wires, request)
            return _response(desk, status, text.encode())
    return None


def _cut(wires: Wires, request: Request) -> Response:
    """Ends the connection; what is answered then reaches nobody."""
    wires.cut(request.scope["client"])
    return Response(status_code=204)


def _answered(desk: Desk, request: Request, place: Place, body: bytes) -> Answer:
    if not place.is_public:
        asked = Asked(request.method, request.headers.get("host", ""), request.url.path, request.headers, body)
        reason = proven(asked, desk.keys, desk.wall())
        if reason:
            return 401, {"error": "unauthorized", "error_details": reason, "message": "Unauthorized"}
    if not desk.within_rate():
        return 429, {"errors": [{"id": "rate_limit_exceeded", "message": "Too many requests"}]}
    try:
        return place.endpoint(desk, Call(request.query_params, body, request.path_params))
    except Malformed as problem:
        return 400, {"error": "INVALID_ARGUMENT", "error_details": str(problem), "message": str(problem)}


async def _late(desk: Desk, wires: Wires, request: Request, place: Place, status: int, body: bytes) -> Response:
    """The answer, or what a fault makes of it."""
    at = desk.matching.now
    slow = desk.faults.take("slow", place.kind, at=at)
    if slow is not None:
        await asyncio.sleep(slow.seconds)
    if desk.faults.take("drop-reply", place.kind, at=at):
        return _cut(wires, request)
    if desk.faults.take("truncated", place.kind, at=at):
        wires.write(request.scope["client"], _head(status, body) + body[: len(body) // 2])
        await asyncio.sleep(0.05)  # the bytes are on their way before the connection is cut
        return _cut(wires, request)
    if desk.faults.take("reply-twice", place.kind, at=at):
        response = _response(desk, status, body)
        response.background = BackgroundTask(wires.write, request.scope["client"], _head(status, body) + body)
        return response
    if desk.faults.take("error-after", place.kind, at=at):
        return _response(desk, 502, b"<html><body>Bad Gateway</body></html>", "text/html")
    if desk.faults.take("vague", place.kind, at=at):
        return _response(desk, 200, json.dumps(VAGUE).encode())
    if desk.faults.take("garbled", place.kind, at=at):
        return _response(desk, status, b'{"success": tru\x00' + body[:20])
    return _response(desk, status, body)


def _head(status: int, body: bytes) -> bytes:
    """The beginning of an answer as bytes, for what no well-behaved server sends."""
    return f"HTTP/1.1 {status} OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n".encode()


def _response(desk: Desk, status: int, body: bytes, kind: str = "application/json") -> Response:
    headers = {
        "x-ratelimit-limit": str(desk.rate or 30),
        "x-ratelimit-remaining": str(max((desk.rate or 30) - desk.used, 0)),
        "x-ratelimit-reset": "1",
    }
    return Response(body, status, headers, kind)
