"""The compiled teller: what it keeps is what was told, whatever that is, and what fails tells nothing."""

from __future__ import annotations

import contextlib
import gc
import math
import sys
import weakref
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tb.engine.instant import exact
from tb.ledger.cells import Encoded
from tb.ledger.columns import text_of
from tb.runtime import told

pytestmark = pytest.mark.skipif(
    not told.IS_COMPILED, reason="telling.c is not compiled for this Python: `make setup` needs a compiler"
)

SURE, PASSED, PROMISED = object(), ("approve", (), 0, 0, None), object()


class Entry(msgspec.Struct, eq=False):
    told: Any
    terms: Any


class Shaped:
    """A teller of one number, one word, one whole number, one market value, one other, two of an account, one of terms, and two
    values of rules; with `tell` by name."""

    def __init__(self, said: Any = lambda judgement, order: ("reject", ("a",), 1, 0, "0"), words: int = 1) -> None:
        self.words = words
        self.teller = told.telling.Teller(
            PROMISED,
            said,
            PASSED,
            SURE,
            (),
            numbers=1,
            words=words,
            whole=1,
            market=1,
            others=1,
            account=2,
            terms=1,
            reals=2,
            proposed=0,
        )
        self.entry = Entry("5,None", SimpleNamespace(texts=["BTC-USD"]))

    def tell(self, seq: Any = 1, **given: Any) -> Any:
        order = SimpleNamespace(instrument="BTC-USD", sign=1, confidence=0.5)
        names = ("n", *["w"] * self.words, "i", "x", "g")
        raw = (*(given.get(name) for name in names), given.get("texts", "[2.50]"), given.get("entry", self.entry))
        raw = (*raw, given.get("sure", SURE))
        return self.teller.tell(
            seq,
            given.get("at", 7),
            given.get("order", order),
            given.get("row", -1),
            None,
            given.get("raw", raw),
            given.get("reason", "up"),
            given.get("market", (1.5, None)),
            given.get("ages", (0, 0)),
            given.get("rows", (3, 4)),
        )

    def cut(self) -> Any:
        count, _, *columns = self.teller.cut()
        names = "ints texts whole read reals account terms shared words others numbers approved".split()
        return SimpleNamespace(count=count, **dict(zip(names, columns, strict=True)))


def listed(column: Any, count: int) -> list[Any]:
    return Encoded(column, count).listed() if isinstance(column, bytes) else column


FLOATS = st.floats() | st.sampled_from(
    [None, 0.0, -0.0, 1e-3, 9.99e-4, 1e9, 1e16, 1e22, 5e-324, 123456789.123456, 0.1 + 0.2, 1e-7]
)


@given(st.lists(FLOATS, min_size=1, max_size=60))
def test_a_market_value_has_the_text_of_its_exact_value(values: list[float | None]) -> None:
    shaped = Shaped()
    for value in values:
        shaped.tell(x=value)
    expected = [None if value is None or exact(value) is None else str(exact(value)) for value in values]
    (found,) = shaped.cut().read
    assert listed(found, len(values)) == expected
    assert (found if isinstance(found, bytes) else text_of(found)) == text_of(expected)


@given(st.lists(st.integers(1, 10**9), min_size=1), st.integers(0, 9), st.booleans())
def test_and_so_have_values_of_few_decimals(wholes: list[int], decimals: int, is_negative: bool) -> None:
    values = [float(Decimal(-whole if is_negative else whole).scaleb(-decimals)) for whole in wholes]
    shaped = Shaped()
    for value in values:
        shaped.tell(x=value)
    assert listed(shaped.cut().read[0], len(values)) == [str(exact(value)) for value in values]


@given(st.lists(st.none() | st.integers(-(2**63) + 1, 2**63 - 1), min_size=1, max_size=40))
def test_whole_numbers_have_their_texts(values: list[int | None]) -> None:
    shaped = Shaped()
    for value in values:
        shaped.tell(i=value)
    expected = [None if value is None else str(value) for value in values]
    (found,) = shaped.cut().whole
    assert (found if isinstance(found, bytes) else text_of(found)) == text_of(expected)


@given(st.lists(st.integers(-(2**63) + 1, 2**63 - 1), min_size=1, max_size=40))
def test_numbers_instants_and_rows_are_packed_as_the_ledger_packs_them(values: list[int]) -> None:
    shaped = Shaped()
    for value in values:
        shaped.tell(value, rows=(value, 4), ages=(1, value))
    pack = msgspec.msgpack.encode
    cut = shaped.cut()
    one = values[:1] if len(set(values)) == 1 else values
    assert cut.ints[0] == pack(one)
    assert cut.ints[1] == pack([7])
    if len(values) > 1:
        assert cut.shared[told.SHARED.index("rows")] == (pack(one), pack([4]))
        assert cut.shared[told.SHARED.index("ages")] == (pack([1]), pack(one))


