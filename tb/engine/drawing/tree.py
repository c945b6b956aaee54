"""The rule graph as an indented tree. A node that is used again is shown in full once and named by its number afterwards."""

from __future__ import annotations

from collections.abc import Iterator

from tb.engine.drawing.parts import parts, remarks, words
from tb.engine.graph import RuleGraph
from tb.engine.plan import Plan

INDENT = "  "


def text(plan: Plan, strategy: str | None = None) -> str:
    """Lines of the whole graph, or of one strategy; ends with a line end. A KeyError where there is no such strategy."""
    lines: list[str] = []
    shown: set[int] = set()
    for part in parts(plan, strategy):
        lines += [*([""] if lines else []), part.title]
        for root in part.roots:
            node = plan.graph[root.node]
            if node.op == "const":
                lines.append(f"{INDENT}{root.label}: {words(plan.graph, node)}")
            else:
                lines += [f"{INDENT}{root.label}", *_tree(plan.graph, root.node, 2, shown)]
    return "\n".join(lines) + "\n"


def _tree(graph: RuleGraph, id_: int, depth: int, shown: set[int]) -> Iterator[str]:
    node = graph[id_]
    indent = INDENT * depth
    inner = [arg for arg in node.args if graph[arg].op != "const"]
    if id_ in shown and inner:
        yield f"{indent}#{id_} {node.names[0] if node.names else words(graph, node)}  (above)"
        return
    shown.add(id_)
    yield f"{indent}#{id_} {words(graph, node)}  [{node.stage}: {remarks(node)}]"
    for arg in inner:
        yield from _tree(graph, arg, depth + 1, shown)
