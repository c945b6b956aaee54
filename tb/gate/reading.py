"""read: what the constraints read of an order, each leaf as rarely as it changes, and what is certain from it.

1. Leaves that follow from the state of the account, the instrument and what a session never changes (`SHARED`) are read once:
   an `_Entry` keeps their values, their texts and what the kernel takes them for, while `Account.version` and the rest stay.
2. All others are read each time, by one generated function (`tb.gate.leaves_source`). The kernel takes them as floats; nothing
   exact is made of a market value until somebody asks for it.
3. A `Snapshot` has the exact inputs and their texts on demand.

INVARIANT: `inputs` are what `tb.gate.facts` reads at that moment, and `texts` what `str` says of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from struct import Struct
from typing import Any, Protocol

import msgspec

from tb.engine.decide import values_of
from tb.engine.graph import RuleGraph
from tb.engine.instant import Exact, exact
from tb.engine.plan import PolicyPlan
from tb.engine.program import NAN, rounded
from tb.engine.surely import Surely, Told
from tb.gate.account import Account
from tb.gate.facts import READERS, Moment
from tb.gate.leaves_source import SHARED_WORDS, Leaf, Source

MarketReader = Callable[[int], float | None]
Texts = tuple[str | None, ...]

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(list[float]).decode
_pack_one = Struct("d").pack_into


class Snapshot(Protocol):
    """What a decision read, in the order of the policy's leaves, and the same as records store it."""

    @property
    def inputs(self) -> tuple[Exact, ...]: ...

    @property
    def texts(self) -> Texts: ...


class Given:
    """A snapshot of values that are there."""

    __slots__ = ("inputs",)

    def __init__(self, inputs: Sequence[Exact]) -> None:
        self.inputs = tuple(inputs)

    @property
    def texts(self) -> Texts:
        return tuple([None if value is None else str(value) for value in self.inputs])


class _Read(msgspec.Struct, eq=False, gc=False):
    """A snapshot as it was read; `raw` is what the generated function returns."""

    reading: Reading
    raw: tuple[Any, ...]
    kept: tuple[Exact, ...] | None = None

    @property
    def inputs(self) -> tuple[Exact, ...]:
        if self.kept is None:
            self.kept = self.reading.inputs_of(self.raw)
        return self.kept

    @property
    def texts(self) -> Texts:
        found: Texts = self.reading.texts_of(self.raw)
        return found


class _Entry:
    """The shared leaves of an instrument, and all that they follow from."""

    __slots__ = (
        "account",
        "floats",
        "groups",
        "instrument",
        "maximum",
        "minimum",
        "outside",
        "restricted",
        "settings",
        "texts",
        "values",
        "version",
    )

    def __init__(self, moment: Moment) -> None:
        self.account: Account | None = moment.account
        self.version, self.instrument = moment.account.version, moment.proposal.instrument
        self.minimum, self.maximum = moment.minimum, moment.maximum
        self.groups, self.restricted, self.settings = moment.groups, moment.restricted, moment.settings
        self.values: list[Exact] = []
        self.texts: list[str | None] = []
        self.floats: list[float] = []
        self.outside: list[float] = []

    def is_of(self, moment: Moment) -> bool:
        """Whether what a session never changes is the same, the account and the instrument being so."""
        return (
            self.minimum is moment.minimum
            and self.maximum is moment.maximum
            and self.groups is moment.groups
            and self.restricted is moment.restricted
            and self.settings is moment.settings
        )


