"""Which names each declaration of a project uses: in expressions, in the holes of texts, as the universe of a strategy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass

from tb.dsl import syntax
from tb.dsl.template import Hole, parse_template


@dataclass(frozen=True, slots=True)
class Statement:
    """One declaration and the names it uses. `kind` is the word it is declared with; `name` is empty where it defines none.

    Strategies and constraints are needed by themselves; `use` and `require` between parameters need nothing.
    """

    name: str
    kind: str
    file: str
    declaration: syntax.Declaration
    uses: tuple[str, ...]

    @property
    def is_definition(self) -> bool:
        return self.kind in {"let", "trigger", "function", "score", "signal", "session", "param", "group", "universe", "regime"}

    @property
    def is_needed_by_itself(self) -> bool:
        return not self.is_definition and self.kind not in {"use", "paramrequire"}


def statements(files: Sequence[syntax.File]) -> tuple[Statement, ...]:
    """Every declaration, in the order of the files."""
    found = []
    for file in files:
        for declaration in file.declarations:
            kind = type(declaration).__name__.lower()
            # a block of regimes has no name of its own: conditions call it `regime`
            name = "regime" if kind == "regime" else str(getattr(declaration, "name", ""))
            found.append(Statement(name, kind, file.path, declaration, tuple(dict.fromkeys(_names(declaration)))))
    return tuple(found)


def needed(everything: Sequence[Statement]) -> frozenset[str]:
    """The names that strategies and constraints need, directly or through others."""
    uses: Mapping[str, tuple[str, ...]] = {s.name: s.uses for s in everything if s.is_definition}
    stack = [name for statement in everything if statement.is_needed_by_itself for name in statement.uses]
    seen: set[str] = set()
    while stack:
        name = stack.pop()
        if name not in seen:
            seen.add(name)
            stack += uses.get(name, ())
    return frozenset(seen)


def _names(item: object) -> Iterator[str]:
    """Names as they stand in expressions (`limits.NAME` whole), and the first part of those with a dot."""
    match item:
        case syntax.Name(parts=parts):
            yield parts[0]
            yield ".".join(parts)
        case syntax.Function(parameters=parameters):
            yield from (name for name in _names(item.value) if name.split(".")[0] not in parameters)
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
                    yield from _names(piece.expression)
        case tuple():
            for part in item:
                yield from _names(part)
        case _ if is_dataclass(item) and not isinstance(item, type):
            yield from _fields(item)


def _fields(item: object) -> Iterator[str]:
    for each in fields(item):  # type: ignore[arg-type]
        if each.name != "span":
            yield from _names(getattr(item, each.name))
