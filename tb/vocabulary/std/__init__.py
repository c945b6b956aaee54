"""Rules written in the language itself that come with tb."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Standard:
    """One file of the standard library: its path as messages show it, and its text."""

    path: str
    text: str


VENUE = Standard("std/venue.tb", files(__package__).joinpath("venue.tb").read_text(encoding="utf-8"))
