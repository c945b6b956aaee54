"""Which names each declaration of a project uses: in expressions, in the holes of texts, as the universe of a strategy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tb.dsl import syntax
from tb.dsl.check import needs_of
from tb.dsl.names import names_in


@dataclass(frozen=True, slots=True)
class Statement:
    """One declaration and the names it uses. `kind` is the word it is declared with; `name` is empty where it defines none.

    Strategies and constraints are needed by themselves, and so are the controls that a policy file brings by `use`. Other `use`
    lines and `require` between parameters need nothing.
    """

    name: str
    kind: str
    file: str
    declaration: syntax.Declaration
    uses: tuple[str, ...]

    @property
    def is_definition(self) -> bool:
        kinds = {"let", "trigger", "function", "score", "signal", "table", "session", "feed", "param", "group", "universe"}
        return self.kind in kinds | {"regime"}

    @property
    def is_needed_by_itself(self) -> bool:
        return not self.is_definition and self.kind != "paramrequire"


def statements(files: Sequence[syntax.File]) -> tuple[Statement, ...]:
    """Every declaration, in the order of the files."""
    found = []
    for file in files:
        for declaration in file.declarations:
            kind = type(declaration).__name__.lower()
            # a block of regimes has no name of its own: conditions call it `regime`
            name = "regime" if kind == "regime" else str(getattr(declaration, "name", ""))
            uses = needs_of(declaration, file) if isinstance(declaration, syntax.Use) else names_in(declaration)
            found.append(Statement(name, kind, file.path, declaration, tuple(dict.fromkeys(uses))))
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
