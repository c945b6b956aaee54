"""What is told of decisions of one shape, and the columns that it becomes.

1. A teller takes what is of one decision alone, while it is at hand: numbers as they lie in memory, texts of the order's
   numbers in one text, and what many decisions share as it is. To look for all this when a group is full would take longer
   than to encode it.
2. `cut` gives what was told until then as columns (`Cut`).

Two tellers give the same: `compiled/telling.c`, where it was compiled for this Python, takes less than half the time of
`Plain`.
"""

from __future__ import annotations

import math
import struct
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from io import StringIO
from typing import Any, Protocol

from tb.engine.decide import code_of
from tb.engine.surely import SURE
from tb.gate.gate import Judgement
from tb.gate.leaves_source import Source
from tb.gate.proposal import Proposal
from tb.gate.reading import texts_of
from tb.ledger.cells import REAL, Cells, Choice, Encoded, Every, Packed, Places
from tb.ledger.columns import FEW
from tb.ledger.promises import Promised

try:
    from tb.runtime import telling
except ImportError:  # nobody compiled it: there is no compiler, or it is another Python
    telling = None  # type: ignore[assignment]
IS_COMPILED = telling is not None and getattr(telling, "FORM", 0) == 2  # not an older one that lies there

LEVELS = {"proposed": "order.quantity", "price": "order.price", "stop": "order.stop", "target": "order.target"}
_GIVEN = {"proposed": "quantity", "price": "price", "stop": "stop", "target": "target"}
SHARED = ("instrument", "side", "said", "confidence", "reason", "ages", "rows")

Said = tuple[str, tuple[str, ...], int, int, str | None]  # of a judgement; no quantity where that is the one proposed
PASSED: Said = ("approve", (), 0, 0, None)
Text = Every | Cells | Encoded


def said(judgement: Judgement, proposal: Proposal) -> Said:
    quantity = judgement.quantity
    approved = None if quantity is proposal.quantity else str(quantity)
    return judgement.verdict, judgement.deciding, judgement.failed, judgement.unknown, approved


@dataclass(frozen=True, slots=True)
class Shape:
    """What is told of each decision: `texts` are the places of the order's numbers among its texts, by leaf and by field of the
    record, and `more` the levels that are no leaves; `market` counts the values of the strategy's rules."""

    source: Source
    market: int
    texts: dict[int | str, int]
    more: tuple[str, ...]

    @classmethod
    def of(cls, source: Source, market: int) -> Shape:
        texts: dict[int | str, int] = {at: place for place, at in enumerate(source.numbers)}
        wide, more = len(texts), list[str]()
        for field, fact in LEVELS.items():
            if (fact, "") in source.leaves:
                texts[field] = texts[source.leaves.index((fact, ""))]
            else:
                texts[field] = wide + len(more)
                more.append(_GIVEN[field])
        return cls(source, market, texts, tuple(more))


class Cut(Protocol):
    """Decisions that were told, by column. `texts`, `whole`, `read`, `words` and `others` are by place among those of their
    kind; `account` and `terms` have the texts of what is shared, and `shared` what many decisions have in common, by name."""

    @property
    def count(self) -> int: ...

    @property
    def numbers(self) -> Sequence[int]: ...

    @property
    def ints(self) -> Sequence[Text]: ...

    @property
    def values(self) -> Sequence[Cells | Packed | Encoded]: ...

    def text(self, place: int) -> Text: ...

    def number(self, place: int) -> Text:
        """The same as `text` for a field that is a number: such a column is never told by few values."""
        ...

    @property
    def approved(self) -> Text: ...

    def whole(self, place: int) -> Text: ...

    def read(self, place: int) -> Text: ...

    def account(self, place: int) -> Text: ...

    def terms(self, place: int) -> Text | Choice: ...

    def word(self, place: int) -> Every | Cells: ...

    def other(self, place: int) -> Every | Cells: ...

    @property
    def odd(self) -> tuple[list[int], list[Said]]:
        """Places and what was said there, where not all passed."""
        ...

    def shared(self, name: str) -> Any: ...


