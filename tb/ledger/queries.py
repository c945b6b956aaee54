"""Questions to a ledger: statements over the projections that lead to payloads, and the reading of what they find."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, TypeVar

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, Table, func, select, type_coerce
from sqlalchemy.types import NullType

from tb.core.records import Run
from tb.ledger.findings import RESTORE, refused, unknown_run
from tb.ledger.place import Place
from tb.ledger.projection import FINISH, SHAPES
from tb.ledger.runs import RunInfo
from tb.ledger.segments import SEGMENT
from tb.ledger.tables import (
    CancelRow,
    CurveRow,
    DecisionRow,
    Entry,
    FillRow,
    HandlingRow,
    LatchRow,
    MarkRow,
    OrderRow,
    QuietRow,
    RunRow,
    SegmentRow,
    TradeRow,
    table_of,
)

T = TypeVar("T")
_entries, _runs = table_of(Entry), table_of(RunRow)
_decisions, _quiet, _trades = table_of(DecisionRow), table_of(QuietRow), table_of(TradeRow)
_curves, _cancels, _segments = table_of(CurveRow), table_of(CancelRow), table_of(SegmentRow)
_orders, _fills, _latches, _marks = table_of(OrderRow), table_of(FillRow), table_of(LatchRow), table_of(MarkRow)
_handlings = table_of(HandlingRow)
# even where somebody changed its type
payload_as_it_stands: ColumnElement[Any] = type_coerce(_entries.c.payload, NullType())


def _of(table: Table, run: str, **wanted: object) -> Select[Any]:
    """Entries behind the rows of one run, those whose columns equal what is wanted (None: any)."""
    statement = select(_entries.c.seq, _entries.c.kind, payload_as_it_stands).join(table, table.c.entry == _entries.c.seq)
    statement = statement.where(table.c.run == run)
    for name, value in wanted.items():
        if value is not None:
            statement = statement.where(table.c[name] == value)
    return statement


def decisions(
    run: str,
    *,
    instrument: str | None,
    strategy: str | None,
    verdict: str | None,
    since: int | None,
    until: int | None,
    refused_only: bool,
) -> Select[Any]:
    statement = _of(_decisions, run, instrument=instrument, strategy=strategy, verdict=verdict)
    if since is not None:
        statement = statement.where(_decisions.c.at >= since)
    if until is not None:
        statement = statement.where(_decisions.c.at < until)
    if refused_only:
        statement = statement.where(_decisions.c.refused)
    return statement.order_by(_decisions.c.seq)


def after_entry(statement: Select[Any], seq: int) -> Select[Any]:
    """The rest of a statement over entries, past entry `seq`."""
    return statement.where(_entries.c.seq > seq)


def after(statement: Select[Any], seq: int) -> Select[Any]:
    """The rest of a statement over decisions, past decision `seq`."""
    return statement.where(_decisions.c.seq > seq)


def decision(run: str, seq: int) -> Select[Any]:
    return _of(_decisions, run, seq=seq)


def orders(run: str, instrument: str | None, decision: int | None) -> Select[Any]:
    return _of(_orders, run, instrument=instrument, decision=decision).order_by(_orders.c.entry)


def order(run: str, name: str) -> Select[Any]:
    return _of(_orders, run, id=name)


def cancels(run: str, order_id: str | None) -> Select[Any]:
    return _of(_cancels, run, order_id=order_id).order_by(_cancels.c.entry)


def fills(run: str, order_id: str | None, instrument: str | None) -> Select[Any]:
    return _of(_fills, run, order_id=order_id, instrument=instrument).order_by(_fills.c.entry)


def trades(run: str, instrument: str | None, strategy: str | None, *, is_open: bool = False) -> Select[Any]:
    """The last row of each trade, of those that are open where only these are wanted.

    The rows are put into order once and not compared with one another: a server that has no statistics yet of a table that
    grew takes a million for thirty, and would go through all of them again for each (`IN (SELECT max ...)`).
    """
    place = func.row_number().over(partition_by=_trades.c.seq, order_by=_trades.c.entry.desc())
    ranked = select(_trades, place.label("from_last")).where(_trades.c.run == run).subquery()
    statement = select(_entries.c.seq, _entries.c.kind, payload_as_it_stands).join(ranked, ranked.c.entry == _entries.c.seq)
    for name, value in {"instrument": instrument, "strategy": strategy, "closed": False if is_open else None}.items():
        if value is not None:
            statement = statement.where(ranked.c[name] == value)
    return statement.where(ranked.c.from_last == 1).order_by(ranked.c.seq)


def trade(run: str, seq: int) -> Select[Any]:
    return _of(_trades, run, seq=seq).order_by(_trades.c.entry.desc()).limit(1)


def quiet(run: str, instrument: str, strategy: str | None, at: int | None) -> Select[Any]:
    statement = _of(_quiet, run, instrument=instrument, strategy=strategy)
    if at is not None:
        statement = statement.where(_quiet.c.first <= at, _quiet.c.last >= at)
    return statement.order_by(_quiet.c.first, _quiet.c.entry)


def curves(run: str) -> Select[Any]:
    return _of(_curves, run).order_by(_curves.c.entry)


def marks(run: str, last: int | None = None) -> Select[Any]:
    statement = _of(_marks, run).order_by(_marks.c.entry)
    if last is None:
        return statement
    newest = select(_marks.c.entry).where(_marks.c.run == run).order_by(_marks.c.entry.desc()).limit(last).subquery()
    return statement.join(newest, newest.c.entry == _marks.c.entry)


def latches(run: str) -> Select[Any]:
    return _of(_latches, run).order_by(_latches.c.entry)


def handlings(run: str, order_id: str | None) -> Select[Any]:
    return _of(_handlings, run, order_id=order_id).order_by(_handlings.c.entry)


def records(connection: Connection, path: Place, statement: Select[Any]) -> Iterator[Any]:
    """The records a statement leads to; raises `Refused` TB710 for a payload that no longer reads as one."""
    for _, record in entries(connection, path, statement):
        yield record


def entries(connection: Connection, path: Place, statement: Select[Any]) -> Iterator[tuple[int, Any]]:
    """The same, each with the number of its entry."""
    with connection.execute(statement.execution_options(yield_per=1000)) as found:
        for seq, kind, payload in chain.from_iterable(found.partitions()):
            try:
                yield seq, SHAPES[kind].decode(payload)
            except (KeyError, TypeError, msgspec.MsgspecError) as problem:
                raise unreadable(path, seq) from problem


def unreadable(path: Place, seq: int) -> Exception:
    return refused(path, "TB710", f"entry {seq} was altered and cannot be read", f"see `tb ledger verify`, then {RESTORE}")


def only(found: list[T], path: Place, missing: str, hint: str) -> T:
    """The one record found; raises `Refused` TB714 with `missing` where there is none."""
    if not found:
        raise refused(path, "TB714", missing, hint)
    return found[0]


def span_of(connection: Connection, path: Place, run: str) -> tuple[int, int | None]:
    """The entries that start and finish a run; raises `Refused` TB707 for a run that is not there."""
    row = connection.execute(select(_runs.c.entry, _runs.c.finish).where(_runs.c.run == run)).first()
    if row is None:
        raise unknown_run(path, run, connection.execute(select(_runs.c.run).order_by(_runs.c.number)).scalars())
    return row[0], row[1]


def _told(table: Table, bound: ColumnElement[Any]) -> Any:
    """A bound of what a run told, beside its row; null where it told nothing there."""
    return select(bound).where(table.c.run == _runs.c.run).scalar_subquery()


def runs(connection: Connection, path: Place, *, only: str | None = None, latest: bool = False) -> list[RunInfo]:
    """Runs with their summaries by number: all, the one named, or the latest.

    A session does not know at its start when it will end: `first` and `last` take in every close that it marked.
    """
    start, finish = _entries.alias(), _entries.alias()
    marked = [_told(_marks, bound) for bound in (func.min(_marks.c.at), func.max(_marks.c.at))]
    drawn = [_told(_curves, bound) for bound in (func.min(_curves.c.first), func.max(_curves.c.last))]
    payloads = (type_coerce(start.c.payload, NullType()), type_coerce(finish.c.payload, NullType()))
    statement = (
        select(_runs.c.entry, *payloads, *marked, *drawn)
        .outerjoin(start, start.c.seq == _runs.c.entry)
        .outerjoin(finish, finish.c.seq == _runs.c.finish)
        .order_by(_runs.c.number.desc() if latest else _runs.c.number)
    )
    if only is not None:
        statement = statement.where(_runs.c.run == only)
    found = []
    for entry, run, summary, *told in connection.execute(statement.limit(1) if latest else statement):
        try:
            read = msgspec.json.decode(summary, type=dict[str, object]) if summary is not None else None
            started = msgspec.json.decode(run, type=Run)
            times = [started.first, started.last, *(at for at in told if at is not None)]
            found.append(RunInfo(msgspec.structs.replace(started, first=min(times), last=max(times)), read))
        except (TypeError, msgspec.MsgspecError) as problem:
            raise unreadable(path, entry) from problem
    return found


def of_kinds(run: str, kinds: Sequence[str], span: tuple[int, int | None]) -> Select[Any]:
    """The entries of a run of these kinds in order, between its start and its end."""
    start, finish = span
    statement = select(_entries.c.seq, _entries.c.kind, payload_as_it_stands).where(
        _entries.c.seq > start, _entries.c.run == run, _entries.c.kind.in_(kinds)
    )
    if finish is not None:
        statement = statement.where(_entries.c.seq < finish)
    return statement.order_by(_entries.c.seq)


def has_rows(connection: Connection, run: str, start: int) -> bool:
    """Whether a run that started at an entry has recorded anything in rows."""
    first = select(_entries.c.kind).where(_entries.c.seq > start, _entries.c.run == run).order_by(_entries.c.seq).limit(1)
    return connection.execute(first).scalar() not in (None, SEGMENT, FINISH)
