"""A command at a terminal of its own, as an operator has it: what it asks is answered, in order, and what it shows is kept."""

from __future__ import annotations

import contextlib
import os
import pty
import signal
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path


class Terminal:
    """Starts a command. What ends with a colon and a space is a question, and gets the next answer."""

    def __init__(self, command: Sequence[str], folder: Path, environment: Mapping[str, str], answers: Sequence[str]) -> None:
        self.name = " ".join(command[2:])
        self.text = ""
        self.code: int | None = None
        self._answers = list(answers)
        self.process, self._screen = pty.fork()
        if not self.process:
            os.chdir(folder)
            os.execvpe(command[0], list(command), dict(environment))
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with contextlib.suppress(OSError):  # the screen is gone once the command has ended
            while data := os.read(self._screen, 65_536):
                self.text += data.decode("utf-8", "replace").replace("\r", "")
                if self._answers and self.text.endswith(": "):
                    os.write(self._screen, self._answers.pop(0).encode() + b"\n")
        self.code = os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])

    def wait_for(self, words: str, seconds: float) -> None:
        """Until it shows something."""
        until = time.monotonic() + seconds
        while words not in self.text:
            self.must_run()
            if time.monotonic() > until:
                raise SystemExit(f"`{self.name}` did not show `{words}`:\n{self.text}")
            time.sleep(0.05)

    def must_run(self) -> None:
        if not self._reader.is_alive():
            raise SystemExit(f"`{self.name}` ended with {self.code}:\n{self.text}")

    def kill(self) -> None:
        os.kill(self.process, signal.SIGKILL)
        self._reader.join(30)

    def interrupt(self) -> None:
        os.kill(self.process, signal.SIGINT)

    def ended(self) -> str:
        """What it showed, once it has ended well."""
        self._reader.join(120)
        if self.code != 0:
            raise SystemExit(f"`{self.name}` ended with {self.code}:\n{self.text}")
        os.close(self._screen)
        return self.text
