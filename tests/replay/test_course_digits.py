"""Exact numbers in columns: the texts and the arithmetic of Decimals, digit for digit."""

from __future__ import annotations

import hashlib
import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as st

from tb.engine.instant import EXACT
from tb.replay.course.digits import MINUS, NOTHING, PLAIN, in_turns, nearest, nearest_quotient, texts_of
from tb.replay.course.naming import ids_of, packed, taking_turns_with
from tb.replay.course.numbers import Numbers, columns_of
from tb.replay.course.reckoning import added_up, difference, multiplied, quotient, same


@st.composite
def numbers(draw: st.DrawFn, least: int = -30, most: int = 10) -> Decimal:
    digits = draw(st.integers(1, 28))
    count = draw(st.one_of(st.integers(0, 10**digits - 1), st.integers(0, 12), st.just(10 ** (digits - 1))))
    return Decimal((draw(st.integers(0, 1)) if count else 0, tuple(map(int, str(count))), draw(st.integers(least, most))))


def column(*found: Decimal) -> Numbers:
    return Numbers(*map(np.ascontiguousarray, columns_of(found)))


@given(st.lists(numbers(-45), min_size=1, max_size=30))
@how(deadline=None)
def test_texts_are_those_of_decimals(found: list[Decimal]) -> None:
    assert texts_of(column(*found)).listed() == list(map(str, found))


def test_a_nothing_may_have_a_minus_or_be_none() -> None:
    zeros = column(Decimal("0.00"), Decimal("0.00"), Decimal("0E-8"), Decimal(1))
    told = texts_of(zeros, np.array([PLAIN, MINUS, MINUS, NOTHING]))
    assert told.listed() == ["0.00", str(Decimal("-0.00")), str(Decimal("-0E-8")), None]
    prices = Numbers(None, np.array([0, 25]), np.array([1, 1]), is_price=True)
    assert texts_of(prices).listed() == [None, "2.5"]


def test_texts_longer_than_31_bytes_say_their_length() -> None:
    long = Decimal("-0.0000001234567890123456789012345678")
    assert texts_of(column(long, Decimal(1))).listed() == [str(long), "1"]
    assert max(map(len, texts_of(column(Decimal("-1.234567890123456789012345678E-9"))).listed())) > 31


PAIRS = st.lists(st.tuples(numbers(-14, 0), numbers(-14, 0)), min_size=1, max_size=20)


def plain(found: Decimal) -> Decimal:
    """Without the sign of a nothing."""
    return found or abs(found)


@given(PAIRS)
@how(deadline=None)
def test_sums_differences_and_products_are_those_of_the_context(pairs: list[tuple[Decimal, Decimal]]) -> None:
    left, right = (column(*of) for of in zip(*pairs, strict=True))
    for of, exact in ((added_up, EXACT.add), (difference, EXACT.subtract), (multiplied, EXACT.multiply)):
        expected = [repr(plain(exact(one, other))) for one, other in pairs]
        assert list(map(repr, of(left, right))) == expected


@given(PAIRS.map(lambda pairs: [(one, other if other else Decimal(3)) for one, other in pairs]))
@how(deadline=None, max_examples=300)
def test_quotients_are_those_of_the_context(pairs: list[tuple[Decimal, Decimal]]) -> None:
    left, right = (column(*of) for of in zip(*pairs, strict=True))
    assert list(map(repr, quotient(left, right))) == [repr(plain(EXACT.divide(one, other))) for one, other in pairs]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1", "3"),
        ("2", "3"),
        ("1", "8"),
        ("100", "4"),
        ("1.00", "4"),
        ("9999999999999999999999999999", "1"),
        ("1", "9999999999999999999999999999"),
        ("9999999999999999999999999999", "9999999999999999999999999998"),
        ("12345678901234567890", "1.0000000001"),
        ("0.00", "7.123"),
        ("0", "7.123"),
        ("1000000", "0.0001"),
    ],
)
def test_quotients_at_the_edges(one: str, other: str) -> None:
    found = quotient(column(Decimal(one)), same(Decimal(other), 1))
    assert repr(found[0]) == repr(EXACT.divide(Decimal(one), Decimal(other)))


