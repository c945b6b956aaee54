"""Commands to a sandbox that runs: faults, its clock, how it stands."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from tb.cli.options import AnyFunction, Command, debug_option, json_option, project_option
from tb.cli.output import put, put_json

DEFAULT_PORT = 8899
UNREACHABLE = "TB822"


def server_options(function: AnyFunction) -> AnyFunction:
    """Where the sandbox is."""
    url = click.option("--url", metavar="URL", help=f"Its address (default: `live.url`, else http://127.0.0.1:{DEFAULT_PORT}).")
    ca = click.option("--ca", type=click.Path(path_type=Path), metavar="FILE", help="Its certificate, where it serves TLS.")
    return url(ca(project_option(json_option(debug_option(function)))))


def asked(method: str, path: str, given: Mapping[str, Any] | None, url: str | None, ca: Path | None, project: Path) -> Any:
    """What the sandbox answers. Raises Refused where none does, UsageError where it does not understand."""
    import json
    import ssl
    from http.client import HTTPException
    from urllib.error import HTTPError
    from urllib.request import ProxyHandler, Request, build_opener

    from tb.core.diagnostics import Refused, error
    from tb.core.span import whole_file

    address = (url or _configured(project) or f"http://127.0.0.1:{DEFAULT_PORT}").rstrip("/")
    if not address.startswith(("http://127.0.0.1:", "https://127.0.0.1:", "http://localhost:", "https://localhost:")):
        raise click.BadParameter(f"`{address}` is not on this machine; a sandbox is", param_hint="--url")
    body = None if given is None else json.dumps(given).encode()
    request = Request(f"{address}/sandbox{path}", body, {"Content-Type": "application/json"}, method=method)
    try:
        from urllib.request import HTTPSHandler

        context = ssl.create_default_context(cafile=None if ca is None else str(ca))
        opener = build_opener(ProxyHandler({}), HTTPSHandler(context=context))
        with opener.open(request, timeout=30) as answer:
            return json.load(answer)
    except HTTPError as refusal:
        with refusal:
            words = refusal.read().decode(errors="replace")
        raise click.UsageError(_words(words)) from None
    except (OSError, HTTPException, ValueError) as problem:
        reason = getattr(problem, "reason", problem)
        why = (getattr(reason, "strerror", None) or str(reason)).lower()
        hint = "start one with `tb sandbox coinbase`, or name its address with --url"
        message = f"no sandbox answers at {address}: {why}"
        raise Refused([error(UNREACHABLE, message, whole_file("--url"), hint)]) from None


def _words(text: str) -> str:
    import json

    try:
        found = json.loads(text)
    except ValueError:
        return "this is no sandbox"
    return str(found.get("error", "this is no sandbox")) if isinstance(found, dict) else "this is no sandbox"


def _configured(project: Path) -> str | None:
    from tb.cli.sandbox_market import settings_if_any

    settings = settings_if_any(project)
    return None if settings is None else settings.live.url


@click.command(
    "fault",
    cls=Command,
    examples=("tb sandbox fault drop-reply --on orders --times 2", "tb sandbox fault --list", "tb sandbox fault --clear"),
)
@click.argument("name", required=False)
@click.option(
    "--times", type=click.IntRange(min=0), metavar="N", help="How often it strikes (default: once); 0: until cleared."
)
@click.option("--on", metavar="WHAT", help="Only requests of this kind, this product or this channel.")
@click.option("--after", type=click.IntRange(min=0), metavar="N", help="Let so many occasions pass first.")
@click.option(
    "--chance", type=click.FloatRange(0, 1, min_open=True), metavar="P", help="Strike each occasion with this chance."
)
@click.option("--seconds", type=float, metavar="S", help="How late, or how far the clock jumps.")
@click.option("--share", type=click.FloatRange(0, 1, min_open=True), metavar="P", help="The part that a partial fill fills.")
@click.option("--clear", is_flag=True, help="Disarm it, or all where none is named.")
@click.option("--list", "as_list", is_flag=True, help="List faults, with what is armed and what struck.")
@server_options
def tb_sandbox_fault(
    name: str | None,
    clear: bool,
    as_list: bool,
    url: str | None,
    ca: Path | None,
    project: Path,
    as_json: bool,
    **fields: Any,
) -> None:
    """Let something go wrong in the sandbox that runs: the next time, the next few times, or until it is cleared."""
    if as_list:
        found = asked("GET", "/faults", None, url, ca, project)
        put_json(found) if as_json else _list(found)
        return
    if clear:
        answer = asked("DELETE", "/faults", {"fault": name or ""}, url, ca, project)
    elif name is None:
        raise click.UsageError("name a fault; `tb sandbox fault --list` lists them")
    else:
        said = {key: value for key, value in fields.items() if value is not None}
        answer = asked("POST", "/faults", {"fault": name, **said}, url, ca, project)
    if as_json:
        put_json(answer)
        return
    put("armed: " + (", ".join(_left(one) for one in answer["armed"]) or "nothing"))


def _left(armed: Mapping[str, Any]) -> str:
    often = f"{armed['left']} times" if armed["left"] else "until cleared"
    return f"{armed['fault']}{' on ' + armed['on'] if armed['on'] else ''} ({often})"


def _list(found: Mapping[str, Any]) -> None:
    width = max(len(name) for name in found["known"])
    for name, words in found["known"].items():
        put(f"{name:<{width}}  {words}")
    put("armed: " + (", ".join(_left(one) for one in found["armed"]) or "nothing"))
    put(f"struck: {len(found['struck'])}")


@click.command("clock", cls=Command, examples=("tb sandbox clock --bars 1", "tb sandbox clock --speed 60x"))
@click.option("--bars", type=click.IntRange(min=1), metavar="N", help="On to the close of the bar so many further.")
@click.option("--by", metavar="LENGTH", help="On by a length of time, as `90m`.")
@click.option("--to", metavar="TIME", help="On to an instant.")
@click.option("--speed", metavar="N", help="From now on, as `60x`; `step`: stand still.")
@server_options
def tb_sandbox_clock(
    bars: int | None,
    by: str | None,
    to: str | None,
    speed: str | None,
    url: str | None,
    ca: Path | None,
    project: Path,
    as_json: bool,
) -> None:
    """Move the clock of the sandbox that runs, or say where it stands."""
    from tb.cli.sandbox import speed as read_speed

    given: dict[str, Any] = {key: value for key, value in (("bars", bars), ("by", by), ("to", to)) if value is not None}
    if speed is not None:
        given["speed"] = read_speed(speed)
    answer = asked("POST" if given else "GET", "/clock", given or None, url, ca, project)
    if as_json:
        put_json(answer)
        return
    put(f"{answer['time'][:19]}Z, " + ("standing still" if answer["speed"] is None else f"{answer['speed']:g}x"))


@click.command("state", cls=Command, examples=("tb sandbox state", "tb sandbox state --json"))
@server_options
def tb_sandbox_state(url: str | None, ca: Path | None, project: Path, as_json: bool) -> None:
    """Show orders, positions and balances in the sandbox that runs, and what it noted of them."""
    state = asked("GET", "/state", None, url, ca, project)
    if as_json:
        put_json(state)
        return
    working = [one for one in state["orders"] if one["status"] in {"OPEN", "PENDING", "CANCEL_QUEUED"}]
    twice = [name for name, often in state["arrivals"].items() if often > 1]
    bare = [one for one in state["unprotected"] if one["to"] is None]
    put(f"clock        {state['time'][:19]}Z" + (" (the prices have ended)" if state["ended"] else ""))
    put(f"orders       {len(state['orders'])}, {len(working)} working; {len(state['fills'])} fills")
    for one in working:
        put(f"  {one['status']:<14}{one['side']:<5}{one['product_id']}  {one['client_order_id']}")
    put("positions    " + (", ".join(f"{size} {name}" for name, size in state["positions"].items()) or "none"))
    put("balances     " + ", ".join(f"{one['total']} {name}" for name, one in state["balances"].items()))
    worst = (
        f"{kinds['held']} {name} held, {kinds['with_orders']} with orders" for name, kinds in state["worst_exposure"].items()
    )
    put("worst        " + ("; ".join(worst) or "nothing"))
    put(
        f"unprotected  {len(state['unprotected'])} times, now "
        + (", ".join(f"{o['size']} {o['product']}" for o in bare) or "none")
    )
    put("sent twice   " + (", ".join(twice) or "none"))
    put(f"faults       {len(state['faults']['struck'])} struck, {len(state['faults']['armed'])} armed")
