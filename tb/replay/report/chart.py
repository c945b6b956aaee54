"""Charts as inline SVG that keep their proportions at any width without a script.

Lines live in an inner drawing that is stretched (`preserveAspectRatio="none"`, strokes unscaled); grid, marks and labels stand
outside it at percentages, so that text and marks keep their size. Labels of values have their own column on the right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tb.core.time import MINUTE
from tb.replay.figures import Stoppage
from tb.replay.report.scales import Scale, instants
from tb.replay.report.wording import instant, text

WIDTH, HEIGHT = 1200, 400  # of the stretched drawing


@dataclass(frozen=True, slots=True)
class Span:
    """The time axis that all charts of a report share."""

    first: int
    last: int

    def place(self, at: int) -> float:
        """Share of the axis, 0..1."""
        return min(max((at - self.first) / max(self.last - self.first, 1), 0.0), 1.0)


@dataclass(frozen=True, slots=True)
class Readout:
    """What a script may say about the place under the pointer: instants and values, and the unit behind them."""

    points: Sequence[tuple[int, float]]
    unit: str

    def attributes(self) -> str:
        if not self.points:
            return ""
        minutes = [at // MINUTE for at, _ in self.points]
        steps = [b - a for a, b in zip([minutes[0], *minutes], minutes, strict=False)]
        values = ",".join(f"{value:.7g}" for _, value in self.points)
        return (
            f' data-start="{minutes[0] * MINUTE}" data-steps="{",".join(map(str, steps))}"'
            f' data-values="{values}" data-unit="{text(self.unit)}"'
        )


def percent(share: float) -> str:
    """A coordinate in the stretched frame: `43.21%`."""
    shown = f"{share * 100.0:.2f}".rstrip("0").rstrip(".")
    return f"{shown}%"


def path(points: Iterable[tuple[float, float]]) -> str:
    """Path data through points given as shares 0..1 from the left and from the bottom."""
    return "M" + "L".join(f"{x * WIDTH:.1f} {(1.0 - y) * HEIGHT:.1f}" for x, y in points)


def chart(
    label: str,
    height: int,
    span: Span,
    scale: Scale,
    show: Callable[[float], str],
    *,
    drawing: str,
    marks: str = "",
    readout: Readout | None = None,
    dated: bool = True,
) -> str:
    """One chart: `drawing` in the stretched frame, `marks` at percentages, values written by `show` (already escaped)."""
    rows = [(percent(1.0 - scale.place(value)), show(value)) for value in scale.ticks()]
    times = [span.place(tick.at) for tick in instants(span.first, span.last)]
    lines = "".join(f'<line x1="0" x2="100%" y1="{y}" y2="{y}"/>' for y, _ in rows)
    lines += "".join(f'<line x1="{percent(x)}" x2="{percent(x)}" y1="0" y2="100%"/>' for x in times)
    side = "".join(f'<text x="8" y="{y}" dy="4">{shown}</text>' for y, shown in rows)
    hover = readout.attributes() if readout else ""
    return (
        f'<div class="chart"><svg class="plot" height="{height}" role="img" aria-label="{text(label)}"{hover}>'
        f'<g class="grid">{lines}</g>'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" width="100%" height="100%">{drawing}</svg>'
        f"{marks}</svg>"
        f'<svg class="side" height="{height}" aria-hidden="true">{side}</svg>{dates(span) if dated else ""}</div>'
    )


def dates(span: Span) -> str:
    """The labels of the time axis, the minor ones marked so that narrow screens can leave them out."""
    labels = []
    for tick in instants(span.first, span.last):
        x = span.place(tick.at)
        anchor = "start" if x < 0.03 else "end" if x > 0.97 else "middle"
        minor = ' class="minor"' if tick.is_minor else ""
        labels.append(f'<text x="{percent(x)}" y="15" text-anchor="{anchor}"{minor}>{text(tick.label)}</text>')
    return f'<svg class="feet" height="20" aria-hidden="true">{"".join(labels)}</svg>'


def stripes(stops: Iterable[Stoppage], span: Span) -> str:
    """Pauses and halts as upright stripes behind a line."""
    shown = []
    for stop in stops:
        left, width = span.place(stop.start), max(span.place(stop.end) - span.place(stop.start), 0.0005)
        shown.append(
            f'<rect class="{stop.verdict}" x="{percent(left)}" width="{percent(width)}" y="0" height="100%">'
            f"<title>{text(stop.verdict)} by {text(stop.rule)}, {instant(stop.start)} to {instant(stop.end)}</title></rect>"
        )
    return f'<g class="stripes">{"".join(shown)}</g>' if shown else ""
