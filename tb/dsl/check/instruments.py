"""Instruments that are nearly those of the project: the same letters, written another way."""

from __future__ import annotations

from tb.dsl.check.scope import Scope


def spelt_otherwise(symbol: str, scope: Scope) -> str | None:
    """The instrument of a universe or group that differs only in its capitals or in `-`, `_` and `/`; None where there is none,
    and where the symbol itself is one."""
    known = [member for universe in scope.universes.values() for member in universe.members()]
    known += [member for group in scope.groups.values() for member in group.members]
    if symbol in known:
        return None
    return next((member for member in known if _letters(member) == _letters(symbol)), None)


def _letters(symbol: str) -> str:
    return "".join(letter for letter in symbol.upper() if letter.isalnum())