@given(st.binary(max_size=300), st.binary(max_size=90), st.lists(st.integers(0, (1 << 62) - 1), min_size=1, max_size=5))
@how(deadline=None)
def test_ids_are_the_first_digits_of_sha_256(before: bytes, after: bytes, numbers: list[int]) -> None:
    expected = [hashlib.sha256(before + b"%d" % one + after).hexdigest()[:20] for one in numbers]
    ids = ids_of(before, after, np.array(numbers))
    assert packed(ids).listed() == expected
    of = np.array([one % 2 for one in numbers], dtype=np.uint8)
    turns = taking_turns_with(ids, of, ("stop of t", "target of t"), 99_998)
    named = [("target" if one % 2 else "stop") + f" of t{seq}" for seq, one in enumerate(numbers, 99_998)]
    assert turns.listed() == [text for pair in zip(expected, named, strict=True) for text in pair]


@given(st.lists(numbers(-45), min_size=1, max_size=30))
@how(deadline=None, max_examples=300)
def test_floats_are_those_of_decimals(found: list[Decimal]) -> None:
    assert nearest(column(*found)).tolist() == list(map(float, found))


@given(st.lists(st.tuples(numbers(-45), numbers(-45)), min_size=1, max_size=30))
@how(deadline=None)
def test_cells_stand_in_turns(pairs: list[tuple[Decimal, Decimal]]) -> None:
    first, second = (texts_of(column(*of)) for of in zip(*pairs, strict=True))
    assert in_turns(first, second).listed() == [str(one) for pair in pairs for one in pair]
    assert in_turns(first.cut(1, len(pairs)), second.cut(0, len(pairs) - 1)).listed() == [
        str(one) for pair in zip([one for one, _ in pairs[1:]], [other for _, other in pairs], strict=False) for one in pair
    ]


@given(PAIRS.map(lambda pairs: [(one, other if other else Decimal(3)) for one, other in pairs]))
@how(deadline=None, max_examples=300)
def test_floats_of_quotients_are_those_of_decimals(pairs: list[tuple[Decimal, Decimal]]) -> None:
    left, right = (column(*of) for of in zip(*pairs, strict=True))
    assert nearest_quotient(left, right).tolist() == [float(EXACT.divide(one, other)) for one, other in pairs]


@given(st.floats(1e-9, 1e9), st.integers(-9, 9), st.integers(-1, 1), st.sampled_from((1, 3, 7, 17, 23)))
@how(deadline=None, max_examples=300)
def test_floats_of_quotients_between_two_are_those_of_decimals(near: float, shift: int, off: int, by: int) -> None:
    half = (Fraction(near) + Fraction(math.nextafter(near, math.inf))) / 2 * by
    middle = EXACT.divide(Decimal(half.numerator), Decimal(half.denominator))
    told = EXACT.add(middle, Decimal((0, (1,), middle.adjusted() - 27)) * off)
    right = Decimal(by).scaleb(shift)
    assert nearest_quotient(column(told), column(right)).tolist() == [float(EXACT.divide(told, right))]


@given(st.floats(1e-9, 1e9), st.integers(0, 9), st.integers(-1, 1))
@how(deadline=None)
def test_floats_between_two_are_those_of_decimals(near: float, shift: int, off: int) -> None:
    half = (Fraction(near) + Fraction(math.nextafter(near, math.inf))) / 2 / 10**shift
    middle = EXACT.divide(Decimal(half.numerator), Decimal(half.denominator))
    told = EXACT.add(middle, Decimal((0, (1,), middle.adjusted() - 27)) * off)
    assert nearest(column(told)).tolist() == [float(told)]
