"""The compiled filler: floats nearest to the numbers, or a refusal that leaves the reading to Python."""

from __future__ import annotations

import struct
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tb.gate import reading

pytestmark = pytest.mark.skipif(
    reading.filling is None, reason="filling.c is not compiled for this Python: `make setup` needs a compiler"
)


def filled(
    numbers: tuple[Any, ...], words: tuple[Any, ...] = (), others: tuple[Any, ...] = ()
) -> tuple[str | None, list[float]]:
    floats = np.full(len(numbers) + len(words) + len(others) + 1, 0.125)
    filler = reading.filling.Filler(memoryview(floats).cast("B"), len(numbers), len(words), len(others))
    told = filler.fill(*numbers, *words, *others)
    assert floats[-1] == 0.125
    return told, floats[:-1].tolist()


NUMBERS = st.decimals(allow_nan=False, allow_infinity=False) | st.builds(
    lambda digits, exponent, sign: Decimal((sign, tuple(map(int, str(digits))), exponent)),
    st.integers(0, 10**20) | st.integers(2**53 - 5, 2**53 + 5),
    st.integers(-30, 5),
    st.sampled_from([0, 1]),
)


@given(st.lists(NUMBERS | st.none(), max_size=6))
def test_a_number_becomes_the_float_nearest_to_it(numbers: list[Decimal | None]) -> None:
    told, floats = filled(tuple(numbers))
    if told is None:  # a text of more than 64 bytes, or no finite float
        assert any(one is not None and (len(str(one)) > 64 or not np.isfinite(float(one))) for one in numbers)
        return
    assert told == f"[{','.join(map(str, numbers))}]"
    expected = [float("nan") if one is None else float(one) for one in numbers]
    assert [struct.pack("d", one) for one in floats] == [struct.pack("d", one) for one in expected]


def test_words_are_known_or_not_and_others_are_as_they_are() -> None:
    told, floats = filled((), ("buy", None), (3, None, 0.5, float("inf"), -7))
    assert told == "[]"
    assert repr(floats) == "[0.0, nan, 3.0, nan, 0.5, inf, -7.0]"


@pytest.mark.parametrize(
    "number",
    [Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), Decimal("1E+400"), Decimal("0." + "1" * 70), 1, 1.5, "1", True],
)
def test_what_is_no_plain_number_is_refused(number: object) -> None:
    assert filled((Decimal(1), number))[0] is None


@pytest.mark.parametrize("other", ["1", np.float64(1.5), Decimal(1), True, 10**400])
def test_what_is_no_plain_float_is_refused(other: object) -> None:
    assert filled((Decimal(1),), (), (other,))[0] is None


def test_a_number_of_another_kind_is_refused() -> None:
    class Odd(Decimal):
        def __str__(self) -> str:
            return "7"

    assert filled((Odd(1),))[0] is None


def test_it_takes_as_many_as_it_was_made_for() -> None:
    filler = reading.filling.Filler(memoryview(np.zeros(2)).cast("B"), 1, 0, 1)
    with pytest.raises(TypeError, match="2 values are filled in, not 1"):
        filler.fill(Decimal(1))


@pytest.mark.parametrize("counts", [(2, 1, 0), (-1, 0, 0), (0, 3, 0), (0, 0, 1 << 62)])
def test_and_not_more_than_there_is_room_for(counts: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="no room"):
        reading.filling.Filler(memoryview(np.zeros(2)).cast("B"), *counts)


def test_floats_lie_at_multiples_of_their_size() -> None:
    with pytest.raises(ValueError, match="no room"):
        reading.filling.Filler(memoryview(np.zeros(3)).cast("B")[4:20], 1, 0, 0)


def test_a_buffer_that_cannot_be_written_is_refused() -> None:
    with pytest.raises(BufferError):
        reading.filling.Filler(memoryview(bytes(64)), 1, 0, 0)
