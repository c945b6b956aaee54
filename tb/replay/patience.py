"""How long a replay waits with compiling the kernel that judges constraints over intervals (`tb.engine.intervals`).

A first replay would wait for it longer than it then saves: until it was asked often, everything is judged exactly, which comes
to the same. What is on disk, or was compiled by this process, is used at once. Who replays once mostly does so again: a replay
that judged much without the kernel leaves a note beside the machine code, and the next one compiles it first.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from tb.engine.intervals import settle

ENOUGH = 100_000  # questions, which take about as long as compiling
MUCH = 1_000  # decisions; the kernel would have saved a fifth of what compiling it takes
NOTE = "settle.wanted"  # the name of the note


def patience() -> int:
    """So many questions, 0 where nothing has to be compiled, or it is worth it. What another version of the kernel left on disk
    counts as there, and is compiled anew when it is asked."""
    kernel = cast(Any, settle)
    place = _place()
    kept = [] if place is None else place.glob(f"*.{kernel.py_func.__qualname__}-*.nbi")
    is_wanted = place is not None and (place / NOTE).exists()
    return 0 if kernel.signatures or is_wanted or any(kept) else ENOUGH


def note_for_the_next(decisions: int) -> None:
    """A replay is over that judged so many, one by one; where nothing can be written, the next one waits as it did."""
    place = _place()
    if decisions >= MUCH and place is not None and patience():
        with suppress(OSError):
            place.mkdir(parents=True, exist_ok=True)
            (place / NOTE).touch()


def _place() -> Path | None:
    """Where the kernel's machine code is kept."""
    place = cast(Any, settle).stats.cache_path
    return None if place is None else Path(place)
