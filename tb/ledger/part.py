"""A process that walks one stretch of the chain: `python -m tb.ledger.part PLACE AFTER UNTIL`.

It writes to standard output, frame by frame, what the stretches have in common: runs that start and end, and the blocks of
decision logs, of which it completes the one that its stretch ends in. The last frame says that all holds; where it is missing,
something does not, or could not be read, and nobody learns more here. After each batch it writes how many entries it has walked
to the file descriptor in `TB_LEDGER_DONE`.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import msgspec
from sqlalchemy import Connection, select

from tb.ledger.batches import batches
from tb.ledger.boundaries import Standing, standing
from tb.ledger.findings import database_errors
from tb.ledger.log import BLOCK, Blocks
from tb.ledger.place import Place, place_of
from tb.ledger.projection import SHAPES
from tb.ledger.segments import DECISIVE
from tb.ledger.streaming import Streams
from tb.ledger.tables import Entry, Policy, table_of
from tb.ledger.walk import AT_THE_START, EVERY, Log, Walk

DONE = "TB_LEDGER_DONE"
Frame = tuple[str, str, Any]  # what, run, and what goes with it

_entries = table_of(Entry)
_pack = msgspec.msgpack.Encoder().encode
_frame = msgspec.msgpack.Decoder(tuple[str, str, Any]).decode


def write(out: IO[bytes], what: str, run: str, more: object) -> None:
    data = _pack((what, run, more))
    out.write(len(data).to_bytes(8, "big") + data)


def frames(source: IO[bytes]) -> Iterator[Frame]:
    """What `write` wrote; it ends where a frame is cut off."""
    while len(head := source.read(8)) == 8:
        data = source.read(int.from_bytes(head, "big"))
        yield _frame(data)


class Part(Walk):
    """A walk that hands on blocks in place of comparing logs."""

    def __init__(
        self, connection: Connection, place: Place, streams: Streams, begun: Standing, until: int, out: IO[bytes]
    ) -> None:
        self.out = out
        policies = {name for name, _ in streams.rows(Policy, at_a_time=EVERY)}
        super().__init__(connection, place, streams, policies, begun=begun, until=until)

    def new_log(self, run: str, ahead: int) -> Log:
        return Blocks(lambda block: write(self.out, "block", run, block), ahead)

    def compare(self, seq: int, run: str, log: Log, recorded: object) -> None:
        assert isinstance(log, Blocks)
        log.close()
        write(self.out, "finish", run, (seq, recorded))

    def complete(self) -> None:
        """Reads on to the end of each block that is begun, or to that of its run."""
        for run, log in self.logs.items():
            if isinstance(log, Blocks) and log.pending and run in self.in_rows:
                for kind, payload in _rest(self.connection, run, self.seq, BLOCK - len(log.pending)):
                    log.add(SHAPES[kind].decode(payload))
                log.close()


def _rest(connection: Connection, run: str, after: int, count: int) -> list[Any]:
    """The next decisive entries of a run beyond one."""
    kinds = sorted(kind.__name__ for kind in DECISIVE)
    statement = select(_entries.c.kind, _entries.c.payload).where(_entries.c.seq > after, _entries.c.run == run)
    return list(connection.execute(statement.where(_entries.c.kind.in_(kinds)).order_by(_entries.c.seq).limit(count)))


def walk(connection: Connection, place: Place, after: int, until: int, out: IO[bytes], done: int) -> bool:
    """Walks the entries beyond `after` up to `until`; whether all of it holds."""
    begun = standing(connection, after) if after else AT_THE_START
    if begun is None:
        return False
    with Streams(connection) as streams:
        part = Part(connection, place, streams, begun, until, out)
        known = set(part.runs)
        for batch in batches(streams, after=after, until=until):
            if not part.take(batch):
                return False
            os.pwrite(done, (part.seq - after).to_bytes(8, "big"), 0)
        part.complete()
        for run in [one for one in part.runs if one not in known]:
            write(out, "start", run, part.runs[run][:4])
        return part.seq == until and part.sound_so_far()


def main() -> int:
    place, after, until = place_of(sys.argv[1], Path()), int(sys.argv[2]), int(sys.argv[3])
    gc.disable()  # nothing here is part of a circle, and there is much of it
    from tb.ledger import open_ledger

    with open_ledger(place, create=False, read_only=True) as ledger:
        engine = ledger._open_engine()
        with engine.connect() as connection, connection.begin():
            if not walk(connection, place, after, until, sys.stdout.buffer, int(os.environ[DONE])):
                return 1
    write(sys.stdout.buffer, "end", "", until)
    sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except database_errors():
        sys.exit(1)
