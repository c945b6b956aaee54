"""The digest of a run's decisions: the same whether the run is recorded in rows, in columns or not at all."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Sequence

import msgspec

from tb.core.records import Decision, Latch, Quiet
from tb.ledger.segments import DECISIVE, Group, Segment, segments_of
from tb.ledger.sparing import Sparing, log_segments

BLOCK = 512  # decisive records that are hashed together

_LOGGED = DECISIVE | {Sparing}
_pack = msgspec.msgpack.Encoder().encode


class DecisionLog:
    """SHA-256 over a run's Decision, Quiet and Latch records in order, in blocks of `BLOCK` and a last, shorter one.

    A block is MessagePack: for each of its segments (`tb.ledger.segments`), in the order of their first records, the places of
    the records in the block from 0, and the table. Each block is preceded by its length in 8 bytes, big-endian. The states of a
    Quiet record stand in it as the SHA-256 of what they are unpacked, since builds of zlib pack differently. No run id and no
    wall-clock time takes part: the same rules on the same data give the same digest in every run.
    """

    __slots__ = ("_begun", "_hash", "_pending", "_worked_out")

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._pending: list[Decision | Quiet | Latch] = []
        self._begun: Group | None = None  # in place of what is pending: its records are made only where more of them come
        self._worked_out: tuple[Group, bytes] | None = None  # a group and the block that it is, if nothing of the log follows

    def add(self, record: object) -> None:
        """Takes the next record of the run; those of other kinds change nothing.

        Raises `ValueError` for states that cannot be unpacked and, at a block's end, as `segments_of`.
        """
        kind = type(record)
        if kind in _LOGGED:
            if self._begun is not None:
                self._unfold()
            self._pending.append(unpacked(record) if kind is Quiet else record)  # type: ignore[arg-type]
            if len(self._pending) == BLOCK:
                self._hash.update(block_of(log_segments(self._pending)))
                self._pending = []

    def take(self, group: Group) -> None:
        """Takes the next records of the run. Where they hold one whole block, its tables are those of the group."""
        size = sum(len(segment.places) for segment in group.decisive)
        if self._pending or self._begun is not None or size > BLOCK:
            for record in group.records:
                self.add(record)
        elif size == BLOCK:
            self._hash.update(_block_in(group))
        elif size:
            self._begun = group

    def _unfold(self) -> None:
        group, self._begun = self._begun, None
        assert group is not None
        for record in group.records:
            self.add(record)

    def expect_last(self, group: Group) -> None:
        """Works out what `hexdigest` needs where nothing follows a group that is being written: it is not taken yet."""
        if 0 < sum(len(segment.places) for segment in group.decisive) < BLOCK:
            self._worked_out = group, _block_in(group)

    def hexdigest(self) -> str:
        """The digest so far; more may be added afterwards."""
        so_far = self._hash.copy()
        if self._begun is not None:
            known = self._worked_out
            so_far.update(known[1] if known is not None and known[0] is self._begun else _block_in(self._begun))
        if self._pending:
            so_far.update(block_of(log_segments(self._pending)))
        return so_far.hexdigest()


def _block_in(group: Group) -> bytes:
    """The block of a group's decisive records: its tables are those of the group, but for Quiet records, which are unpacked."""
    decisive = group.decisive
    if len(decisive) == 1 and decisive[0].kind != "Quiet":
        only = decisive[0]
        return block_of([Segment(only.kind, range(len(only.places)), only.records, only.table)])
    places = sorted(int(place) for segment in decisive for place in segment.places)
    ranks = {place: rank for rank, place in enumerate(places)}
    found = []
    for one in decisive:
        quiet = segments_of(map(unpacked, one.records)) if one.kind == "Quiet" else [one]
        within = [ranks[int(place)] for place in one.places]
        found += [Segment(of.kind, within, of.records, of.table) for of in quiet]
    return block_of(found)


class Blocks:
    """Hands on the blocks of a decision log from a place in it on: what is hashed, by whoever hashes them in their order."""

    __slots__ = ("_ahead", "_hand_on", "pending")

    def __init__(self, hand_on: Callable[[bytes], None], ahead: int = 0) -> None:
        """The first `ahead` decisive records belong to the block before, which somebody else hands on."""
        self._hand_on, self._ahead = hand_on, ahead
        self.pending: list[Decision | Quiet | Latch] = []

    def add(self, record: object) -> None:
        """Takes the next record of the run. Raises as `DecisionLog.add`."""
        kind = type(record)
        if kind in _LOGGED:
            if kind is Quiet:
                record = unpacked(record)  # type: ignore[arg-type]
            if self._ahead:
                self._ahead -= 1
                return
            self.pending.append(record)  # type: ignore[arg-type]
            if len(self.pending) == BLOCK:
                self.close()

    def close(self) -> None:
        """Hands on the last block, which may be shorter."""
        if self.pending:
            self._hand_on(block_of(log_segments(self.pending)))
            self.pending = []


def unpacked(quiet: Quiet) -> Quiet:
    try:
        states = zlib.decompress(quiet.states)
    except zlib.error as problem:
        raise ValueError(f"states of {quiet.strategy} on {quiet.instrument} cannot be unpacked") from problem
    return msgspec.structs.replace(quiet, states=hashlib.sha256(states).digest())


def block_of(segments: Sequence[Segment]) -> bytes:
    """The bytes of a block, with their length in front."""
    data = _pack([(list(segment.places), segment.table) for segment in segments])
    return len(data).to_bytes(8, "big") + data
