"""The ledger: what happened, append-only, each entry hashed with the one before.

Importing this package is cheap; `open_ledger` is what loads the database libraries (about 0.2 s).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tb.ledger.chain import GENESIS, Head, entry_hash, policy_hash
from tb.ledger.grouping import GROUP, Grouping
from tb.ledger.log import BLOCK, DecisionLog
from tb.ledger.place import Database, Place, place_of
from tb.ledger.runs import RunInfo
from tb.ledger.segments import Group

if TYPE_CHECKING:
    from tb.ledger.store import Ledger

__all__ = [
    "BLOCK",
    "GENESIS",
    "GROUP",
    "Database",
    "DecisionLog",
    "Group",
    "Grouping",
    "Head",
    "Place",
    "RunInfo",
    "entry_hash",
    "open_ledger",
    "place_of",
    "policy_hash",
]


def open_ledger(path: Place, *, create: bool = True, read_only: bool = False, wait: float = 2.0) -> Ledger:
    """Opens the ledger in the file at `path`, or in a `Database`, making it first where there is none and `create` is true.

    `read_only` never makes or changes anything and works beside a writer. `wait` is how many seconds to queue behind another
    writer. Raises `Refused`: TB701 (missing), TB702 (not a ledger), TB703 (damaged or truncated), TB704 (another schema
    version), TB705 (locked by another writer), TB706 (permission, not a file, disk); of a database also TB884 (no address),
    TB885 (its driver is not installed), TB886 (it does not answer).
    """
    from tb.ledger.store import Ledger

    if isinstance(path, Database):
        from tb.ledger.postgres import open_database

        return Ledger(path, open_database(path, create=create, read_only=read_only, wait=wait))
    from tb.ledger.opening import open_engine

    return Ledger(path, open_engine(path, create=create, read_only=read_only, wait=wait))
