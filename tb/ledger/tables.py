"""The tables of a ledger, declared with SQLModel.

`entries` is the truth: canonical payloads in a hash chain. Every other table but `meta` and `policies` is a projection for
queries: one row for each entry of its kind, under that entry's number, holding nothing that the payload does not say. A run
is recorded in rows, with an entry for each record, or in columns, with an entry for each segment.
Money stays in payloads, as text; no column here holds a price, a quantity or money.

Importing this module loads SQLAlchemy and pydantic (about 0.2 s): only `tb.ledger.open_ledger` should cause it.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, Integer, Table
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

SCHEMA = 5  # raised by any change below; a ledger of another version is refused, never altered in place


class LedgerTable(SQLModel, registry=registry()):
    """Keeps these tables out of the global metadata, where another library's `runs` could meet them."""


class Meta(LedgerTable, table=True):
    """One row. The head is written with every group, so a tail that was cut off leaves a trace."""

    __tablename__ = "meta"
    id: int = Field(primary_key=True)
    version: int
    head_seq: int
    head_hash: bytes


class Policy(LedgerTable, table=True):
    __tablename__ = "policies"
    hash: str = Field(primary_key=True)
    texts: bytes  # canonical JSON, path to text


class Entry(LedgerTable, table=True):
    __tablename__ = "entries"
    seq: int = Field(primary_key=True)
    run: str
    kind: str
    payload: bytes
    previous: bytes
    hash: bytes


class Projection(LedgerTable):
    """What every projection row starts with."""

    entry: int = Field(primary_key=True, foreign_key="entries.seq")
    run: str


class RunRow(Projection, table=True):
    """`entry` is the run's start; `finish` the entry of its summary, null while it runs or when it was killed."""

    __tablename__ = "runs"
    __table_args__ = (Index("runs_by_name", "run", unique=True),)
    number: int = Field(unique=True)  # 7 of r7
    policy: str = Field(foreign_key="policies.hash")
    finish: int | None = Field(foreign_key="entries.seq")


class DecisionRow(Projection, table=True):
    __tablename__ = "decisions"
    __table_args__ = (Index("decisions_by_seq", "run", "seq", unique=True),)
    seq: int
    at: int
    kind: str
    instrument: str
    strategy: str
    verdict: str
    deciding: str  # names of constraints, separated by a space
    refused: bool  # nothing was approved


class QuietRow(Projection, table=True):
    __tablename__ = "quiet"
    __table_args__ = (Index("quiet_by_place", "run", "instrument", "strategy", "first"),)
    strategy: str
    instrument: str
    first: int
    last: int


class OrderRow(Projection, table=True):
    __tablename__ = "orders"
    __table_args__ = (Index("orders_by_id", "run", "id", unique=True),)
    id: str
    decision: int
    instrument: str


class CancelRow(Projection, table=True):
    __tablename__ = "cancels"
    __table_args__ = (Index("cancels_by_order", "run", "order_id"),)
    order_id: str
    at: int
    instrument: str


class FillRow(Projection, table=True):
    __tablename__ = "fills"
    __table_args__ = (Index("fills_by_order", "run", "order_id"),)
    order_id: str
    at: int
    instrument: str


class TradeRow(Projection, table=True):
    """A trade is appended when it opens and again when it closes; the later row of a `seq` is the one that holds."""

    __tablename__ = "trades"
    __table_args__ = (Index("trades_by_seq", "run", "seq"),)
    seq: int
    decision: int
    instrument: str
    strategy: str
    closed: bool


class LatchRow(Projection, table=True):
    __tablename__ = "latches"
    __table_args__ = (Index("latches_by_time", "run", "at"),)
    at: int
    rule: str
    verdict: str
    until: int | None
    lifted: bool


class CurveRow(Projection, table=True):
    __tablename__ = "curves"
    __table_args__ = (Index("curves_by_time", "run", "first"),)
    first: int
    last: int


class MarkRow(Projection, table=True):
    __tablename__ = "marks"
    __table_args__ = (Index("marks_by_time", "run", "at"),)
    at: int


class HandlingRow(Projection, table=True):
    __tablename__ = "handlings"
    __table_args__ = (Index("handlings_by_order", "run", "order_id"),)
    at: int
    what: str
    order_id: str
    instrument: str


class SegmentRow(Projection, table=True):
    """What a segment holds: `records` of one `kind`, the numbers of the `first` and `last` in their run, between two instants.

    `low` and `high` bound the numbers of decisions and trades, or those of the decisions behind orders. The names are sorted
    JSON; nothing where the kind has none, or more of them than are worth listing.
    """

    __tablename__ = "segments"
    __table_args__ = (Index("segments_by_place", "run", "kind", "first"),)
    kind: str
    records: int
    first: int
    last: int
    begins: int
    ends: int
    low: int | None
    high: int | None
    instruments: str | None
    strategies: str | None
    verdicts: str | None


def _suit_servers() -> None:
    """Numbers are of 64 bits on a server, as they are in a file. It holds no references between tables, as a file does not:
    that rows fit is proved along the chain, and each check of a reference would write to the entry it refers to."""
    wide = BigInteger().with_variant(Integer, "sqlite")
    for table in LedgerTable.metadata.tables.values():
        for column in table.columns:
            if isinstance(column.type, Integer):
                column.type, column.autoincrement = wide, False
        for reference in table.foreign_key_constraints:
            reference.ddl_if(dialect="sqlite")


_suit_servers()


def table_of(model: type[LedgerTable]) -> Table:
    """The SQLAlchemy Core table of a model, for bulk work without objects."""
    return LedgerTable.metadata.tables[str(model.__tablename__)]
