"""The gateway's write-ahead journal: one append-only file, an entry for each line, each chained to the one before.

1. A line is `number hash payload`: the number counts from 1, the payload is canonical JSON, the hash SHA-256 over the hash of
   the line before and the payload. A byte that was changed, a line taken out or put in breaks the chain from there on.
2. `write` returns once the line is on the disk (`fdatasync`), unless it is told that the next one may carry it there.
3. Space is taken ahead of need: when the disk fills up, what is left of it is for orders that reduce risk (`reserve`).
4. A process that dies while it writes leaves a torn last line: without its end it was never followed by an order on the wire,
   so it is cut off, and `torn` says so. Any other damage refuses the whole file.
5. One process writes: the file is locked as long as it is open.

INVARIANT: after a failed write nothing more is written: what the file ends with is not known then. Where there was no room it
is known: a line without its end, which the next one is written over.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from tb.core.diagnostics import Diagnostic, Refused, error
from tb.core.span import whole_file

DAMAGED, LOCKED, UNWRITABLE = "TB830", "TB831", "TB832"
CHUNK = 1 << 20  # bytes taken ahead of need
RESERVE = 1 << 18  # the last of them, for orders that reduce risk
GENESIS = bytes(32)
_HASH = 64
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def _allocate(handle: int, offset: int, size: int) -> None:
    os.posix_fallocate(handle, offset, size)


class Journal:
    """An open journal. Raises `Refused` TB830 for a damaged file, TB831 for one that another process writes, TB832 for a disk
    that refuses. `allocate` takes space in a file: handle, offset, size; it raises `OSError`."""

    def __init__(self, path: Path, *, allocate: Callable[[int, int, int], None] = _allocate) -> None:
        self.path = path
        self.torn = False
        self.number = 0
        self._hash = GENESIS
        self._allocate = allocate
        self._failed = ""
        self._unsynced = False
        self._owed: list[bytes] = []
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            is_new = not path.exists()
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            if is_new:
                _sync_folder(path.parent)
        except OSError as problem:
            raise self._unwritable(problem) from None
        self._lock()
        self._open()

    @classmethod
    def payloads(cls, path: Path) -> list[bytes]:
        """What the journal holds now, read beside whoever writes it; nothing where there is none. Raises as opening it does."""
        reader = object.__new__(cls)
        reader.path, reader.number, reader._hash = path, 0, GENESIS
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return []
        except OSError as problem:
            raise reader._unwritable(problem) from None
        return list(reader._read(data))

    def _lock(self) -> None:
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._handle)
            hint = "stop the other `tb run`, or give this one a folder of its own"
            raise Refused([self._finding(LOCKED, "another process writes the journal of orders", hint)]) from None

    def _open(self) -> None:
        """Reads the file to its end, and cuts off a torn last line."""
        try:
            data = os.pread(self._handle, os.fstat(self._handle).st_size, 0)
            self._space = len(data)
            self.entries = list(self._read(data))
            if self.torn:
                os.pwrite(self._handle, b"\0" * (len(data.rstrip(b"\0")) - self._end), self._end)
                os.fdatasync(self._handle)
        except OSError as problem:
            os.close(self._handle)
            raise self._unwritable(problem) from None
        except BaseException:
            os.close(self._handle)
            raise

    def _read(self, data: bytes) -> Iterator[bytes]:
        """The payloads in order. What follows the last end of a line is torn, or space that was taken ahead of need."""
        self._end = data.rfind(b"\n") + 1
        self.torn = bool(data[self._end :].strip(b"\0"))
        for line in data[: self._end].split(b"\n")[:-1]:
            payload = self._payload(line)
            if payload is None:
                message = f"the journal of orders is damaged after entry {self.number}"
                hint = "keep it as evidence; compare the orders with the venue's, then start with a new folder"
                raise Refused([self._finding(DAMAGED, message, hint)])
            yield payload

    def _payload(self, line: bytes) -> bytes | None:
        """What a line holds, None where it is not the next one of the chain."""
        number, _, rest = line.partition(b" ")
        stated, space, payload = rest[:_HASH], rest[_HASH : _HASH + 1], rest[_HASH + 1 :]
        link = hashlib.sha256(self._hash + payload).digest()
        if number != b"%d" % (self.number + 1) or space != b" " or stated != link.hex().encode():
            return None
        self.number, self._hash = self.number + 1, link
        return payload

    @property
    def failed(self) -> str:
        """Why nothing more is written; empty while all is well."""
        return self._failed

    def has_room(self, *, reducing: bool) -> bool:
        """Whether the next entries surely have space; those that reduce risk may use the reserve."""
        if self._failed or (self._owed and not reducing):
            return False
        if self._space - self._end < CHUNK // 2 + RESERVE:
            try:
                self._allocate(self._handle, self._space, CHUNK)
                self._space += CHUNK
            except OSError:
                return self._space - self._end > (RESERVE // 8 if reducing else RESERVE)
        return True

    def write(self, payload: bytes, *, sync: bool = True, believed: bool = False) -> int:
        """Appends an entry; returns its number. Raises `Refused` TB832 where the disk refuses, and from then on.

        Where it has no room only this entry is refused; one that is `believed` without the disk is owed then: it is written
        before the next one, so that the file is always what happened up to some instant.
        """
        if self._failed:
            raise Refused([self._finding(UNWRITABLE, f"the journal of orders cannot be written: {self._failed}", _HINT)])
        lines = [*self._owed, payload]
        try:
            while lines:
                self._append(lines[0])
                del lines[0]
            if sync:
                self._sync()
        except OSError as problem:
            if lines and problem.errno in NO_ROOM:
                self._owed = lines if believed else lines[:-1]
            else:
                self._failed = (problem.strerror or "the disk refuses").lower()
            raise self._unwritable(problem) from None
        self._owed = []
        self._unsynced = not sync
        return self.number

    def _append(self, payload: bytes) -> None:
        link = hashlib.sha256(self._hash + payload).digest()
        line = b"%d %b %b\n" % (self.number + 1, link.hex().encode(), payload)
        self._put(line)
        self._end += len(line)
        self._space = max(self._space, self._end)
        self.number, self._hash = self.number + 1, link

    @property
    def owes(self) -> bool:
        """Whether something happened that the disk had no room for yet."""
        return bool(self._owed)

    def _put(self, line: bytes) -> None:
        done = 0
        while done < len(line):
            done += os.pwrite(self._handle, line[done:], self._end + done)

    def _sync(self) -> None:
        os.fdatasync(self._handle)

    @property
    def head(self) -> str:
        """The hash of the last entry: kept elsewhere, it shows a tail that was cut off with care."""
        return self._hash.hex()

    def close(self) -> None:
        """Puts on the disk what is not there yet, and gives the file back."""
        if self._unsynced and not self._failed:
            self._sync()
        os.close(self._handle)

    def _unwritable(self, problem: OSError) -> Refused:
        reason = (problem.strerror or "the disk refuses").lower()
        return Refused([self._finding(UNWRITABLE, f"the journal of orders cannot be written: {reason}", _HINT)])

    def _finding(self, code: str, message: str, hint: str) -> Diagnostic:
        return error(code, message, whole_file(str(self.path)), hint)


_HINT = "free some space or mend the disk, then start again: orders that are on their way are looked up first"


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