@given(st.lists(st.tuples(FLOATS, FLOATS), min_size=1, max_size=40))
def test_values_of_rules_are_floats_or_nothing(rows: list[tuple[float | None, float | None]]) -> None:
    shaped = Shaped()
    for row in rows:
        shaped.tell(market=row)
    for place, column in enumerate(shaped.cut().reals):
        expected = [row[place] if row[place] is not None and math.isfinite(row[place]) else None for row in rows]  # type: ignore[arg-type]
        assert list(map(repr, listed(column, len(rows)))) == list(map(repr, expected))


TEXTS = st.text(max_size=3) | st.sampled_from(["é" * 40, "x" * 31, "x" * 32, "x" * 255, "x" * 256, "x" * 70_000])


@given(st.lists(TEXTS, min_size=1, max_size=80))
def test_texts_take_the_form_that_the_ledger_gives_them(reasons: list[str]) -> None:
    shaped = Shaped()
    for reason in reasons:
        shaped.tell(reason=reason)
    found = shaped.cut().shared[told.SHARED.index("reason")]
    assert (found if isinstance(found, bytes) else text_of(found if len(found) > 1 else found * len(reasons))) == text_of(
        reasons
    )


def test_some_two_hundred_texts_that_come_again_are_left_to_the_ledger() -> None:
    shaped, reasons = Shaped(), [str(max(0, at - 40) % 200) for at in range(900)]  # the first look sees one
    for reason in reasons:
        shaped.tell(reason=reason)
    found = shaped.cut().shared[told.SHARED.index("reason")]
    assert found == reasons


@given(st.lists(st.tuples(st.sampled_from(["1", "None", "2.50"]), st.integers(0, 3), st.booleans()), min_size=1, max_size=50))
def test_what_entries_share_stands_with_each_decision(told_: list[tuple[str, int, bool]]) -> None:
    shaped = Shaped()
    terms = [SimpleNamespace(texts=[name]) for name in ("a", "b", None, "a")]
    entries = [Entry(f"{text},7", terms[which]) for text, which, _ in told_]
    entries = [entries[at - 1] if at and told_[at][2] else entry for at, entry in enumerate(entries)]
    for entry in entries:
        shaped.tell(entry=entry)
    cut, count = shaped.cut(), len(entries)
    first = [None if text == "None" else text for text in (entry.told.split(",")[0] for entry in entries)]
    assert listed(cut.account[0], count) == first
    assert listed(cut.account[1], count) == ["7"] * count
    assert listed(cut.terms[0], count) == [entry.terms.texts[0] for entry in entries]


def test_what_is_approved_is_what_was_proposed_or_what_was_said() -> None:
    shaped = Shaped()
    shaped.tell(texts="[2.50]")
    shaped.tell(texts="[3]", sure=None)
    shaped.tell(texts="[None]")
    cut = shaped.cut()
    assert listed(cut.approved, 3) == ["2.50", "0", None]
    assert cut.shared[told.SHARED.index("said")] == ([1], [("reject", ("a",), 1, 0, "0")])


