"""What is recorded of markets: bars, and feeds and funding beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tb.engine.bars import Bars
from tb.engine.feeds import Feeds
from tb.engine.funding import Funding


@dataclass(frozen=True, slots=True)
class Recording:
    """`bars` and `funding` by instrument, `feeds` by name and instrument. Bars are all of one period."""

    bars: Mapping[str, Bars]
    feeds: Feeds = field(default_factory=dict)
    funding: Mapping[str, Funding] = field(default_factory=dict)
