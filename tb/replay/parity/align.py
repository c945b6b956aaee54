"""align: the decision logs of two runs side by side, by instant, strategy, instrument and kind.

1. Both logs are read in step, an instant at a time, so that any length fits into memory.
2. At an instant those of the same strategy, instrument and kind face each other, those of the same `enter` and side first.
3. Pairs that stand in another order than their partners differ too: what was judged first counts for what came after.
4. Pauses and halts are aligned in the same way, by their rule; bars without a proposal by their strategy and instrument.

The score is what agrees over all there is. It is 1 only where nothing at all differs.
"""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeVar

import msgspec

from tb.core.records import Decision, Latch, Quiet
from tb.replay.parity.naming import Likeness
from tb.runtime.entry_states import TRUE

How = Literal["same", "value", "verdict", "only_a", "only_b"]
ORDER = "order at the instant"
T = TypeVar("T", Decision, Latch)


class Counts(msgspec.Struct, kw_only=True):
    """How many agree, differ in a value with the same verdict, differ in the verdict, or stand in one run only."""

    same: int = 0
    value: int = 0
    verdict: int = 0
    only_a: int = 0
    only_b: int = 0

    @property
    def all(self) -> int:
        return self.same + self.value + self.verdict + self.only_a + self.only_b


@dataclass(frozen=True, slots=True)
class Differing:
    """Two records that face each other and are not the same, or one that faces nothing. `names` say what differs."""

    how: How
    a: Decision | Latch | None
    b: Decision | Latch | None
    names: tuple[str, ...]

    @property
    def at(self) -> int:
        found = self.a if self.a is not None else self.b
        assert found is not None
        return found.at


@dataclass(slots=True)
class Tally:
    """What aligning came to. `first` is the first decision or latch that differs, in time; `quiet_*` count bars."""

    decisions: Counts = field(default_factory=Counts)
    latches: Counts = field(default_factory=Counts)
    quiet_bars: int = 0  # that both recorded
    quiet_differing: int = 0  # of them, where neither proposed
    quiet_apart: int = 0  # stretches of bars that do not face each other, being of another span or in one run only
    first: Differing | None = None

    @property
    def score(self) -> float:
        """Share of decisions, pauses, halts and differing bars that agree, 0..1; 1 where there is nothing at all."""
        equal = self.decisions.same + self.latches.same
        whole = self.decisions.all + self.latches.all + self.quiet_differing + self.quiet_apart
        return equal / whole if whole else 1.0

    @property
    def verdict_score(self) -> float:
        """Share of decisions, pauses and halts with the same verdict, whatever else differs in them, 0..1."""
        counts = (self.decisions, self.latches)
        equal, whole = sum(c.same + c.value for c in counts), sum(c.all for c in counts)
        return equal / whole if whole else 1.0

    @property
    def same(self) -> bool:
        return self.score == 1.0


def align(
    decisions: tuple[Iterable[Decision], Iterable[Decision]],
    latches: tuple[Iterable[Latch], Iterable[Latch]],
    quiet: tuple[Sequence[Quiet], Sequence[Quiet]],
    likeness: Likeness,
    progress: Callable[[int], None] | None = None,
) -> Tally:
    """Sets both logs side by side. Decisions are in order of time; `progress` is told how many of A have been read."""
    tally = Tally()
    done = 0
    for a, b in _instants(*decisions):
        for differing in _pairs(a, b, _key_of_decision, _same_way, likeness.differing):
            _count(tally, tally.decisions, differing)
        done += len(a)
        if progress is not None:
            progress(done)
    # what ended between two steps is recorded at the later one, under the instant at which it ended
    ordered = (sorted(side, key=lambda latch: latch.at) for side in latches)
    for one, other in _instants(*ordered):
        for differing in _pairs(one, other, _key_of_latch, lambda _a, _b: True, _latch_names):
            _count(tally, tally.latches, differing)
    _align_quiet(tally, *quiet)
    return tally


