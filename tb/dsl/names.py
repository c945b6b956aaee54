"""The names that a piece of a parsed file uses: in expressions, in the holes of texts, as the universe of a strategy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass

from tb.dsl import syntax
from tb.dsl.template import Hole, parse_template


def names_in(item: object) -> Iterator[str]:
    """Names as they stand in expressions (`limits.NAME` whole), and the first part of those with a dot."""
    match item:
        case syntax.Name(parts=parts):
            yield parts[0]
            yield ".".join(parts)
        case syntax.Function(parameters=parameters):
            yield from (name for name in names_in(item.value) if name.split(".")[0] not in parameters)
        case syntax.During(session=session):
            yield session
        case syntax.Of(value=syntax.Name(parts=("group",))):
            yield "group of"
            yield from _fields(item)
        case syntax.Strategy(universe=universe):
            yield universe
            yield from _fields(item)
        case syntax.Text():
            for piece in parse_template(item)[0]:
                if isinstance(piece, Hole):
                    yield from names_in(piece.expression)
        case tuple():
            for part in item:
                yield from names_in(part)
        case _ if is_dataclass(item) and not isinstance(item, type):
            yield from _fields(item)


def _fields(item: object) -> Iterator[str]:
    for each in fields(item):  # type: ignore[arg-type]
        if each.name != "span":
            yield from names_in(getattr(item, each.name))
