"""The ledger as the other rooms see it: start a run, append groups of records, finish it; ask about any run; verify.

A group is written whole or not at all, and is on disk when `append` returns. Readers never wait for the writer and hold no
transaction between the steps of an iteration. Every method may raise `Refused` TB703, TB705 or TB706 when the file or the
disk gives way, besides what it names itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, Select, func, insert, select, update

from tb.core.diagnostics import Diagnostic
from tb.core.encode import canonical
from tb.core.records import Cancel, Curve, Decision, Fill, Latch, Mark, Order, Quiet, Record, Run, Trade, Verdict
from tb.ledger import queries
from tb.ledger.chain import DECISIVE, DecisionLog, Head, policy_bytes, policy_hash
from tb.ledger.findings import RESTORE, refused, refusing
from tb.ledger.opening import WRITING
from tb.ledger.projection import FINISH, START
from tb.ledger.runs import RunInfo
from tb.ledger.tables import Policy, RunRow, table_of
from tb.ledger.verify import verify
from tb.ledger.writing import extend, head, prepare

_policies, _runs = table_of(Policy), table_of(RunRow)
PAGE = 1000  # decisions fetched at a time


class Ledger:
    """An open ledger. Use as a context manager, or call `close`. Safe to share between threads; one writes at a time."""

    def __init__(self, path: Path, engine: Engine) -> None:
        self.path = path
        self._engine: Engine | None = engine

    def close(self) -> None:
        """Gives the file back; further calls raise `ValueError`, a second `close` does nothing."""
        if self._engine is not None:
            with refusing(self.path):
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

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with (
            refusing(self.path),
            self._open_engine().connect().execution_options(**WRITING) as connection,
            connection.begin(),
        ):
            yield connection

    def put_policy(self, texts: Mapping[str, str]) -> str:
        """Stores the files of a policy (path to text) under their hash and returns it; storing them again changes nothing.

        Raises `Refused` TB709 where something else stands under that hash.
        """
        name, content = policy_hash(texts), policy_bytes(texts)
        with self._writing() as connection:
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
        """Writes the start of a run and returns it under the next id (`r1`, `r2`, ...); the id it came with is ignored.

        Raises `ValueError` where its policy was not stored by `put_policy`, `Refused` TB711 for a ledger that lost its tail.
        """
        with self._writing() as connection:
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
        """Writes a group in one transaction; once it is on disk, its Decision, Quiet and Latch payloads are added to `log`.

        Raises `ValueError` for a finished run, a decision or order number used twice, or NaN in a trade; `TypeError` for what
        is no record; `Refused` TB707 (unknown run), TB711 (the ledger lost its tail). Nothing of the group is written then.
        """
        group = prepare(records)
        if group:
            with self._writing() as connection:
                self._require_open(connection, run)
                extend(connection, self.path, run, group)
        if log is not None:
            for kind, payload, _ in group:
                if kind in DECISIVE:
                    log.add(payload)

    def finish_run(self, run: str, summary: dict[str, object]) -> None:
        """Writes the summary as the run's last entry. `decision_log_hash`, where it holds one, is what `verify` compares.

        Raises `ValueError` for a finished run, `TypeError` for values that JSON cannot say, `Refused` TB707 and TB711.
        """
        payload = canonical(summary)
        with self._writing() as connection:
            self._require_open(connection, run)
            entry = extend(connection, self.path, run, [(FINISH, payload, None)])
            connection.execute(update(_runs).where(_runs.c.run == run).values(finish=entry))

    def _require_open(self, connection: Connection, run: str) -> None:
        if queries.span_of(connection, self.path, run)[1] is not None:
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

    def _records(self, run: str, statement: Select[Any]) -> list[Any]:
        with self._reading() as connection:
            queries.span_of(connection, self.path, run)
            return queries.records(connection, self.path, statement)

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
        with self._reading() as connection:
            queries.span_of(connection, self.path, run)
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

    def _pages(self, statement: Select[Any], limit: int | None) -> Iterator[Decision]:
        after, left = 0, limit
        while left is None or left > 0:
            size = PAGE if left is None else min(PAGE, left)
            with self._reading() as connection:
                page: list[Decision] = queries.records(connection, self.path, queries.after(statement, after).limit(size))
            yield from page
            if len(page) < size:
                return
            after = page[-1].seq
            left = None if left is None else left - size

    def decision(self, run: str, seq: int) -> Decision:
        """Raises `Refused` TB707 (unknown run) or TB714 (no such decision)."""
        found: list[Decision] = self._records(run, queries.decision(run, seq))
        return queries.only(found, self.path, f"run `{run}` has no decision `d{seq}`", "`tb decisions` lists them")

    def orders(self, run: str, *, instrument: str | None = None) -> list[Order]:
        """Raises `Refused` TB707."""
        return self._records(run, queries.orders(run, instrument))

    def order(self, run: str, order: str) -> Order:
        """Raises `Refused` TB707 (unknown run) or TB714 (no such order)."""
        found: list[Order] = self._records(run, queries.order(run, order))
        return queries.only(found, self.path, f"run `{run}` has no order `{order}`", "`tb trades` lists what was ordered")

    def cancels(self, run: str, *, order: str | None = None) -> list[Cancel]:
        """Orders that ended without a fill, in the order of writing. Raises `Refused` TB707."""
        return self._records(run, queries.cancels(run, order))

    def fills(self, run: str, *, order: str | None = None, instrument: str | None = None) -> list[Fill]:
        """Raises `Refused` TB707."""
        return self._records(run, queries.fills(run, order, instrument))

    def trades(self, run: str, *, instrument: str | None = None, strategy: str | None = None) -> list[Trade]:
        """Trades by number, each as it was written last. Raises `Refused` TB707."""
        return self._records(run, queries.trades(run, instrument, strategy))

    def trade(self, run: str, seq: int) -> Trade:
        """The trade as it was written last. Raises `Refused` TB707 (unknown run) or TB714 (no such trade)."""
        found: list[Trade] = self._records(run, queries.trade(run, seq))
        return queries.only(found, self.path, f"run `{run}` has no trade `t{seq}`", "`tb trades` lists them")

    def quiet(self, run: str, instrument: str, *, strategy: str | None = None, at: int | None = None) -> list[Quiet]:
        """Quiet stretches of an instrument by their start; with `at`, those that hold that instant. Raises `Refused` TB707."""
        return self._records(run, queries.quiet(run, instrument, strategy, at))

    def curves(self, run: str) -> list[Curve]:
        """Packed equity in the order of writing. Raises `Refused` TB707."""
        return self._records(run, queries.curves(run))

    def marks(self, run: str) -> list[Mark]:
        """Marks in the order of writing. Raises `Refused` TB707."""
        return self._records(run, queries.marks(run))

    def latches(self, run: str) -> list[Latch]:
        """Latches and liftings in the order of writing. Raises `Refused` TB707."""
        return self._records(run, queries.latches(run))

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
        """The digest of the run's decision log, computed again from the stored payloads. Raises `Refused` TB707."""
        log = DecisionLog()
        with self._reading() as connection, connection.begin():
            for payload in queries.decisive(connection, self.path, run):
                log.add(payload)
        return log.hexdigest()

    def verify(self, progress: Callable[[int, int], None] | None = None, *, anchor: Head | None = None) -> list[Diagnostic]:
        """Findings of a full check, the first broken entry first; empty where all holds. See `tb.ledger.verify`."""
        return verify(self._open_engine(), self.path, progress, anchor)
