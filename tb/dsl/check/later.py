"""What the language can say and this version cannot evaluate yet: refused by name, so that nothing passes in silence.

A construct leaves this module on the day its meaning is checked. Names that such a declaration defines count as broken, so
that their uses say nothing more.
"""

from __future__ import annotations

from collections.abc import Sequence

from tb.dsl import syntax
from tb.dsl.check.scope import Scope

_WORDS: dict[type, str] = {
    syntax.Prove: "prove",
}


def refuse(scope: Scope, files: Sequence[syntax.File]) -> None:
    """One finding for each declaration or clause that is parsed and not evaluated."""
    for file in files:
        for node in file.declarations:
            if type(node) not in _WORDS:
                continue
            scope.report("TB004", f"`{_WORDS[type(node)]}` is not evaluated yet", node.span, "remove it")
            if not isinstance(node, syntax.Prove):
                scope.broken.add(str(getattr(node, "name", "")))
