"""The rule graph as one SVG picture that needs nothing else: boxes in columns, coloured by stage, read from left to right."""

from __future__ import annotations

from html import escape

from tb.engine.drawing.layers import places
from tb.engine.drawing.parts import Part, parts, reached, remarks, words
from tb.engine.plan import Plan

LETTER, LINE, PAD, GAP = 6.6, 15.0, 8.0, 56.0
BOX_HEIGHT, ROW = 42.0, 52.0
HEAD = 64.0
LONGEST = 44  # letters of a line; the whole text is in the tooltip

STYLE = (
    "text{font:11px ui-monospace,Menlo,Consolas,monospace;fill:#0f172a}"
    ".title{font-weight:bold;font-size:13px}.more{fill:#475569}"
    "rect.box{stroke-width:1;rx:5}"
    ".market{fill:#dbeafe;stroke:#3b82f6}.decision{fill:#ffedd5;stroke:#f97316}.root{fill:#dcfce7;stroke:#16a34a}"
    ".constant{fill:#f1f5f9;stroke:#94a3b8}"
    "path{fill:none;stroke:#94a3b8;stroke-width:1}"
    "g.node:hover rect{stroke-width:2.5}"
)
LEGEND = (("market", "market data"), ("decision", "account and order"), ("root", "what is decided"))


class _Drawn:
    """A box: its two lines, tooltip and class."""

    def __init__(self, first: str, second: str, kind: str) -> None:
        self.lines = (_short(first), _short(second))
        self.title = f"{first}\n{second}"
        self.kind = kind

    @property
    def width(self) -> float:
        return max(len(line) for line in self.lines) * LETTER + 2 * PAD


def svg(plan: Plan, strategy: str | None = None) -> str:
    """The picture of the whole graph, or of one strategy. A KeyError where there is no such strategy."""
    shown = parts(plan, strategy)
    boxes, reads = _boxes(plan, shown)
    where = places(list(boxes), reads, ROW)
    count = max((column for column, _ in where.values()), default=0) + 1
    widths = [max((boxes[b].width for b in boxes if where[b][0] == column), default=0.0) for column in range(count)]
    lefts = [PAD + sum(widths[:column]) + GAP * column for column in range(count)]
    total = lefts[-1] + widths[-1] + PAD
    height = HEAD + max((top for _, top in where.values()), default=0.0) + BOX_HEIGHT + PAD
    corner = {box: (lefts[column], HEAD + top) for box, (column, top) in where.items()}
    total = max(total, 640.0)
    edges = "".join(_edge(corner[read], boxes[read].width, corner[box]) for box in boxes for read in reads[box])
    drawn = "".join(_box(boxes[box], corner[box]) for box in boxes)
    title = shown[0].title if strategy is not None else f"{len(plan.strategies)} strategies and the policy"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{total:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {total:.0f} {height:.0f}" role="img">\n'
        f'<title>{escape(title)}</title>\n<style>{STYLE}</style>\n<rect width="100%" height="100%" fill="#ffffff"/>\n'
        f'<text class="title" x="{PAD}" y="22">{escape(title)}</text>\n{_legend()}\n{edges}\n{drawn}</svg>\n'
    )


def _boxes(plan: Plan, shown: list[Part]) -> tuple[dict[str, _Drawn], dict[str, list[str]]]:
    """Boxes in an order in which each follows what it reads, and what each reads."""
    graph = plan.graph
    boxes: dict[str, _Drawn] = {}
    reads: dict[str, list[str]] = {}
    for node in reached(graph, tuple(root for part in shown for root in part.roots)):
        boxes[f"n{node.id}"] = _Drawn(words(graph, node), remarks(node), node.stage)
        reads[f"n{node.id}"] = [f"n{arg}" for arg in dict.fromkeys(node.args) if graph[arg].op != "const"]
    for at, part in enumerate(shown):
        for place, root in enumerate(part.roots):
            node = graph[root.node]
            name = f"r{at}.{place}"
            more = words(graph, node) if node.op == "const" else part.title.split(" on ")[0]
            boxes[name] = _Drawn(root.label, more, "root")
            reads[name] = [] if node.op == "const" else [f"n{root.node}"]
    return boxes, reads


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _box(box: _Drawn, corner: tuple[float, float]) -> str:
    x, y = corner
    first, second = (escape(line) for line in box.lines)
    return (
        f'<g class="node"><title>{escape(box.title)}</title>'
        f'<rect class="box {box.kind}" x="{x:.1f}" y="{y:.1f}" width="{box.width:.1f}" height="{BOX_HEIGHT:.0f}"/>'
        f'<text x="{x + PAD:.1f}" y="{y + LINE + 2:.1f}">{first}</text>'
        f'<text class="more" x="{x + PAD:.1f}" y="{y + 2 * LINE + 3:.1f}">{second}</text></g>\n'
    )


def _edge(start: tuple[float, float], width: float, end: tuple[float, float]) -> str:
    x1, y1 = start[0] + width, start[1] + BOX_HEIGHT / 2
    x2, y2 = end[0], end[1] + BOX_HEIGHT / 2
    bend = max((x2 - x1) / 2, 20.0)
    return f'<path d="M{x1:.1f} {y1:.1f}C{x1 + bend:.1f} {y1:.1f} {x2 - bend:.1f} {y2:.1f} {x2:.1f} {y2:.1f}"/>'


def _legend() -> str:
    drawn, x = [], PAD
    for kind, said in LEGEND:
        drawn.append(f'<rect class="box {kind}" x="{x:.0f}" y="34" width="14" height="14"/>')
        drawn.append(f'<text class="more" x="{x + 20:.0f}" y="45">{said}</text>')
        x += 40 + len(said) * LETTER
    return "".join(drawn)
