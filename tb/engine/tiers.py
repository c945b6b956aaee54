"""Which tier of a universe an instrument belongs to at a bar: the first, in order, that lists it or whose condition holds.

An unknown condition before any tier that takes the instrument leaves its tier unknown, and then it is no member: it might
belong there, with that tier's weights. A node `tier` has the index of the tier, -1 for none; its constants are the name of
the universe and of each tier, `name` for one with a condition, `name:BTC-USD,ETH-USD` for one that lists; its arguments are the
conditions in order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from tb.dsl import checked
from tb.engine.graph import Node

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
NONE = -1.0


def constants_of(universe: checked.Universe) -> tuple[str, ...]:
    """The constants of the node of a universe with discovery."""
    tiers = (t.name if t.where is not None else f"{t.name}:{','.join(t.members)}" for t in universe.tiers)
    return (universe.name, *tiers)


def tier_names(node: Node) -> tuple[str, ...]:
    return tuple(str(const).split(":", 1)[0] for const in node.consts[1:])


def _tests(node: Node, symbol: str) -> Iterator[tuple[int, int | None]]:
    """For each tier that may take the instrument its index, with the place of its condition, None where it is listed."""
    condition = 0
    for index, const in enumerate(str(const) for const in node.consts[1:]):
        if ":" not in const:
            yield index, condition
            condition += 1
        elif symbol in const.split(":", 1)[1].split(","):
            yield index, None


def tier_column(node: Node, symbols: Sequence[str], conditions: Sequence[Floats], shape: tuple[int, int]) -> Floats:
    """The tier of each instrument at each bar [k, n], from the values of the conditions [k, n]."""
    import numpy as np

    found = np.full(shape, NONE)
    place = len(conditions)
    for index, const in reversed(list(enumerate(str(const) for const in node.consts[1:]))):
        if ":" in const:
            listed = const.split(":", 1)[1].split(",")
            found[[symbol in listed for symbol in symbols]] = float(index)
            continue
        place -= 1
        condition = conditions[place]
        found = np.where(np.isnan(condition), np.nan, np.where(condition == 1.0, float(index), found))
    return found


def tier_value(node: Node, symbol: str, conditions: Sequence[float]) -> float:
    """The same at one bar, by the definition."""
    for index, place in _tests(node, symbol):
        condition = 1.0 if place is None else conditions[place]
        if condition != 0.0:
            return float(index) if condition == 1.0 else float("nan")
    return NONE


def tier_name(node: Node, value: float | None) -> str | None:
    """The name of the tier that a value of the node means; None where it is unknown, or no tier."""
    names = tier_names(node)
    return names[int(value)] if value is not None and 0 <= value < len(names) else None


def is_tier(node: Node, tier: Node, value: Floats) -> Floats:
    """Whether the instrument is in the tier that a `tier_is` asks for, from the column of its `tier`."""
    import numpy as np

    names = tier_names(tier)
    wanted = float(names.index(str(node.consts[1]))) if node.consts[1] in names else np.inf
    return np.where(np.isnan(value), np.nan, (value == wanted).astype(np.float64))
