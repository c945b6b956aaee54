"""Kernels are kept on disk where that is possible, and run where it is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tb.vocabulary.kernels import compiled as room
from tb.vocabulary.kernels.compiled import compiled, part


def twice(x: float) -> float:
    return 2.0 * x


def test_without_a_place_to_write_a_kernel_is_compiled_for_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("numba.core.caching.CacheImpl._locator_classes", [])
    assert compiled(twice)(21.0) == 42.0


def test_division_by_zero_is_no_exception() -> None:
    def divided(x: float) -> float:
        return 1.0 / x

    assert compiled(divided)(0.0) == float("inf")


def test_any_other_refusal_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: Any) -> Any:
        raise RuntimeError("something else")

    monkeypatch.setattr(room, "njit", refuse)
    with pytest.raises(RuntimeError, match="something else"):
        compiled(twice)


def _shifted(values: Any, by: int) -> float:
    return values[by] + by  # type: ignore[no-any-return]


def test_a_part_is_compiled_once_whatever_numbers_are_written_for_it() -> None:
    shifted = part(_shifted)

    def whole(values: Any) -> float:
        return shifted(values, 0) + shifted(values, 1) + shifted(values, by=2)

    assert compiled(whole)(np.array([1.0, 10.0, 100.0])) == 114.0
    assert len(shifted.signatures) == 1  # type: ignore[attr-defined]


@pytest.mark.parametrize("is_compiled", [False, True])
def test_a_part_refuses_a_call_from_python(is_compiled: bool) -> None:
    shifted = part(_shifted)

    def whole(values: Any) -> float:
        return shifted(values, 1)

    if is_compiled:
        assert compiled(whole)(np.array([1.0, 2.0])) == 3.0
    with pytest.raises(TypeError, match="called by kernels alone"):
        shifted(np.array([1.0, 2.0]), 1)
