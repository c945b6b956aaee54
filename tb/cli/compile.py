"""`tb compile`: whether a project can run, and the decision function that its constraints become."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tb.cli.opening import compiled_project
from tb.cli.options import command, json_option, project_option
from tb.cli.output import put, put_json
from tb.core.time import show_duration

if TYPE_CHECKING:
    from tb.engine.decide import Generated
    from tb.engine.plan import Plan


@command("compile", "tb compile", "tb compile --show", "tb compile --show --json | jq -r '.functions[0].source'")
@click.option("--show", is_flag=True, help="Print the generated function, each line with the rule it stands for.")
@project_option
@json_option
def tb_compile(show: bool, project: Path, as_json: bool) -> None:
    """Check that the project can run; show its function.

    The constraints become one Python function for each period of the strategies; it is run once for each proposal.
    """
    from tb.ledger import policy_hash
    from tb.runtime.policy import gates_of

    compiled = compiled_project(project)
    plan = compiled.plan
    functions = {period: gate.generated for period, gate in gates_of(plan).items()}
    name = policy_hash(compiled.project.texts)
    if as_json:
        put_json({"policy_hash": name, **_counted(plan), "functions": _as_objects(functions) if show else None})
        return
    if show:
        for period, generated in functions.items():
            put("\n".join(_listing(period, generated)))
    counts = _counted(plan)
    put(f"compiled {compiled.settings.name}: {', '.join(_said(*counted) for counted in counts.items())}")
    put(f"policy {name}")


_ONE = {"strategies": "strategy", "constraints": "constraint", "nodes": "node"}


def _counted(plan: Plan) -> dict[str, int]:
    constraints = {c.name for policy in plan.policies.values() for c in policy.constraints}
    return {"strategies": len(plan.strategies), "constraints": len(constraints), "nodes": len(plan.graph.nodes)}


def _said(what: str, count: int) -> str:
    return f"{count} {_ONE[what] if count == 1 else what}"


def _as_objects(functions: dict[int, Generated]) -> list[dict[str, Any]]:
    return [
        {
            "period": show_duration(period),
            "source": generated.source,
            "lines": [None if span is None else {"file": span.file, "line": span.line} for span in generated.lines],
        }
        for period, generated in functions.items()
    ]


def _listing(period: int, generated: Generated) -> list[str]:
    """The source beside the rules it stands for; a place is named where it changes."""
    lines = generated.source.splitlines()
    places = ["" if span is None else f"{span.file}:{span.line}" for span in generated.lines]
    margin = max((len(place) for place in places), default=0)
    listed = [f"# decisions of strategies every {show_duration(period)}; left: the rule that a line stands for"]
    before = ""
    for line, place in zip(lines, places, strict=True):
        listed.append(f"{place if place != before else '':<{margin}} | {line}".rstrip())
        before = place or before
    return [*listed, ""]