class Teller(Protocol):
    """`tell` takes number, instant, proposal, row, judgement, what the gate read for it, the reason, and the values with their
    ages and rows; it returns what is recorded in the place of the decision. `cut` lets go of what was told."""

    tell: Callable[..., Promised]

    def cut(self) -> Cut: ...


# --- compiled ----------------------------------------------------------------------------------------------------------------


def is_quick(shape: Shape) -> bool:
    """Whether there is a compiled teller that takes so many columns."""
    source = shape.source
    columns = len(source.numbers) + len(shape.more), len(source.account), len(source.terms)
    return IS_COMPILED and max(columns) <= telling.WIDEST


class Quick:
    """Tells through `compiled/telling.c`."""

    def __init__(self, shape: Shape, promised: Promised) -> None:
        source = shape.source
        self._teller = telling.Teller(
            promised,
            said,
            PASSED,
            SURE,
            shape.more,
            numbers=len(source.numbers),
            words=len(source.words),
            whole=len(source.whole),
            market=len(source.market),
            others=len(source.others),
            account=len(source.account),
            terms=len(source.terms),
            reals=shape.market,
            proposed=shape.texts["proposed"],
        )
        self.tell: Callable[..., Promised] = self._teller.tell

    def cut(self) -> Cut:
        return _QuickCut(self._teller.cut())


class _QuickCut:
    __slots__ = ("_columns", "_numbers", "count")

    def __init__(self, columns: tuple[Any, ...]) -> None:
        self.count, self._numbers, *self._columns = columns or (0, b"", *[()] * 12)

    @property
    def numbers(self) -> Sequence[int]:
        return array("q", self._numbers)[::3].tolist()

    @property
    def ints(self) -> Sequence[Text]:
        return [self._column(0, place) for place in range(3)]

    @property
    def values(self) -> Sequence[Encoded]:
        return [Encoded(column, self.count) for column in self._columns[4]]

    def text(self, place: int) -> Text:
        return self._column(1, place)

    def number(self, place: int) -> Text:
        return self._column(10, place)

    @property
    def approved(self) -> Text:
        return self._of(self._columns[11])

    def whole(self, place: int) -> Text:
        return self._column(2, place)

    def read(self, place: int) -> Text:
        return self._column(3, place)

    def account(self, place: int) -> Text:
        return self._column(5, place)

    def terms(self, place: int) -> Text:
        return self._column(6, place)

    @property
    def odd(self) -> tuple[list[int], list[Said]]:
        found: tuple[list[int], list[Said]] = self._columns[7][SHARED.index("said")]
        return found

    def shared(self, name: str) -> Any:
        found = self._columns[7][SHARED.index(name)]
        if isinstance(found, tuple):
            return Places(tuple([Encoded(column, self.count) for column in found]))
        return Encoded(found, self.count) if isinstance(found, bytes) else _cells(found)

    def word(self, place: int) -> Every | Cells:
        return _cells(self._columns[8][place])

    def other(self, place: int) -> Every | Cells:
        return _cells(self._columns[9][place])

    def _column(self, kind: int, place: int) -> Text:
        return self._of(self._columns[kind][place])

    def _of(self, found: Any) -> Text:
        return Encoded(found, self.count) if isinstance(found, bytes) else found


def _cells(found: list[Any]) -> Every | Cells:
    return Every(found[0]) if len(found) == 1 else found


# --- not compiled ------------------------------------------------------------------------------------------------------------

_NONE = -(1 << 63)  # stands for no whole number
_AS_IT_IS = {
    "instrument": "p.instrument",
    "side": "p.sign",
    "said": "PASSED if told is SURE else said(j, p)",
    "confidence": "p.confidence",
    "reason": "reason",
    "ages": "ages",
    "rows": "rows",
    "entry": "s",
}


