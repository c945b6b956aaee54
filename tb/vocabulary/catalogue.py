"""Every function a rule can call, by name, in the order of the tables.

Guarantees: names are unique, and importing this module imports neither numpy nor numba.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from tb.vocabulary.function import Function
from tb.vocabulary.functions import averages, funding, momentum, pairs, patterns, statistics, trend, volatility, volume

_TABLES = (averages, momentum, trend, volatility, volume, statistics, patterns, pairs, funding)

FUNCTIONS: Mapping[str, Function] = MappingProxyType(
    {function.name: function for table in _TABLES for function in table.FUNCTIONS},
)


def lookup(name: str) -> Function | None:
    """The function of that name, or None."""
    return FUNCTIONS.get(name)
