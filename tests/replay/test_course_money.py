"""The money of solo trades: whole numbers of 128 bits, and the same digits and decimals as the session's own arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as st
from numba import njit

from tb.replay.course import money, paths, wide
from tb.replay.course.chain import chain, in_decimals
from tb.replay.course.numbers import Numbers, columns_of
from tb.replay.course.sizes import Size, Sizes, _whole
from tb.replay.course.terms import _money

HALF, ALL = 1 << 64, 1 << 128
words = st.one_of(st.integers(0, HALF - 1), st.integers(0, 200), st.integers(HALF - 200, HALF - 1))
wholes = st.one_of(st.integers(-(10**28) + 1, 10**28 - 1), st.integers(-(10**18), 10**18), st.integers(-9, 9))


def called(part: Any) -> Any:
    """A part of kernels as something that Python can call."""

    def call(*words: Any) -> Any:
        return part(*words)

    return njit(error_model="numpy")(call)


product, added, taken, near, cut, divided = map(
    called, (wide.product, wide.added, wide.taken, wide.near, wide.cut, wide.divided)
)


def split(number: int) -> tuple[np.uint64, np.uint64]:
    return np.uint64(number % ALL >> 64), np.uint64(number % HALF)


def joined(high: int, low: int) -> int:
    found = (int(high) << 64) + int(low)
    return found - ALL if found >= ALL >> 1 else found


@how(max_examples=300, deadline=None)
@given(words, words, wholes, wholes)
def test_whole_numbers_of_two_words(left: int, right: int, one: int, other: int) -> None:
    assert joined(*product(np.uint64(left), np.uint64(right))) % ALL == left * right
    assert joined(*added(*split(one), *split(other))) == one + other
    assert joined(*taken(*split(one), *split(other))) == one - other
    assert near(*split(one)) == pytest.approx(one, rel=3e-16)
    high, low = cut(*split(one))
    assert high * 10**18 + low == one
    assert abs(low) < 10**18


@how(max_examples=300, deadline=None)
@given(st.integers(0, (1 << 126)), st.one_of(st.integers(1, 1 << 126), st.integers(1, 1 << 66)))
def test_division_of_whole_numbers(number: int, by: int) -> None:
    if number // by >= 1 << 62:
        number %= by << 61
    quotient, rest = divided(*split(number), *split(by))
    assert (int(quotient), bool(rest)) == (number // by, number % by != 0)
    quotient, rest = divided(*split(number // by * by), *split(by))
    assert (int(quotient), bool(rest)) == (number // by, False)


@how(max_examples=100, deadline=None)
@given(st.lists(st.builds(lambda whole, power: Decimal(whole).scaleb(-power), wholes, st.integers(-3, 30)), min_size=1))
def test_numbers_come_back_as_they_were_written(numbers: list[Decimal]) -> None:
    found = Numbers(*columns_of(numbers))
    assert list(map(repr, found)) == list(map(repr, numbers))
    assert repr(found.one(len(numbers) - 1)) == repr(numbers[-1])
    assert found.floats == pytest.approx(list(map(float, numbers)), rel=6e-16)
    assert [repr(one) for one in found[1:]] == list(map(repr, numbers[1:]))


@dataclass(frozen=True)
class Spec:
    lot: Decimal


@dataclass(frozen=True)
class Venue:
    fee: Decimal


@dataclass(frozen=True, eq=False)
class Term:
    """As much of the terms of an entry as its money needs."""

    sign: int
    spec: Spec
    venue: Venue

    @property
    def money(self) -> object:
        return _money(self.sign, self.spec, self.venue)  # type: ignore[arg-type]


@st.composite
def numbers(draw: st.DrawFn, most: int, decimals: int) -> Decimal:
    return Decimal(draw(st.integers(1, most))).scaleb(-draw(st.integers(0, decimals)))


LOTS = tuple(map(Decimal, ("1", "0.001", "0.00000001", "0.05", "3", "10", "0.25")))
FEES = tuple(map(Decimal, ("0", "0.001", "0.0010", "0.000125", "0.1", "0.0000000000000000001")))
SHARES = tuple(map(Decimal, ("0.05", "0.10", "1", "3", "0", "0.333333333333333333333333333", "0.0123456789")))
some_terms = st.builds(
    Term, st.sampled_from((1, -1)), st.builds(Spec, st.sampled_from(LOTS)), st.builds(Venue, st.sampled_from(FEES))
)
equities = st.one_of(
    numbers(10**12, 14),
    st.integers(-5, 10**6).map(Decimal),
    st.sampled_from((Decimal("1E+5"), Decimal("1234567890123456789012345.678"))),
)


@st.composite
def trades(draw: st.DrawFn, count: int) -> np.ndarray:
    """Trades with prices as `paths.walk` writes them: around one price, so that money neither vanishes nor explodes."""
    found = np.zeros((count, paths.WIDTH), dtype=np.int64)
    middle, most = draw(st.sampled_from(((10_000, 2), (1, 1), (123_456_789, 5), (200_000_000_000_000, 3)))), 3
    for row in found:
        for which in (paths.PRICE, paths.STOP, paths.PAID, paths.GOT):
            row[which] = max(1, middle[0] + draw(st.integers(-middle[0] // 10, middle[0] // 10)))
            row[which + paths.WRITTEN] = max(0, middle[1] + draw(st.integers(-1, most)))
        row[paths.STOP] *= draw(st.sampled_from((1, 1, 0)))
    return found


@how(max_examples=400, deadline=None)
@given(st.data(), equities, st.lists(some_terms, min_size=1, max_size=3))
def test_the_money_of_trades_is_that_of_the_session(data: st.DataObject, cash: Decimal, listed: list[Term]) -> None:
    count = data.draw(st.integers(1, 12))
    found = data.draw(trades(count))
    way = np.array(data.draw(st.lists(st.integers(0, len(listed) - 1), min_size=count, max_size=count)), dtype=np.int64)
    size = st.one_of(
        st.tuples(st.sampled_from(SHARES), st.booleans()), st.tuples(st.sampled_from(SHARES[:2]), st.just(False)), st.none()
    )
    single: dict[int, Size] = dict(enumerate(data.draw(st.lists(size, min_size=count, max_size=count))))
    wholes = np.array([_whole(one) for one in single.values()], dtype=np.int64)
    sizes = Sizes(wholes[:, 0], wholes[:, 1], way, {}, single)
    known = in_decimals(cash, [listed[at] for at in way.tolist()], list(single.values()), found)  # type: ignore[misc]
    made = chain(cash, listed, way, sizes, found)  # type: ignore[arg-type]
    columns = (made.before, made.intended, made.quantity, made.cost, made.held, made.charge, made.after)
    assert [tuple(map(repr, row)) for row in zip(*columns, strict=True)] == [tuple(map(repr, row)) for row in known]
    for column in columns:
        assert column.floats == pytest.approx(list(map(float, column)), rel=9e-16)


def test_a_kernel_reckons_ordinary_trades_by_itself() -> None:
    """Of 1,000 trades of a share of equity none is left to decimals; where a session would round, some are, and agree."""
    draws = np.random.default_rng(3)
    found = np.zeros((1000, paths.WIDTH), dtype=np.int64)
    for which in (paths.PRICE, paths.STOP, paths.PAID, paths.GOT):
        found[:, which], found[:, which + paths.WRITTEN] = draws.integers(2_900_000, 3_100_000, 1000), 2
    term = Term(1, Spec(Decimal("0.00000001")), Venue(Decimal("0.0010")))
    way, out = np.zeros(1000, dtype=np.int64), np.empty((1000, money.WIDTH), dtype=np.int64)
    shares, decimals, rows = np.full(1000, 5), np.full(1000, 2), np.array([term.money], dtype=np.int64)
    start = [int(one[0]) for one in columns_of([Decimal("100000.00")])]
    assert money.reckon(0, *start, way, shares, decimals, rows, found, out) == (1000, money.DONE)
    fine = rows.copy()
    fine[0, money.FEE_DECIMALS] = 15  # a fee of so many decimals makes more digits than a session keeps
    assert money.reckon(0, *start, way, shares, decimals, fine, found, out)[1] == money.UNSURE
