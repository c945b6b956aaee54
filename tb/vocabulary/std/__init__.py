"""Rules written in the language itself that come with tb.

`venue.tb` stands before the policy of every project. `triggers.tb` and `controls.tb` are the library: `use std.triggers` and
`use std.controls: NAME` bring what they define into a project.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Standard:
    """One file of the standard library: its path as messages show it, and its text."""

    path: str
    text: str


def _standard(name: str) -> Standard:
    return Standard(f"std/{name}.tb", files(__package__).joinpath(f"{name}.tb").read_text(encoding="utf-8"))


VENUE, TRIGGERS, CONTROLS = map(_standard, ("venue", "triggers", "controls"))
PREFIX = "std."  # of a module of the library, as `use` names it
LIBRARY: Mapping[str, Standard] = {"std.triggers": TRIGGERS, "std.controls": CONTROLS}
TEXTS: Mapping[str, str] = {standard.path: standard.text for standard in (VENUE, TRIGGERS, CONTROLS)}