REFUSED: dict[str, dict[str, Any]] = {
    "a number that is a text": {"seq": "1"},
    "no number": {"seq": None},
    "no instant": {"at": None},
    "no row": {"row": None},
    "a row beyond 64 bits": {"row": 2**70},
    "the whole number that stands for none": {"i": -(2**63)},
    "a whole number with a fraction": {"i": 0.5},
    "a market value that is a text": {"x": "1"},
    "a value of a rule that is a text": {"market": (1.5, "2")},
    "one value of the rules too few": {"market": (1.5,)},
    "what was read is a list": {"raw": []},
    "an order without a sign": {"order": SimpleNamespace(instrument="a", confidence=None)},
    "texts of two numbers": {"texts": "[1,2]"},
    "no texts": {"texts": None},
    "an entry of three numbers": {"entry": Entry("1,2,3", SimpleNamespace(texts=["a"]))},
    "an entry of one number": {"entry": Entry("1", SimpleNamespace(texts=["a"]))},
    "an entry without terms": {"entry": SimpleNamespace(told="1,2")},
    "terms of two": {"entry": Entry("1,2", SimpleNamespace(texts=["a", "b"]))},
    "terms that are no text": {"entry": Entry("1,2", SimpleNamespace(texts=[1]))},
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused_tells_nothing(what: str) -> None:
    shaped = Shaped()
    assert shaped.tell(1, n=Decimal(1), g=(1,)) is PROMISED
    with pytest.raises((TypeError, ValueError, OverflowError, AttributeError)):
        shaped.tell(**{"seq": 2} | REFUSED[what])
    assert len(shaped.teller) == 1
    shaped.tell(3, texts="[4]", reason="down")
    cut = shaped.cut()
    assert cut.count == 2
    assert listed(cut.ints[0], 2) == [1, 3]
    assert listed(cut.texts[0], 2) == listed(cut.approved, 2) == ["2.50", "4"]
    assert listed(cut.shared[told.SHARED.index("reason")], 2) == ["up", "down"]
    assert listed(cut.account[0], 2) == ["5", "5"]
    assert listed(cut.terms[0], 2) == ["BTC-USD"] * 2
    assert shaped.teller.cut() == ()


@pytest.mark.parametrize("quantity", [7, (), b"1"])
def test_a_quantity_that_is_no_text_is_refused(quantity: object) -> None:
    shaped = Shaped(lambda judgement, order: ("reject", quantity) if quantity else ())
    with pytest.raises(TypeError, match="ends with a quantity"):
        shaped.tell(sure=None)
    assert len(shaped.teller) == 0


@pytest.mark.parametrize("what", ["tell", "cut"])
def test_nobody_tells_or_cuts_while_a_decision_is_told(what: str) -> None:
    def said(judgement: object, order: object) -> object:
        return getattr(shaped, what)()

    shaped = Shaped(said)
    shaped.tell(1)
    with pytest.raises(RuntimeError, match="a decision is told"):
        shaped.tell(2, sure=None)
    assert listed(shaped.cut().ints[0], 1) == [1]


def test_nothing_that_is_told_while_it_is_cut_is_lost() -> None:
    """Whatever is collected on the way may run any code."""
    shaped, told_meanwhile = Shaped(words=400), 0  # more lists and tuples than Python has at hand

    def tell_more(phase: str, about: object) -> None:
        nonlocal told_meanwhile
        with contextlib.suppress(RuntimeError):
            shaped.tell(9, reason="meanwhile", w=object(), g=object())
            told_meanwhile += 1

    for seq in range(40):
        shaped.tell(seq, reason=str(seq), w=object(), g=object())
    before = gc.get_threshold()
    gc.callbacks.append(tell_more)
    gc.set_threshold(1)
    try:
        first = shaped.cut()
    finally:
        gc.set_threshold(*before)
        gc.callbacks.remove(tell_more)
    assert first.count == 40
    assert len(shaped.teller) == told_meanwhile
    assert {len(listed(column, 40)) for column in (*first.others, *first.words, *first.ints, *first.texts)} == {40}


def test_an_error_of_what_was_said_is_told_and_nothing_is_asked_after_it() -> None:
    class Order:
        sign, confidence = 1, None

        @property
        def instrument(self) -> str:
            with contextlib.suppress(KeyError):
                raise KeyError("swallowed")
            return "BTC-USD"

    def said(judgement: object, order: object) -> object:
        raise ValueError("nothing was said")

    shaped = Shaped(said)
    shaped.tell(1, order=Order())
    with pytest.raises(ValueError, match="nothing was said"):
        shaped.tell(2, order=Order(), sure=None)
    assert len(shaped.teller) == 1


def test_a_text_of_another_kind_is_left_to_the_ledger_which_takes_none() -> None:
    class Odd(str):
        __slots__ = ()

        def __str__(self) -> str:
            return "another"

    shaped, reason = Shaped(), Odd("one")
    shaped.tell(reason=reason)
    assert shaped.cut().shared[told.SHARED.index("reason")] == [reason]


def test_what_was_told_is_let_go_of() -> None:
    shaped, reason, other = Shaped(), "".join(["a", "b"]), (1, 2)
    gc.collect()  # tellers of other tests hold the same
    before = [sys.getrefcount(each) for each in (reason, other, shaped.entry, shaped.entry.terms, PASSED, PROMISED)]
    for _ in range(3):
        for seq in range(700):
            shaped.tell(seq, reason=reason, g=other)
        shaped.teller.cut()
    assert [sys.getrefcount(each) for each in (reason, other, shaped.entry, shaped.entry.terms, PASSED, PROMISED)] == before
    for seq in range(9):
        with pytest.raises(ValueError, match="texts with commas"):
            shaped.tell(seq, reason=reason, g=other, texts="[1,2]")
    del shaped.teller
    assert [sys.getrefcount(each) for each in (reason, other)] == before[:2]


def test_a_teller_in_a_circle_is_collected() -> None:
    class Circle:
        teller: Any

    def circle() -> Any:
        found = Circle()
        found.teller = Shaped(lambda judgement, order: found).teller
        return weakref.ref(found)

    gone = circle()
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize(
    "given_",
    [
        {"numbers": 129},
        {"numbers": -1},
        {"account": 1_000},
        {"reals": -1},
        {"proposed": 1},
        {"terms": 1_000},
        {"words": sys.maxsize},
        {"market": sys.maxsize // 8},
        {"others": -1},
    ],
)
def test_a_shape_that_cannot_be_is_refused(given_: dict[str, int]) -> None:
    shape = dict.fromkeys(("words", "whole", "market", "others", "account", "terms", "reals", "proposed"), 0) | {"numbers": 1}
    with pytest.raises(ValueError, match="a teller takes up to 128"):
        told.telling.Teller(PROMISED, print, PASSED, SURE, (), **shape | given_)
