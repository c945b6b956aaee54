"""Walks a long ledger in stretches, each in a process of its own, and puts together what they have in common.

1. The stretches are about as long as each other; a cut where things cannot be said to stand (`tb.ledger.boundaries`) is left
   out.
2. Each process proves its stretch (`tb.ledger.part`), on what the projections say of the entries before it.
3. Here the rest: every stretch holds and reaches the next, the runs table is what starts and ends of runs say, each decision
   log, its blocks in their order, has the recorded digest, the last entry is the noted head, the anchor is on the chain.

It says only whether all holds; who wants to know what does not, walks alone.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import IO, Any

import msgspec
from sqlalchemy import Connection, select

from tb.ledger.boundaries import standing
from tb.ledger.chain import Head
from tb.ledger.findings import database_errors
from tb.ledger.part import DONE, frames
from tb.ledger.place import Database, Place
from tb.ledger.projection import START
from tb.ledger.streaming import Streams
from tb.ledger.tables import Entry, Meta, RunRow, table_of
from tb.ledger.walk import EVERY, Follower

LONG = 100_000  # entries from which on it is quicker than alone
MOST = 8  # processes
_LOOK = 0.05  # seconds between two looks at how far they are

_entries, _meta = table_of(Entry), table_of(Meta)
Progress = Callable[[int, int], None]


def processes_for(entries: int) -> int:
    """How many processes walk that many entries quickest."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(MOST, cores) if entries >= LONG else 1


def all_hold(
    streams: Streams,
    connection: Connection,
    place: Place,
    total: int,
    anchor: Head | None,
    processes: int,
    progress: Progress | None,
    meanwhile: Callable[[], object] = tuple,
) -> bool:
    """Whether everything holds, as far as entries, runs, projections, policies, head and anchor go.

    `meanwhile` is called while the processes walk; where the database refuses, so does this.
    """
    if not _ends(connection, total, anchor):
        return False
    cuts = [total * part // processes for part in range(1, processes)]
    firsts = [0, *(cut for cut in cuts if cut and standing(connection, cut) is not None)]
    stretches = list(zip(firsts, [*firsts[1:], total], strict=True))
    if len(stretches) < 2:
        return False
    with ExitStack() as stack:
        outs = [_scratch(stack) for _ in stretches]
        if not _walked(stack, place, stretches, outs, total, progress, meanwhile):
            return False
        return fit(streams, stretches, outs)


def _scratch(stack: ExitStack) -> IO[bytes]:
    """A file without a name, gone with the stack."""
    return stack.enter_context(tempfile.TemporaryFile())


def _ends(connection: Connection, total: int, anchor: Head | None) -> bool:
    """Whether the last entry is the noted head, and the anchor an entry of the chain."""

    def link(seq: int) -> object:
        return connection.execute(select(_entries.c.hash).where(_entries.c.seq == seq)).scalar()

    noted = connection.execute(select(_meta.c.head_seq, _meta.c.head_hash)).all()
    if [tuple(row) for row in noted] != [(total, link(total))]:
        return False
    return anchor is None or anchor.seq == 0 or link(anchor.seq) == bytes.fromhex(anchor.hash)


def _walked(
    stack: ExitStack,
    place: Place,
    stretches: Sequence[tuple[int, int]],
    outs: Sequence[IO[bytes]],
    total: int,
    progress: Progress | None,
    meanwhile: Callable[[], object],
) -> bool:
    """Whether every process came to its end; they are ended where one did not, or where somebody interrupts."""
    named = str(place) if isinstance(place, Database) else str(place.absolute())
    marks = [_scratch(stack) for _ in stretches]
    started: list[subprocess.Popen[bytes]] = []
    stack.callback(_end, started)
    for (after, until), out, mark in zip(stretches, outs, marks, strict=True):
        command = [sys.executable, "-m", "tb.ledger.part", named, str(after), str(until)]
        environment = os.environ | {DONE: str(mark.fileno())}
        try:
            one = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.DEVNULL,
                env=environment,
                pass_fds=[mark.fileno()],
            )
        except OSError:
            return False
        started.append(one)
    try:
        meanwhile()
    except database_errors():  # whoever walks alone comes to it after all that is before it
        return False
    while any(one.poll() is None for one in started):
        if any(one.poll() for one in started):
            return False
        if progress is not None:
            progress(sum(int.from_bytes(os.pread(mark.fileno(), 8, 0), "big") for mark in marks), total)
        time.sleep(_LOOK)
    return not any(one.returncode for one in started)


def _end(started: Sequence[subprocess.Popen[bytes]]) -> None:
    for one in started:
        one.kill()
        one.wait()


class Runs:
    """Runs as the stretches tell of them, in the order of the stretches."""

    def __init__(self) -> None:
        self.starts: dict[str, list[Any]] = {}
        self.ends: dict[str, int] = {}
        self.logs: dict[str, Any] = {}

    def take(self, what: str, run: str, more: Any) -> bool:
        """The next that is told; false where a decision log is not the one that was recorded."""
        match what:
            case "start":
                self.starts[run] = more
            case "block":
                self.logs.setdefault(run, hashlib.sha256()).update(more)
            case "finish":
                self.ends[run], recorded = more
                digest = self.logs.pop(run, hashlib.sha256()).hexdigest()
                return recorded is None or recorded == digest
        return True

    def are_in(self, streams: Streams) -> bool:
        """Whether the runs table says the same."""
        follower = Follower(START, RunRow, streams.rows(RunRow, at_a_time=EVERY))
        for run, row in self.starts.items():
            follower.meet((*row, self.ends.get(run)))
        follower.pass_to(float("inf"))
        return not follower.difference


def fit(streams: Streams, stretches: Sequence[tuple[int, int]], outs: Sequence[IO[bytes]]) -> bool:
    """Whether what the stretches tell fits together, and each came to its end."""
    runs = Runs()
    for (_, until), out in zip(stretches, outs, strict=True):
        out.seek(0)
        reached = 0
        try:
            for what, run, more in frames(out):
                reached = more if what == "end" else 0
                if not runs.take(what, run, more):
                    return False
        except (msgspec.MsgspecError, ValueError, TypeError):
            return False
        if reached != until:
            return False
    return runs.are_in(streams)
