"""The circuit breaker: closed, draining, open, half open; on disk before anything relies on it.

- closed: orders pass.
- draining: nothing that adds risk passes; what works finishes, reducing orders pass.
- open: nothing passes but protection, and what a `flatten` closes. It stays open over restarts until a named person closes it.
- half open: a person has closed it; one order that adds risk passes at a time, until the account agrees with the venue and that
  order has come to its end. Then it is closed by itself; trouble in between opens it again.

The states stand in a file of their own, chained like the journal, with who changed them and why. Several processes may read it,
and one that runs notices at its next order what another one wrote.

INVARIANT: what cannot be read is open. A state that cannot be written is held in memory all the same, never a milder one.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec

from tb.core.diagnostics import Refused, error
from tb.core.encode import canonical
from tb.core.span import whole_file

CANNOT = "TB833"
State = Literal["closed", "draining", "open", "half open"]
_ORDER: tuple[State, ...] = ("closed", "half open", "draining", "open")  # from the mildest
# as constraints read it (`breaker`)
STANDING: dict[State, str] = {"closed": "active", "half open": "active", "draining": "draining", "open": "halted"}
_STARTED = "the account is new"


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A state from an instant (ms, wall clock) on: who set it and why. `link` chains it to the one before."""

    state: State
    at: int
    by: str
    reason: str
    link: str = ""


class Breaker:
    """The breaker of one account, kept in a file. `told` hears every change that this process makes or notices."""

    def __init__(self, path: Path, *, told: Callable[[Change], None] = lambda change: None) -> None:
        self.path = path
        self.told = told
        self._mark: tuple[int, int, int] | None = None
        self._known: Change | None = None
        self._held: Change | None = None  # what could not be written

    # --- reading ---------------------------------------------------------------------------------------------------

    def now(self) -> Change:
        """The state in force: what the file says, or what is held in memory where that is stricter."""
        mark = self._look()
        if mark is None or mark != self._mark or self._known is None:
            found = _unreadable("the file of the breaker is missing") if mark is None else self._read()
            self._mark = mark
            if self._known is not None and found != self._known:
                self.told(found)
            self._known = found
        held = self._held
        return held if held is not None and _is_stricter(held, self._known) else self._known

    @property
    def state(self) -> State:
        return self.now().state

    def _look(self) -> tuple[int, int, int] | None:
        try:
            found = os.stat(self.path)
        except OSError:
            return None
        return found.st_ino, found.st_size, found.st_mtime_ns

    def _read(self) -> Change:
        try:
            data = self.path.read_bytes()
        except OSError as problem:
            return _unreadable((problem.strerror or "it cannot be read").lower())
        changes = _changes(data)
        return changes[-1] if changes else _unreadable("the file of the breaker is damaged")

    def history(self) -> tuple[Change, ...]:
        """Every change, first to last; empty where the file cannot be read."""
        try:
            return tuple(_changes(self.path.read_bytes()))
        except OSError:
            return ()

    # --- changing --------------------------------------------------------------------------------------------------

    def begin(self, at: int) -> None:
        """Makes the file of an account that has none yet: closed. Only whoever knows that nothing was ever sent calls it.

        Raises `Refused` TB833 where it cannot be written.
        """
        try:
            is_new = b"\n" not in self.path.read_bytes()  # a torn first line is none
        except FileNotFoundError:
            is_new = True
        except OSError:
            is_new = False
        if is_new:
            self._write(Change(state="closed", at=at, by="tb", reason=_STARTED))

    def drain(self, at: int, by: str, reason: str) -> bool:
        """Nothing new from now on; False where that, or more, holds already."""
        return self._tighten("draining", at, by, reason)

    def open(self, at: int, by: str, reason: str) -> bool:
        """Stops everything but protection; False where it is open already."""
        return self._tighten("open", at, by, reason)

    def close(self, at: int, by: str, reason: str) -> State:
        """A person lets orders pass again: an open breaker is half open then. Returns the state.

        Raises `Refused` TB833 without a name and a reason, and where it cannot be written: it stays as it was.
        """
        if not by.strip() or not reason.strip():
            raise self._refused("a breaker is closed by a named person with a reason", "say who closes it, and why")
        state: State = "closed" if self.state in ("closed", "draining") else "half open"
        self._write(Change(state=state, at=at, by=by, reason=reason))
        self._held = None
        return state

    def prove(self, at: int, reason: str) -> bool:
        """After half open: the trial went well. False where it was not half open."""
        if self.state != "half open":
            return False
        self._write(Change(state="closed", at=at, by="tb", reason=reason))
        return True

    def _tighten(self, state: State, at: int, by: str, reason: str) -> bool:
        change = Change(state=state, at=at, by=by, reason=reason)
        if not _is_stricter(change, self.now()):
            return False
        try:
            self._write(change)
        except Refused:
            self._held = change
            self.told(change)
        return True

    def _write(self, change: Change) -> None:
        """Appends a change, on disk when this returns, and tells of it."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
                data = os.pread(handle, os.fstat(handle).st_size, 0)
                changes = _changes(data)
                whole = data.rfind(b"\n") + 1
                if whole and not changes:
                    raise self._refused("the file of the breaker is damaged", "keep it as evidence and start with a new folder")
                if whole != len(data):
                    os.ftruncate(handle, whole)  # a torn line of a process that died: its change was never relied on
                change = _linked(changes[-1] if changes else None, change)
                line = canonical(change) + b"\n"
                if os.write(handle, line) != len(line):
                    raise OSError(28, "no space left on device")
                os.fsync(handle)
            finally:
                os.close(handle)
            folder = os.open(self.path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as problem:
            reason = (problem.strerror or "the disk refuses").lower()
            raise self._refused(f"the breaker cannot be written: {reason}", "free some space or mend the disk") from None
        self._known, self._mark = change, self._look()
        self.told(change)

    def _refused(self, message: str, hint: str) -> Refused:
        return Refused([error(CANNOT, message, whole_file(str(self.path)), hint)])


def _changes(data: bytes) -> list[Change]:
    """The whole lines of a file as a chain; empty where there is none, or where one of them does not fit."""
    found: list[Change] = []
    for line in data[: data.rfind(b"\n") + 1].split(b"\n")[:-1]:
        try:
            change = msgspec.json.decode(line, type=Change)
        except msgspec.MsgspecError:
            return []
        if change != _linked(found[-1] if found else None, change):
            return []
        found.append(change)
    return found


def _linked(before: Change | None, change: Change) -> Change:
    bare = msgspec.structs.replace(change, link="")
    link = hashlib.sha256((before.link if before is not None else "").encode() + canonical(bare)).hexdigest()
    return msgspec.structs.replace(change, link=link)


def _is_stricter(one: Change, other: Change) -> bool:
    return _ORDER.index(one.state) > _ORDER.index(other.state)


def _unreadable(why: str) -> Change:
    return Change(state="open", at=0, by="tb", reason=why)
