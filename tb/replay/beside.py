"""Independent work on two processors: a second thread takes part of it.

Only work that lets other threads run (kernels do) gains by it. INVARIANT: when a call is over, all of its tasks are; what one
of them raised is raised then.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType


class Beside:
    """Does tasks in the order given, as far as the two threads come to them. Used with `with`, at whose end the thread ends."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, "columns") if processors() > 1 else None

    def __enter__(self) -> Beside:
        return self

    def __exit__(self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None) -> None:
        if self._pool is not None:
            self._pool.shutdown()

    def __call__(self, tasks: Sequence[Callable[[], object]]) -> None:
        waiting = deque(tasks)
        if self._pool is None or len(waiting) < 2:
            _work(waiting)
            return
        other = self._pool.submit(_work, waiting)
        try:
            _work(waiting)
        finally:
            waiting.clear()
            other.result()


def processors() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _work(waiting: deque[Callable[[], object]]) -> None:
    while waiting:
        try:
            task = waiting.popleft()
        except IndexError:  # the other thread was sooner
            return
        task()
