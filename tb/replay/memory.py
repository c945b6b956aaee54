"""How arrays that come and go are kept for those that come next.

glibc hands what is freed back to the system where it is greater than what it has seen freed so far, and the system clears it
anew, page by page, when it is asked for again: of a replay that takes some milliseconds that is a tenth. One array that nobody
touches, let go at once, is all it takes to have seen.
"""

from __future__ import annotations

import numpy as np

GREATEST = 31 << 20  # bytes; of more than 32 MiB glibc learns nothing


def keep_what_is_freed() -> None:
    """Arrays of up to `GREATEST` bytes come out of what this process has freed before, from here on. Takes no memory."""
    np.empty(GREATEST, dtype=np.uint8)
