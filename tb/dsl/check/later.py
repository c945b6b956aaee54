"""What the language can say and this version cannot evaluate yet: refused by name, so that nothing passes in silence.

A construct leaves this module on the day its meaning is checked. Names that such a declaration defines count as broken, so
that their uses say nothing more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tb.core.span import Span
from tb.dsl import syntax
from tb.dsl.check.scope import Scope

_WORDS: dict[type, str] = {
    syntax.Prove: "prove",
}


def refuse(scope: Scope, files: Sequence[syntax.File]) -> None:
    """One finding for each declaration or clause that is parsed and not evaluated."""
    for file in files:
        for node in file.declarations:
            for what, span in _later(node):
                scope.report("TB004", f"{what} is not evaluated yet", span, "remove it")
            if type(node) in _WORDS and not isinstance(node, syntax.Prove):
                scope.broken.add(str(getattr(node, "name", "")))


def _later(node: syntax.Declaration) -> Iterator[tuple[str, Span]]:
    match node:
        case syntax.Strategy():
            yield from _of_strategy(node)
        case _ if type(node) in _WORDS:
            yield f"`{_WORDS[type(node)]}`", node.span


def _of_strategy(node: syntax.Strategy) -> Iterator[tuple[str, Span]]:
    for enter in node.enters:
        clauses: dict[str, syntax.BreakEven | syntax.Trailing | None] = {
            "`stop to entry`": enter.break_even,
            "`stop trailing`": enter.trailing,
        }
        yield from ((what, clause.span) for what, clause in clauses.items() if clause is not None)
        yield from (("`take`", take.span) for take in enter.takes)
