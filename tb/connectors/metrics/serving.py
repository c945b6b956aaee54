"""The server: `/metrics` in Prometheus' format, `/healthz` for whoever restarts what hangs.

It listens on loopback alone and takes nothing but GET. `/healthz` answers 200 while the loop goes round, 503 once it has not
for longer than it should: a process that only exists is not healthy.
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tb.connectors.metrics.counting import Counting, prometheus
from tb.core.diagnostics import Refused, error
from tb.core.span import whole_file

TAKEN = "TB883"
LOOPBACK = "127.0.0.1"


class Serving(Counting):
    """Counts, and serves the counts until it is closed."""

    def __init__(self, port: int, within: float) -> None:
        super().__init__()
        self.within = within
        try:
            self._server = _Server((LOOPBACK, port), _handler(self))
        except OSError as problem:
            reason = (problem.strerror or "the system refused").lower()
            hint = "name another port in `live.metrics_port` of tb.yaml, or end what listens on this one"
            message = f"metrics cannot be served on port {port}: {reason}"
            raise Refused([error(TAKEN, message, whole_file("tb.yaml"), hint)]) from None
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="metrics", daemon=True)
        self._thread.start()

    def health(self) -> tuple[bool, dict[str, Any]]:
        silence = self.silence()
        healthy = silence <= self.within
        said = {"healthy": healthy, "began": self.last_turn is not None, "silent_for": round(silence, 3)}
        return healthy, said | {"within": self.within}

    def page(self) -> bytes:
        text: bytes = prometheus().generate_latest(self.registry)
        return text

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def serve_metrics(port: int, within: float) -> Serving:
    """Serves on a port of this machine (0: any that is free); the loop goes round every `within` seconds.

    Raises Refused TB882 where the library is missing, TB883 where the port is taken.
    """
    return Serving(port, within)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True


def _handler(serving: Serving) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 5  # seconds for a client that says nothing
        server_version, sys_version = "tb", ""

        def do_GET(self) -> None:
            match self.path.partition("?")[0]:
                case "/metrics":
                    self._answer(200, "text/plain; version=0.0.4; charset=utf-8", serving.page())
                case "/healthz":
                    healthy, said = serving.health()
                    self._answer(200 if healthy else 503, "application/json", json.dumps(said).encode())
                case _:
                    self._answer(404, "text/plain; charset=utf-8", b"/metrics or /healthz\n")

        def _answer(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the name is the library's
            """Nobody reads who asked."""

    return Handler
