"""Drawings show every node of the graph once, connected as it is, and boxes that do not cover each other."""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tb.engine.drawing import dot, svg, text
from tb.engine.drawing.layers import columns_of, places
from tb.engine.plan import Plan
from tb.runtime.policy import compile_project
from tb.runtime.project import load_project

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def plan(root: Path) -> Plan:
    return compile_project(load_project(root)).plan


def drawn_nodes(plan: Plan, strategy: str | None = None) -> set[int]:
    """The nodes a drawing has to show: everything that is decided by, and what that depends on, but for constants."""
    roots: list[int] = []
    for found in plan.strategies:
        if strategy in {None, found.name}:
            roots += [] if found.membership is None else [found.membership]
            roots += [exit_.when for exit_ in found.exits]
            for enter in found.enters:
                roots += [enter.when, *(size.share for size in enter.sizes)]
                roots += [size.condition for size in enter.sizes if size.condition is not None]
                roots += [level.node for level in (enter.stop, enter.target) if level is not None]
                roots += [] if enter.confidence is None else [enter.confidence]
    if strategy is None:
        roots += [constraint.node for policy in plan.policies.values() for constraint in policy.constraints]
    return {node for node in plan.graph.reach(tuple(roots)) if plan.graph[node].op != "const"}


@pytest.fixture(params=[None, "bounces"])
def strategy(request: pytest.FixtureRequest) -> str | None:
    name: str | None = request.param
    return name


def test_the_tree_spells_out_every_node_once(plan: Plan, strategy: str | None) -> None:
    lines = text(plan, strategy).splitlines()
    spelled = [int(found[1]) for line in lines if (found := re.match(r"\s+#(\d+) .*\[(?:market|decision|constant): ", line))]
    inner = [node for node in spelled if any(plan.graph[arg].op != "const" for arg in plan.graph[node].args)]
    assert len(inner) == len(set(inner))
    assert set(spelled) == drawn_nodes(plan, strategy)
    named_again = [int(found[1]) for line in lines if (found := re.match(r"\s+#(\d+) .*\(above\)$", line))]
    assert set(named_again) <= set(inner)
    assert named_again


def test_the_tree_uses_the_words_of_the_rules(plan: Plan) -> None:
    shown = text(plan, "bounces")
    assert shown.startswith("strategy bounces on majors every 1h: BTC-USD, ETH-USD, ")
    assert re.search(r"#\d+ week_low: lowest\(low, 168\)  \[market: price, looks back 167 bars of 1h\]", shown)
    assert "  size 5% of equity if\n" in shown
    assert "  stop, share of the entry price: 8%\n" in shown
    assert "limit position" not in shown
    assert "limit position otherwise shrink" in text(plan)


def test_dot_has_each_node_and_edge_of_the_graph(plan: Plan, strategy: str | None) -> None:
    drawn = dot(plan, strategy)
    nodes = {int(number) for number in re.findall(r"^  n(\d+) \[label=", drawn, re.MULTILINE)}
    edges = {(int(a), int(b)) for a, b in re.findall(r"^  n(\d+) -> n(\d+);$", drawn, re.MULTILINE)}
    assert nodes == drawn_nodes(plan, strategy)
    assert edges == {(arg, node) for node in nodes for arg in plan.graph[node].args if plan.graph[arg].op != "const"}
    assert drawn.startswith("digraph rules {\n")
    assert drawn.endswith("}\n")
    assert drawn.count("{") == drawn.count("}")
    for line in drawn.splitlines():
        assert line.replace('\\"', "").count('"') % 2 == 0


def test_the_picture_is_a_whole_document(plan: Plan, strategy: str | None) -> None:
    tree = ET.fromstring(svg(plan, strategy))
    width, height = float(tree.get("width", "0")), float(tree.get("height", "0"))
    groups = [group for group in tree.iter(f"{SVG}g") if group.get("class") == "node"]
    assert len(groups) > len(drawn_nodes(plan, strategy))
    corners = []
    for group in groups:
        rect = group.find(f"{SVG}rect")
        assert rect is not None
        x, y, w, h = (float(rect.get(name, "nan")) for name in ("x", "y", "width", "height"))
        assert x >= 0
        assert x + w <= width
        assert y >= 0
        assert y + h <= height
        corners.append((x, y, x + w, y + h))
        longest = max(len(line.text or "") for line in group.iter(f"{SVG}text"))
        assert longest * 6 < w  # letters of 11 px are narrower than this
    for place, (x1, y1, x2, y2) in enumerate(corners):
        for a1, b1, a2, b2 in corners[place + 1 :]:
            assert x2 <= a1 or a2 <= x1 or y2 <= b1 or b2 <= y1
    starts_and_ends = [
        [float(number) for number in re.findall(r"[\d.]+", path.get("d", ""))] for path in tree.iter(f"{SVG}path")
    ]
    assert starts_and_ends
    assert all(numbers[0] < numbers[-2] for numbers in starts_and_ends)


def test_text_of_rules_stays_text(plan: Plan) -> None:
    titles = [title.text or "" for title in ET.fromstring(svg(plan)).iter(f"{SVG}title")]
    assert any("day_change of BTC-USD < -8%" in title for title in titles)


def test_the_same_plan_gives_the_same_drawing(plan: Plan, root: Path) -> None:
    again = compile_project(load_project(root)).plan
    assert [draw(plan) for draw in (text, dot, svg)] == [draw(again) for draw in (text, dot, svg)]


@pytest.mark.parametrize("draw", [text, dot, svg])
def test_a_strategy_that_is_not_there(plan: Plan, draw: object) -> None:
    assert callable(draw)
    with pytest.raises(KeyError):
        draw(plan, "nobody")


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[str], dict[str, list[str]]]:
    size = draw(st.integers(0, 24))
    boxes = [f"b{number}" for number in range(size)]
    reads = {
        box: draw(st.lists(st.sampled_from(boxes[:at]), unique=True, max_size=4)) if at else [] for at, box in enumerate(boxes)
    }
    return boxes, reads


@given(graphs())
def test_boxes_of_a_column_keep_their_distance_and_edges_go_right(graph: tuple[list[str], dict[str, list[str]]]) -> None:
    boxes, reads = graph
    column = columns_of(boxes, reads)
    assert all(column[read] < column[box] for box in boxes for read in reads[box])
    assert all(column[box] == 0 or any(column[read] == column[box] - 1 for read in reads[box]) for box in boxes)
    where = places(boxes, reads, 10.0)
    assert list(where) == boxes
    assert min((top for _, top in where.values()), default=0.0) == 0.0
    for number in set(column.values()):
        tops = sorted(top for box, (found, top) in where.items() if found == number)
        assert all(after - before >= 10.0 - 1e-6 for before, after in itertools.pairwise(tops))
