"""One writer for each account: a session holds its account for as long as its process lives, and no longer.

1. For a ledger in a file the hold is a lock of the operating system (flock) on a file beside it. The system lets go of it when
   the process ends, however it ends, so there is nothing to break by hand and nothing that expires while its owner lives.
2. On a server it is an advisory lock of a session of its own, and whatever the session writes goes through that one connection:
   a connection that is lost takes the lock and the right to write with it, in one.
3. Before each write the hold is proved. A lock that somebody removed, or a connection that was cut, refuses the write.
4. After each write that is on the disk the lock file says which entry was the last. Where a process ended without letting go,
   and the ledger does not have that entry any more (the log beside a file was damaged, an older copy was put in its place),
   nobody holds the account until a person has seen to it.

What else the lock file says (who, since when) is for people; nothing is decided by it.
"""

from __future__ import annotations

import hashlib
import os
import re
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from getpass import getuser
from pathlib import Path
from types import TracebackType
from typing import Protocol

import msgspec
from sqlalchemy import Connection

from tb.core.diagnostics import Refused
from tb.core.encode import canonical
from tb.core.time import show_instant
from tb.ledger.chain import Head
from tb.ledger.findings import database_errors, refused
from tb.ledger.place import Place

PAUSES = (0.05, 0.15, 0.4)  # seconds: a server notices a little later that a process has ended
HELD, LOST, UNLOCKABLE, CUT = "TB887", "TB888", "TB706", "TB711"


class Holder(msgspec.Struct, frozen=True):
    """Who holds an account, or held it when its process ended: `since` in ms, None where it is not known.

    `entry` is the last entry that was on the disk, `link` its hash; 0 where nothing was written.
    """

    process: int | None = None
    host: str = ""
    user: str = ""
    since: int | None = None
    entry: int = 0
    link: str = ""

    def __str__(self) -> str:
        who = f"process {self.process}" if self.process is not None else "another process"
        where = f" of {self.user}" * bool(self.user) + f" on {self.host}" * bool(self.host)
        return who + where + (f" since {show_instant(self.since // 1000 * 1000)}" if self.since is not None else "")


def this_process() -> Holder:
    try:
        user = getuser()
    except (KeyError, OSError):  # a user without a name
        user = str(os.getuid())
    return Holder(os.getpid(), socket.gethostname(), user, int(time.time() * 1000))


class Lock(Protocol):
    """What holds an account. `before` is a holder whose process ended without letting go."""

    before: Holder | None

    def prove(self) -> None:
        """Raises `Refused` TB888 where it does not hold any more."""
        ...

    def note(self, head: Head) -> None:
        """Takes the last entry, which is on the disk."""
        ...

    def release(self) -> None: ...


class Hold:
    """An account that is held: until `release`, the end of the `with` block, that of the ledger, or of the process."""

    def __init__(self, account: str, lock: Lock, let_go: Callable[[Hold], None]) -> None:
        self.account, self.before = account, lock.before
        self._lock: Lock | None = lock
        self._let_go = let_go

    def prove(self) -> None:
        if self._lock is not None:
            self._lock.prove()

    def note(self, head: Head) -> None:
        """That this entry is the last, and on the disk."""
        if self._lock is not None:
            self._lock.note(head)

    def release(self) -> None:
        """Gives the account back; a second time does nothing."""
        lock, self._lock = self._lock, None
        if lock is not None:
            self._let_go(self)
            lock.release()

    def __enter__(self) -> Hold:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.release()


def _is_held(place: Place, account: str, holder: Holder) -> Refused:
    stop = f"stop process {holder.process} first" if holder.process is not None else "stop it first"
    hint = f"{stop}; the account is free once it has ended, however it ended"
    return refused(place, HELD, f"the account `{account}` is held by {holder}", hint)


def _is_lost(place: Place, account: str, why: str) -> Refused:
    hint = "end this session and start it again: another may have begun in the meantime"
    return refused(place, LOST, f"the account `{account}` is not held any more: {why}", hint)


def _is_cut(ledger: Path, before: Holder, lock: str) -> Refused:
    message = f"entry {before.entry}, which {before} had on the disk before it ended, is not in the ledger any more"
    hint = f"restore the ledger from a backup that has it; to go on with what is left, remove `{lock}`"
    return refused(ledger, CUT, message, hint)


