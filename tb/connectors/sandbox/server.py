"""The sandbox as a server on loopback, in a thread of its own, started and stopped from any other.

    with Sandbox({"BTC-USD": series}) as sandbox:
        client = Client(sandbox.base_url, sandbox.key)
        sandbox.step()             # to the close of the next bar
        sandbox.fault("drop-reply", on="orders")
        sandbox.state()["orders"]

INVARIANT: the matching is touched in the server's thread alone; what is called here is handed over to it and waited for.
"""

from __future__ import annotations

import asyncio
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from tb.connectors.sandbox.account import Account
from tb.connectors.sandbox.certificate import make_certificate
from tb.connectors.sandbox.control import move_clock
from tb.connectors.sandbox.control import routes as control_routes
from tb.connectors.sandbox.desk import Desk
from tb.connectors.sandbox.faults import Fault, Faults, read_fault
from tb.connectors.sandbox.keys import KINDS, Key, Kind, make_key
from tb.connectors.sandbox.matching import Matching
from tb.connectors.sandbox.pricing import Prices
from tb.connectors.sandbox.product import Product, product_named
from tb.connectors.sandbox.recording import Series
from tb.connectors.sandbox.rest import routes as rest_routes
from tb.connectors.sandbox.stream import Streams
from tb.connectors.sandbox.wires import Wires
from tb.core.time import DAY

if TYPE_CHECKING:
    import uvicorn

Result = TypeVar("Result")
TURN = 0.1  # seconds between two looks at the clock
PATIENCE = 30.0  # seconds to start, stop or answer


