"""Faults alone and in pairs: a part of what `tests/soak/faults.py` goes through."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from faulting import FAULTS, MOMENTS, day

PAIRS = list(itertools.combinations(FAULTS, 2))


@pytest.mark.parametrize("moment", MOMENTS)
def test_every_fault_alone(tmp_path: Path, moment: str) -> None:
    for name, fault in FAULTS.items():
        watch = day(tmp_path / name, {moment: [fault]})
        assert list(watch.end()) == [], name


def test_pairs_of_faults(tmp_path: Path) -> None:
    for number, (one, other) in enumerate(PAIRS[::11]):
        moments = MOMENTS[number % 3], MOMENTS[number // 3 % 3]
        chosen: dict[str, list] = {}  # type: ignore[type-arg]
        for moment, name in zip(moments, (one, other), strict=True):
            chosen.setdefault(moment, []).append(FAULTS[name])
        assert list(day(tmp_path / str(number), chosen).end()) == [], (one, other, moments)


def test_every_fault_changes_the_day(tmp_path: Path) -> None:
    """None of them is asked for in a way that never happens."""

    def told(name: str, faults: dict) -> list:  # type: ignore[type-arg]
        made = day(tmp_path / name, faults).made
        about = [(one.what, one.status, one.details.get("purpose")) for one in made.handlings if one.what != "agreement"]
        return [*about, *made.alarms, made.truth.calls]

    plain = told("plain", {})
    for name, fault in FAULTS.items():
        if name == "told twice":
            continue  # that it changes nothing is the point
        assert any(told(f"{name} {moment}", {moment: [fault]}) != plain for moment in MOMENTS), name
