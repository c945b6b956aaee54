"""Decisions of a replay that are told to a store of their shape, and made when somebody reads them (`tb.ledger.promises`).

1. `Promising` has a `Store` for each entry and exit of a strategy and each gate that judges it.
2. A generated function tells it what is of one decision alone, while it is at hand: numbers as they lie in memory, texts of
   the order's numbers in one text, and what many decisions share as it is. To look for all this when a group is full would
   take longer than to encode it.
3. `Rows` are what was told until a group is full: columns (`sheet`), or records.

INVARIANT: what is told is the record that `tb.runtime.judged.decision_of` gives, in a group byte for byte.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property, partial
from io import StringIO
from typing import Any

from tb.core.records import Decision
from tb.engine.decide import code_of
from tb.engine.plan import Plan
from tb.engine.surely import SURE
from tb.gate.gate import Judgement
from tb.gate.leaves_source import Source
from tb.gate.proposal import Proposal
from tb.gate.reading import Read, Reading, texts_of
from tb.ledger.cells import REAL, Cells, Choice, Column, Every, Maps, Packed, Places, Shaped
from tb.ledger.columns import FEW
from tb.ledger.promises import Promised
from tb.ledger.sheets import Sheet
from tb.runtime.drafts import Draft
from tb.runtime.judged import decision_of, more_of
from tb.runtime.ports import MarketView

_LEVELS = {"proposed": "order.quantity", "price": "order.price", "stop": "order.stop", "target": "order.target"}
_GIVEN = {"proposed": "p.quantity", "price": "p.price", "stop": "p.stop", "target": "p.target"}
# what is told as it is, before the words of the leaves and what is read of others than the order
_AS_IT_IS = {
    "entry": "s",
    "instrument": "p.instrument",
    "side": "p.sign",
    "said": "PASSED if told is SURE else said(j, p)",
    "confidence": "p.confidence",
    "reason": "reason",
    "ages": "ages",
    "rows": "rows",
}


_SAID = ("verdict", "deciding", "failed", "unknown", "approved")
Said = tuple[str, tuple[str, ...], int, int, str | None]  # of a judgement; no quantity where that is the one proposed
PASSED: Said = ("approve", (), 0, 0, None)


def said(judgement: Judgement, proposal: Proposal) -> Said:
    quantity = judgement.quantity
    approved = None if quantity is proposal.quantity else str(quantity)
    return judgement.verdict, judgement.deciding, judgement.failed, judgement.unknown, approved


class Promising:
    """Tells stores of decisions, and gives what stands in their place; the decision itself where it has what few have."""

    def __init__(self, plan: Plan, feeds: Mapping[int, Sequence[int]], view: MarketView) -> None:
        self._plan, self._feeds, self._view = plan, feeds, view
        self._stores: dict[tuple[object, ...], Store] = {}

    def decision_of(self, draft: Draft, judgement: Judgement, *, seq: int, at: int) -> Decision | Promised:
        """As `tb.runtime.judged.decision_of`; what is told has to be recorded next."""
        plan, view, snapshot, proposal = self._plan, self._view, judgement.snapshot, draft.proposal
        if type(snapshot) is not Read or self._feeds[draft.strategy.period] or more_of(draft, judgement, plan, ()):
            return decision_of(draft, judgement, plan, self._feeds, view, seq=seq, at=at)
        key = proposal.strategy, draft.enter, "enter" if proposal.adds_risk else "exit"
        store = self._stores.get((key, draft.leaves, snapshot.reading))
        if store is None:
            store = self._stores[key, draft.leaves, snapshot.reading] = Store(key, snapshot.reading, len(draft.leaves))
        row, looked_at = draft.row, draft.strategy.looked_at(proposal.instrument)
        origins = [view.origin(leaf, looked_at, row) for leaf in draft.leaves]
        return store.tell(
            seq,
            at,
            proposal,
            view.source_row(looked_at, draft.strategy.period, row) if row >= 0 else row,
            judgement,
            snapshot.raw,
            draft.reason,
            tuple([view.value(leaf, looked_at, row) for leaf in draft.leaves]),
            tuple([age for age, _ in origins]),
            tuple([source for _, source in origins]),
        )


class Store:
    """Decisions of one entry or exit of a strategy, read by one gate. `market` counts the values of the strategy's rules.

    `tell` takes number, instant, proposal, row, judgement, what the gate read for it, the reason, and the values with their
    ages and rows; it returns what is recorded in the place of the decision.
    """

    def __init__(self, key: tuple[str, int, str], reading: Reading, market: int) -> None:
        self.key, self.reading, self.market = key, reading, market
        self.promised = Promised(key, self._cut)
        self._numbers, self._texts, self._others = bytearray(), StringIO(), list[Any]()
        self.layout = _Layout.of(reading.source, market)
        space: dict[str, Any] = {
            "NAN": math.nan,
            "PASSED": PASSED,
            "SURE": SURE,
            "Unpacked": struct.error,
            "others": self._others.extend,
            "numbers": self._numbers.extend,
            "pack": self.layout.numbers.pack,
            "promised": self.promised,
            "said": said,
            "texts": self._texts.write,
        }
        exec(code_of(self.layout.source, f"<decisions of {key[0]}>"), space)
        self.tell: Callable[..., Promised] = space["tell"]

    def _cut(self) -> Rows:
        found = Rows(self, bytes(self._numbers), self._texts.getvalue(), list(self._others))
        self._numbers.clear()
        self._others.clear()
        self._texts.seek(0)
        self._texts.truncate()
        return found


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where what is told is: `numbers` are number, instant and row, then whole numbers and market values that the gate read,
    then those of the rules; `texts` are the places of numbers of the order, and of the record's; `others` by name or leaf."""

    source: str
    numbers: struct.Struct
    floats: int  # after the three whole numbers
    read: dict[int, int]  # leaf -> its place among these
    texts: dict[int | str, int]
    wide: int  # texts of each decision
    others: dict[int | str, int]

    @classmethod
    def of(cls, source: Source, market: int) -> _Layout:
        read = [*source.whole, *source.market]
        names = [f"i{at}" for at in source.whole] + [f"x{at}" for at in source.market]
        texts: dict[int | str, int] = {at: place for place, at in enumerate(source.numbers)}
        wide, more = len(texts), list[str]()
        for field, fact in _LEVELS.items():
            if (fact, "") in source.leaves:
                texts[field] = texts[source.leaves.index((fact, ""))]
            else:
                texts[field] = wide + len(more)
                more.append(f",{{{_GIVEN[field]}!s}}")
        others: dict[int | str, int] = {name: place for place, name in enumerate(_AS_IT_IS)}
        others |= {leaf: place for place, leaf in enumerate((*source.words, *source.others), len(others))}
        given = [*_AS_IT_IS.values(), *(f"w{at}" for at in source.words), *(f"g{at}" for at in source.others)]
        plain = ", ".join((*names, "*market"))
        known = ", ".join((*(f"NAN if {name} is None else {name}" for name in names), *("*map(known, market)",)))
        lines = [
            "def known(value):",
            "    return NAN if value is None else value",
            "def tell(seq, at, p, row, j, raw, reason, market, ages, rows):",
            f"    {source.raw()}, = raw",
            "    try:",
            f"        numbers(pack(seq, at, row, {plain}))",
            "    except Unpacked:  # something is nothing",
            f"        numbers(pack(seq, at, row, {known}))",
            f'    texts(f"{{d[:-1]}}{"".join(more)}]")' if more else "    texts(d)",
            f"    others(({', '.join(given)}))",
            "    return promised",
        ]
        floats = len(read) + market
        return cls(
            "\n".join(lines) + "\n",
            struct.Struct(f"<3q{floats}d"),
            floats,
            {at: place for place, at in enumerate(read)},
            texts,
            wide + len(more),
            others,
        )


