"""Conditions taken apart: which sets of clauses make a condition true, or false.

A clause is a node of the rule graph that is no `and`, `or`, `not`, together with the answer wanted of it. A condition has an
answer exactly where all clauses of one of its terms have theirs; this holds in three-valued logic too, since an unknown clause
gives no answer. A condition of more than 256 terms is not looked into: `None`.
"""

from __future__ import annotations

from collections.abc import Iterable

from tb.engine.graph import RuleGraph

Clause = tuple[int, bool]
Term = tuple[Clause, ...]
MOST_TERMS = 256


class Clauses:
    """Terms of the conditions of one graph, each worked out once."""

    def __init__(self, graph: RuleGraph) -> None:
        self.graph = graph
        self._known: dict[Clause, tuple[Term, ...] | None] = {}

    def terms(self, node: int, wanted: bool) -> tuple[Term, ...] | None:
        """The ways in which a condition comes to the answer wanted."""
        key = (node, wanted)
        if key not in self._known:
            self._known[key] = self._expand(node, wanted)
        return self._known[key]

    def together(self, clauses: Iterable[Clause]) -> tuple[Term, ...] | None:
        """The ways in which all of these come to their answers at once."""
        return _all_of([self.terms(node, wanted) for node, wanted in clauses])

    def _expand(self, id_: int, wanted: bool) -> tuple[Term, ...] | None:
        node = self.graph[id_]
        own: tuple[Term, ...] = (((id_, wanted),),)
        match node.op:
            case "not":
                return self.terms(node.args[0], not wanted)
            case "and" | "or":
                parts = [self.terms(argument, wanted) for argument in node.args]
                return _all_of(parts) if (node.op == "and") == wanted else _one_of(parts)
            case "every" | "some" if (node.op == "every") == wanted:
                # true at each of the last bars is true at this one; false at all of them is false at this one
                return _all_of([own, self.terms(node.args[0], wanted)]) or own
            case _:
                return own


def flat(graph: RuleGraph, id_: int, wanted: bool) -> tuple[Clause, ...]:
    """The clauses that all have to hold for the answer wanted, as far as they stand in one conjunction.

    A `not` of a single clause is left as it was written.
    """
    found: dict[Clause, None] = {}
    stack, seen = [(id_, wanted)], set[Clause]()
    while stack:
        clause = stack.pop()
        if clause in seen:
            continue
        seen.add(clause)
        node, answer = graph[clause[0]], clause[1]
        inner = graph[node.args[0]] if node.op == "not" else node
        inner_answer = answer != (node.op == "not")
        if inner.op == "not":
            stack.append((inner.args[0], not inner_answer))
        elif inner.op in {"and", "or"} and (inner.op == "and") == inner_answer:
            stack += [(argument, inner_answer) for argument in reversed(inner.args)]
        else:
            found[clause] = None
    return tuple(found)


def _all_of(parts: list[tuple[Term, ...] | None]) -> tuple[Term, ...] | None:
    joined: tuple[Term, ...] = ((),)
    for part in parts:
        if part is None or len(joined) * len(part) > MOST_TERMS:
            return None
        joined = tuple(tuple(dict.fromkeys((*before, *after))) for before in joined for after in part)
    return joined


def _one_of(parts: list[tuple[Term, ...] | None]) -> tuple[Term, ...] | None:
    joined: list[Term] = []
    for part in parts:
        if part is None or len(joined) + len(part) > MOST_TERMS:
            return None
        joined += part
    return tuple(joined)