class FileLock:
    """A lock on a file beside the ledger's, which stays there: removing it could let two hold it."""

    def __init__(self, ledger: Path, account: str, link_of: Callable[[int], str | None]) -> None:
        """`link_of` tells the hash of an entry, None where there is no such entry."""
        import fcntl  # there is none on every system; a ledger can be read on all

        self.ledger, self.account = ledger, account
        self.path = lock_path(ledger, account)
        try:
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as problem:
            reason = (problem.strerror or "the file system refused").lower()
            message = f"the account `{account}` cannot be held: `{self.path.name}` cannot be written: {reason}"
            raise refused(ledger, UNLOCKABLE, message, "let this user write the ledger's folder") from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.prove()  # the file may have been removed between the two calls
            self.before = _read(self._file)
            self._holder = this_process()
            if self.before is not None and self.before.entry:
                if link_of(self.before.entry) != self.before.link:
                    raise _is_cut(ledger, self.before, self.path.name)
                self._holder = msgspec.structs.replace(self._holder, entry=self.before.entry, link=self.before.link)
            with suppress(OSError):
                os.ftruncate(self._file, 0)
            self._write()
        except BlockingIOError:
            holder = _read(self._file) or Holder()
            os.close(self._file)
            raise _is_held(ledger, account, holder) from None
        except BaseException:
            os.close(self._file)
            raise

    def prove(self) -> None:
        try:
            stands, ours = os.stat(self.path), os.fstat(self._file)
            is_ours = (stands.st_dev, stands.st_ino) == (ours.st_dev, ours.st_ino)
        except OSError:
            is_ours = False
        if not is_ours:
            raise _is_lost(self.ledger, self.account, f"somebody removed `{self.path.name}`")

    def note(self, head: Head) -> None:
        self._holder = msgspec.structs.replace(self._holder, entry=head.seq, link=head.hash)
        self._write()  # over what stands there, which is never longer: at no instant is there nothing

    def release(self) -> None:
        with suppress(OSError):
            os.ftruncate(self._file, 0)  # nothing left behind: it ended as it should
        os.close(self._file)

    def _write(self) -> None:
        """Best effort: a full disk must not keep anybody from holding or letting go."""
        with suppress(OSError):
            os.pwrite(self._file, canonical(self._holder), 0)


def lock_path(ledger: Path, account: str) -> Path:
    """The file that is locked for an account; accounts of different names have different files."""
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", account)[:40]
    return ledger.with_name(f"{ledger.name}.{plain}-{hashlib.sha256(account.encode()).hexdigest()[:8]}.lock")


def _read(file: int) -> Holder | None:
    try:
        return msgspec.json.decode(os.pread(file, 4096, 0), type=Holder)
    except (OSError, msgspec.MsgspecError):
        return None


class SessionLock:
    """An advisory lock of the session behind a connection, which is this lock's alone."""

    before: Holder | None = None  # a server forgets a session that is gone

    def __init__(self, place: Place, account: str, connection: Connection) -> None:
        self.place, self.account, self.connection = place, account, connection
        self._driver = connection.connection.driver_connection
        assert self._driver is not None
        me = this_process()
        self._driver.execute("SELECT set_config('application_name', %s, false)", (_name(me),))
        (key,) = self._driver.execute("SELECT current_schema()").fetchone()
        number = _number(f"{key}/{account}")
        for pause in (*PAUSES, None):
            (is_ours,) = self._driver.execute("SELECT pg_try_advisory_lock(%s)", (number,)).fetchone()
            if is_ours:
                return
            if pause is not None:
                time.sleep(pause)
        raise _is_held(place, account, _holder(self._driver, number))

    def prove(self) -> None:
        is_there = not self.connection.invalidated and self.connection.connection.driver_connection is self._driver
        if not is_there or self._driver is None or self._driver.closed:
            raise _is_lost(self.place, self.account, "the connection to the server was lost")

    def note(self, head: Head) -> None:
        """A server looks after what it confirmed by itself."""

    def release(self) -> None:
        """The session ends, and the lock with it: the connection does not go back to where another could take it."""
        with suppress(*database_errors()):  # a server that is gone has let go of it
            self._driver.execute("SELECT pg_advisory_unlock_all()")  # type: ignore[union-attr]
        self.connection.invalidate()
        self.connection.close()


def _number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(b"tb account " + text.encode()).digest()[:8], "big", signed=True)


def _name(holder: Holder) -> str:
    """At most 63 bytes, which is what a server keeps."""
    return f"tb {holder.process} {holder.user[:16]} {holder.host}".encode("ascii", "replace")[:63].decode()


_WHO = """
SELECT activity.application_name, extract(epoch FROM activity.backend_start) * 1000
FROM pg_locks AS locks JOIN pg_stat_activity AS activity USING (pid)
WHERE locks.locktype = 'advisory' AND locks.granted AND locks.objsubid = 1
  AND locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND locks.classid = %s::bigint::oid AND locks.objid = %s::bigint::oid
"""


def _holder(driver: object, number: int) -> Holder:
    """What the server lets this user know of the session that has the lock."""
    high, low = (number >> 32) & 0xFFFFFFFF, number & 0xFFFFFFFF
    row = driver.execute(_WHO, (high, low)).fetchone()  # type: ignore[attr-defined]
    found = re.fullmatch(r"tb (\d+) (\S*) (\S*)", row[0] or "") if row is not None else None
    since = int(row[1]) if row is not None and row[1] is not None else None
    return Holder(since=since) if found is None else Holder(int(found[1]), found[3], found[2], since)
