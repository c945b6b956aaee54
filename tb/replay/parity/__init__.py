"""Two runs set against each other, decision for decision: how many agree, and what made the first that does not differ."""

from tb.replay.parity.align import Counts, Differing, Tally, align
from tb.replay.parity.divergence import Divergence, Side, diverge
from tb.replay.parity.model import Parity, parity
from tb.replay.parity.naming import Likeness, Names
from tb.replay.parity.origin import Aspect, Change, origins
from tb.replay.parity.text import text

__all__ = [
    "Aspect",
    "Change",
    "Counts",
    "Differing",
    "Divergence",
    "Likeness",
    "Names",
    "Parity",
    "Side",
    "Tally",
    "align",
    "diverge",
    "origins",
    "parity",
    "text",
]
