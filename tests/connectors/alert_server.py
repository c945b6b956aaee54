"""A real HTTP server on loopback that takes what alerts send, as fast, as slowly or as badly as a test wants it."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PATIENCE = 30.0  # seconds after which a test that waits has failed


class Taking:
    """`messages` are the bodies that were answered; while `held` requests wait, with `status` they are answered."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.status = 200
        self.arrived = 0
        self._changed = threading.Condition()
        self._open = threading.Event()
        self._open.set()
        taking = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = taking.take(json.loads(body))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"json://robot:wordOfTheRobot@127.0.0.1:{self._server.server_address[1]}/hook-4711-token"

    def take(self, message: dict[str, Any]) -> int:
        with self._changed:
            self.arrived += 1
            self._changed.notify_all()
        self._open.wait(PATIENCE)
        with self._changed:
            if self.status == 200:
                self.messages.append(message)
            self._changed.notify_all()
            return self.status

    def hold(self) -> None:
        self._open.clear()

    def release(self) -> None:
        self._open.set()

    def wait_for(self, messages: int = 0, *, arrived: int = 0) -> list[dict[str, Any]]:
        with self._changed:
            came = self._changed.wait_for(lambda: len(self.messages) >= messages and self.arrived >= arrived, PATIENCE)
        assert came, f"{len(self.messages)} messages, {self.arrived} requests"
        return self.messages

    def close(self) -> None:
        self.release()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
