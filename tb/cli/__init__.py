"""The command line: thin. Each command parses its arguments, calls one room, and renders what comes back.

Guarantees that `tb --help` loads nothing heavy: a command's module names its rooms inside the functions that need them.
"""

from __future__ import annotations

import gc
import sys

from tb.cli.group import tb

# how often garbage is looked for: little of what a command makes is part of a circle, and looking as often as Python does
# takes up to a tenth of its time
GARBAGE = (20_000, 20, 20)


def main() -> None:
    """The `tb` command. Text goes out as UTF-8 whatever the locale says."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="backslashreplace")
    gc.set_threshold(*GARBAGE)
    tb()