def _count(tally: Tally, counts: Counts, found: Differing) -> None:
    setattr(counts, found.how, getattr(counts, found.how) + 1)
    if found.how != "same" and (tally.first is None or found.at < tally.first.at):
        tally.first = found


def _instants(a: Iterable[T], b: Iterable[T]) -> Iterator[tuple[list[T], list[T]]]:
    """The records of each instant of either run."""
    groups = [iter(itertools.groupby(records, key=lambda record: record.at)) for records in (a, b)]
    heads = [_next(group) for group in groups]
    while any(head is not None for head in heads):
        at = min(head[0] for head in heads if head is not None)
        found: list[list[T]] = [[], []]
        for side, head in enumerate(heads):
            if head is not None and head[0] == at:
                found[side] = head[1]
                heads[side] = _next(groups[side])
        yield found[0], found[1]


def _next(group: Iterator[tuple[int, Iterator[T]]]) -> tuple[int, list[T]] | None:
    head = next(group, None)
    return None if head is None else (head[0], list(head[1]))


def _key_of_decision(decision: Decision) -> tuple[str, ...]:
    return decision.strategy, decision.instrument, decision.kind


def _key_of_latch(latch: Latch) -> tuple[str, ...]:
    return latch.rule, latch.book, latch.verdict, str(latch.lifted)


def _same_way(a: Decision, b: Decision) -> bool:
    return (a.enter, a.side) == (b.enter, b.side)


def _latch_names(a: Latch, b: Latch) -> tuple[str, ...]:
    return tuple(name for name in ("until", "by", "reason") if getattr(a, name) != getattr(b, name))


def _pairs(
    a: Sequence[T],
    b: Sequence[T],
    key: Callable[[T], tuple[str, ...]],
    is_same_way: Callable[[T, T], bool],
    differing: Callable[[T, T], tuple[str, ...]],
) -> Iterator[Differing]:
    """The records of one instant, as A has them, then those that only B has."""
    partners: list[int | None] = [None] * len(a)
    left = list(range(len(b)))
    for must_be_same_way in (True, False):
        for at, record in enumerate(a):
            fits = (i for i in left if key(b[i]) == key(record) and (not must_be_same_way or is_same_way(record, b[i])))
            partner = None if partners[at] is not None else next(fits, None)
            if partner is not None:
                partners[at] = partner
                left.remove(partner)
    matched = [partner for partner in partners if partner is not None]
    ranks = {partner: rank for rank, partner in enumerate(sorted(matched))}
    place = 0
    for record, partner in zip(a, partners, strict=True):
        if partner is None:
            yield Differing("only_a", record, None, ())
            continue
        names: tuple[str, ...] = differing(record, b[partner])
        if ranks[partner] != place:
            names = (ORDER, *names)
        place += 1
        yield Differing(_how(record, b[partner], names), record, b[partner], names)
    for partner in left:
        yield Differing("only_b", None, b[partner], ())


def _how(a: Decision | Latch, b: Decision | Latch, names: tuple[str, ...]) -> How:
    if not names:
        return "same"
    passed = [isinstance(record, Decision) and record.approved > 0 for record in (a, b)]
    return "value" if a.verdict == b.verdict and passed[0] == passed[1] else "verdict"


def _align_quiet(tally: Tally, a: Sequence[Quiet], b: Sequence[Quiet]) -> None:
    """Bars at which nothing was proposed in either run; where one proposed, its decision has been counted."""
    one, other = ({(quiet.strategy, quiet.instrument): quiet for quiet in side} for side in (a, b))
    for key in dict.fromkeys([*one, *other]):
        x, y = one.get(key), other.get(key)
        if x is None or y is None or (x.first, x.last, x.rows) != (y.first, y.last, y.rows):
            tally.quiet_apart += 1
            continue
        states, theirs = zlib.decompress(x.states), zlib.decompress(y.states)
        if len(states) != len(theirs):  # another number of entries
            tally.quiet_apart += 1
            continue
        tally.quiet_bars += x.rows
        if states != theirs:
            pairs = zip(states, theirs, strict=True)
            tally.quiet_differing += sum(s != t and TRUE not in {s, t} for s, t in pairs)
