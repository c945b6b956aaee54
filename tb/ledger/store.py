"""The ledger as the other rooms see it: start a run, append groups of records, finish it; ask about any run; verify.

A run is recorded in rows (`append`, a live session) or in columns (`append_group`, a replay), never in both; every question is
answered alike. A group is written whole or not at all; one in rows is on disk when the call returns. Readers never wait for the
writer and hold no transaction between the steps of an iteration. Every method may raise `Refused` TB703, TB705 or TB706 when
the file or the disk gives way, besides what it names itself.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from threading import RLock
from types import TracebackType
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, Select, Transaction, func, insert, select, update

from tb.core.diagnostics import Diagnostic, Refused
from tb.core.encode import canonical
from tb.core.records import Cancel, Curve, Decision, Fill, Handling, Latch, Mark, Order, Quiet, Record, Run, Trade, Verdict
from tb.ledger import queries, reading
from tb.ledger.chain import Head, policy_bytes, policy_hash
from tb.ledger.checking import UNFLUSHED, WRITING, driven
from tb.ledger.direct import MUCH, leave_log, take_log
from tb.ledger.findings import RESTORE, database_errors, refused, refusing
from tb.ledger.holding import FileLock, Hold, SessionLock
from tb.ledger.log import DecisionLog
from tb.ledger.place import Place
from tb.ledger.projection import FINISH, START
from tb.ledger.reading import Stretch, Wanted
from tb.ledger.runs import RunInfo
from tb.ledger.segments import DECISIVE, KINDS, Group
from tb.ledger.tables import Entry, Policy, RunRow, table_of
from tb.ledger.unconfirmed import Sent, Unconfirmed
from tb.ledger.verify import verify
from tb.ledger.writing import (
    MOVED,
    TO_END_WITH,
    Prepared,
    end,
    extend,
    head,
    head_for_columns,
    head_for_rows,
    prepare,
    prepare_segments,
)

_entries, _policies, _runs = table_of(Entry), table_of(Policy), table_of(RunRow)
PAGE = 1000  # decisions fetched at a time


class Ledger:
    """An open ledger. Use as a context manager, or call `close`. Safe to share between threads; one writes at a time."""

    def __init__(self, path: Place, engine: Engine) -> None:
        self.path = path
        self._engine: Engine | None = engine
        self._holds: list[Hold] = []
        self._own: Connection | None = None  # through which everything is written while an account is held on a server
        self._kept: Connection | None = None  # the same for a file, from the first write on: taking one costs a write
        self._one_writes = RLock()
        # how the connection is set in the log, while a replay writes straight into the file (`tb.ledger.direct`)
        self._left: tuple[int, int] | None = None
        self._unconfirmed: dict[str, Unconfirmed] = {}  # by run: what was sent last, where its confirmation was lost

    def close(self) -> None:
        """Gives the file and what is held back; further calls raise `ValueError`, a second `close` does nothing."""
        if self._engine is not None:
            for hold in list(self._holds):
                hold.release()
            with self._one_writes, refusing(self.path):
                self._take_log()
                kept, self._kept = self._kept, None
                if kept is not None:
                    kept.close()
                self._engine.dispose()
            self._engine = None

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _open_engine(self) -> Engine:
        if self._engine is None:
            raise ValueError("the ledger is closed")
        return self._engine

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with refusing(self.path), self._open_engine().connect() as connection:
            yield connection

    def hold(self, account: str) -> Hold:
        """Holds an account: no other process does, until this one gives it back or ends. While it is held each write proves it.

        Raises `Refused` TB887 (held by another, who and since when), TB706 (the lock cannot be written), TB711 (who held it was
        killed, and the last entry that it had on the disk is gone); `ValueError` where this ledger holds another account on a
        server. Writes raise TB888 once it is not held any more.
        """
        engine = self._open_engine()
        if isinstance(self.path, Path):
            hold = Hold(account, FileLock(self.path, account, self._link_of), self._let_go)
        else:
            with self._one_writes, refusing(self.path):
                if self._own is not None:
                    raise ValueError("one account is held at a time on a server")
                own = engine.connect()
                try:
                    hold = Hold(account, SessionLock(self.path, account, own), self._let_go)
                except BaseException:
                    own.close()
                    raise
                self._own = own
        self._holds.append(hold)
        return hold

    def _let_go(self, hold: Hold) -> None:
        with self._one_writes:
            self._holds.remove(hold)
            self._own = None

    @contextmanager
    def _writing(
        self, options: dict[str, Any] = WRITING, group: Sent | None = None, *, of_a_replay: bool = False
    ) -> Iterator[Connection]:
        """A transaction that writes; `group` is what it adds to the chain, where somebody may hand it in again. What is not the
        replay's that left the log goes into it."""
        with self._one_writes:
            for hold in self._holds:
                hold.prove()
            with ExitStack() as stack:
                stack.enter_context(refusing(self.path))
                if not of_a_replay:
                    self._take_log()
                connection = self._writer() or stack.enter_context(self._open_engine().connect())
                if connection.get_execution_options() != options:
                    connection.execution_options(**options)
                transaction = stack.enter_context(connection.begin())
                connection.info.pop(MOVED, None)
                connection.info.pop(TO_END_WITH, None)
                yield connection
                moved = connection.info.get(MOVED)
                self._commit(connection, transaction, moved, group)
            if moved is not None and options is WRITING:
                for hold in self._holds:
                    hold.note(moved)

    def _commit(self, connection: Connection, transaction: Transaction, moved: Head | None, group: Sent | None) -> None:
        """Ends a transaction. Where the answer of a server is lost, it is asked whether what was sent is there."""
        driver = driven(connection)
        try:
            end(connection, transaction)
        except database_errors():
            if not getattr(driver, "closed", False):
                raise
            connection.invalidate()
            transaction.rollback()
            before = self._unconfirmed.get(group.run) if group is not None else None
            if moved is None or not self._is_there(Unconfirmed(moved, group, before)):
                raise
        if group is not None:
            self._unconfirmed.pop(group.run, None)

    def _is_there(self, unconfirmed: Unconfirmed) -> bool:
        """Whether it can be learnt now that a group is in the ledger; kept in mind where nothing can."""
        try:
            with self._open_engine().connect().execution_options(**WRITING) as connection, connection.begin():
                return unconfirmed.is_in(connection)
        except self._silent():
            if unconfirmed.sent is not None:
                self._unconfirmed[unconfirmed.sent.run] = unconfirmed
            return False

    @staticmethod
    def _silent() -> tuple[type[Exception], ...]:
        """What is raised where the way to a server is shut, or somebody else writes for too long."""
        return (Refused, *database_errors())

    def _rest(self, connection: Connection, group: Sent) -> Sequence[Prepared]:
        """What of a group the ledger does not have yet: all, unless it is handed in again after its confirmation was lost.

        Raises `Refused` TB716 where another group of the run turns out to be there, which its writer was told was not.
        """
        unconfirmed = self._unconfirmed.get(group.run)
        while unconfirmed is not None and not unconfirmed.is_in(connection):
            unconfirmed = unconfirmed.before
        if unconfirmed is None:
            return group.entries
        rest = unconfirmed.rest_of(group)
        if rest is None:
            del self._unconfirmed[group.run]
            message = f"run {group.run} has more than was confirmed: its entries up to {unconfirmed.head.seq} were written"
            raise refused(self.path, "TB716", message, "read the run again, and go on after its last record")
        return rest

    def _link_of(self, entry: int) -> str | None:
        with self._reading() as connection:
            link = connection.execute(select(_entries.c.hash).where(_entries.c.seq == entry)).scalar()
        return link.hex() if isinstance(link, bytes) else None

    def _writer(self) -> Connection | None:
        """The connection that stays open for writing; None where each write takes its own."""
        engine = self._open_engine()
        if self._kept is None and isinstance(self.path, Path):
            self._kept = engine.connect()
        return self._own or self._kept

    def _for_groups(self, size: int) -> dict[str, Any]:
        """How the next groups of a replay are written: straight into the file, where they are much, nobody else has the ledger
        open and no account is held here."""
        if size >= MUCH and self._left is None and isinstance(self.path, Path) and not self._holds:
            with refusing(self.path):
                writer = self._writer()
                assert writer is not None
                self._left = leave_log(driven(writer))
        return UNFLUSHED if self._left is None else WRITING

    def _take_log(self) -> None:
        """Back to the log, where it was left."""
        left, self._left = self._left, None
        if left is not None and self._kept is not None:
            take_log(driven(self._kept), left)

    def put_policy(self, texts: Mapping[str, str]) -> str:
        """Stores the files of a policy (path to text) under their hash and returns it; storing them again changes nothing.
        It outlives the process, and a power cut as soon as anything of a run with it does.

        Raises `Refused` TB709 where something else stands under that hash.
        """
        name, content = policy_hash(texts), policy_bytes(texts)
        with self._writing(UNFLUSHED) as connection:
            stored = connection.execute(select(_policies.c.texts).where(_policies.c.hash == name)).scalar()
            if stored is None:
                connection.execute(insert(_policies).values(hash=name, texts=content))
            elif stored != content:
                raise self._altered(name)
        return name

    def policy(self, name: str) -> dict[str, str]:
        """The files of the policy with this hash, path to text. Raises `Refused` TB708 (missing) or TB709 (altered)."""
        with self._reading() as connection:
            stored = connection.execute(select(_policies.c.texts).where(_policies.c.hash == name)).scalar()
        if stored is None:
            raise refused(self.path, "TB708", f"the ledger has no policy `{name}`", "see `tb ledger verify`")
        try:
            texts = msgspec.json.decode(stored, type=dict[str, str])
        except msgspec.MsgspecError:
            raise self._altered(name) from None
        if policy_hash(texts) != name:
            raise self._altered(name)
        return texts

    def _altered(self, name: str) -> Exception:
        return refused(self.path, "TB709", f"the stored text of policy `{name[:12]}` is not what its hash says", RESTORE)

    def start_run(self, run: Run) -> Run:
        """Writes the start of a run and returns it under the next id (`r1`, `r2`, ...); the id it came with is ignored. That of
        a replay outlives a power cut from `finish_run` on, as its groups do.

        Raises `ValueError` where its policy was not stored by `put_policy`, `Refused` TB711 for a ledger that lost its tail.
        """
        with self._writing(UNFLUSHED if run.mode == "replay" else WRITING) as connection:
            stored = connection.execute(select(_policies.c.hash).where(_policies.c.hash == run.policy_hash)).scalar()
            if stored is None:
                raise ValueError(f"store the policy before its run: {run.policy_hash}")
            number = (connection.execute(select(func.max(_runs.c.number))).scalar() or 0) + 1
            run = msgspec.structs.replace(run, id=f"r{number}")
            entry = extend(connection, self.path, run.id, [(START, canonical(run), None)])
            connection.execute(
                insert(_runs).values(entry=entry, run=run.id, number=number, policy=run.policy_hash, finish=None)
            )
        return run

    def append(self, run: str, records: Sequence[Record], *, log: DecisionLog | None = None) -> None:
        """Writes a group in rows, in one transaction; once it is on disk, `log` takes its Decision, Quiet and Latch records.

        Raises `ValueError` for a finished run or one in columns, a decision or order number used twice, or NaN in a trade;
        `TypeError` for what is no record; `Refused` TB707 (unknown run), TB711 (the ledger lost its tail). Nothing of the group
        is written then.
        """
        group = Sent(run, prepare(records))
        if group.entries:
            with self._writing(group=group) as connection:
                last, is_open = head_for_rows(connection, self.path, run)
                rest = self._rest(connection, group)
                if rest:
                    if not is_open:
                        self._require_open(connection, run)
                        raise ValueError(f"run {run} is recorded in columns")
                    extend(connection, self.path, run, rest, last, is_all=True)
        if log is not None:
            for record in records:
                log.add(record)

    def append_group(self, run: str, *groups: Group, log: DecisionLog | None = None) -> None:
        """Writes a group in columns, or several that follow one another, in one transaction; then `log` takes their Decision,
        Quiet and Latch records.

        They outlive the process from then on, and a power cut from `finish_run` on, at the latest. Where they are much, they go
        straight into the file, which has no log until the run is finished or somebody else connects (`tb.ledger.direct`).

        Raises `ValueError` for a finished run or one in rows, a group that does not follow the one before, decisions whose
        numbers do not ascend, or NaN in a trade; `TypeError` for what is no record; `Refused` TB707 (unknown run), TB711 (the
        ledger lost its tail). Nothing of the group is written then.
        """
        prepared = [entry for group in groups for entry in prepare_segments(group)]
        sent = Sent(run, prepared)
        size = sum(len(payload) for _, payload, _ in prepared)
        with self._one_writes, self._writing(self._for_groups(size), sent, of_a_replay=True) as connection:
            link, start, last, decision = head_for_columns(connection, self.path, run)
            if self._rest(connection, sent):
                if start is None:
                    self._require_open(connection, run)
                elif not last and queries.has_rows(connection, run, start):
                    raise ValueError(f"run {run} is recorded in rows")
                _require_next(groups, last, decision)
                extend(connection, self.path, run, prepared, link)
        if log is not None:
            for group in groups:
                log.take(group)

    def expect_much(self) -> None:
        """Says that megabytes of groups in columns follow, so that the first of them need not wait until the log is left."""
        with self._one_writes:
            self._for_groups(MUCH)

    def finish_run(self, run: str, summary: dict[str, object]) -> None:
        """Writes the summary as the run's last entry. `decision_log_hash`, where it holds one, is what `verify` compares.

        Raises `ValueError` for a finished run, `TypeError` for values that JSON cannot say, `Refused` TB707 and TB711.
        """
        sent = Sent(run, [(FINISH, canonical(summary), None)])
        with self._writing(group=sent, of_a_replay=True) as connection:
            if self._rest(connection, sent):
                self._require_open(connection, run)
                entry = extend(connection, self.path, run, sent.entries)
                connection.execute(update(_runs).where(_runs.c.run == run).values(finish=entry))
        with self._one_writes, refusing(self.path):
            self._take_log()

    def _require_open(self, connection: Connection, run: str) -> None:
        """That a run is there and not finished."""
        _, finish = queries.span_of(connection, self.path, run)
        if finish is not None:
            raise ValueError(f"run {run} is finished")

    def runs(self) -> list[RunInfo]:
        """Every run, first to last."""
        with self._reading() as connection:
            return queries.runs(connection, self.path)

    def latest_run(self) -> RunInfo | None:
        """The run with the highest number, or None in an empty ledger."""
        with self._reading() as connection:
            found = queries.runs(connection, self.path, latest=True)
        return found[0] if found else None

    def run(self, run: str) -> RunInfo:
        """Raises `Refused` TB707 for a run that is not there."""
        with self._reading() as connection:
            queries.span_of(connection, self.path, run)
            return queries.runs(connection, self.path, only=run)[0]

    def _records(self, run: str, statement: Select[Any], wanted: Wanted) -> list[Any]:
        """What a statement over rows leads to, or what is wanted of columns."""
        with self._reading() as connection:
            queries.span_of(connection, self.path, run)
            rows = list(queries.records(connection, self.path, statement))
            return rows or reading.found(connection, self.path, run, wanted)

    def records(self, run: str, *, kinds: Collection[type[Record]] | None = None) -> Iterator[Record]:
        """What a run recorded, in the order in which it did: everything, or the records of some kinds alone.

        Raises `Refused` TB707 at the call; the iteration fetches page by page.
        """
        names = list(KINDS) if kinds is None else sorted(kind.__name__ for kind in kinds)
        with self._reading() as connection:
            span = queries.span_of(connection, self.path, run)
            segments = reading.all_segments(connection, run, names)
        return self._swept(segments) if segments else self._paged(queries.of_kinds(run, names, span))

    def _swept(self, segments: Sequence[tuple[Stretch, str]]) -> Iterator[Any]:
        kinds = {place.entry: kind for place, kind in segments}

        def read(place: Stretch) -> list[tuple[int, Any]]:
            with self._reading() as connection:
                return reading.records_of(connection, self.path, place.entry, Wanted(kinds[place.entry]))

        return reading.swept([place for place, _ in segments], read)

    def _paged(self, statement: Select[Any]) -> Iterator[Any]:
        """Entries in order, page by page."""
        after = 0
        while True:
            with self._reading() as connection:
                page = list(queries.entries(connection, self.path, queries.after_entry(statement, after).limit(PAGE)))
            yield from (record for _, record in page)
            if len(page) < PAGE:
                return
            after = page[-1][0]

    def decisions(
        self,
        run: str,
        *,
        instrument: str | None = None,
        strategy: str | None = None,
        verdict: Verdict | None = None,
        since: int | None = None,
        until: int | None = None,
        limit: int | None = None,
        refused_only: bool = False,
    ) -> Iterator[Decision]:
        """Decisions in order, those with `since <= at < until` (ms); `refused_only` keeps those of which nothing was approved.

        Raises `Refused` TB707 at the call; the iteration fetches page by page.
        """
        wanted = Wanted(
            "Decision",
            {"instrument": instrument, "strategy": strategy, "verdict": verdict},
            since=since,
            until=until,
            refused_only=refused_only,
        )
        with self._reading() as connection:
            queries.span_of(connection, self.path, run)
            places = reading.segments_with(connection, run, wanted)
        if places:
            return islice(self._decisions(places, wanted), limit)
        statement = queries.decisions(
            run,
            instrument=instrument,
            strategy=strategy,
            verdict=verdict,
            since=since,
            until=until,
            refused_only=refused_only,
        )
        return self._pages(statement, limit)

    def _decisions(self, places: Sequence[Stretch], wanted: Wanted) -> Iterator[Decision]:
        def read(place: Stretch) -> list[tuple[int, Any]]:
            with self._reading() as connection:
                return reading.records_of(connection, self.path, place.entry, wanted)

        return reading.swept(places, read)

    def _pages(self, statement: Select[Any], limit: int | None) -> Iterator[Decision]:
        after, left = 0, limit
        while left is None or left > 0:
            size = PAGE if left is None else min(PAGE, left)
            with self._reading() as connection:
                page: list[Decision] = list(queries.records(connection, self.path, queries.after(statement, after).limit(size)))
            yield from page
            if len(page) < size:
                return
            after = page[-1].seq
            left = None if left is None else left - size

    def decision(self, run: str, seq: int) -> Decision:
        """Raises `Refused` TB707 (unknown run) or TB714 (no such decision)."""
        found: list[Decision] = self._records(run, queries.decision(run, seq), Wanted("Decision", {"seq": seq}, numbered="seq"))
        return queries.only(found, self.path, f"run `{run}` has no decision `d{seq}`", "`tb decisions` lists them")

    def orders(self, run: str, *, instrument: str | None = None, decision: int | None = None) -> list[Order]:
        """Orders in the order of writing; with `decision`, those that came of it. Raises `Refused` TB707."""
        wanted = Wanted("Order", {"instrument": instrument, "decision": decision}, numbered="decision")
        return self._records(run, queries.orders(run, instrument, decision), wanted)

    def order(self, run: str, order: str) -> Order:
        """Raises `Refused` TB707 (unknown run) or TB714 (no such order)."""
        found: list[Order] = self._records(run, queries.order(run, order), Wanted("Order", {"id": order}))
        return queries.only(found, self.path, f"run `{run}` has no order `{order}`", "`tb trades` lists what was ordered")

    def cancels(self, run: str, *, order: str | None = None) -> list[Cancel]:
        """Orders that ended without a fill, in the order of writing. Raises `Refused` TB707."""
        return self._records(run, queries.cancels(run, order), Wanted("Cancel", {"order": order}))

    def fills(self, run: str, *, order: str | None = None, instrument: str | None = None) -> list[Fill]:
        """Raises `Refused` TB707."""
        wanted = Wanted("Fill", {"order": order, "instrument": instrument})
        return self._records(run, queries.fills(run, order, instrument), wanted)

    def trades(
        self, run: str, *, instrument: str | None = None, strategy: str | None = None, is_open: bool = False
    ) -> list[Trade]:
        """Trades by number, each as it was written last; `is_open` keeps those without an exit. Raises `Refused` TB707."""
        wanted = Wanted("Trade", {"instrument": instrument, "strategy": strategy})
        statement = queries.trades(run, instrument, strategy, is_open=is_open)
        found: list[Trade] = self._records(run, statement, wanted)
        latest = {trade.seq: trade for trade in found}
        return [latest[seq] for seq in sorted(latest) if not is_open or latest[seq].exit_at is None]

    def trade(self, run: str, seq: int) -> Trade:
        """The trade as it was written last. Raises `Refused` TB707 (unknown run) or TB714 (no such trade)."""
        wanted = Wanted("Trade", {"seq": seq}, numbered="seq")
        found: list[Trade] = self._records(run, queries.trade(run, seq), wanted)
        return queries.only(found[-1:], self.path, f"run `{run}` has no trade `t{seq}`", "`tb trades` lists them")

    def quiet(self, run: str, instrument: str, *, strategy: str | None = None, at: int | None = None) -> list[Quiet]:
        """Quiet stretches of an instrument by their start; with `at`, those that hold that instant. Raises `Refused` TB707."""
        wanted = Wanted("Quiet", {"instrument": instrument, "strategy": strategy})
        found: list[Quiet] = self._records(run, queries.quiet(run, instrument, strategy, at), wanted)
        held = [quiet for quiet in found if at is None or quiet.first <= at <= quiet.last]
        return sorted(held, key=lambda quiet: quiet.first)

    def curves(self, run: str) -> list[Curve]:
        """Packed equity in the order of writing. Raises `Refused` TB707."""
        return self._records(run, queries.curves(run), Wanted("Curve"))

    def marks(self, run: str, *, last: int | None = None) -> list[Mark]:
        """Marks in the order of writing: all, or the `last` of them. Raises `Refused` TB707."""
        found: list[Mark] = self._records(run, queries.marks(run, last), Wanted("Mark"))
        return found if last is None else found[max(0, len(found) - last) :]

    def latches(self, run: str) -> list[Latch]:
        """Latches and liftings in the order of writing. Raises `Refused` TB707."""
        return self._records(run, queries.latches(run), Wanted("Latch"))

    def handlings(self, run: str, *, order: str | None = None) -> list[Handling]:
        """What the gateway did and learnt, in the order of writing; with `order`, about that one. Raises `Refused` TB707."""
        return self._records(run, queries.handlings(run, order), Wanted("Handling", {"order": order}))

    def active_latches(self, run: str, at: int) -> list[Latch]:
        """Latches set at or before `at` that still hold then: not past `until` (`at < until`), and not lifted since.

        A lifting ends the latches of its rule, book and verdict that were written before it; a later, shorter one never ends a
        longer one. Raises `Refused` TB707.
        """
        held: list[Latch] = []
        for latch in self.latches(run):
            if latch.at > at:
                continue
            if latch.lifted:
                ended = (latch.rule, latch.book, latch.verdict)
                held = [h for h in held if (h.rule, h.book, h.verdict) != ended]
            else:
                held.append(latch)
        return [latch for latch in held if latch.until is None or at < latch.until]

    def head(self) -> Head:
        """The last entry. Kept elsewhere, it lets `verify` find a tail that was cut off with care. Raises `Refused` TB711."""
        with self._reading() as connection, connection.begin():
            return head(connection, self.path)

    def decision_log_hash(self, run: str) -> str:
        """The digest of the run's decision log, computed again from the stored records. Raises `Refused` TB707 and TB710."""
        kinds, log = sorted(kind.__name__ for kind in DECISIVE), DecisionLog()
        with self._reading() as connection, connection.begin():
            span = queries.span_of(connection, self.path, run)
            segments = reading.all_segments(connection, run, kinds)
            for record in queries.records(connection, self.path, queries.of_kinds(run, kinds, span)):
                log.add(record)
        for record in self._swept(segments):
            log.add(record)
        return log.hexdigest()

    def verify(
        self,
        progress: Callable[[int, int], None] | None = None,
        *,
        anchor: Head | None = None,
        processes: int | None = None,
    ) -> list[Diagnostic]:
        """Findings of a full check, the first broken entry first; empty where all holds. See `tb.ledger.verify`.

        A long ledger is walked by as many processes as there are cores; `processes` says how many, 1 for none beside this one.
        """
        return verify(self._open_engine(), self.path, progress, anchor, processes=processes)


def _require_next(groups: Sequence[Group], last: int, before: int) -> None:
    """That groups in columns follow the last record and the last decision that their run has."""
    for group in groups:
        if group.first != last + 1:
            raise ValueError(f"the group was not written: record {last + 1} comes next, not {group.first}")
        last += group.size
        numbers = group.decision_numbers
        for seq in numbers[:1] if isinstance(numbers, range) else numbers:
            if seq <= before:
                raise ValueError(f"the group was not written: decision {seq} after {before}")
            before = seq
        before = numbers[-1] if numbers else before