class Reading:
    """Reads for one policy, and says what is certain. One thread at a time."""

    def __init__(self, graph: RuleGraph, policy: PolicyPlan, leaves: Sequence[Leaf]) -> None:
        writer = Source(leaves)
        vague = {policy.leaves[at] for at in writer.vague}
        self._surely = Surely(graph, policy, [policy.leaves[at] for at in writer.order], vague)
        self._turn, self._run = self._surely.turn, self._surely.masks
        self._shared = writer.shared
        self._readers = [
            (READERS[leaf[0]], leaf[1]) for leaf in map(leaves.__getitem__, writer.shared) if not isinstance(leaf, int)
        ]
        self._count, self._each = len(leaves), len(leaves) - len(writer.shared)
        self._entries: dict[str, _Entry] = {}
        self._now: list[_Entry | None] = [None]
        fixed = [node for node in self._surely.outside if self._leaves_under(graph, policy, node) <= set(writer.shared)]
        under = set[int]().union(*(self._leaves_under(graph, policy, node) for node in fixed))
        self._under = [place for place, at in enumerate(writer.shared) if at in under]
        self._numbers = len(writer.shared) - sum(leaves[at][0] in SHARED_WORDS for at in writer.shared)  # type: ignore[index]
        moving = [node for node in self._surely.outside if node not in fixed]
        self._fixed, self._places = values_of(graph, policy, fixed), [self._place(node) for node in fixed]
        self._pack_shared = Struct(f"{len(writer.shared)}d").pack_into
        writer.outside = [self._place(node) for node in moving]
        writer.needed = frozenset[int]().union(*(self._leaves_under(graph, policy, node) for node in moving))
        space = self._names(leaves, values_of(graph, policy, moving))
        exec(compile(writer.text(), f"<reading {policy.period} ms>", "exec"), space)
        self._read, self.inputs_of, self.texts_of = (space[name] for name in ("read", "inputs", "texts"))

    def _leaves_under(self, graph: RuleGraph, policy: PolicyPlan, node: int) -> set[int]:
        """Places among the leaves of what a node is computed from."""
        places, found, stack = {leaf: at for at, leaf in enumerate(policy.leaves)}, set(), [node]
        while stack:
            id_ = stack.pop()
            if id_ in places:
                found.add(places[id_])
            else:
                stack += graph[id_].args
        return found

    def _place(self, node: int) -> int:
        """Where the kernel takes the value of a node outside, in bytes."""
        return 8 * (self._count + self._surely.outside.index(node))

    def _names(self, leaves: Sequence[Leaf], outside: Callable[[Sequence[Exact]], tuple[Exact, ...]]) -> dict[str, Any]:
        return {
            "NAN": NAN,
            "Decimal": Decimal,
            "Unread": msgspec.MsgspecError,
            "buffer": self._surely.buffer,
            "decode": _decode,
            "exact": exact,
            "now": self._now,
            "outside": outside,
            "pack": Struct(f"{self._each}d").pack_into,
            "pack_one": _pack_one,
            "renew": self._renew,
            "rounded": rounded,
            "texts_of": texts_of,
            **{f"read_{at}": READERS[leaf[0]] for at, leaf in enumerate(leaves) if not isinstance(leaf, int)},
        }

    def ask(self, moment: Moment, market: MarketReader) -> tuple[Told, Snapshot] | None:
        """The masks of the decision function as far as they are certain, and what was read; None while another thread asks."""
        try:
            turn = self._turn.pop()
        except IndexError:
            return None
        try:
            raw = self._read(moment, market)
            return self._run(), _Read(self, raw)
        finally:
            self._turn.append(turn)

    def _renew(self, moment: Moment) -> _Entry:
        """Makes the shared leaves those of the moment."""
        before, symbol = self._now[0], moment.proposal.instrument
        self._now[0] = None  # until all of the new ones are in their places
        if before is None or before.account is not moment.account or before.version != moment.account.version:
            self._entries.clear()
        entry = self._entries.get(symbol)
        if entry is None or not entry.is_of(moment):
            entry = self._entries[symbol] = self._entry(moment, before)
        self._pack_shared(self._surely.buffer, 8 * self._each, *entry.floats)
        for place, value in zip(self._places, entry.outside, strict=True):
            _pack_one(self._surely.buffer, place, value)
        self._now[0] = entry
        return entry

    def _entry(self, moment: Moment, before: _Entry | None) -> _Entry:
        entry = _Entry(moment)
        entry.values = values = [reader(moment, argument) for reader, argument in self._readers]
        if before is None:
            entry.texts = [None if value is None else str(value) for value in values]
            entry.outside = self._outside_of(values)
        else:
            known = zip(values, before.values, before.texts, strict=True)
            entry.texts = [text if value is old else None if value is None else str(value) for value, old, text in known]
            is_same = all(values[at] is before.values[at] for at in self._under)
            entry.outside = before.outside if is_same else self._outside_of(values)
        entry.floats = self._floats(values, entry.texts)
        return entry

    def _floats(self, values: list[Exact], texts: list[str | None]) -> list[float]:
        """What `rounded` makes of each value, all numbers in one call; these are not looked at for being whole."""
        numbers = self._numbers
        try:
            found = _decode(f"[{','.join([text or '0' for text in texts[:numbers]])}]")
        except msgspec.MsgspecError:
            return list(map(rounded, values))
        found += [0.0] * (len(values) - numbers)  # words
        return [NAN if text is None else near for text, near in zip(texts, found, strict=True)] if None in texts else found

    def _outside_of(self, values: list[Exact]) -> list[float]:
        """What is computed outside the kernel from shared leaves alone."""
        if not self._places:
            return []
        inputs: list[Exact] = [None] * self._count
        for at, value in zip(self._shared, values, strict=True):
            inputs[at] = value
        return list(map(rounded, self._fixed(inputs)))


def texts_of(values: Sequence[float | None]) -> list[str | None]:
    """What `str` says of each value made exact. The encoder writes the digits that `repr` does, all in one call; powers of ten
    it writes otherwise, what is no number as nothing, and what is no plain float not at all or without a point."""
    try:
        told = _encode(values).decode()
    except TypeError:
        told = "none"
    if "e" not in told and "n" not in told and "0.000000" not in told and told.count(".") == len(values):
        return [*told[1:-1].split(",")]
    return [None if value is None else str(value) for value in map(exact, values)]
