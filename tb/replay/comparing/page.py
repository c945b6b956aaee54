"""Runs side by side as one HTML page: their curves over each other, every metric with the best marked, what differs in them.

The page is made as a report is: one file that loads nothing, the same bytes for the same records.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tb.replay.comparing.model import Comparison, Measured, Row
from tb.replay.comparing.text import apart, shown
from tb.replay.curve import Curve, curve, underwater
from tb.replay.parity.origin import Aspect
from tb.replay.report.chart import Span, chart, path
from tb.replay.report.page import document
from tb.replay.report.scales import Scale, scale
from tb.replay.report.table import table
from tb.replay.report.thinning import thin
from tb.replay.report.wording import fixed, percent_digits, ratio, text

COLOURS = 8  # of lines; further runs repeat them, dashed


def render_comparison(found: Comparison, runs: Sequence[Measured]) -> str:
    """The page of a comparison of these runs, in the same order. Raises ValueError where `measure` does."""
    lines = [curve(one.equity, one.run.initial_equity, one.run.first, one.run.last) for one in runs]
    span = Span(min(line.first for line in lines), max(line.last for line in lines))
    sections = (
        ("equity", "Equity", _legend(found) + _equity(lines, span, runs) + _drawdowns(lines, span)),
        ("differences", "What differs", _differences(found)),
        ("metrics", "Metrics", _metrics(found)),
        ("definitions", "Definitions", _definitions(found.rows)),
    )
    links = "".join(f'<a href="#{name}">{text(title)}</a>' for name, title, _ in sections)
    body = "".join(
        f'<section class="card" id="{name}"><h2>{text(title)}</h2>{inner}</section>' for name, title, inner in sections
    )
    names = ", ".join(run.label for run in found.runs)
    return document(f"compare {names}", span, f"<main>{_head(found)}<nav>{links}</nav>{body}</main>")


def _head(found: Comparison) -> str:
    warnings = "".join(f"<li>{text(warning)}</li>" for warning in found.warnings)
    remarks = f'<ul class="notes">{warnings}</ul>' if warnings else ""
    heads = ("run", "mode", "from", "to", "bars", "instruments", "start", "policy", "data", "version")
    rows = [
        [
            f"{_key(at)}<b>{text(run.label)}</b>",
            text(run.mode),
            text(run.first[:10]),
            text(run.last[:10]),
            text(run.period),
            fixed(len(run.instruments), 0),
            f"{fixed(run.initial_equity, 2)} {text(run.currency)}",
            f'<code title="{text(run.policy_hash)}">{text(run.policy_hash[:8])}</code>',
            f'<code title="{text(run.data)}">{text(run.data_hash[:8])}</code>',
            text(run.version),
        ]
        for at, run in enumerate(found.runs)
    ]
    listed = table(heads, rows, numbers=(5, 6), kind="runs")
    return (
        f'<header><h1>{len(found.runs)} runs side by side</h1>{remarks}</header><section class="card listed">{listed}</section>'
    )


def _series(at: int) -> str:
    return f"s{at % COLOURS + 1}{' again' if at >= COLOURS else ''}"


def _key(at: int) -> str:
    return f'<svg class="stroke" viewBox="0 0 22 10" aria-hidden="true"><path class="line {_series(at)}" d="M1 5H21"/></svg>'


def _legend(found: Comparison) -> str:
    keys = " ".join(f'<span class="entry">{_key(at)}{text(run.label)}</span>' for at, run in enumerate(found.runs))
    return f'<p class="legend">{keys}</p>'


def _equity(lines: Sequence[Curve], span: Span, runs: Sequence[Measured]) -> str:
    """Equity in money where all began with the same, else as a share of what each began with."""
    is_money = len({(one.run.initial_equity, one.run.currency) for one in runs}) == 1
    values = [line.values if is_money else tuple(value / line.initial - 1.0 for value in line.values) for line in lines]
    thinned = [
        thin(list(zip(line.times, own, strict=True)), span.first, span.last) for line, own in zip(lines, values, strict=True)
    ]
    axis = scale([value for points in thinned for _, value in points])
    what = f"marked equity, {runs[0].run.currency}" if is_money else "return since the start of each run"
    digits = 0 if axis.high - axis.low >= 20 else 2
    drawn = chart(
        what,
        320,
        span,
        axis,
        (lambda value: fixed(value, digits)) if is_money else (lambda value: ratio(value, 1)),
        drawing=_paths(thinned, span, axis),
        dated=False,
    )
    return f'<p class="legend">{text(what)}</p>{drawn}'


def _drawdowns(lines: Sequence[Curve], span: Span) -> str:
    depths = [[-depth for depth in underwater(line.values)] for line in lines]
    thinned = [
        thin(list(zip(line.times, own, strict=True)), span.first, span.last) for line, own in zip(lines, depths, strict=True)
    ]
    deepest = min(min(own) for own in depths)
    axis = Scale(deepest * 1.08 if deepest < 0.0 else -0.01, 0.0)
    digits = percent_digits(axis.ticks())
    drawn = chart("drawdowns", 150, span, axis, lambda value: ratio(value, digits), drawing=_paths(thinned, span, axis))
    return f'<p class="legend">drawdown from the highest equity so far</p>{drawn}'


def _paths(series: Sequence[Sequence[tuple[int, float]]], span: Span, axis: Scale) -> str:
    """The first run's line is drawn last, over the others."""
    drawn = [
        f'<path class="line {_series(at)}" d="{path((span.place(when), axis.place(value)) for when, value in points)}"/>'
        for at, points in enumerate(series)
    ]
    return "".join(reversed(drawn))


