"""read: what the constraints read of an order, each leaf as rarely as it changes, and what is certain from it.

1. Leaves that follow from the instrument and what a session never changes (`TERMS`) are read once. Those that follow from the
   state of the account too are read when it changed: an `_Entry` keeps their values, their texts and what the kernel takes them
   for, while `Account.version` and the rest stay. Constraints that read nothing else are judged then.
2. All others are read each time, by one generated function (`tb.gate.leaves_source`). The kernel takes them as floats, which
   `compiled/filling.c` writes where it was compiled for this Python; nothing exact is made of a market value until somebody
   asks for it.
3. A `Snapshot` has the exact inputs and their texts on demand.

INVARIANT: `inputs` are what `tb.gate.facts` reads at that moment, and `texts` what `str` says of them.
"""

from __future__ import annotations

import struct
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from struct import Struct
from typing import Any, Protocol

import msgspec

from tb.core.settings import Settings
from tb.engine.decide import code_of, values_of
from tb.engine.graph import RuleGraph
from tb.engine.instant import Exact, exact
from tb.engine.plan import PolicyPlan
from tb.engine.program import NAN, leaves_under, rounded
from tb.engine.surely import SURE, Surely
from tb.gate.account import Account
from tb.gate.exposed import NEITHER
from tb.gate.facts import READERS, Moment
from tb.gate.leaves_source import Leaf, Source

try:
    from tb.gate import filling
except ImportError:  # nobody compiled it: there is no compiler, or it is another Python
    filling = None  # type: ignore[assignment]
if getattr(filling, "FORM", None) != 1:  # an older one that lies there
    filling = None  # type: ignore[assignment]

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
        return tuple(_texts(self.inputs))


class Read(msgspec.Struct, eq=False, gc=False):
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


class _Terms:
    """What follows from the instrument and from what a session never changes."""

    __slots__ = ("floats", "groups", "instrument", "maximum", "minimum", "restricted", "settings", "texts", "values")

    def __init__(self, moment: Moment, values: list[Exact]) -> None:
        self.instrument, self.minimum, self.maximum = moment.proposal.instrument, moment.minimum, moment.maximum
        self.groups, self.restricted, self.settings = moment.groups, moment.restricted, moment.settings
        self.values, self.texts, self.floats = values, _texts(values), list(map(rounded, values))

    def are_of(self, moment: Moment) -> bool:
        """Whether these are the same, the instrument being so."""
        return (
            self.minimum is moment.minimum
            and self.maximum is moment.maximum
            and self.groups is moment.groups
            and self.restricted is moment.restricted
            and self.settings is moment.settings
        )


class _Entry(msgspec.Struct, eq=False, gc=False):
    """The shared leaves of an instrument, those of the account first, and all that they follow from; `told` has all texts of
    the account's. `outside` is what is computed from them for the kernel, `found` what that says of constraints that read
    nothing else."""

    account: Account
    version: int
    terms: _Terms
    instrument: str
    minimum: Decimal | None
    maximum: Decimal | None
    groups: Mapping[str, tuple[str, ...]]
    restricted: tuple[str, ...]
    settings: Settings | None
    values: list[Exact]
    told: str
    floats: list[float]
    outside: list[float]
    found: int = 0
    split: list[str | None] | None = None

    @property
    def texts(self) -> list[str | None]:
        """What `str` says of the values."""
        if self.split is None:
            told = self.told.split(",") if self.told else []
            self.split = [*(None if text == "None" else text for text in told), *self.terms.texts]
        return self.split


