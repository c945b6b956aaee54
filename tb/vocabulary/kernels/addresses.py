"""Where the machine code of a kernel lies, as the loop over instruments takes it."""

from __future__ import annotations

from typing import Any

from numba import types
from numba.core.types import WrapperAddressProtocol

_ONE, _TWO = (types.Array(types.float64, dimensions, "C") for dimensions in (1, 2))
SIGNATURE = types.void(_ONE, _ONE, _TWO, _TWO)


class Address(WrapperAddressProtocol):
    """A kernel, compiled or fetched from disk for the one layout that all of them take."""

    def __init__(self, kernel: Any) -> None:
        kernel.compile(SIGNATURE.args)
        made = kernel.overloads[SIGNATURE.args]
        self._kernel = kernel  # its code stays as long as this does
        self._address = made.library.get_pointer_to_function(made.fndesc.llvm_cfunc_wrapper_name)

    def __wrapper_address__(self) -> int:
        address: int = self._address
        return address

    def signature(self) -> Any:
        return SIGNATURE