def _differences(found: Comparison) -> str:
    first = found.runs[0].label
    parts = []
    for run in found.runs[1:]:
        differing = [aspect for aspect in run.against_first if not aspect.same]
        rows = list(_changes(differing))
        inner = table(("", "what", first, run.label), rows, kind="changes") if rows else '<p class="empty">made of the same</p>'
        parts.append(f'<h3 class="against">{text(run.label)} against {text(first)}</h3>{inner}')
    return "".join(parts)


def _changes(aspects: Sequence[Aspect]) -> Iterator[list[str]]:
    for aspect in aspects:
        for change in aspect.changes:
            yield [text(aspect.name), text(change.what), text(change.a or "-"), text(change.b or "-")]


def _metrics(found: Comparison) -> str:
    first = found.runs[0].label
    heads = ("", *(run.label for run in found.runs))
    note = f"the best of a row is marked; below a value its difference to {text(first)}, between percentages in points (pp)"
    parts = [f'<p class="note">{note}</p>']
    for group in dict.fromkeys(row.group for row in found.rows):
        rows = [_row(row, found.runs[0].currency) for row in found.rows if row.group == group]
        parts.append(f"<h3>{text(group)}</h3>{table(heads, rows, numbers=range(1, len(heads)), kind='compared')}")
    return "".join(parts)


def _row(row: Row, currency: str) -> list[str]:
    name = f'<a class="term" href="#def-{text(row.name)}" title="{text(row.definition)}">{text(row.label)}</a>'
    return [name, *(_cell(row, at, currency) for at in range(len(row.values)))]


def _cell(row: Row, at: int, currency: str) -> str:
    value, difference = row.values[at], apart(row.differences[at], row.unit)
    told = text(shown(value, row.unit, currency))
    if value is None:
        return f'<span class="faint" title="{text(row.notes[at])}">{told}</span>'
    marked = f'<b class="best">{told}</b>' if at in row.best else told
    return f"{marked}<small>{text(difference)}</small>" if difference else marked


def _definitions(rows: Sequence[Row]) -> str:
    parts = "".join(f'<dt id="def-{text(row.name)}">{text(row.label)}</dt><dd>{text(row.definition)}</dd>' for row in rows)
    return f'<dl class="definitions">{parts}</dl>'