class Reading:
    """Reads for one policy, and says what is certain. One thread at a time.

    `ask` gives what was read of a moment, with the masks of the decision function last, as far as they are certain; None while
    another thread asks.
    """

    def __init__(self, graph: RuleGraph, policy: PolicyPlan, leaves: Sequence[Leaf], patience: int = 0) -> None:
        source = Source(leaves)
        shared = {policy.leaves[at] for at in source.shared}
        vague = {policy.leaves[at] for at in source.vague}
        self._surely = Surely(graph, policy, [policy.leaves[at] for at in source.order], vague, shared, patience=patience)
        self._shared = source.shared
        self.source = source
        self._of_terms = [
            (READERS[leaf[0]], leaf[1]) for leaf in map(leaves.__getitem__, source.terms) if not isinstance(leaf, int)
        ]
        self._count, self._each = len(leaves), len(leaves) - len(source.shared)
        self._pack_shared = Struct(f"{len(source.shared)}d").pack_into
        self._entries: dict[str, _Entry] = {}
        self._terms: dict[str, _Terms] = {}
        self._now: list[_Entry | None] = [None]
        under = {node: leaves_under(graph, policy.leaves, node) for node in self._surely.outside}
        fixed, moving = ([node for node in under if (under[node] <= shared) == is_fixed] for is_fixed in (True, False))
        self._outside, self._places = values_of(graph, policy, fixed), [self._place(node) for node in fixed]
        of_terms = {policy.leaves[at] for at in source.terms}
        self._outside_stays = all(under[node] <= of_terms for node in fixed)
        source.outside = [self._place(node) for node in moving]
        source.needed = frozenset(at for at, leaf in enumerate(policy.leaves) if any(leaf in under[node] for node in moving))
        space = self._names(leaves, values_of(graph, policy, moving))
        if filling is not None:
            others = len(source.whole) + len(source.market) + len(source.others)
            filler = filling.Filler(self._surely.buffer, len(source.numbers), len(source.words), others)
            space["fill"] = filler.fill
        exec(code_of(source.text(has_fill=filling is not None), f"<reading {policy.period} ms>"), space)
        self.ask: Callable[[Moment, MarketReader], Any] = space["ask"]
        self.inputs_of, self.texts_of, self._of_account = space["inputs"], space["texts"], space["of_account"]

    def _place(self, node: int) -> int:
        """Where the kernel takes the value of a node outside, in bytes."""
        return 8 * (self._count + self._surely.outside.index(node))

    def _names(self, leaves: Sequence[Leaf], outside: Callable[[Sequence[Exact]], tuple[Exact, ...]]) -> dict[str, Any]:
        return {
            "NAN": NAN,
            "NEITHER": NEITHER,
            "SURE": SURE,
            "Decimal": Decimal,
            "Unpacked": struct.error,
            "Unread": msgspec.MsgspecError,
            "bisect_left": bisect_left,
            "buffer": self._surely.buffer,
            "certain": self._surely.certain,
            "decode": _decode,
            "exact": exact,
            "move": self._surely.move,
            "now": self._now,
            "outside": outside,
            "pack": Struct(f"{self._each}d").pack_into,
            "pack_one": _pack_one,
            "renew": self._renew,
            "rounded": rounded,
            "texts_of": texts_of,
            "turns": self._surely.turn,
            **{f"read_{at}": READERS[leaf[0]] for at, leaf in enumerate(leaves) if not isinstance(leaf, int)},
        }

    def _renew(self, moment: Moment) -> _Entry:
        """Makes the shared leaves those of the moment."""
        before, symbol, account = self._now[0], moment.proposal.instrument, moment.account
        self._now[0] = None  # until all of the new ones are in their places
        version = account.version
        if before is None or before.account is not account or before.version != version:
            self._entries = {}
        terms = self._terms.get(symbol)
        if terms is None or not terms.are_of(moment):
            terms = self._terms[symbol] = _Terms(moment, [reader(moment, argument) for reader, argument in self._of_terms])
        entry = self._entries.get(symbol)
        if entry is None or entry.terms is not terms:
            entry = self._entries[symbol] = self._entry(moment, version, terms, before)
        self._pack_shared(self._surely.buffer, 8 * self._each, *entry.floats)
        for at, place in enumerate(self._places):
            _pack_one(self._surely.buffer, place, entry.outside[at])
        entry.found = self._surely.fix()
        self._now[0] = entry
        return entry

    def _entry(self, moment: Moment, version: int, terms: _Terms, before: _Entry | None) -> _Entry:
        values, told = self._of_account(moment)
        stays = self._outside_stays and before is not None and before.terms is terms
        return _Entry(
            moment.account,
            version,
            terms,
            terms.instrument,
            terms.minimum,
            terms.maximum,
            terms.groups,
            terms.restricted,
            terms.settings,
            values + terms.values,
            told,
            _floats(values, told) + terms.floats,
            before.outside if stays and before is not None else self._outside_of(values + terms.values),
        )

    def _outside_of(self, values: list[Exact]) -> list[float]:
        """What is computed outside the kernel from shared leaves alone."""
        if not self._places:
            return []
        inputs: list[Exact] = [None] * self._count
        for at, value in zip(self._shared, values, strict=True):
            inputs[at] = value
        return list(map(rounded, self._outside(inputs)))


def _texts(values: Sequence[Exact]) -> list[str | None]:
    return [None if value is None else str(value) for value in values]


def _floats(values: Sequence[Exact], told: str) -> list[float]:
    """What `rounded` makes of each number, all in one call; these are not looked at for being whole."""
    try:
        return _decode(f"[{told}]")
    except msgspec.MsgspecError:
        return list(map(rounded, values))


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
