"""What came to a session from outside, in the order in which it did: with this alone the session can be taken again.

Each input is a line of a file: a check sum, the input as JSON. It is on the disk before anything follows from it.

INVARIANT: a line is there whole, or counts as not there; lines are never changed. What follows from inputs is in the ledger,
not here.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from tb.core.diagnostics import Diagnostic, Refused, error
from tb.core.encode import canonical
from tb.core.span import whole_file
from tb.gate.standing import Standing
from tb.runtime.ports.feed import Bar, FeedRow

DAMAGED = "TB860"
UNWRITABLE = "TB861"
NAME = "inputs.jsonl"


class Opening(msgspec.Struct, frozen=True, kw_only=True, tag="opening"):
    """A session begins. `mode` is `dry-run`, `paper` or `live`; `period` that of its bars; `after` the run whose state it goes
    on from, None where it starts anew. Where it `has_quotes` these are of the instruments in `quoted`, None: of all."""

    run: str
    mode: str
    policy_hash: str
    instruments: tuple[str, ...]
    period: int
    has_quotes: bool
    source: str
    after: str | None = None
    quoted: tuple[str, ...] | None = None

    def with_quotes(self) -> frozenset[str]:
        """The instruments whose bars bring bid and ask."""
        return frozenset(() if not self.has_quotes else self.instruments if self.quoted is None else self.quoted)


class History(msgspec.Struct, frozen=True, kw_only=True, tag="history"):
    """Bars that nobody decided anything on: for warming up, or of a time in which nobody was running."""

    bars: Mapping[str, tuple[Bar, ...]]
    rows: tuple[FeedRow, ...] = ()


class Close(msgspec.Struct, frozen=True, kw_only=True, tag="close", omit_defaults=True):
    """Bars close at an instant, and the session takes a step. `held` says why it may take no new risk, empty where it may.

    `standing` is what was said of each instrument, and of none (""), where a venue is asked; `came` is when the bars were there
    by our clock, for people.
    """

    at: int
    bars: Mapping[str, Bar]
    rows: tuple[FeedRow, ...] = ()
    held: str = ""
    standing: Mapping[str, Standing] | None = None
    came: int = 0


class Withheld(msgspec.Struct, frozen=True, kw_only=True, tag="withheld"):
    """Orders of the last step that were not sent after all, and why."""

    orders: tuple[str, ...]
    cause: str


class Said(msgspec.Struct, frozen=True, kw_only=True, tag="said"):
    """A person halts the session, lets it go on, or closes everything."""

    kind: str  # `halt`, `resume` or `flatten`
    at: int
    by: str
    reason: str


class Stop(msgspec.Struct, frozen=True, kw_only=True, tag="stop"):
    """The session is stopped in good order: entries on their way are taken back, positions stay as they are."""

    at: int
    cause: str


Input = Opening | History | Close | Withheld | Said | Stop
_decoder = msgspec.json.Decoder(Input)


def line_of(given: Input) -> bytes:
    body = canonical(given)
    return b"%08x %b\n" % (zlib.crc32(body), body)


def _read(line: bytes) -> Input | None:
    """The input of a line, None where it is not whole."""
    check, _, body = line.rstrip(b"\n").partition(b" ")
    try:
        is_whole = line.endswith(b"\n") and int(check, 16) == zlib.crc32(body)
        return _decoder.decode(body) if is_whole else None
    except (ValueError, msgspec.MsgspecError):
        return None


def read_inputs(path: Path) -> Iterator[Input]:
    """The inputs of a session, first to last; a last line that was not finished is left out.

    Raises Refused TB860 where another line is not as it was written, and where there is no file.
    """
    try:
        with path.open("rb") as file:
            damaged = 0
            for number, line in enumerate(file, start=1):
                if damaged:
                    raise Refused([_damaged(path, f"line {damaged} is not as it was written")])
                found = _read(line)
                if found is None:
                    damaged = number
                else:
                    yield found
    except OSError as problem:
        raise Refused([_damaged(path, (problem.strerror or "the file system refused").lower())]) from None


def _damaged(path: Path, why: str) -> Diagnostic:
    hint = "restore the folder from a backup, or start a new session with `tb run --new`"
    return error(DAMAGED, f"the inputs of this session cannot be read: {why}", whole_file(str(path)), hint)


class Journal:
    """The inputs of one session while it runs. What the disk does not take waits in memory and is tried again."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        self.trouble = ""  # why the newest inputs are not on the disk
        self._waiting: list[bytes] = []
        self._file: int | None = None
        self._size = 0

    def open(self) -> None:
        """Opens the file at the end of its last whole line. Raises Refused TB861."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
            self._size = self._whole()
            os.ftruncate(self._file, self._size)
            _sync_folder(self.path.parent)
        except OSError as problem:
            reason = (problem.strerror or "the file system refused").lower()
            hint = "free some space or let this user write the folder"
            raise Refused(
                [error(UNWRITABLE, f"inputs cannot be recorded: {reason}", whole_file(str(self.path)), hint)]
            ) from None

    def _whole(self) -> int:
        """The size of the file without a last line that is not whole, as `read_inputs` leaves it out."""
        data = self.path.read_bytes()
        end = data.rfind(b"\n") + 1
        last = data.rfind(b"\n", 0, max(end - 1, 0)) + 1
        return end if end == 0 or end < len(data) or _read(data[last:end]) is not None else last

    def write(self, given: Input) -> bool:
        """Puts an input on the disk, after all that wait. False where it has to wait too: `trouble` says why."""
        self._waiting.append(line_of(given))
        return self.retry()

    def replace_last(self, given: Input) -> None:
        """What waits last was not written: it is this instead."""
        self._waiting[-1] = line_of(given)

    def retry(self) -> bool:
        """Writes what waits. Whether all of it is on the disk."""
        if not self._waiting:
            return True
        assert self._file is not None
        data = b"".join(self._waiting)
        try:
            done = 0
            while done < len(data):
                done += os.pwrite(self._file, data[done:], self._size + done)
            os.fdatasync(self._file)
        except OSError as problem:
            self.trouble = f"the inputs cannot be recorded: {(problem.strerror or 'the file system refused').lower()}"
            return False
        self._size += len(data)
        self._waiting, self.trouble = [], ""
        return True

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
