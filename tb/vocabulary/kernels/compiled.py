"""How kernels are compiled: at first use, without fast math, kept on disk where there is a place for it.

Guarantees: a system on which nothing can be written compiles anew in each process, and computes the same.

What is compiled at a first start is waited for, so no more is compiled than is needed: a part of kernels, called by other
machine code alone, has no door to Python, and it is compiled once, not for each number written where it is called.

INVARIANT: machine code from disk is that of the source as it stands, parts and numbers from other files included: numba looks
at the file of a kernel alone, here what it takes from elsewhere counts as well (`_taken`). It is so whoever else keeps code of
the same kernel just now, or was killed while he did (`_keep`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from hashlib import sha256
from types import CodeType, ModuleType
from typing import Any, TypeVar, cast

import numpy as np
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
        made = njit(cache=True, **options)(function)
    except RuntimeError as refused:
        if "cannot cache" not in str(refused):
            raise
        return njit(**options)(function)
    kept = made._cache._cache_file
    kept._source_stamp = (kept._source_stamp, _taken(function.__code__, function.__globals__))
    kept.save, kept.load = partial(_keep, kept), partial(_kept, kept, kept.load)
    return made


def _keep(kept: Any, key: object, code: object) -> None:
    """Keeps machine code together with what it was made of, under a name that no other types have; then the index notes it.

    numba counts the files of a kernel from 1 for each source, and notes one before it is written: until then, and for good
    where its writer was killed, the index of new source names a file of old one, or what somebody else wrote under that number.
    """
    name = f"{kept._index_name.removesuffix('.nbi')}.{sha256(repr(key).encode()).hexdigest()[:24]}.nbc"
    kept._save_data(name, (kept._source_stamp, code))
    kept._save_index(kept._load_index() | {key: name})


def _kept(kept: Any, load: Callable[[object], Any], key: object) -> Any:
    """The code for these types, None where there is none of this source."""
    found = load(key)
    return found[1] if found is not None and found[0] == kept._source_stamp else None


def _taken(code: CodeType, names: Mapping[str, Any]) -> tuple[object, ...]:
    """What a function reads by name: of parts the source they were made from, of all else what it is."""
    found = [(name, names[name]) for name in code.co_names if name in names]
    modules = [value for _, value in found if isinstance(value, ModuleType) and value.__name__.startswith("tb.")]
    found += [(name, vars(module)[name]) for module in modules for name in code.co_names if name in vars(module)]
    inner = tuple(_taken(one, names) for one in code.co_consts if isinstance(one, CodeType))
    return tuple((name, _stamp(value)) for name, value in found if not isinstance(value, ModuleType)) + inner


def _stamp(value: object) -> object:
    file = getattr(getattr(value, "_cache", None), "_cache_file", None)
    if file is not None:
        return file._source_stamp
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.tobytes()
    # of anything else the words may tell where it lies in memory
    return repr(value) if isinstance(value, (bool, int, float, str, bytes, tuple, np.generic)) else type(value).__name__


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
