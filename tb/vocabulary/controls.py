"""The controls of the library: what `use std.controls: NAME` brings, and what it needs of the project.

A control is one constraint or several; it is brought whole or not at all. A test holds that every constraint of
`std/controls.tb` belongs to one control, and that none of the catalogue is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Control:
    """`constraints` are the names it has in `std/controls.tb`; `needs` declarations that the project has to write, by name,
    each as an example."""

    name: str
    constraints: tuple[str, ...]
    needs: Mapping[str, str]


def _control(name: str, *others: str, needs: Mapping[str, str] | None = None) -> Control:
    return Control(name, (name, *others), needs or {})


CONTROLS: Mapping[str, Control] = {
    control.name: control
    for control in (
        _control("position"),
        _control("gross"),
        _control("permitted_list", needs={"permitted": "group permitted: BTC-USD, ETH-USD"}),
    )
}
