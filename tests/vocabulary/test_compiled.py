"""Kernels are kept on disk where that is possible, and run where it is not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
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


def test_machine_code_on_disk_is_anew_when_a_part_from_another_file_changes(tmp_path: Path) -> None:
    (tmp_path / "pieces.py").write_text(
        "from tb.vocabulary.kernels.compiled import part\nBY = 2.0\n@part\ndef times(x):\n    return x * BY\n"
    )
    (tmp_path / "whole.py").write_text(
        "from tb.vocabulary.kernels.compiled import compiled\nfrom pieces import times\n"
        "@compiled\ndef tripled(x):\n    return times(x) + x\n"
    )
    environment = os.environ | {
        "NUMBA_CACHE_DIR": str(tmp_path / "kept"),
        "PYTHONPATH": str(tmp_path),
        "PYTHONDONTWRITEBYTECODE": "1",
    }

    def run() -> str:
        command = [
            sys.executable,
            "-c",
            "from whole import tripled; print(tripled(1.0), sum(tripled.stats.cache_hits.values()))",
        ]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    assert [run(), run()] == ["3.0 0\n", "3.0 1\n"]
    (tmp_path / "pieces.py").write_text((tmp_path / "pieces.py").read_text().replace("2.0", "4.0"))
    assert run() == "5.0 0\n"
