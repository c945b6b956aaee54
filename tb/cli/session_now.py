"""Whether a session of `tb run` runs now: by the lock of its account, and by its process where that is on this machine.

For people: nothing is decided by it. The lock itself is not touched, so a session that is just starting is not disturbed.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tb.core.settings import Settings
    from tb.ledger import RunInfo
    from tb.ledger.holding import Holder
    from tb.ledger.store import Ledger


def account_of(mode: str, settings: Settings) -> str:
    """What a session holds: the account at the venue, or what is simulated."""
    return settings.live.venue or mode if mode == "live" else mode


def is_newest(info: RunInfo, runs: list[RunInfo]) -> bool:
    """Whether it is the session of its mode that `tb run` goes on with."""
    from tb.runtime.running.sessions import MODES

    of_mode = [one.run.id for one in runs if one.run.mode == info.run.mode]
    return info.run.mode in MODES and info.unfinished and of_mode[-1] == info.run.id


def running(info: RunInfo, ledger: Ledger, settings: Settings) -> Holder | None:
    """Who runs a session now; None where nobody does, or where that cannot be seen from here (a ledger on a server)."""
    if not isinstance(ledger.path, Path) or not is_newest(info, ledger.runs()):
        return None
    holder = _holder(ledger.path, account_of(info.run.mode, settings))
    return holder if holder is not None and _lives(holder) else None


def _holder(ledger: Path, account: str) -> Holder | None:
    """What the lock file says: nothing once a session has ended well."""
    import msgspec

    from tb.ledger.holding import Holder, lock_path

    try:
        return msgspec.json.decode(lock_path(ledger, account).read_bytes(), type=Holder)
    except (OSError, msgspec.MsgspecError):
        return None


def _lives(holder: Holder) -> bool:
    """Of another machine only the lock file is known: it is believed."""
    if holder.host != socket.gethostname() or holder.process is None:
        return True
    try:
        os.kill(holder.process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # of another user
        return True
    return True
