"""The unit of a function's outputs, from the units of its series arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tb.core.units import NUMBER, PRICE, QUANTITY, RATIO, TRUTH, Kind, Unit, money

UnitRule = Callable[[Sequence[Unit]], Unit]


def same(units: Sequence[Unit]) -> Unit:
    """The unit of the first argument that has one: an average of prices is a price; a literal 0 takes its neighbour's unit."""
    return next((unit for unit in units if unit.kind is not Kind.ANY), units[0])


def number(_units: Sequence[Unit]) -> Unit:
    return NUMBER


def ratio(_units: Sequence[Unit]) -> Unit:
    return RATIO


def price(_units: Sequence[Unit]) -> Unit:
    return PRICE


def quantity(_units: Sequence[Unit]) -> Unit:
    return QUANTITY


def us_dollars(_units: Sequence[Unit]) -> Unit:
    return money("USD")


def truth(_units: Sequence[Unit]) -> Unit:
    return TRUTH
