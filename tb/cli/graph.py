"""`tb graph`: the rule graph of a project, drawn."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tb.cli.opening import compiled_project
from tb.cli.options import command, json_option, out_option, project_option
from tb.cli.output import put_json, say, write_file
from tb.core.diagnostics import did_you_mean

if TYPE_CHECKING:
    from tb.engine.plan import Plan


@command(
    "graph",
    "tb graph",
    "tb graph --strategy momentum --format svg -o momentum.svg",
    "tb graph --format dot | dot -Tpng -o g.png",
)
@click.option("--format", "form", type=click.Choice(["text", "dot", "svg"]), default="text", help="Default: text.")
@click.option("--strategy", metavar="NAME", help="One strategy alone (default: all, and the policy).")
@out_option
@project_option
@json_option
def tb_graph(form: str, strategy: str | None, output: Path | None, project: Path, as_json: bool) -> None:
    """Draw the rule graph as text, dot or svg.

    It shows what is computed, its unit, how far it looks back, and what shares it.
    """
    from tb.engine import drawing

    plan = compiled_project(project).plan
    known = [found.name for found in plan.strategies]
    if strategy is not None and strategy not in known:
        near = did_you_mean(strategy, known) or f"the project has {', '.join(f'`{name}`' for name in known)}"
        raise click.BadParameter(f"there is no strategy `{strategy}`; {near}", param_hint="--strategy")
    if as_json:
        put_json(_as_object(plan, strategy))
        return
    draw = {"text": drawing.text, "dot": drawing.dot, "svg": drawing.svg}[form]
    drawn = draw(plan, strategy)
    if output is None:
        sys.stdout.write(drawn)
        return
    write_file(output, drawn)
    if str(output) != "-":
        say(f"written: {output}")


def _as_object(plan: Plan, strategy: str | None) -> dict[str, Any]:
    """The graph for programs: what is decided by which node, and every node that these depend on, constants left out."""
    from tb.core.time import show_duration
    from tb.engine.drawing import parts

    shown = parts.parts(plan, strategy)
    nodes = parts.reached(plan.graph, tuple(root for part in shown for root in part.roots))
    return {
        "parts": [
            {"title": part.title, "roots": [{"label": root.label, "node": root.node} for root in part.roots]} for part in shown
        ],
        "nodes": [
            {
                "id": node.id,
                "key": node.key,
                "words": parts.words(plan.graph, node),
                "names": list(node.names),
                "stage": node.stage,
                "unit": str(node.unit),
                "period": show_duration(node.period) if node.period else None,
                "look_back": node.look_back,
                "reads": [arg for arg in dict.fromkeys(node.args) if plan.graph[arg].op != "const"],
                "places": [str(span) for span in node.spans],
            }
            for node in nodes
        ],
    }
