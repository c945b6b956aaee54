"""Decisions of a replay that are told to a store of their shape, and made when somebody reads them (`tb.ledger.promises`).

1. `Promising` has a `Store` for each entry and exit of a strategy and each gate that judges it.
2. A generated function tells it what is of one decision alone, while it is at hand: numbers as they lie in memory, texts of
   the order's numbers in one text, and what many decisions share as it is. To look for all this when a group is full would
   take longer than to encode it.
3. `Rows` are what was told until a group is full: columns (`sheet`), or records.

INVARIANT: what is told is the record that `tb.runtime.judged.decision_of` gives, in a group byte for byte.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from typing import Any

from tb.core.records import Decision
from tb.engine.plan import Plan
from tb.gate.gate import Judgement
from tb.gate.reading import Read, Reading
from tb.ledger.cells import Cells, Choice, Column, Every, Maps, Places, Shaped
from tb.ledger.promises import Promised
from tb.ledger.sheets import Sheet
from tb.runtime.drafts import Draft
from tb.runtime.judged import decision_of, more_of
from tb.runtime.ports import MarketView
from tb.runtime.told import LEVELS, PASSED, Cut, Plain, Quick, Shape, Teller, Text, chosen, is_quick

MOST = 256  # judgements that differ, which one byte tells apart
_SAID = ("verdict", "deciding", "failed", "unknown")


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
    """Decisions of one entry or exit of a strategy, read by one gate. `market` counts the values of the strategy's rules;
    `tell` is that of a teller (`tb.runtime.told`)."""

    def __init__(self, key: tuple[str, int, str], reading: Reading, market: int, *, is_plain: bool = False) -> None:
        self.key, self.reading = key, reading
        self.promised = Promised(key, self._cut)
        self.shape = Shape.of(reading.source, market)
        self._teller: Teller = Plain(self.shape, self.promised)
        if is_quick(self.shape) and not is_plain:
            self._teller = Quick(self.shape, self.promised)
        self.tell: Callable[..., Promised] = self._teller.tell
        self.facts = [*_facts_of(self.shape)]

    def _cut(self) -> Rows:
        return Rows(self, self._teller.cut())


class Rows:
    """What a store was told."""

    def __init__(self, store: Store, cut: Cut) -> None:
        self._store, self._cut, self.count = store, cut, cut.count

    @cached_property
    def numbers(self) -> Sequence[int]:
        return self._cut.numbers

    def _said(self) -> dict[str, Column]:
        """What the gate said: mostly the same."""
        places, said = self._cut.odd
        columns: dict[str, Column] = {"approved": self._cut.approved}
        numbers, at = {PASSED[:-1]: 0}, bytearray(self.count)
        for place, one in zip(places, said, strict=True):
            at[place] = numbers.setdefault(one[:-1], len(numbers) % MOST)
        for field, (name, of) in enumerate(zip(_SAID, zip(*numbers, strict=True), strict=True)):
            if len(numbers) <= MOST:
                columns[name] = chosen(of, bytes(at))
            else:  # more than a byte tells apart
                columns[name] = cells = [PASSED[field]] * self.count
                for place, one in zip(places, said, strict=True):
                    cells[place] = one[field]
        return columns

    def sheet(self) -> Sheet:
        """The decisions as columns."""
        strategy, enter, kind = self._store.key
        cut = self._cut
        seq, at, row = cut.ints
        columns: dict[str, Column] = {
            "seq": seq,
            "at": at,
            "kind": Every(kind),
            "strategy": Every(strategy),
            "enter": Every(enter),
            "side": _each(cut.shared("side"), _side),
            "row": row,
            **self._said(),
            "facts": Places(tuple(self._facts())),
            "market": Places(cut.values),
        }
        columns |= {name: cut.number(self._store.shape.texts[name]) for name in LEVELS}
        columns |= {name: cut.shared(name) for name in ("instrument", "confidence", "reason", "ages", "rows")}
        return Sheet(Decision, self.count, columns)

    def _facts(self) -> Iterator[Text | Choice]:
        """A column of texts for each leaf."""
        cut = self._cut
        of: dict[str, Callable[[int], Text | Choice]] = {
            "text": cut.text,
            "whole": cut.whole,
            "read": cut.read,
            "account": cut.account,
            "terms": cut.terms,
            "word": cut.word,
            "other": self._other,
        }
        for kind, place in self._store.facts:
            yield of[kind](place)

    def _other(self, place: int) -> Text:
        return _each(self._cut.other(place), _told)

    def records(self) -> list[Decision]:
        """The decisions."""
        sheet = self.sheet()
        columns = {name: _listed(column, self.count) for name, column in sheet.columns.items()}
        for name in ("approved", *LEVELS):
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


def _each(cells: Every | Cells, said: Callable[[Any], str | None]) -> Every | Cells:
    """What is said of each."""
    return Every(said(cells.value)) if isinstance(cells, Every) else list(map(said, cells))


def _told(cell: Any) -> str | None:
    return None if cell is None else str(cell)


def _side(sign: int) -> str:
    return "buy" if sign > 0 else "sell"


def _facts_of(shape: Shape) -> Iterator[tuple[str, int]]:
    """Where the text of each leaf is: among which, and its place there."""
    source = shape.source
    among = {
        "whole": source.whole,
        "read": source.market,
        "account": source.account,
        "terms": source.terms,
        "word": source.words,
        "other": source.others,
    }
    places = {at: ("text", shape.texts[at]) for at in source.numbers}
    places |= {at: (kind, place) for kind, leaves in among.items() for place, at in enumerate(leaves)}
    return (places[at] for at in range(len(source.leaves)))
