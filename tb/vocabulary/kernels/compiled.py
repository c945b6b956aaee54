"""How kernels are compiled: at first use, without fast math, kept on disk where there is a place for it.

Guarantees: a system on which nothing can be written compiles anew in each process, and computes the same.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar, cast

from numba import njit, typeof

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F, *, lets_go: bool = True) -> F:
    """The machine code of a kernel; division by zero gives an infinity or NaN, as NumPy's does, and other threads may run."""
    try:
        return cast(F, njit(cache=True, nogil=lets_go, error_model="numpy")(function))
    except RuntimeError as refused:
        if "cannot cache" not in str(refused):
            raise
        return cast(F, njit(nogil=lets_go, error_model="numpy")(function))


def short(function: F) -> F:
    """The same of a kernel that is over so soon that letting other threads run would take longer."""
    return compiled(function, lets_go=False)


def call_of(kernel: Callable[..., Any], *arguments: Any) -> Callable[[], Any]:
    """The call of a kernel with these arguments, over and over: their types are looked at once, not each time."""
    return partial(cast(Any, kernel).compile(tuple(map(typeof, arguments))), *arguments)
