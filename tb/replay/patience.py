"""How long a replay waits with compiling the kernel that judges constraints over intervals (`tb.engine.intervals`).

A first replay would wait for it longer than it then saves: until it was asked often, everything is judged exactly, which comes
to the same. What is on disk, or was compiled by this process, is used at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from tb.engine.intervals import settle

ENOUGH = 100_000  # questions, which take about as long as compiling


def patience() -> int:
    """So many questions, 0 where nothing has to be compiled. What another version of the kernel left on disk counts as there,
    and is compiled anew when it is asked."""
    kernel = cast(Any, settle)
    place = kernel.stats.cache_path
    kept = [] if place is None else Path(place).glob(f"*.{kernel.py_func.__qualname__}-*.nbi")
    return 0 if kernel.signatures or any(kept) else ENOUGH
