"""The walk along the chain, first entry to last, and what goes beside it: runs, projections, records in columns, decision logs.

It starts at the first entry, or after one of which is known how things stand there (`tb.ledger.boundaries`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, Protocol

import msgspec
from sqlalchemy import Connection, select

from tb.core.diagnostics import Diagnostic
from tb.core.records import Run
from tb.ledger.batches import last_link, records_in
from tb.ledger.boundaries import Standing
from tb.ledger.chain import GENESIS, Head, entry_hash
from tb.ledger.findings import RESTORE, finding
from tb.ledger.log import DecisionLog
from tb.ledger.place import Place
from tb.ledger.projection import FINISH, MODELS, SHAPES, START, Row
from tb.ledger.segments import SEGMENT, Stored, index_of
from tb.ledger.streaming import Streams
from tb.ledger.tables import Entry, LedgerTable, RunRow, table_of

_links = table_of(Entry).alias()  # a statement of its own, beside the walk
EVERY = 1000  # entries between two calls of `progress`
REBUILD = "the chain still holds: answers from this table cannot be trusted; restore the file from a backup"
UNREADABLE = "has a payload that does not read as its kind"
AT_THE_START = Standing(0, GENESIS, {}, {}, frozenset(), {})


class Log(Protocol):
    """What takes the records of a run for its decision log."""

    def add(self, record: object) -> None: ...


class Follower:
    """Walks one query table in step with the chain and keeps the first difference it meets."""

    def __init__(self, kind: str, model: type[LedgerTable], rows: Iterator[Row]) -> None:
        self.kind, self.table = kind, str(model.__tablename__)
        self.names = [column.name for column in table_of(model).columns]
        self.rows, self.row = rows, next(rows, None)
        self.ahead: deque[Row] = deque()  # rows that were looked at beyond this one
        self.difference = ""

    def _differs(self, text: str) -> None:
        self.difference = self.difference or text

    def _advance(self) -> None:
        self.row = self.ahead.popleft() if self.ahead else next(self.rows, None)

    def has(self, expected: Sequence[Row]) -> bool:
        """Whether the next rows are these; it stays where it is."""
        self.ahead += islice(self.rows, max(0, len(expected) - 1 - len(self.ahead)))
        return self.row == expected[0] and list(islice(self.ahead, len(expected) - 1)) == expected[1:]

    def skip(self, count: int) -> None:
        """Leaves so many rows behind, of which all were as expected."""
        for _ in range(count):
            self._advance()

    def meet(self, expected: Row) -> None:
        """Takes the row that the entry of its kind should have."""
        self.pass_to(expected[0])
        if self.row is None or self.row[0] != expected[0]:
            self._differs(f"`{self.table}` has no row for entry {expected[0]} (run {expected[1]}, {self.kind})")
            return
        if self.row != expected:
            name, has, says = next((n, a, b) for n, a, b in zip(self.names, self.row, expected, strict=True) if a != b)
            place = f"entry {expected[0]} (run {expected[1]}, {self.kind})"
            self._differs(f"`{self.table}` has {name} `{_plain(has)}` for {place}, the entry says `{_plain(says)}`")
        self._advance()

    def pass_to(self, seq: float) -> None:
        """Leaves behind rows before entry `seq`: no entry of this kind asked for them."""
        while self.row is not None and self.row[0] < seq:
            self._differs(f"`{self.table}` has a row for entry {self.row[0]}, which is no {self.kind} entry")
            self._advance()


def _plain(value: object) -> object:
    """A truth as the number that a file keeps."""
    return int(value) if isinstance(value, bool) else value


class Columns:
    """Puts the records of one run's segments back into their order, and says where their numbers do not fit.

    It holds no more records than a group has, where the ledger is sound.
    """

    def __init__(self, log: Log, first: int = 1) -> None:
        self.log, self.next = log, first
        self.ahead: dict[int, object] = {}  # by number: records whose turn is not yet

    def take(self, numbers: list[int], records: list[object]) -> str:
        """The records of the next segment; returns what is wrong with their numbers."""
        for number, record in zip(numbers, records, strict=True):
            if number < self.next or number in self.ahead:
                return f"holds record {number} again"
            self.ahead[number] = record
        while self.next in self.ahead:
            self.log.add(self.ahead.pop(self.next))
            self.next += 1
        return ""

    def missing(self) -> str:
        """The records that should have come before those at hand; empty where none is missing."""
        if not self.ahead:
            return ""
        last = min(self.ahead) - 1
        return f"record {self.next} is" if last == self.next else f"records {self.next} to {last} are"


class Walk:
    """The state of the walk along the chain."""

    def __init__(
        self,
        connection: Connection,
        path: Place,
        streams: Streams,
        policies: set[str],
        anchor: Head | None = None,
        *,
        begun: Standing = AT_THE_START,
        until: int | None = None,
    ) -> None:
        """`begun` is how things stand before the first entry of the walk; `until` the number of its last, None for all."""
        self.connection, self.path, self.policies, self.anchor = connection, path, policies, anchor
        self.streams = streams
        self.findings: list[Diagnostic] = []
        self.seq, self.hash, self.broken = begun.seq, begun.hash, False
        self.anchored = anchor is None or anchor.seq == 0
        self.runs: dict[str, list[Any]] = dict(begun.runs)  # by id: the row of `runs` as the entries say it
        self.logs: dict[str, Log] = {
            run: self.new_log(run, ahead) for run, ahead in begun.ahead.items()
        }  # without a summary yet
        self.columns = {run: Columns(self.logs[run], first) for run, first in begun.in_columns.items()}
        self.in_rows = set(begun.in_rows)  # the others that have recorded something
        self.followers = {
            kind: Follower(kind, model, streams.rows(model, at_a_time=EVERY, after=begun.seq, until=until))
            for kind, model in MODELS.items()
        }

    def new_log(self, run: str, ahead: int) -> Log:
        """The decision log of a run; `ahead` records of it belong to the block before."""
        return DecisionLog()

    def _find(self, code: str, message: str, hint: str) -> None:
        self.findings.append(finding(self.path, code, message, hint))

    def take(self, batch: Sequence[Row]) -> bool:
        """Takes the next entries; false at the first break of the chain."""
        return self._pass_over(batch) or all(map(self.step, batch))

    def _pass_over(self, batch: Sequence[Row]) -> bool:
        """Takes entries that are records of runs in rows, all of which hold; false, and nothing is taken, for any others."""
        end = last_link(batch, self.seq, self.hash)
        found = records_in(batch) if end is not None else None
        if end is None or found is None:
            return False
        records, rows = found
        runs = {row[1] for row in batch}
        if not runs <= self.logs.keys() or not runs.isdisjoint(self.columns):
            return False
        if not all(self.followers[kind].has(of_kind) for kind, of_kind in rows.items()):
            return False
        for kind, of_kind in rows.items():
            self.followers[kind].skip(len(of_kind))
        if self.anchor is not None and self.seq < self.anchor.seq <= self.seq + len(batch):
            self.anchored = self.anchor.hash == batch[self.anchor.seq - self.seq - 1][5].hex()
        self.seq, self.hash = self.seq + len(batch), end
        self.in_rows |= runs
        for (seq, run, kind, *_), record in zip(batch, records, strict=True):
            misplaced = _added(self.logs[run], record)
            if misplaced:
                self._find_misplaced(self._place(seq, run, kind), misplaced)
        return True

    def step(self, row: Row) -> bool:
        """Takes the next entry; false at the first break of the chain."""
        seq, run, kind, payload, _, link = row
        broken = self._break(row)
        if broken:
            self.broken = True
            place = self._place(seq, run, kind)
            intact = f"entries 1 to {self.seq} are intact" if self.seq else "no entry before it is intact"
            self._find("TB710", f"the chain breaks at {place}: {broken}", f"{intact}; {RESTORE}")
            return False
        self.seq, self.hash = seq, link
        if self.anchor is not None and self.anchor.seq == seq:
            self.anchored = self.anchor.hash == link.hex()
        named = self._place(seq, run, kind) if kind == SEGMENT else ""  # its row is passed by the next step
        misplaced = self._take(seq, run, kind, payload)
        if misplaced:
            self._find_misplaced(named or self._place(seq, run, kind), misplaced)
        return True

    def _find_misplaced(self, place: str, misplaced: str) -> None:
        self._find("TB715", f"{place} {misplaced}", f"something other than tb wrote it; {RESTORE}")

    def _place(self, seq: int, run: str, kind: str) -> str:
        """An entry in words, a segment with the records that the index says it has."""
        row = self.followers[SEGMENT].row if kind == SEGMENT else None
        if row is None or row[0] != seq:
            return f"entry {seq} (run {run}, {kind})"
        return f"entry {seq} (run {run}, {row[2]} in columns, records {row[4]} to {row[5]})"

    def _break(self, row: Row) -> str:
        """What is wrong with the link or the content of an entry; empty where all holds."""
        seq, run, kind, payload, previous, link = row
        if seq != self.seq + 1:
            gone = f"entry {self.seq + 1} is" if seq == self.seq + 2 else f"entries {self.seq + 1} to {seq - 1} are"
            return f"{gone} missing before it"
        if previous != self.hash:
            return f"it links to {_short(previous)}, the entry before has hash {_short(self.hash)}"
        if not (isinstance(run, str) and isinstance(kind, str) and isinstance(payload, bytes)):
            return "its content was replaced by another type of value"
        computed = entry_hash(self.hash, kind, run, payload)
        if computed == link:
            return ""
        following = self.connection.execute(select(_links.c.previous).where(_links.c.seq == seq + 1)).scalar()
        if following == computed:
            return f"its stored hash {_short(link)} was altered, its content has hash {_short(computed)}"
        return f"its kind, run or payload was altered: the content has hash {_short(computed)}, stored is {_short(link)}"

    def _take(self, seq: int, run: str, kind: str, payload: bytes) -> str:
        """Follows runs, projections and decision logs; returns what is wrong with the place of an intact entry."""
        try:
            if kind == START:
                return self._start(seq, run, msgspec.json.decode(payload, type=Run))
            log = self.logs.get(run)
            if log is None:
                return "stands outside of its run"
            if kind == FINISH:
                return self._finish(seq, run, msgspec.json.decode(payload, type=dict[str, object]))
            if kind == SEGMENT:
                return self._segment(seq, run, Stored(payload), log)
            shape = SHAPES.get(kind)
            if shape is None:
                return "is of no kind that this tb knows"
            record = shape.decode(payload)
            self.followers[kind].meet((seq, run, *shape.columns(record)))
            if run in self.columns:
                return "is a row in a run that is recorded in columns"
            self.in_rows.add(run)
            return _added(log, record)
        except (msgspec.MsgspecError, ValueError, TypeError):
            return UNREADABLE

    def _segment(self, seq: int, run: str, stored: Stored, log: Log) -> str:
        """Follows a segment; raises `ValueError`, `TypeError` or `MsgspecError` for columns that do not read."""
        records = stored.table.records()
        index = index_of(stored.kind, (stored.numbers[0], stored.numbers[-1]), records)
        self.followers[SEGMENT].meet((seq, run, *index))
        if run in self.in_rows:
            return "is a segment in a run that is recorded in rows"
        columns = self.columns.setdefault(run, Columns(log))
        return columns.take(stored.numbers, records)  # may raise for what the log cannot take

    def _start(self, seq: int, run: str, record: Run) -> str:
        number = len(self.runs) + 1
        if record.id != run or run != f"r{number}":
            return f"starts run `{record.id}` where r{number} comes next"
        self.runs[run] = [seq, run, number, record.policy_hash, None]
        self.logs[run] = self.new_log(run, 0)
        if record.policy_hash not in self.policies:
            self._find("TB708", f"the policy `{record.policy_hash[:12]}` of run {run} is missing", RESTORE)
        return ""

    def _finish(self, seq: int, run: str, summary: dict[str, object]) -> str:
        self.runs[run][4] = seq
        self._numbers(run)
        self.compare(seq, run, self.logs.pop(run), summary.get("decision_log_hash"))
        return ""

    def compare(self, seq: int, run: str, log: Log, recorded: object) -> None:
        """That the decision log of a run which ends with an entry is the one that was recorded."""
        assert isinstance(log, DecisionLog)
        computed = log.hexdigest()
        if recorded is not None and recorded != computed:
            message = f"run {run} recorded decision log {str(recorded)[:12]}, its decisions give {computed[:12]}"
            self._find(
                "TB713", message, "the run was recorded wrongly or its decisions came from elsewhere: replay it and compare"
            )

    def _numbers(self, run: str) -> None:
        """That all records of a run in columns are there."""
        missing = self.columns[run].missing() if run in self.columns else ""
        if missing:
            message = f"{missing} missing in the columns of run {run}"
            self._find("TB715", message, f"something other than tb wrote it; {RESTORE}")

    def finish(self) -> None:
        """What can only be known after the last entry."""
        if not self.broken:
            self._head()
            for run in self.logs:
                self._numbers(run)
            for follower in self.followers.values():
                follower.pass_to(float("inf"))
            if not self.anchored and self.anchor is not None:
                message = f"entry {self.anchor.seq} is not the one that was noted, or it is gone"
                self._find("TB711", message, RESTORE)
            self._runs_table()
        for follower in self.followers.values():
            if follower.difference:
                self._find("TB712", follower.difference, REBUILD)

    def sound_so_far(self) -> bool:
        """Whether nothing was found up to the last entry of a stretch."""
        for follower in self.followers.values():
            follower.pass_to(float("inf"))
        return not self.findings and not any(follower.difference for follower in self.followers.values())

    def _head(self) -> None:
        row = self.connection.exec_driver_sql("SELECT head_seq, head_hash FROM meta").first()
        if row is None or tuple(row) != (self.seq, self.hash):
            noted = row[0] if row is not None else "nothing"
            message = f"the last entry is {self.seq}, but the ledger noted {noted} as its head"
            if isinstance(noted, int) and noted > self.seq:
                message = f"entries {self.seq + 1} to {noted} are missing at the end"
            self._find("TB711", message, f"entries 1 to {self.seq} are intact; {RESTORE}")

    def _runs_table(self) -> None:
        follower = Follower(START, RunRow, self.streams.rows(RunRow, at_a_time=EVERY))
        for row in self.runs.values():
            follower.meet(tuple(row))
        follower.pass_to(float("inf"))
        if follower.difference:
            self._find("TB712", follower.difference, REBUILD)


def _added(log: Log, record: object) -> str:
    """Gives a record to a decision log; returns what is wrong with it."""
    try:
        log.add(record)
    except (msgspec.MsgspecError, ValueError, TypeError):
        return UNREADABLE
    return ""


def _short(value: object) -> str:
    return f"`{value.hex()[:12]}`" if isinstance(value, bytes) else f"`{value}`"