class Rows:
    """What a store was told."""

    def __init__(self, store: Store, numbers: bytes, texts: str, others: list[Any]) -> None:
        self._store, self._packed, self._texts, self._others = store, numbers, texts, others
        self._layout = store.layout
        self.count = len(others) // len(self._layout.others)

    @cached_property
    def _values(self) -> Any:
        import numpy as np

        shape = [("whole", "<i8", (3,)), ("real", "<f8", (self._layout.floats,))]
        return np.frombuffer(self._packed, dtype=shape)

    @cached_property
    def numbers(self) -> list[int]:
        found: list[int] = self._values["whole"][:, 0].tolist()
        return found

    def _other(self, which: int | str) -> list[Any]:
        return self._others[self._layout.others[which] :: len(self._layout.others)]

    @cached_property
    def _told(self) -> list[Any]:
        told: list[Any] = self._texts[1:-1].replace("][", ",").split(",")
        return told if "None" not in self._texts else [None if one == "None" else one for one in told]

    def _text(self, which: int | str) -> list[Any]:
        return self._told[self._layout.texts[which] :: self._layout.wide]

    def _said(self) -> dict[str, Column]:
        """What the gate said: mostly the same."""
        cells, proposed = self._other("said"), self._text("proposed")
        if cells.count(PASSED) == len(cells):
            same: dict[str, Column] = {name: Every(PASSED[at]) for at, name in enumerate(_SAID)}
            return same | {"approved": proposed}
        found: dict[str, Column] = {name: [cell[at] for cell in cells] for at, name in enumerate(_SAID)}
        approved = [one if cell[-1] is None else cell[-1] for one, cell in zip(proposed, cells, strict=True)]
        return found | {"approved": approved}

    def sheet(self) -> Sheet:
        """The decisions as columns."""
        strategy, enter, kind = self._store.key
        whole, others = self._values["whole"].T.tolist(), self._other
        columns: dict[str, Column] = {
            "seq": whole[0],
            "at": whole[1],
            "kind": Every(kind),
            "strategy": Every(strategy),
            "enter": Every(enter),
            "side": _each(others("side"), lambda one: "buy" if one > 0 else "sell"),
            "row": whole[2],
            **self._said(),
            "facts": Places(tuple(self._facts())),
            "market": Places(_floats(self._values["real"][:, self._layout.floats - self._store.market :])),
        }
        columns |= {name: self._text(name) for name in _LEVELS}
        columns |= {name: others(name) for name in ("instrument", "confidence", "reason", "ages", "rows")}
        return Sheet(Decision, self.count, columns)

    def _facts(self) -> Iterator[Every | Choice | Cells]:
        """A column of texts for each leaf."""
        source, layout = self._store.reading.source, self._layout
        shared = self._shared()
        for at in range(len(source.leaves)):
            if at in shared:
                yield shared[at]()
            elif at in layout.texts:
                yield self._text(at)
            elif at in layout.read:
                yield self._read(at, is_whole=at in source.whole)
            else:
                cells = self._other(at)
                yield cells if at in source.words else list(map(_said, cells))

    def _shared(self) -> dict[int, Callable[[], Every | Choice | Cells]]:
        """Those of the entries, by leaf."""
        entries, source = self._other("entry"), self._store.reading.source
        if entries.count(entries[0]) == len(entries):
            return {at: partial(Every, text) for at, text in zip(source.shared, entries[0].texts, strict=True)}
        places = {entry: place for place, entry in enumerate(dict.fromkeys(entries))}
        which, wide = list(map(places.__getitem__, entries)), len(source.account)
        told: list[Any] = ",".join([entry.told for entry in places]).split(",")
        if "None" in told:
            told = [None if text == "None" else text for text in told]
        found = {at: partial(_of, told[place::wide], which) for place, at in enumerate(source.account)}
        return found | self._terms([entry.terms for entry in places], which)

    def _terms(self, terms: list[Any], which: list[int]) -> dict[int, Callable[[], Every | Choice | Cells]]:
        """Those of the instruments, of which there are few."""
        places = {one: place for place, one in enumerate(dict.fromkeys(terms))}
        columns = enumerate(self._store.reading.source.terms)
        if len(places) > FEW:
            return {at: partial(_of, [one.texts[place] for one in terms], which) for place, at in columns}
        numbers = [places[one] for one in terms]
        at_each = bytes(map(numbers.__getitem__, which))
        return {at: partial(_chosen, [one.texts[place] for one in places], at_each) for place, at in columns}

    def _read(self, at: int, *, is_whole: bool) -> Every | Cells:
        """What `str` says of the exact values of numbers that were read as floats."""
        values = self._values["real"][:, self._layout.read[at]]
        cells = values.tolist()
        if is_whole:
            return _each(cells, _whole)
        if cells[0] and cells.count(cells[0]) == len(cells):  # 0 is equal to -0, which is written otherwise
            return Every(texts_of(cells[:1])[0])
        return texts_of(cells)

    def records(self) -> list[Decision]:
        """The decisions."""
        sheet = self.sheet()
        columns = {name: _listed(column, self.count) for name, column in sheet.columns.items()}
        for name in ("approved", *_LEVELS):
            columns[name] = [None if text is None else Decimal(text) for text in columns[name]]
        rows = zip(*columns.values(), strict=True)
        return [Decision(**dict(zip(columns, row, strict=True))) for row in rows]


