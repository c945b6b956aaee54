"""Reads a list of the venue to its end, page by page.

INVARIANT: a list that did not come to its end is no list; a cursor that comes twice is no end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tb.connectors.coinbase.transport import Query
from tb.connectors.coinbase.wire import Fields, Unreadable, optional_text, rows, truth

MOST_PAGES = 1_000


def listed(ask: Callable[[Query], Mapping[str, Any]], name: str) -> Iterator[Fields]:
    """The rows of all pages; `ask` gets what to add to the question. Raises Unreadable where there is no end."""
    seen: set[str] = set()
    more: Query = ()
    for _ in range(MOST_PAGES):
        answer = ask(more)
        yield from rows(answer, name)
        if "cursor" not in answer and "has_next" not in answer:
            raise Unreadable(f"the list of `{name}` does not say whether it ends: `cursor` is missing")
        cursor = optional_text(answer, "cursor")
        has_next = truth(answer, "has_next") if "has_next" in answer else bool(cursor)
        if not has_next:
            return
        if not cursor or cursor in seen:
            raise Unreadable(
                f"the list of `{name}` does not come to an end: `cursor` is {'there twice' if cursor else 'missing'}"
            )
        seen.add(cursor)
        more = [("cursor", cursor)]
    raise Unreadable(f"the list of `{name}` has more than {MOST_PAGES} pages")
