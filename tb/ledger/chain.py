"""Hashes of the ledger: the link of one entry to the entry before, a run's decision log, a policy's content.

Every part that enters a hash is preceded by its length, so no two different sequences give the same bytes. Pure and light:
importing this module loads neither SQLite nor SQLAlchemy.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from tb.core.encode import canonical, digest
from tb.core.records import Decision, Latch, Quiet

GENESIS = bytes(32)  # what the first entry follows
DECISIVE = frozenset(kind.__name__ for kind in (Decision, Quiet, Latch))  # the kinds that make up a decision log


@dataclass(frozen=True, slots=True)
class Head:
    """The last entry of a ledger. Noted outside of the ledger, it proves later that no tail was cut off."""

    seq: int  # 0 for an empty ledger
    hash: str  # 64 hexadecimal digits


class DecisionLog:
    """SHA-256 over the canonical bytes of a run's Decision, Quiet and Latch records in order, each preceded by its length.

    No run id and no wall-clock time takes part: the same rules on the same data give the same digest in every run.
    """

    __slots__ = ("_hash",)

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, payload: bytes) -> None:
        """Takes the `tb.core.encode.canonical` bytes of the next record; raises nothing."""
        self._hash.update(len(payload).to_bytes(8, "big") + payload)

    def hexdigest(self) -> str:
        """The digest so far; more may be added afterwards."""
        return self._hash.hexdigest()


def entry_hash(previous: bytes, kind: str, run: str, payload: bytes) -> bytes:
    """The 32 bytes of SHA-256 over: the previous hash (32 bytes); the length (4 bytes, big-endian) and UTF-8 bytes of `kind`;
    the same of `run`; the length (8 bytes) and bytes of `payload`.

    The sequence number takes no part: the place of an entry is fixed by what it follows. Raises nothing.
    """
    name, owner = kind.encode(), run.encode()
    head = previous + len(name).to_bytes(4, "big") + name + len(owner).to_bytes(4, "big") + owner
    return hashlib.sha256(head + len(payload).to_bytes(8, "big") + payload).digest()


def policy_bytes(texts: Mapping[str, str]) -> bytes:
    """The canonical bytes of a policy: a JSON object, path to text, sorted by path."""
    return canonical(dict(texts))


def policy_hash(texts: Mapping[str, str]) -> str:
    """The name of a policy: SHA-256 (hexadecimal) over its files, path to text. Their order does not matter.

    Raises `UnicodeEncodeError` for text that is not Unicode (a lone surrogate).
    """
    return digest(policy_bytes(texts))
