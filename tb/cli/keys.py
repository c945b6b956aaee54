"""Single keys from a terminal, without waiting for a line; nothing where standard input is no terminal."""

from __future__ import annotations

import os
import select
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from tb.cli.output import is_terminal


class Keys(Protocol):
    """Where keys come from."""

    def pressed(self, seconds: float) -> str:
        """The keys pressed, after waiting for one at most so long; empty where none was."""
        ...


class _NoKeys:
    def pressed(self, seconds: float) -> str:
        if seconds > 0:
            time.sleep(seconds)
        return ""


class _TerminalKeys:
    def pressed(self, seconds: float) -> str:
        ready, _, _ = select.select([sys.stdin], [], [], seconds)
        return os.read(sys.stdin.fileno(), 64).decode("utf-8", "replace") if ready else ""


NO_KEYS: Keys = _NoKeys()


@contextmanager
def keys_of_terminal() -> Iterator[Keys]:
    """The keys of the terminal behind standard input, which is put back as it was; `NO_KEYS` where there is none."""
    try:
        import termios
        import tty
    except ImportError:  # not on Windows
        yield NO_KEYS
        return
    if not is_terminal(sys.stdin):
        yield NO_KEYS
        return
    number = sys.stdin.fileno()
    before = termios.tcgetattr(number)
    try:
        tty.setcbreak(number)
        yield _TerminalKeys()
    finally:
        termios.tcsetattr(number, termios.TCSADRAIN, before)
