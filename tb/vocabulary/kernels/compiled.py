"""How kernels are compiled: at first use, without fast math, kept on disk where there is a place for it.

Guarantees: a system on which nothing can be written compiles anew in each process, and computes the same.

What is compiled at a first start is waited for, so no more is compiled than is needed: a private function, a part of kernels,
is called by other machine code alone and has no door to Python; and it is compiled once, not for each number written where it
is called.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

from numba import njit, typeof
from numba.core import types

F = TypeVar("F", bound=Callable[..., Any])
_type_of: Any = types.unliteral  # what a written number is a number of


def compiled(function: F, *, lets_go: bool = True) -> F:
    """The machine code of a kernel, or, where the name begins with `_`, of a part of kernels, which Python cannot call.

    Division by zero gives an infinity or NaN, as NumPy's does, and other threads may run.
    """
    is_part = function.__name__.startswith("_")
    options: dict[str, Any] = {"nogil": lets_go, "error_model": "numpy"}
    options |= {"no_cfunc_wrapper": True, "no_cpython_wrapper": is_part}
    try:
        made = njit(cache=True, **options)(function)
    except RuntimeError as refused:
        if "cannot cache" not in str(refused):
            raise
        made = njit(**options)(function)
    if is_part:
        made.get_call_template = _once(made.get_call_template)
    return cast(F, made)


def short(function: F) -> F:
    """The same of a kernel that is over so soon that letting other threads run would take longer."""
    return compiled(function, lets_go=False)


def call_of(kernel: Callable[..., Any], *arguments: Any) -> Callable[[], Any]:
    """The call of a kernel with these arguments, over and over: their types are looked at once, not each time."""
    return partial(cast(Any, kernel).compile(tuple(map(typeof, arguments))), *arguments)


def is_at_hand(kernel: Callable[..., Any]) -> bool:
    """Whether nothing is compiled when a kernel is called: it was, in this process or in one that left it on disk. What was
    left by another version of the file counts too, and is found out when it is called."""
    made = cast(Any, kernel)
    place = made.stats.cache_path
    kept = [] if place is None else Path(place).glob(f"*.{made.py_func.__qualname__}-*.nbi")
    return bool(made.signatures) or any(kept)


def _once(template: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """How a part is called, whatever numbers are written for its arguments: by their types."""

    def of_types(args: Any, named: Any) -> Any:
        return template(tuple(map(_type_of, args)), {name: _type_of(each) for name, each in named.items()})

    return of_types
