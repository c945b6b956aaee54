"""`tb sandbox`: a venue on this machine that speaks a real one's protocol, and commands to it."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tb.cli.options import Command, debug_option, instant, json_option, names, project_option
from tb.cli.output import encode, put, say
from tb.cli.sandbox_asking import DEFAULT_PORT, tb_sandbox_clock, tb_sandbox_fault, tb_sandbox_state

if TYPE_CHECKING:
    from tb.connectors.sandbox.recording import Series
    from tb.connectors.sandbox.server import Sandbox

KEY_FILE = ".tb/sandbox-key.json"
UNUSABLE = "TB824"


@click.group("sandbox")
def tb_sandbox() -> None:
    """Run a venue on this machine, to try live trading without one."""


def speed(text: str) -> float | None:
    """`1000x` or `0.5x`; `step`: the clock moves by commands alone, None."""
    if text.strip().lower() == "step":
        return None
    try:
        found = float(text.strip().lower().removesuffix("x").replace("_", "").replace(",", ""))
    except ValueError:
        found = -1.0
    if not 0 < found < float("inf"):
        raise click.BadParameter(f"`{text}` is not a speed; write `1000x`, a multiple of real time, or `step`")
    return found


@tb_sandbox.command(
    "coinbase",
    cls=Command,
    examples=(
        "tb sandbox coinbase --data ../data/crypto_1h --speed 1000x",
        'tb sandbox coinbase --data data --speed step --balance "50_000 USD" --faults faults.yaml --seed 7',
    ),
)
@click.option("--data", type=click.Path(path_type=Path), metavar="PATH", help="Folder of SYMBOL.parquet or SYMBOL.csv.")
@click.option("--from", "first", type=instant, metavar="TIME", help="Leave out bars that start before this.")
@click.option("--to", "last", type=instant, metavar="TIME", help="Leave out bars that close after this.")
@click.option("--start", type=instant, metavar="TIME", help="Where the clock starts (default: after 60 days of history).")
@click.option("--now", "as_now", is_flag=True, help="Move the recording so that its clock starts at the real time.")
@click.option("--instruments", type=names, metavar="A,B", help="Offer these alone.")
@click.option(
    "--speed", type=speed, default="1x", metavar="N", show_default=True, help="Of the clock, as `1000x`; `step`: by commands."
)
@click.option("--balance", multiple=True, metavar="AMOUNT", help="What the account has, as `10_000 USD`; can be repeated.")
@click.option("--key-file", type=click.Path(path_type=Path), metavar="FILE", help=f"Where its key goes (default: {KEY_FILE}).")
@click.option("--key-kind", type=click.Choice(("ES256", "EdDSA", "HMAC")), default="ES256", show_default=True, help="Its kind.")
@click.option("--port", type=click.IntRange(0, 65_535), default=DEFAULT_PORT, show_default=True, help="0: any that is free.")
@click.option("--tls", type=click.Path(path_type=Path), metavar="FILE", help="Serve TLS; its certificate goes into the file.")
@click.option("--faults", type=click.Path(path_type=Path), metavar="FILE", help="Faults to begin with: a YAML list.")
@click.option("--rate", type=click.IntRange(min=1), metavar="N", help="Answer 429 beyond so many requests a second.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of ids and of faults that strike by chance.")
@project_option
@json_option
@debug_option
def tb_sandbox_coinbase(
    data: Path | None,
    first: int | None,
    last: int | None,
    start: int | None,
    as_now: bool,
    instruments: tuple[str, ...] | None,
    speed: float | None,
    balance: tuple[str, ...],
    key_file: Path | None,
    key_kind: Any,
    port: int,
    tls: Path | None,
    faults: Path | None,
    rate: int | None,
    seed: int,
    project: Path,
    as_json: bool,
) -> None:
    """Serve Coinbase Advanced Trade on this machine: REST and WebSocket, orders filled from recorded prices.

    Steps, sizes, fees and the account's equity are those of `tb.yaml` where the project has one. Nothing leaves this machine,
    and its key is good for nothing else. Ctrl-C ends it.
    """
    from tb.cli.sandbox_market import balances_of, costs, data_folder, faults_in, products_for, recorded_series, settings_if_any
    from tb.connectors.sandbox.keys import write_key
    from tb.connectors.sandbox.server import Sandbox

    settings = settings_if_any(project)
    series = recorded_series(data_folder(settings, project, data), instruments, first, last, project)
    series, start = _begun(series, start, as_now=as_now)
    sandbox = Sandbox(
        series,
        products=products_for(list(series), settings),
        balances=balances_of(balance, settings),
        start=start,
        speed=speed,
        port=port,
        tls=tls is not None,
        legacy=key_kind == "HMAC",
        rate=rate,
        seed=seed,
        faults=faults_in(faults) if faults is not None else (),
        **costs(settings),
    )
    path = key_file if key_file is not None else project / KEY_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    write_key(sandbox.keys[key_kind], path)
    _serve(sandbox, path, tls, as_json=as_json)


def _begun(series: dict[str, Series], start: int | None, *, as_now: bool) -> tuple[dict[str, Series], int]:
    """Where the clock starts; with `as_now` at the real time, and the recording moved there."""
    from tb.cli.sandbox_market import shifted
    from tb.connectors.sandbox.server import first_instant

    start = first_instant(series) if start is None else start
    if not min(one.starts[0] for one in series.values()) <= start < max(one.end for one in series.values()):
        raise click.BadParameter("there are no prices at that time", param_hint="--start")
    if not as_now:
        return series, start
    moment = time.time_ns() // 1_000_000
    return shifted(series, start, moment), moment


def _serve(sandbox: Sandbox, key_file: Path, tls: Path | None, *, as_json: bool) -> None:
    """Serves until somebody ends it."""
    from tb.cli.output import write_file
    from tb.core.diagnostics import Refused, error
    from tb.core.span import whole_file

    ended = threading.Event()
    before = {number: signal.signal(number, lambda *_: ended.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        try:
            sandbox.start()
        except OSError as problem:
            why = os.strerror(problem.errno).lower() if problem.errno else "the system refused"
            message = f"port {sandbox.port} cannot be used: {why}"
            raise Refused([error(UNUSABLE, message, whole_file("--port"), "name another, or 0 for any")]) from None
        if tls is not None and sandbox.ca_file is not None:
            write_file(tls, sandbox.ca_file.read_text(encoding="ascii"))
        facts = _facts(sandbox, key_file, tls)
        put(encode(facts).decode() if as_json else _as_text(facts))
        sys.stdout.flush()
        ended.wait()
        state = sandbox.state()
    finally:
        sandbox.stop()
        for number, handler in before.items():
            signal.signal(number, handler)
    struck = len(state["faults"]["struck"])
    say(f"ended at {state['time'][:19]}Z: {len(state['orders'])} orders, {len(state['fills'])} fills, {struck} faults struck")


def _facts(sandbox: Sandbox, key_file: Path, tls: Path | None) -> dict[str, Any]:
    from tb.core.encode import plain
    from tb.core.time import show_instant

    matching = sandbox.desk.matching
    return {
        "url": sandbox.base_url,
        "stream": sandbox.ws_url,
        "key_file": str(key_file),
        "certificate": None if tls is None else str(tls),
        "now": show_instant(matching.now),
        "ends": show_instant(max(series.end for series in matching.prices.series.values())),
        "speed": sandbox.desk.speed,
        "products": list(matching.prices.products),
        "balances": {name: plain(amount) for name, amount in matching.account.began.items() if amount},
    }


def _as_text(facts: dict[str, Any]) -> str:
    pace = "moved by `tb sandbox clock`" if facts["speed"] is None else f"{facts['speed']:g}x"
    rows = {
        "stream": facts["stream"],
        "products": ", ".join(facts["products"]),
        "clock": f"{facts['now']}, {pace}; prices end {facts['ends']}",
        "balances": ", ".join(f"{amount} {name}" for name, amount in facts["balances"].items()),
        "key": facts["key_file"],
        **({} if facts["certificate"] is None else {"certificate": facts["certificate"]}),
    }
    return "\n".join([f"coinbase sandbox at {facts['url']}", *(f"  {name:<12}{value}" for name, value in rows.items())])


for _command in (tb_sandbox_fault, tb_sandbox_clock, tb_sandbox_state):
    tb_sandbox.add_command(_command)
