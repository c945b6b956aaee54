"""Tasks on two threads: all of them are done when they were waited for, whatever one of them does."""

from __future__ import annotations

import threading

import pytest

import tb.replay.beside as beside_
from tb.replay.beside import Beside


@pytest.mark.parametrize("processors", [1, 2])
def test_all_tasks_are_done_when_the_call_is_over(processors: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside_, "processors", lambda: processors)
    done: list[int] = []
    with Beside() as beside:
        for size in (0, 1, 2, 7):
            done.clear()
            beside([lambda at=at: done.append(at) for at in range(size)])()  # type: ignore[misc]
            assert sorted(done) == list(range(size))


def test_two_tasks_run_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside_, "processors", lambda: 2)
    both = threading.Barrier(2, timeout=30)
    with Beside() as beside:
        beside([both.wait, both.wait])()  # neither ends before the other has begun


@pytest.mark.parametrize("wrong", [0, 1, 2, 3])
def test_what_a_task_raises_is_raised_by_the_call(wrong: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside_, "processors", lambda: 2)

    def task(at: int) -> None:
        if at == wrong:
            raise ValueError(at)

    with Beside() as beside:
        for _ in range(20):
            finish = beside([lambda at=at: task(at) for at in range(4)])  # type: ignore[misc]
            with pytest.raises(ValueError, match=str(wrong)):
                finish()
        beside([])()
