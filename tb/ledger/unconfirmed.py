"""A group that was sent to a server whose answer was lost: it may be on the disk, and its writer was not told.

1. The server is asked at once, over another connection and under the lock of the chain, for which it waits until the session
   that was lost has ended either way: what is not there then never will be.
2. Where it cannot be asked, the group is kept in mind. Handed in again, alone or with more after it, what is there already is
   not written a second time.
3. Another group in its place is refused once: its writer does not know what the run has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from tb.ledger.chain import Head
from tb.ledger.tables import Entry, table_of
from tb.ledger.writing import Prepared

_entries = table_of(Entry)


@dataclass(frozen=True, slots=True)
class Sent:
    """Entries that are added to the chain for a run, in one transaction."""

    run: str
    entries: Sequence[Prepared]


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """What was sent, where it can be handed in again; `head` is the last entry of it, if it is there.

    `before` is what was not confirmed either, and what this one begins with.
    """

    head: Head
    sent: Sent | None
    before: Unconfirmed | None = None

    def is_in(self, connection: Connection) -> bool:
        """Whether it is in the chain; asked in a transaction that writes, which the lost one is not beside."""
        link = connection.execute(select(_entries.c.hash).where(_entries.c.seq == self.head.seq)).scalar()
        return isinstance(link, bytes) and link.hex() == self.head.hash

    def rest_of(self, group: Sent) -> Sequence[Prepared] | None:
        """What follows it in a group that begins with it; None for any other group."""
        known = [] if self.sent is None else list(self.sent.entries)
        begins = list(group.entries[: len(known)])
        return group.entries[len(known) :] if begins == known else None