class Sandbox:
    """A venue of one account on loopback that speaks Coinbase Advanced Trade.

    `series` holds the recorded bars by product; products without rules of their own get usual ones. The simulated clock
    starts at `start` (ms; by default after 60 days of history, or half of a shorter recording) and goes at `speed`, or only by
    `step` and `advance` where that is None. `spread` is the distance of bid and ask as a part of the price where none was
    recorded, `depth` the value of one side of the book. `legacy` accepts the old scheme of keys too.
    """

    def __init__(
        self,
        series: Mapping[str, Series],
        *,
        products: Mapping[str, Product] | None = None,
        balances: Mapping[str, Decimal] | None = None,
        start: int | None = None,
        speed: float | None = None,
        taker: Decimal = Decimal("0.006"),
        maker: Decimal = Decimal("0.004"),
        spread: Decimal = Decimal("0.001"),
        depth: Decimal = Decimal(250_000),
        seed: int = 0,
        faults: Sequence[Fault] = (),
        host: str = "127.0.0.1",
        port: int = 0,
        tls: bool = False,
        legacy: bool = False,
        rate: int | None = None,
        can_trade: bool = True,
        can_transfer: bool = False,
        heartbeat: float = 1.0,
        wall: Callable[[], float] = time.time,
    ) -> None:
        if not series:
            raise ValueError("a sandbox needs the bars of one product at least")
        rules = {name: (products or {}).get(name) or product_named(name) for name in sorted(series)}
        prices = Prices(rules, dict(sorted(series.items())), spread, depth)
        account = Account(dict(balances or {"USD": Decimal(10_000)}))
        for product in rules.values():
            for currency in (product.base, product.quote):
                account.total.setdefault(currency, Decimal(0))
        drawn = Faults(seed)
        for fault in faults:
            drawn.arm(fault)
        matching = Matching(prices, account, first_instant(series) if start is None else start, taker, maker, drawn, seed)
        self.keys: dict[Kind, Key] = {kind: make_key(kind) for kind in KINDS if legacy or kind != "HMAC"}
        self.desk = Desk(
            matching, drawn, tuple(self.keys.values()), speed, rate, can_trade=can_trade, can_transfer=can_transfer, wall=wall
        )
        self._host, self._port, self._tls = host, port, tls
        self._wires = Wires()
        self._heartbeat = heartbeat
        self.streams = Streams(self.desk, self._wires)
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._server: uvicorn.Server | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None

    # where it is

    @property
    def key(self) -> Key:
        """The key of the usual kind, ES256."""
        return self.keys["ES256"]

    @property
    def port(self) -> int:
        return self._port

    @property
    def base_url(self) -> str:
        return f"{'https' if self._tls else 'http'}://{self._host}:{self._port}"

    @property
    def ws_url(self) -> str:
        return f"{'wss' if self._tls else 'ws'}://{self._host}:{self._port}"

    @property
    def ca_file(self) -> Path | None:
        """The certificate that clients have to trust; None without TLS."""
        return Path(self._folder.name) / "certificate.pem" if self._folder is not None else None

    # its life

    def __enter__(self) -> Sandbox:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def start(self) -> None:
        """Binds the port and serves. Raises OSError where the port cannot be bound."""
        listening = socket.create_server((self._host, self._port), reuse_port=False)
        self._port = listening.getsockname()[1]
        try:
            server = self._server = self._configured()
        except BaseException:
            listening.close()
            raise
        self._thread = threading.Thread(target=self._serve, args=(server, listening), name="tb-sandbox", daemon=True)
        self._thread.start()
        deadline = time.monotonic() + PATIENCE
        while not server.started and self._thread.is_alive() and time.monotonic() < deadline:
            time.sleep(0.002)
        if not server.started:
            self.stop()
            raise RuntimeError("the sandbox did not start") from self._failure

    def stop(self) -> None:
        """Ends the server and closes its connections; harmless where it does not run."""
        if self._server is not None:
            self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(PATIENCE)
        self._server = self._thread = self._loop = None
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def _configured(self) -> uvicorn.Server:
        import uvicorn
        from starlette.applications import Starlette

        routes = [
            *rest_routes(self.desk, self._wires),
            *control_routes(self.desk, self.streams.publish),
            *self.streams.routes(),
        ]
        config = uvicorn.Config(
            Starlette(routes=routes),
            http=self._wires.protocol(),
            ws="websockets-sansio",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
            **self._certified(),
        )
        config.load()
        if self._folder is not None:
            (Path(self._folder.name) / "key.pem").unlink()  # the server has it in memory now
        return uvicorn.Server(config)

    def _certified(self) -> dict[str, Any]:
        if not self._tls:
            return {}
        self._folder = tempfile.TemporaryDirectory(prefix="tb-sandbox-")
        folder = Path(self._folder.name)
        certificate, private = make_certificate()
        (folder / "certificate.pem").write_bytes(certificate)
        (folder / "key.pem").touch(0o600)
        (folder / "key.pem").write_bytes(private)
        return {"ssl_certfile": str(folder / "certificate.pem"), "ssl_keyfile": str(folder / "key.pem")}

    def _serve(self, server: uvicorn.Server, listening: socket.socket) -> None:
        try:
            asyncio.run(self._main(server, listening))
        except BaseException as problem:  # told to whoever waits for the start
            self._failure = problem
        finally:
            listening.close()

    async def _main(self, server: uvicorn.Server, listening: socket.socket) -> None:
        self._loop = asyncio.get_running_loop()
        tasks = [asyncio.create_task(self._turn()), asyncio.create_task(self._beat())]
        try:
            await server.serve(sockets=[listening])
        finally:
            for task in tasks:
                task.cancel()

    async def _turn(self) -> None:
        """Lets the market go on while nobody asks."""
        while True:
            await asyncio.sleep(TURN)
            if self.desk.speed is not None:
                self.desk.keep_time()
                self.streams.publish()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._heartbeat)
            self.streams.beat()

    # from other threads

    def _ask(self, function: Callable[[], Result]) -> Result:
        if self._loop is None:
            raise RuntimeError("the sandbox does not run")

        async def call() -> Result:
            return function()

        return asyncio.run_coroutine_threadsafe(call(), self._loop).result(PATIENCE)

    def _move(self, given: Mapping[str, Any]) -> int:
        def moved() -> int:
            move_clock(self.desk, given)
            self.streams.publish()
            return self.desk.matching.now

        return self._ask(moved)

    def step(self, bars: int = 1) -> int:
        """To the close of the next bar, or that many further; the simulated instant (ms)."""
        return self._move({"bars": bars})

    def advance(self, by: int) -> int:
        """That many ms further; the simulated instant (ms)."""
        return self._move({"by": by})

    def advance_to(self, instant: int) -> int:
        """To an instant (ms); an earlier one changes nothing."""
        return self._move({"to": instant})

    def set_speed(self, speed: float | None) -> None:
        self._ask(lambda: self.desk.set_speed(speed))

    def fault(self, name: str, **fields: Any) -> None:
        """Arms a fault (`tb.connectors.sandbox.faults`). Raises ValueError where there is none of that name or form."""
        found = read_fault({"fault": name, **fields})
        if isinstance(found, str):
            raise ValueError(found)
        self._ask(lambda: self.desk.faults.arm(found))

    def clear_faults(self, name: str = "") -> None:
        self._ask(lambda: self.desk.faults.clear(name))

    def state(self) -> dict[str, Any]:
        """Orders, fills, balances, positions, arrivals, exposure, protection, faults, as `GET /sandbox/state` gives them."""
        return self._ask(self.desk.state)

    def requests(self) -> list[dict[str, Any]]:
        """Every request so far: method, path, query, headers and claims without what proves, body, and the answer's status."""
        return self._ask(lambda: list(self.desk.requests))

    @property
    def now(self) -> int:
        """The simulated instant (ms)."""
        return self._ask(lambda: self.desk.matching.now)


def first_instant(series: Mapping[str, Series]) -> int:
    """Where a simulation starts by itself: after 60 days of history, or in the middle of a shorter recording."""
    first = min(one.starts[0] for one in series.values())
    last = max(one.end for one in series.values())
    period = next(iter(series.values())).period
    return first + min(60 * DAY, (last - first) // 2) // period * period
