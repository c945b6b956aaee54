"""How kernels are compiled: at first use, without fast math, kept on disk where there is a place for it.

Guarantees: a system on which nothing can be written compiles anew in each process, and computes the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """The machine code of a kernel; division by zero gives an infinity or NaN, as NumPy's does, and other threads may run."""
    try:
        return cast(F, njit(cache=True, nogil=True, error_model="numpy")(function))
    except RuntimeError as refused:
        if "cannot cache" not in str(refused):
            raise
        return cast(F, njit(nogil=True, error_model="numpy")(function))
