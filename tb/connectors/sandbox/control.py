"""What commands and tests ask of the sandbox itself: its state, its faults, its clock. None of it is part of the protocol.

A request that a web page makes is refused: it has an `Origin`.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tb.connectors.sandbox.answers import shown_time
from tb.connectors.sandbox.desk import Desk
from tb.connectors.sandbox.faults import FAULTS, read_fault
from tb.core.time import parse_duration, parse_instant

Action = Callable[[Mapping[str, Any]], Any]


class Unclear(Exception):
    """A command that cannot be read; the text says what is wrong."""


def routes(desk: Desk, published: Callable[[], None]) -> list[Route]:
    """`published` is called after the clock was moved."""

    def state(given: Mapping[str, Any]) -> Any:
        return desk.state()

    def requests(given: Mapping[str, Any]) -> Any:
        return list(desk.requests)

    def faults(given: Mapping[str, Any]) -> Any:
        return {"known": FAULTS, "armed": desk.faults.armed, "struck": desk.faults.struck}

    def arm(given: Mapping[str, Any]) -> Any:
        fault = read_fault(given)
        if isinstance(fault, str):
            raise Unclear(fault)
        desk.faults.arm(fault)
        return {"armed": desk.faults.armed}

    def clear(given: Mapping[str, Any]) -> Any:
        desk.faults.clear(str(given.get("fault", "")))
        return {"armed": desk.faults.armed}

    def clock(given: Mapping[str, Any]) -> Any:
        move_clock(desk, given)
        published()
        return {"now": desk.matching.now, "time": shown_time(desk.matching.now), "speed": desk.speed}

    places: tuple[tuple[str, str, Action], ...] = (
        ("GET", "/sandbox/state", state),
        ("GET", "/sandbox/requests", requests),
        ("GET", "/sandbox/faults", faults),
        ("POST", "/sandbox/faults", arm),
        ("DELETE", "/sandbox/faults", clear),
        ("GET", "/sandbox/clock", clock),
        ("POST", "/sandbox/clock", clock),
    )
    return [Route(path, _handler(desk, action), methods=[method]) for method, path, action in places]


def _handler(desk: Desk, action: Action) -> Callable[[Request], Awaitable[Response]]:
    async def handle(request: Request) -> Response:
        if "origin" in request.headers:
            return JSONResponse({"error": "not for web pages"}, 403)
        desk.keep_time()
        try:
            body = await request.body()
            given = json.loads(body) if body else dict(request.query_params)
            if not isinstance(given, dict):
                raise Unclear("a command is a JSON object")
            return JSONResponse(action(given))
        except (Unclear, ValueError) as problem:
            return JSONResponse({"error": str(problem)}, 400)

    return handle


def move_clock(desk: Desk, given: Mapping[str, Any]) -> None:
    """`to` an instant, `by` a duration, `bars` to the close of the bar that many further; `speed` of the clock from now on.

    Raises Unclear.
    """
    if unknown := sorted(set(given) - {"to", "by", "bars", "speed"}):
        raise Unclear(f"a clock has no `{unknown[0]}`; it has to, by, bars, speed")
    now = desk.matching.now
    if "to" in given:
        until = given["to"] if isinstance(given["to"], int) else parse_instant(str(given["to"]))
        if until is None:
            raise Unclear(f"`{given['to']}` is not a time")
        desk.move(until)
    if "by" in given:
        length = given["by"] if isinstance(given["by"], int) else parse_duration(str(given["by"]))
        if length is None:
            raise Unclear(f"`{given['by']}` is not a duration")
        desk.move(now + length)
    if "bars" in given:
        if not isinstance(given["bars"], int) or given["bars"] < 1:
            raise Unclear("`bars` is a whole number above 0")
        period = next(iter(desk.matching.prices.series.values())).period
        desk.move((now // period + given["bars"]) * period)
    if "speed" in given:
        if given["speed"] is not None and not (isinstance(given["speed"], int | float) and given["speed"] > 0):
            raise Unclear("`speed` is a number above 0, or null to stand still")
        desk.set_speed(given["speed"])
