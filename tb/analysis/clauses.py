"""Conditions taken apart: which sets of clauses make a condition true, or false.

A clause is a node of the rule graph that is no `and`, `or`, `not`, together with the answer wanted of it. A condition has an
answer exactly where all clauses of one of its terms have theirs; this holds in three-valued logic too, since an unknown clause
gives no answer. A condition of more than 256 terms is not looked into: `None`.

Which case of a regime, a signal or a table counts says something of its conditions, too: its own is true, and those above it
are false. That is added where it comes to a few terms.
"""

from __future__ import annotations

from collections.abc import Iterable

from tb.core.units import TRUTH
from tb.engine.graph import RuleGraph

Clause = tuple[int, bool]
Term = tuple[Clause, ...]
MOST_TERMS = 256
MOST_OF_CASES = 16  # terms that a choice of cases may add


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
            case "regime_is" | "first_is" if wanted:
                return self._first(own, node.args[0], [int(str(node.consts[0]))])
            case "signal_is" if wanted:
                signal = self.graph[node.args[0]]
                signs = [*signal.consts, 0]  # the last one is neutral
                return self._first(own, signal.args[0], [at for at, sign in enumerate(signs) if sign == node.consts[0]])
            case "pick" if node.unit == TRUTH:
                said = [self.graph[outcome].consts[:1] for outcome in node.args[1:]]
                return self._first(own, node.args[0], [at for at, outcome in enumerate(said) if outcome == (int(wanted),)])
            case _:
                return own

    def _first(self, own: tuple[Term, ...], chosen: int, cases: list[int]) -> tuple[Term, ...]:
        """The ways in which one of these cases is the first that is true; the one after the last is `otherwise`."""
        conditions = self.graph[chosen].args
        ways = []
        for case in cases:
            parts = [self.terms(condition, False) for condition in conditions[:case]]
            ways.append(_all_of([own, *parts, *(self.terms(condition, True) for condition in conditions[case : case + 1])]))
        found = _one_of(ways)
        return own if found is None or len(found) > MOST_OF_CASES else found


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
