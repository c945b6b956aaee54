"""Which projection row each kind of record has. Writing and verifying use this one mapping, so they cannot drift apart."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy import insert
from sqlalchemy.dialects import sqlite

from tb.core.records import Cancel, Curve, Decision, Fill, Handling, Latch, Mark, Order, Quiet, Record, Trade
from tb.ledger.segments import SEGMENT
from tb.ledger.tables import (
    CancelRow,
    CurveRow,
    DecisionRow,
    Entry,
    FillRow,
    HandlingRow,
    LatchRow,
    LedgerTable,
    MarkRow,
    OrderRow,
    QuietRow,
    SegmentRow,
    TradeRow,
    table_of,
)

START, FINISH = "start", "finish"  # kinds of the entries that open and close a run; the others are named after their record
Row = tuple[Any, ...]


def _decision(d: Decision) -> Row:
    return (d.seq, d.at, d.kind, d.instrument, d.strategy, d.verdict, " ".join(d.deciding), d.approved == 0)


def _quiet(q: Quiet) -> Row:
    return (q.strategy, q.instrument, q.first, q.last)


def _order(o: Order) -> Row:
    return (o.id, o.decision, o.instrument)


def _cancel(c: Cancel) -> Row:
    return (c.order, c.at, c.instrument)


def _fill(f: Fill) -> Row:
    return (f.order, f.at, f.instrument)


def _trade(t: Trade) -> Row:
    if not (math.isfinite(t.best) and math.isfinite(t.worst)):
        raise ValueError(f"trade {t.seq}: best and worst must be finite, not {t.best} and {t.worst}")
    return (t.seq, t.decision, t.instrument, t.strategy, t.exit_at is not None)


def _latch(h: Latch) -> Row:
    return (h.at, h.rule, h.verdict, h.until, h.lifted)


def _curve(c: Curve) -> Row:
    return (c.first, c.last)


def _mark(m: Mark) -> Row:
    return (m.at,)


def _handling(h: Handling) -> Row:
    return (h.at, h.what, h.order, h.instrument)


class Shape(msgspec.Struct, frozen=True):
    """How records of one kind are projected: `columns` follow `entry` and `run` in the order of the table's declaration.

    `decode` raises `msgspec.ValidationError` or `msgspec.DecodeError`.
    """

    record: type[msgspec.Struct]
    model: type[LedgerTable]
    columns: Callable[[Any], Row]
    decode: Callable[[bytes], Any]


def _shape(record: type[msgspec.Struct], model: type[LedgerTable], columns: Callable[[Any], Row]) -> Shape:
    return Shape(record, model, columns, msgspec.json.Decoder(record).decode)


SHAPES: dict[str, Shape] = {
    shape.record.__name__: shape
    for shape in (
        _shape(Decision, DecisionRow, _decision),
        _shape(Quiet, QuietRow, _quiet),
        _shape(Order, OrderRow, _order),
        _shape(Cancel, CancelRow, _cancel),
        _shape(Fill, FillRow, _fill),
        _shape(Trade, TradeRow, _trade),
        _shape(Latch, LatchRow, _latch),
        _shape(Mark, MarkRow, _mark),
        _shape(Curve, CurveRow, _curve),
        _shape(Handling, HandlingRow, _handling),
    )
}


def shape_of(record: Record) -> Shape:
    """The shape of a record; raises `TypeError` for anything that is not one."""
    shape = SHAPES.get(type(record).__name__)
    if shape is None or shape.record is not type(record):
        raise TypeError(f"not a record of the ledger: {type(record).__name__}")
    return shape


MODELS: dict[str, type[LedgerTable]] = {kind: shape.model for kind, shape in SHAPES.items()} | {SEGMENT: SegmentRow}


def insert_text(model: type[LedgerTable]) -> str:
    """`INSERT INTO ...` with one positional parameter for each column of the table, in the order of declaration, for a file."""
    return str(insert(table_of(model)).compile(dialect=sqlite.dialect()))


INSERT_ENTRY = insert_text(Entry)
INSERT_ROW = {kind: insert_text(model) for kind, model in MODELS.items()}