def _listed(column: Column, count: int) -> list[Any]:
    """The cells of a column, of places as tuples."""
    if isinstance(column, Every):
        return [column.value] * count
    if isinstance(column, Places):
        return list(zip(*(_listed(one, count) for one in column.columns), strict=True)) if column.columns else [()] * count
    assert not isinstance(column, Maps | Shaped)  # a decision has none
    return list(column)


def _of(texts: Cells, which: Sequence[int]) -> Every | Cells:
    """Texts by their numbers."""
    return Every(texts[0]) if texts.count(texts[0]) == len(texts) else list(map(texts.__getitem__, which))


def _chosen(of: list[Any], at: bytes) -> Every | Choice:
    """Texts by their numbers; equal ones are one."""
    first = {text: number for number, text in reversed([*enumerate(of)])}
    if len(first) == 1:
        return Every(of[0])
    same = bytes([first[text] for text in of]) + bytes(range(len(of), 256))
    return Choice(of, at.translate(same) if len(first) < len(of) else at)


def _each(cells: Cells, said: Callable[[Any], str | None]) -> Every | Cells:
    """What is said of each; of equal ones the same."""
    if cells.count(cells[0]) == len(cells):
        return Every(said(cells[0]))
    known = {cell: said(cell) for cell in dict.fromkeys(cells)}
    return list(map(known.__getitem__, cells))


def _whole(cell: float) -> str | None:
    return None if math.isnan(cell) else str(int(cell))


def _said(cell: Any) -> str | None:
    return None if cell is None else str(cell)


def _floats(values: Any) -> list[Cells | Packed]:
    """The columns of rows of floats; NaN and the infinities are nothing."""
    import numpy as np

    if not np.isfinite(values).all():
        return [[cell if math.isfinite(cell) else None for cell in column] for column in values.T.tolist()]
    cells = np.empty(values.T.shape, dtype=[("head", "u1"), ("value", ">f8")])
    cells["head"], cells["value"] = 0xCB, values.T
    ends = REAL * np.arange(len(values) + 1)
    return [Packed(column.tobytes(), ends) for column in cells]
