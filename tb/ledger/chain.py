"""Hashes of the ledger: the link of one entry to the entry before, a policy's content.

Every part that enters a hash is preceded by its length, so no two different sequences give the same bytes. Pure and light:
importing this module loads neither SQLite nor SQLAlchemy.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from tb.core.encode import canonical, digest

GENESIS = bytes(32)  # what the first entry follows
LONG = 4_096  # bytes from which on a payload is not copied to be hashed


@dataclass(frozen=True, slots=True)
class Head:
    """The last entry of a ledger. Noted outside of the ledger, it proves later that no tail was cut off."""

    seq: int  # 0 for an empty ledger
    hash: str  # 64 hexadecimal digits


def entry_hash(previous: bytes, kind: str, run: str, payload: bytes) -> bytes:
    """The 32 bytes of SHA-256 over: the previous hash (32 bytes); the length (4 bytes, big-endian) and UTF-8 bytes of `kind`;
    the same of `run`; the length (8 bytes) and bytes of `payload`.

    The sequence number takes no part: the place of an entry is fixed by what it follows. Raises nothing.
    """
    head = previous + named(kind, run) + len(payload).to_bytes(8, "big")
    if len(payload) < LONG:
        return hashlib.sha256(head + payload).digest()
    hashed = hashlib.sha256(head)
    hashed.update(payload)
    return hashed.digest()


@lru_cache(maxsize=1024)
def named(kind: str, run: str) -> bytes:
    """What stands for the kind and the run of an entry in its hash."""
    name, owner = kind.encode(), run.encode()
    return len(name).to_bytes(4, "big") + name + len(owner).to_bytes(4, "big") + owner


def policy_bytes(texts: Mapping[str, str]) -> bytes:
    """The canonical bytes of a policy: a JSON object, path to text, sorted by path."""
    return canonical(dict(texts))


def policy_hash(texts: Mapping[str, str]) -> str:
    """The name of a policy: SHA-256 (hexadecimal) over its files, path to text. Their order does not matter.

    Raises `UnicodeEncodeError` for text that is not Unicode (a lone surrogate).
    """
    return digest(policy_bytes(texts))