class Plain:
    """Tells by a generated function. Whole numbers come first: three of the decision, then those that the gate read, the least
    of 64 bits for none; then as floats market values that it read, and those of the rules."""

    def __init__(self, shape: Shape, promised: Promised) -> None:
        self._shape = shape
        self._numbers, self._texts, self._others = bytearray(), StringIO(), list[Any]()
        whole, floats = 3 + len(shape.source.whole), len(shape.source.market) + shape.market
        space: dict[str, Any] = {
            "NAN": math.nan,
            "NONE": _NONE,
            "PASSED": PASSED,
            "SURE": SURE,
            "Unpacked": struct.error,
            "others": self._others.extend,
            "numbers": self._numbers.extend,
            "pack": struct.Struct(f"<{whole}q{floats}d").pack,
            "promised": promised,
            "said": said,
            "texts": self._texts.write,
        }
        exec(code_of(_source_of(shape), "<decisions that are told>"), space)
        self.tell: Callable[..., Promised] = space["tell"]

    def cut(self) -> Cut:
        found = _PlainCut(self._shape, bytes(self._numbers), self._texts.getvalue(), list(self._others))
        self._numbers.clear()
        self._others.clear()
        self._texts.seek(0)
        self._texts.truncate()
        return found


def _source_of(shape: Shape) -> str:
    source = shape.source
    whole, read = [f"i{at}" for at in source.whole], [f"x{at}" for at in source.market]
    plain = ", ".join((*whole, *read, "*market"))
    known = ", ".join(
        (
            *(f"NONE if {name} is None else {name}" for name in whole),
            *(f"NAN if {name} is None else {name}" for name in read),
            "*map(known, market)",
        )
    )
    levels = ",".join((["{d[1:-1]}"] if source.numbers else []) + [f"{{p.{name}!s}}" for name in shape.more])
    texts = f'f"[{levels}]"' if shape.more else "d"
    given = [*_AS_IT_IS.values(), *(f"w{at}" for at in source.words), *(f"g{at}" for at in source.others)]
    lines = [
        "def known(value):",
        "    return NAN if value is None else value",
        "def tell(seq, at, p, row, j, raw, reason, market, ages, rows):",
        f"    {source.raw()}, = raw",
        "    try:",
        f"        packed = pack(seq, at, row, {plain})",
        "    except Unpacked:  # something is nothing",
        f"        packed = pack(seq, at, row, {known})",
        f"    given = ({', '.join(given)})",
        f"    texts({texts})",  # the last that may fail: what fails has told nothing
        "    numbers(packed)",
        "    others(given)",
        "    return promised",
    ]
    return "\n".join(lines) + "\n"


