"""Independent work on two processors: a second thread takes part of it.

Only work that lets other threads run (kernels do) gains by it. INVARIANT: when what `Beside` gave for tasks has returned,
all of them are done; what one of them raised is raised then.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import TracebackType

Task = Callable[[], object]


class Beside:
    """Begins tasks in the order given on the second thread; calling what it returns does the rest of them here, the last first,
    as far as the two come to them. Used with `with`, at whose end the thread ends."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, "columns") if processors() > 1 else None

    def __enter__(self) -> Beside:
        return self

    def __exit__(self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None) -> None:
        if self._pool is not None:
            self._pool.shutdown()

    def __call__(self, tasks: Sequence[Task]) -> Task:
        waiting = deque(tasks)
        if self._pool is None or not waiting:
            return partial(_work, waiting, waiting.popleft)
        other = self._pool.submit(_work, waiting, waiting.popleft)

        def finish() -> None:
            try:
                _work(waiting, waiting.pop)
            finally:
                waiting.clear()
                other.result()

        return finish


def processors() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _work(waiting: deque[Task], take: Callable[[], Task]) -> None:
    while waiting:
        try:
            task = take()
        except IndexError:  # the other thread was sooner
            return
        task()
