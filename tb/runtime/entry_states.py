"""What the condition of an entry was at a bar of its instrument, as `Quiet` records keep it: one byte a bar.

`HELD_BACK`: the condition may have been true, and nothing was proposed whatever it was: nobody was running then, or something
was wrong that allows no new risk (`tb.runtime.running`).
"""

from __future__ import annotations

FALSE, TRUE, UNKNOWN, OUTSIDE, BUSY, COOLING, HELD_BACK = range(7)
