"""What the condition of an entry was at a bar of its instrument, as `Quiet` records keep it: one byte a bar.

`HELD_BACK`: the condition may have been true, and nothing was proposed whatever it was: nobody was running then, or something
was wrong that allows no new risk (`tb.runtime.running`).
"""

from __future__ import annotations

import zlib

FALSE, TRUE, UNKNOWN, OUTSIDE, BUSY, COOLING, HELD_BACK = range(7)

LEVEL = 3  # of compression, above which time grows faster than the states of bars shrink


def packed(states: bytes) -> bytes:
    """The states of a stretch as a `Quiet` has them: the same bytes from a replay and from a session."""
    return zlib.compress(states, LEVEL)
