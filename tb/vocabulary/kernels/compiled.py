"""How kernels are compiled: at first use, without fast math, kept on disk where there is a place for it.

Guarantees: a system on which nothing can be written compiles anew in each process, and computes the same.

What is compiled at a first start is waited for, so no more is compiled than is needed: a part of kernels, called by other
machine code alone, has no door to Python, and it is compiled once, not for each number written where it is called.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar, cast

from numba import njit, typeof
from numba.core import types

F = TypeVar("F", bound=Callable[..., Any])
_type_of: Any = types.unliteral  # what a written number is a number of


def compiled(function: F, *, lets_go: bool = True) -> F:
    """The machine code of a kernel; division by zero gives an infinity or NaN, as NumPy's does, and other threads may run."""
    return cast(F, _made(function, nogil=lets_go))


def part(function: F) -> F:
    """The same of a part of kernels, which other machine code calls, and Python cannot."""
    made = _made(function, nogil=True, no_cpython_wrapper=True)
    made.get_call_template = _once(made.get_call_template)
    made._insert = _kept_from_python  # it would jump to where no code is
    made._compile_for_args = _refused
    return cast(F, made)


def _made(function: Callable[..., Any], **options: Any) -> Any:
    options |= {"error_model": "numpy", "no_cfunc_wrapper": True}
    try:
        return njit(cache=True, **options)(function)
    except RuntimeError as refused:
        if "cannot cache" not in str(refused):
            raise
        return njit(**options)(function)


def _kept_from_python(*_: Any, **__: Any) -> None:
    """Lists no machine code for calls from Python."""


def _refused(*_: Any, **__: Any) -> None:
    raise TypeError("a part of kernels is called by kernels alone")


def short(function: F) -> F:
    """The same of a kernel that is over so soon that letting other threads run would take longer."""
    return compiled(function, lets_go=False)


def call_of(kernel: Callable[..., Any], *arguments: Any) -> Callable[[], Any]:
    """The call of a kernel with these arguments, over and over: their types are looked at once, not each time."""
    return partial(cast(Any, kernel).compile(tuple(map(typeof, arguments))), *arguments)


def _once(template: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """How a part is called, whatever numbers are written for its arguments: by their types."""

    def of_types(args: Any, named: Any) -> Any:
        return template(tuple(map(_type_of, args)), {name: _type_of(each) for name, each in named.items()})

    return of_types
