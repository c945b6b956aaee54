"""The rule graph as Graphviz text: `dot -Tsvg`, or any tool that reads the format."""

from __future__ import annotations

from tb.engine.drawing.parts import parts, reached, remarks, words
from tb.engine.plan import Plan

FILLS = {"constant": "#eeeeee", "market": "#dbeafe", "decision": "#ffedd5"}


def dot(plan: Plan, strategy: str | None = None) -> str:
    """A digraph whose edges go from what is read to what reads it. A KeyError where there is no such strategy."""
    shown = parts(plan, strategy)
    lines = [
        "digraph rules {",
        "  rankdir=LR;",
        '  node [shape=box, style="filled,rounded", fontname="Helvetica", fontsize=10];',
        '  edge [color="#64748b"];',
    ]
    for node in reached(plan.graph, tuple(root for part in shown for root in part.roots)):
        label = _quoted(f"{words(plan.graph, node)}\n{remarks(node)}")
        lines.append(f'  n{node.id} [label={label}, fillcolor="{FILLS[node.stage]}"];')
        lines += [f"  n{arg} -> n{node.id};" for arg in node.args if plan.graph[arg].op != "const"]
    for at, part in enumerate(shown):
        lines.append(f"  subgraph part{at} {{")
        for place, root in enumerate(part.roots):
            name = f"r{at}_{place}"
            node = plan.graph[root.node]
            more = f"\n{words(plan.graph, node)}" if node.op == "const" else ""
            label = _quoted(f"{part.title.split(':')[0]}\n{root.label}{more}")
            lines.append(f'    {name} [label={label}, shape=ellipse, fillcolor="#dcfce7"];')
            if node.op != "const":
                lines.append(f"    n{root.node} -> {name};")
        lines.append("  }")
    return "\n".join([*lines, "}"]) + "\n"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
