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


KILLED = """
import os
from numba.core.caching import IndexDataCacheFile
IndexDataCacheFile._save_data = lambda *_: os._exit(9)
from one import doubled
doubled(1.0)
"""


def test_machine_code_of_older_source_is_never_run_whoever_was_killed_while_it_was_kept(tmp_path: Path) -> None:
    source = tmp_path / "one.py"
    source.write_text("from tb.vocabulary.kernels.compiled import compiled\n@compiled\ndef doubled(x):\n    return 2.0 * x\n")
    environment = os.environ | {
        "NUMBA_CACHE_DIR": str(tmp_path / "kept"),
        "PYTHONPATH": str(tmp_path),
        "PYTHONDONTWRITEBYTECODE": "1",
    }

    def run(code: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)

    ask = "from one import doubled; print(doubled(1.0))"
    assert run(ask).stdout == "2.0\n"
    source.write_text(source.read_text().replace("2.0", "2.50"))
    assert run(KILLED).returncode == 9
    assert run(ask).stdout == "2.5\n"
    assert len(list((tmp_path / "kept").rglob("*.nbc"))) == 1  # in place of the older one's


def test_two_that_keep_machine_code_of_one_kernel_at_once_do_not_mix_it_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("numba.config.CACHE_DIR", str(tmp_path))
    kept = compiled(lambda x: x + x)._cache._cache_file  # type: ignore[attr-defined]
    Path(kept._cache_path).mkdir(parents=True, exist_ok=True)
    late: list[tuple[str, object]] = []
    with monkeypatch.context() as both:
        both.setattr(kept, "_load_index", dict)  # neither sees what the other one writes
        both.setattr(kept, "_save_data", lambda name, data: late.append((name, data)))
        kept.save("of floats", "code of floats")
        kept.save("of whole numbers", "code of whole numbers")
    for name, data in reversed(late):  # who was first with the index is last with the code
        kept._save_data(name, data)
    assert kept.load("of whole numbers") == "code of whole numbers"
    assert kept.load("of floats") in {"code of floats", None}  # the index of the later one stays
    kept.save("of floats", "code of floats")
    assert [kept.load(f"of {what}") for what in ("floats", "whole numbers")] == ["code of floats", "code of whole numbers"]
