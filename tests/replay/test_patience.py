"""A replay judges exactly at first where the interval kernel is on no disk, and records the same."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from small_projects import bars, compiled, market, run, strategy

from tb.replay import patience as room
from tb.replay import run as replaying
from tb.replay.course import passing


def kernel(place: Path | None, signatures: list[object]) -> SimpleNamespace:
    def settle() -> None: ...

    settle.__qualname__ = "settle"
    return SimpleNamespace(stats=SimpleNamespace(cache_path=place), py_func=settle, signatures=signatures)


def test_it_waits_only_where_there_is_no_machine_code(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(room, "settle", kernel(tmp_path, []))
    assert room.patience() == room.ENOUGH
    monkeypatch.setattr(room, "settle", kernel(None, []))
    assert room.patience() == room.ENOUGH
    monkeypatch.setattr(room, "settle", kernel(None, [()]))
    assert room.patience() == 0
    (tmp_path / "intervals.settle-169.py311.nbi").touch()
    monkeypatch.setattr(room, "settle", kernel(tmp_path, []))
    assert room.patience() == 0


def test_a_replay_that_judged_much_leaves_a_note_for_the_next(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(room, "settle", kernel(tmp_path / "kept", []))
    room.note_for_the_next(room.MUCH - 1)
    assert room.patience() == room.ENOUGH
    room.note_for_the_next(room.MUCH)
    assert room.patience() == 0
    (tmp_path / "file").touch()
    for place, signatures in ((None, []), (tmp_path / "file", []), (tmp_path / "other", [()])):  # nowhere to write, or no need
        monkeypatch.setattr(room, "settle", kernel(place, signatures))  # type: ignore[arg-type]
        room.note_for_the_next(room.MUCH)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "kept"]


def test_decisions_that_are_passed_over_ask_for_no_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    noted: list[int] = []
    monkeypatch.setattr(replaying, "note_for_the_next", noted.append)
    words = strategy("close > close[1]", stop="2% below entry", target="3% above entry")
    prices = [100 + at % 7 * 2 - at % 11 for at in range(200)]
    data = market(bars("BTC-USD", [(price, price + 3, price - 3, price + at % 3 - 1) for at, price in enumerate(prices)]))
    for worth in (1, 1 << 40):
        monkeypatch.setattr(passing, "WORTH", worth)
        decisions = run(compiled(words, "limit most equity >= 9_900 USD\n"), data).outcome.counts["decisions"]
    assert noted[0] < 5 < noted[1] == decisions


def test_a_replay_that_waits_records_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    words = strategy("close > close[1]", stop="2% below entry", target="3% above entry", size="30% of equity")
    limits = "limit share after.exposure(order.instrument) <= 10% of equity otherwise shrink\nlimit most equity >= 9_900 USD\n"
    prices = [100 + at % 7 * 2 - at % 11 for at in range(200)]
    data = market(bars("BTC-USD", [(price, price + 3, price - 3, price + at % 3 - 1) for at, price in enumerate(prices)]))
    project, found = compiled(words, limits), []
    for questions in (0, 7, 1 << 40):
        monkeypatch.setattr(replaying, "patience", lambda questions=questions: questions)
        found.append(list(map(repr, run(project, data).records.records)))
    assert len(found[0]) > 50
    assert found[1] == found[0]
    assert found[2] == found[0]
