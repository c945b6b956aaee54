"""Which answers a condition can have where some facts are missing: true, false, both, or none, which means unknown always.

Nothing is known of the values of other facts, so both answers are thought possible of every comparison of them.
"""

from __future__ import annotations

from tb.engine.graph import RuleGraph

_BOTH = frozenset({True, False})


def possible_answers(
    graph: RuleGraph, condition: int, missing: frozenset[int], present: frozenset[int] = frozenset()
) -> frozenset[bool]:
    """The answers that are thought possible of a condition. `missing` and `present` are the ids of facts."""
    known: dict[int, frozenset[bool]] = {}
    lacks: dict[int, bool] = {}
    for id_ in graph.reach((condition,)):  # arguments first
        node = graph[id_]
        lacks[id_] = id_ in missing or (node.op not in {"is_set", "and", "or"} and any(lacks[part] for part in node.args))
        parts = [known[part] for part in node.args]
        match node.op:
            case "is_set":
                known[id_] = (
                    frozenset({False}) if lacks[node.args[0]] else frozenset({True}) if node.args[0] in present else _BOTH
                )
            case "not":
                known[id_] = frozenset(not answer for answer in parts[0])
            case "and" | "or":
                known[id_] = _joined(parts, sure=node.op == "or")
            case _:
                known[id_] = frozenset() if lacks[id_] else _BOTH
        if node.op in {"not", "and", "or"}:
            lacks[id_] = not known[id_]
    return known[condition]


def _joined(parts: list[frozenset[bool]], *, sure: bool) -> frozenset[bool]:
    """Of `or` the sure answer is true: one part is enough for it, while the other answer needs all of them."""
    answers = {sure} if any(sure in part for part in parts) else set()
    if all((not sure) in part for part in parts):
        answers.add(not sure)
    return frozenset(answers)
