"""An explanation as Graphviz text: what was decided, by which rules, and the clauses of each."""

from __future__ import annotations

from collections.abc import Iterator

from tb.engine.explain.clauses import Clause
from tb.gate.explain.model import Explanation

_FILLS = {"true": "#dcfce7", "false": "#fee2e2", "unknown": "#fef3c7"}
_OF_STATUS = {"passed": "true", "failed": "false", "unknown": "unknown"}


def dot(explanation: Explanation, *, only_failing: bool = False) -> str:
    """A digraph whose edges go from a clause to what rests on it. `only_failing` leaves out constraints that passed."""
    return "\n".join([*_lines(explanation, only_failing), "}"]) + "\n"


def _lines(e: Explanation, only_failing: bool) -> Iterator[str]:
    yield "digraph decision {"
    yield "  rankdir=RL;"
    yield '  node [shape=box, style="filled,rounded", fontname="Helvetica", fontsize=10];'
    yield '  edge [color="#64748b"];'
    yield f'  decision [label={quoted(e.id, e.headline)}, shape=ellipse, fillcolor="#e2e8f0"];'
    for name, condition in (("universe", e.membership), ("condition", e.condition)):
        if condition is not None:
            yield f'  {name} [label={quoted(f"the {name}", condition.place)}, fillcolor="{_FILLS[condition.truth]}"];'
            yield f"  {name} -> decision;"
            yield from _tree(condition, name, name)
    for at, rule in enumerate(e.rules):
        if only_failing and not rule.decides and not rule.status.startswith(("failed", "unknown")):
            continue
        fill = _FILLS.get(_OF_STATUS.get(rule.status, ""), "#eeeeee")
        label = quoted(f"{rule.kind} {rule.name}: {rule.status}", rule.place)
        yield f'  r{at} [label={label}, fillcolor="{fill}"{", penwidth=2" if rule.decides else ""}];'
        yield f"  r{at} -> decision{' [penwidth=2]' if rule.decides else ''};"
        yield from _tree(rule.condition, f"r{at}", f"r{at}")


def _tree(clause: Clause, above: str, prefix: str, place: str = "") -> Iterator[str]:
    name = f"{prefix}c{place}"
    shown = [f"{clause.value} against {clause.threshold}"] if clause.value else []
    yield f'  {name} [label={quoted(clause.text, *shown)}, fillcolor="{_FILLS[clause.truth]}"];'
    yield f"  {name} -> {above};"
    for at, part in enumerate(clause.parts):
        yield from _tree(part, name, prefix, f"{place}_{at}")


def quoted(*lines: str) -> str:
    """The lines of a label, as the format wants them."""
    escaped = (line.replace("\\", "\\\\").replace('"', '\\"') for line in lines)
    label = "\\n".join(escaped)
    return f'"{label}"'
