"""What the operator says to a session, through files: so that it is heard by a session that runs, and by the next one.

1. The kill file: while anything stands at its path nothing new is entered. It needs no tb to write it: `touch` does.
2. The inbox: orders in the order in which they were given, each a file that is on disk before the operator is told that it is
   done; a session takes them at its next cycle, records what came of them, and puts them aside (`taken`).

On a full disk an order that makes it safer (`halt`, `flatten`) is an empty file: its name alone says what to do.

INVARIANT: what cannot be read counts as a halt. No order is lost: one is put aside only after the session has recorded it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkstemp
from typing import Literal

import msgspec

from tb.core.diagnostics import Refused, error
from tb.core.encode import canonical
from tb.core.span import whole_file
from tb.core.time import show_instant

CANNOT = "TB853"
Kind = Literal["halt", "resume", "flatten", "reconcile"]

SAFER: frozenset[str] = frozenset({"halt", "flatten"})
NO_ROOM = "the disk had no room for a reason"
_NAME = re.compile(r"(\d{6})-(halt|resume|flatten|reconcile)\.json")


class Word(msgspec.Struct, frozen=True, kw_only=True):
    """An order of the operator: what, by whom, when (ms, wall clock) and why. `number` counts from 1."""

    number: int
    kind: Kind
    at: int
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class KillFile:
    """The file that stops all new risk while it exists."""

    path: Path

    def stands(self) -> bool:
        """Whether it is there; also where that cannot be found out."""
        try:
            os.lstat(self.path)
        except FileNotFoundError:
            return False
        except OSError:
            return True
        return True

    def words(self) -> str:
        """What it says, for people."""
        try:
            text = self.path.read_text(encoding="utf-8", errors="replace").strip()
        except OSError:
            text = ""
        return text.splitlines()[0][:200] if text else "the kill file exists"

    def put(self, at: int, by: str, reason: str) -> bool:
        """Makes it stand before this returns; False where a full disk took no words. Raises Refused TB853 where it does not."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(self.path, os.O_CREAT | os.O_WRONLY, 0o644))
        except OSError as problem:
            if not self.stands():
                raise cannot(self.path, problem) from None
        try:
            return write_whole(self.path, f"{by}: {reason} (since {show_instant(at // 1000 * 1000)})\n".encode())
        except Refused:
            return False

    def remove(self) -> bool:
        """Takes it away; False where it was not there. Raises Refused TB853 where it stays."""
        try:
            self.path.unlink()
        except FileNotFoundError:
            return False
        except OSError as problem:
            raise cannot(self.path, problem) from None
        _sync_folder(self.path.parent)
        return True


class Inbox:
    """The operator's orders that a session has not taken yet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "orders"
        self.aside = self.folder / "taken"

    def put(self, kind: Kind, *, at: int, by: str, reason: str) -> Word:
        """Gives an order; it is on disk when this returns. Raises Refused TB853."""
        number = max([0, *self._numbers(self.folder), *self._numbers(self.aside)]) + 1
        while True:  # another operator may take the same number
            word = Word(number=number, kind=kind, at=at, by=by, reason=reason)
            if self._put(self.folder / f"{number:06d}-{kind}.json", word):
                return word
            number += 1

    def _put(self, path: Path, word: Word) -> bool:
        try:
            return write_whole(path, canonical(word), is_new=True)
        except Refused:
            if word.kind not in SAFER:
                raise
            try:  # a name needs no room where a text does
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            except FileExistsError:
                return False
            except OSError as problem:
                raise cannot(path, problem) from None
            return True

    def waiting(self) -> list[Word]:
        """What was ordered and not taken, in order. Raises Refused TB853 where one cannot be read: that is a halt."""
        return self._read(self.folder)

    def heard(self) -> list[Word]:
        """What sessions have taken, in order. Raises Refused TB853 where one cannot be read."""
        return self._read(self.aside)

    def _read(self, folder: Path) -> list[Word]:
        found = []
        for path in self._files(folder):
            try:
                data = path.read_bytes()
                word = _named(path) if not data else msgspec.json.decode(data, type=Word)
            except FileNotFoundError:
                continue  # another session has taken it since the folder was read
            except (OSError, msgspec.MsgspecError) as problem:
                raise cannot(path, problem) from None
            found.append(word)
        return found

    def taken(self, word: Word) -> None:
        """Puts an order aside once what came of it is recorded. Raises Refused TB853."""
        name = f"{word.number:06d}-{word.kind}.json"
        try:
            self.aside.mkdir(parents=True, exist_ok=True)
            os.replace(self.folder / name, self.aside / name)
        except OSError as problem:
            raise cannot(self.folder / name, problem) from None
        _sync_folder(self.folder)

    def _numbers(self, folder: Path) -> Iterator[int]:
        return (int(path.name[:6]) for path in self._files(folder))

    def _files(self, folder: Path) -> list[Path]:
        try:
            return sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name))
        except FileNotFoundError:
            return []
        except OSError as problem:
            raise cannot(folder, problem) from None


def _named(path: Path) -> Word:
    """An order whose file is empty. Raises `msgspec.MsgspecError` where that is no whole order."""
    number, kind = path.stem.split("-")
    if kind not in SAFER:
        raise msgspec.ValidationError("the order is empty")
    at = path.stat().st_mtime_ns // 1_000_000
    return Word(number=int(number), kind=kind, at=at, by="operator", reason=NO_ROOM)  # type: ignore[arg-type]


def write_whole(path: Path, data: bytes, *, is_new: bool = False) -> bool:
    """Writes a file whole, and waits for the disk. With `is_new`, False where one stands there already; else it takes its
    place, and at no time is there none."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, scratch = mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            if not is_new:
                os.replace(scratch, path)
            else:
                os.link(scratch, path)
        finally:
            Path(scratch).unlink(missing_ok=True)
    except FileExistsError:
        return False
    except OSError as problem:
        raise cannot(path, problem) from None
    _sync_folder(path.parent)
    return True


def _sync_folder(folder: Path) -> None:
    try:
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as problem:
        raise cannot(folder, problem) from None


def cannot(path: Path, problem: Exception) -> Refused:
    reason = (
        (problem.strerror or "the file system refused").lower() if isinstance(problem, OSError) else "it is not what tb wrote"
    )
    hint = "free some space, mend or move it away; to stop at once, stop the process"
    return Refused([error(CANNOT, f"`{path.name}` cannot be kept or read: {reason}", whole_file(str(path)), hint)])
