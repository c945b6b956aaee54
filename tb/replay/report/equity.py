"""The equity of a run and, below it on the same time axis, its distance from the highest value so far."""

from __future__ import annotations

from collections.abc import Sequence

from tb.replay.curve import Curve, underwater
from tb.replay.figures import Stoppage
from tb.replay.report.chart import HEIGHT, WIDTH, Readout, Span, chart, path, stripes
from tb.replay.report.scales import Scale, scale
from tb.replay.report.thinning import thin
from tb.replay.report.wording import fixed, percent_digits, ratio, text


def equity_chart(line: Curve, span: Span, stops: Sequence[Stoppage], currency: str) -> str:
    """Equity in account currency; a dashed line marks where it began."""
    points = thin(list(zip(line.times, line.values, strict=True)), span.first, span.last)
    axis = scale([value for _, value in points])
    places = [(span.place(at), axis.place(value)) for at, value in points]
    start = (1.0 - axis.place(line.initial)) * HEIGHT
    drawing = (
        f'<path class="area" d="{path([(places[0][0], 0.0), *places, (places[-1][0], 0.0)])}Z"/>'
        f'<line class="base" x1="0" x2="{WIDTH}" y1="{start:.1f}" y2="{start:.1f}"/>'
        f'<path class="line" d="{path(places)}"/>'
    )
    digits = 0 if axis.high - axis.low >= 20 else 2
    return chart(
        f"equity in {currency}",
        280,
        span,
        axis,
        lambda value: fixed(value, digits),
        drawing=drawing,
        marks=stripes(stops, span),
        readout=Readout(points, currency),
        dated=False,
    )


def drawdown_chart(line: Curve, span: Span) -> str:
    """Drawdown as a share of the highest equity so far, hanging from zero."""
    depths = [-depth for depth in underwater(line.values)]
    points = thin(list(zip(line.times, depths, strict=True)), span.first, span.last)
    deepest = min(depths)
    axis = Scale(deepest * 1.08 if deepest < 0.0 else -0.01, 0.0)
    places = [(span.place(at), axis.place(depth)) for at, depth in points]
    drawing = (
        f'<path class="fall" d="{path([(places[0][0], 1.0), *places, (places[-1][0], 1.0)])}Z"/>'
        f'<path class="depth" d="{path(places)}"/>'
    )
    digits = percent_digits(axis.ticks())
    return chart(
        "drawdown",
        110,
        span,
        axis,
        lambda value: ratio(value, digits),
        drawing=drawing,
        readout=Readout([(at, round(depth * 100.0, 2)) for at, depth in points], "%"),
    )


def equity_section(line: Curve, span: Span, stops: Sequence[Stoppage], currency: str) -> str:
    pauses = ' <span class="key pause"></span>pause' if any(stop.verdict == "pause" for stop in stops) else ""
    halts = ' <span class="key halt"></span>halt' if any(stop.verdict == "halt" for stop in stops) else ""
    return (
        f'<p class="legend">marked equity, {text(currency)}{pauses}{halts}</p>'
        f"{equity_chart(line, span, stops, currency)}"
        f'<p class="legend">drawdown from the highest equity so far</p>{drawdown_chart(line, span)}'
    )
