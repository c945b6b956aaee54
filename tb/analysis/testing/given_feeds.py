"""Feeds that a test gives beside its bars: the same value, known anew at the close of every bar."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

import numpy as np

from tb.dsl import checked
from tb.dsl.checked_tests import Given, Test
from tb.engine.bars import Bars
from tb.engine.feeds import FeedRows, Ints


def given_feeds(test: Test, bars: Mapping[str, Bars]) -> dict[tuple[str, str], FeedRows]:
    """Rows by feed and instrument, as `tb.engine.feeds` has them; those of a feed given as unknown are none."""
    instants = np.unique(np.concatenate([each.closes for each in bars.values()]))
    found = {}
    for given, read, symbol in _feeds_of(test):
        each = read.feed.per_instrument
        for name in (symbol,) if symbol is not None else bars if each else ("",):
            found[read.feed.name, name if each else ""] = _rows(given, instants)
    return found


def unread_feeds(test: Test, names: frozenset[str]) -> tuple[str, ...]:
    """What a test gives of feeds that are not among those read, in its own words."""
    return tuple(given.text for given, read, _ in _feeds_of(test) if read.feed.name not in names)


def _feeds_of(test: Test) -> Iterator[tuple[Given, checked.FeedRead, str | None]]:
    """Those of one instrument come last: they say more than what is said of all."""
    for_all, for_one = [], []
    for given in test.given:
        match given.what:
            case checked.FeedRead(part="value"):
                for_all.append((given, given.what, None))
            case checked.OfInstrument(value=checked.FeedRead(part="value") as read, symbol=symbol):
                for_one.append((given, read, symbol))
    yield from for_all
    yield from for_one


def _rows(given: Given, instants: Ints) -> FeedRows:
    value = None if given.value is None else given.value.value
    if not isinstance(value, Decimal):
        instants = instants[:0]
    values = np.full(len(instants), float(value) if isinstance(value, Decimal) else np.nan)
    source = f"{given.span.file}:{given.span.line}"
    return FeedRows(instants, values, values, np.zeros(len(instants), dtype=np.int64), source)
