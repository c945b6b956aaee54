"""The compiled form of every function: one module for each family, compiled at first use and kept on disk.

Nothing heavy is imported before `load` or `load_pointwise` is called.

INVARIANT: a kernel calls only functions of its own module. The cache on disk notices an edit of the file that holds a kernel
and of no other, so a kernel that called into another file could run its old code.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any, cast

from tb.vocabulary.function import Function, Kernel
from tb.vocabulary.pointwise import Pointwise

# kernel(inputs[arguments, n], output[n]) -> None
PointwiseKernel = Callable[[Any, Any], None]


@cache
def _named(name: str) -> Any:
    module, _, function = name.partition(":")
    return getattr(import_module(f"{__name__}.{module}"), function)


def load(function: Function) -> Kernel:
    """The compiled kernel of a function. The signature is in `tb.vocabulary.function`."""
    return cast(Kernel, _named(function.kernel))


@cache
def address(function: Function) -> int:
    """Where the machine code of a function's kernel lies, as the loop over many instruments takes it."""
    found: int = _named("many:address_of")(load(function))
    return found


@cache
def load_together() -> Any:
    """The loop that runs a kernel over many instruments. Its arguments: `tb.vocabulary.kernels.many.for_each`."""
    return _named("many:for_each")


@cache
def load_truth(name: str) -> Any:
    """`compared`, `joined` or `in_bytes` of `tb.vocabulary.kernels.truth`."""
    return _named(f"truth:{name}")


@cache
def load_averages(name: str) -> Any:
    """`related` or `mean_at` of `tb.vocabulary.kernels.averages`."""
    return _named(f"averages:{name}")


def load_pointwise(function: Pointwise) -> PointwiseKernel:
    """The compiled kernel of a function of one bar."""
    return cast(PointwiseKernel, _named(function.kernel))
