"""Promises: decisions that are recorded, and made when somebody reads them.

Who decides has what a decision is made of, and a replay writes it into columns: the record itself may never be asked for. So it
is told to a store of its shape, while it is at hand, and in its place among the records that are handed over stands the store.

INVARIANT: a group with promises has the segments of the group of its records, byte for byte (`tb.ledger.segments`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol

from tb.core.records import Decision


class Told(Protocol):
    """Decisions of one shape, in their order."""

    @property
    def numbers(self) -> Sequence[int]: ...

    def records(self) -> list[Decision]: ...

    def sheet(self) -> Any:
        """The same as a `tb.ledger.sheets.Sheet`."""
        ...


class Promised:
    """Stands for the next decision of a shape that was told and not handed over yet. `key` is strategy, number of the `enter`
    and kind; `cut` gives what was told since it was last asked, and lets go of it."""

    __slots__ = ("cut", "key")

    def __init__(self, key: tuple[str, int, str], cut: Callable[[], Told]) -> None:
        self.key, self.cut = key, cut


Kept = dict[Promised, Told]


def cut_from(records: Sequence[Any]) -> Kept:
    """What was told of those that are promised. Raises `ValueError` where it is not as many as there are."""
    if is_one(records):
        counts = {records[0]: len(records)}
    else:
        counts = Counter([record for record in records if type(record) is Promised])
    found = {one: one.cut() for one in counts}
    for one, told in found.items():
        if len(told.numbers) != counts[one]:
            raise ValueError(f"of decisions of {one.key[0]} {len(told.numbers)} were told and {counts[one]} recorded")
    return found


def is_one(records: Sequence[Any]) -> bool:
    """Whether all are promised by the same store."""
    return bool(records) and type(records[0]) is Promised and records.count(records[0]) == len(records)


def made(records: Iterable[Any], told: Kept) -> Iterator[Any]:
    """The records, with those that were promised."""
    left = {one: iter(each.records()) for one, each in told.items()}
    for record in records:
        yield next(left[record]) if type(record) is Promised else record


def numbers(records: Iterable[Any], told: Kept) -> list[int]:
    """The numbers of the decisions among records, in their order."""
    left = {one: iter(each.numbers) for one, each in told.items()}
    return [
        next(left[record]) if type(record) is Promised else record.seq
        for record in records
        if type(record) in (Promised, Decision)
    ]