class _PlainCut:
    def __init__(self, shape: Shape, numbers: bytes, texts: str, others: list[Any]) -> None:
        self._shape, self._packed, self._texts, self._others = shape, numbers, texts, others
        self._wide = len(_AS_IT_IS) + len(shape.source.words) + len(shape.source.others)
        self.count = len(others) // self._wide

    @cached_property
    def _values(self) -> Any:
        import numpy as np

        source = self._shape.source
        whole, floats = 3 + len(source.whole), len(source.market) + self._shape.market
        return np.frombuffer(self._packed, dtype=[("whole", "<i8", (whole,)), ("real", "<f8", (floats,))])

    @cached_property
    def numbers(self) -> Sequence[int]:
        found: list[int] = self._values["whole"][:, 0].tolist()
        return found

    @property
    def ints(self) -> Sequence[Text]:
        found: list[list[int]] = self._values["whole"][:, :3].T.tolist()
        return found

    @property
    def values(self) -> Sequence[Cells | Packed]:
        source = self._shape.source
        return _floats(self._values["real"][:, len(source.market) :])

    @cached_property
    def _told(self) -> list[Any]:
        told: list[Any] = self._texts[1:-1].replace("][", ",").split(",")
        return told if "None" not in self._texts else [None if one == "None" else one for one in told]

    def text(self, place: int) -> list[Any]:
        return self._told[place :: len(self._shape.source.numbers) + len(self._shape.more)]

    def number(self, place: int) -> Text:
        return self.text(place)

    @property
    def approved(self) -> Text:
        cells, proposed = self._others[SHARED.index("said") :: self._wide], self.text(self._shape.texts["proposed"])
        return [one if cell[-1] is None else cell[-1] for one, cell in zip(proposed, cells, strict=True)]

    def whole(self, place: int) -> Text:
        cells = self._values["whole"][:, 3 + place].tolist()
        if cells.count(cells[0]) == len(cells):
            return Every(_whole(cells[0]))
        known = {cell: _whole(cell) for cell in dict.fromkeys(cells)}
        return list(map(known.__getitem__, cells))

    def read(self, place: int) -> Text:
        """What `str` says of the exact values of numbers that were read as floats."""
        cells = self._values["real"][:, place].tolist()
        if cells[0] and cells.count(cells[0]) == len(cells):  # 0 is equal to -0, which is written otherwise
            return Every(texts_of(cells[:1])[0])
        return texts_of(cells)

    def account(self, place: int) -> Text:
        places = {entry: place for place, entry in enumerate(dict.fromkeys(self._entries))}
        texts = [entry.texts[place] for entry in places]
        if texts.count(texts[0]) == len(texts):
            return Every(texts[0])
        return [texts[places[entry]] for entry in self._entries]

    @property
    def _entries(self) -> list[Any]:
        return self._others[len(SHARED) :: self._wide]

    def terms(self, place: int) -> Text | Choice:
        """What follows from the instruments, of which there are few."""
        terms = [entry.terms for entry in self._entries]
        places = {one: place for place, one in enumerate(dict.fromkeys(terms))}
        if len(places) > FEW:
            return [one.texts[place] for one in terms]
        return chosen([one.texts[place] for one in places], bytes(map(places.__getitem__, terms)))

    @property
    def odd(self) -> tuple[list[int], list[Said]]:
        said = self._others[SHARED.index("said") :: self._wide]
        places = [place for place, one in enumerate(said) if one is not PASSED]
        return places, [said[place] for place in places]

    def shared(self, name: str) -> Any:
        return self._place(SHARED.index(name))

    def word(self, place: int) -> Every | Cells:
        return self._place(len(_AS_IT_IS) + place)

    def other(self, place: int) -> Every | Cells:
        return self.word(len(self._shape.source.words) + place)

    def _place(self, place: int) -> Every | Cells:
        cells = self._others[place :: self._wide]
        return Every(cells[0]) if len(set(map(id, cells))) == 1 else cells


def _whole(cell: int) -> str | None:
    return None if cell == _NONE else str(cell)


def _floats(values: Any) -> list[Cells | Packed]:
    """The columns of rows of floats; NaN and the infinities are nothing."""
    import numpy as np

    if not np.isfinite(values).all():
        return [[cell if math.isfinite(cell) else None for cell in column] for column in values.T.tolist()]
    cells = np.empty(values.T.shape, dtype=[("head", "u1"), ("value", ">f8")])
    cells["head"], cells["value"] = 0xCB, values.T
    ends = REAL * np.arange(len(values) + 1)
    return [Packed(column.tobytes(), ends) for column in cells]


def chosen(of: Sequence[Any], at: bytes) -> Every | Choice:
    """Cells by their numbers; equal ones are one."""
    first: dict[Any, int] = {}
    numbers = bytes([first.setdefault(one, number) for number, one in enumerate(of)])
    if len(first) == 1:
        return Every(of[0])
    return Choice(of, at if len(first) == len(of) else at.translate(numbers.ljust(256, b"\0")))
