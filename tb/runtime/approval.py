"""Which policy a person has approved for live trading: the hash of every text that decides, with a name and a reason.

INVARIANT: what is not approved by its exact text does not trade live.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from tb.core.encode import canonical
from tb.runtime.operator import cannot, write_whole

FILE = "approved.json"


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """`policy` is the hash; `at` is the wall clock in ms."""

    policy: str
    at: int
    by: str
    reason: str


def approve(folder: Path, approval: Approval) -> None:
    """Keeps an approval in place of the one before; on disk when this returns. Raises Refused TB853."""
    write_whole(folder / FILE, canonical(approval))


def approved(folder: Path) -> Approval | None:
    """The approval in force, None where there is none. Raises Refused TB853 where it cannot be read."""
    path = folder / FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Approval)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as problem:
        raise cannot(path, problem) from None
