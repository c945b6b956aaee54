"""The metrics of a run for a terminal: every one of them, with limits, refusals by rule and drawdowns, in lines that fit."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Iterator, Sequence

from tb.core.records import Run
from tb.core.time import show_duration, show_instant
from tb.replay.conventions import conventions
from tb.replay.figures import Metric, Metrics
from tb.replay.report import wording

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def text(run: Run, metrics: Metrics, notes: Sequence[str], width: int = 80) -> str:
    """Lines of at most `width` columns, as far as names of rules let them."""
    lines = [f"run {run.id}: {run.mode}, {show_instant(run.first)} to {show_instant(run.last)}"]
    lines.append(f"  policy {run.policy_hash[:16]}, {show_duration(run.period)} bars of {len(run.instruments)} instruments")
    lines += _wrapped(f"  {run.data}", width, 2)
    for note in notes:
        lines += _wrapped(f"  note: {note}", width, 8)
    lines += [*_groups(metrics, run.currency, width), *_months(metrics), *_drawdowns(metrics, run.currency)]
    lines += [*_limits(metrics), *_rules(metrics, run.currency), "", "conventions"]
    for sentence in conventions(metrics.days_per_year, run.currency):
        lines += _wrapped(f"  {sentence}", width, 4)
    return "\n".join(line.rstrip() for line in lines) + "\n"


def plain(metric: Metric, currency: str) -> str:
    """The value of a metric as plain text."""
    return _unescaped(wording.metric(metric, currency))


def _unescaped(told: str) -> str:
    return html.unescape(told).replace(wording.MINUS, "-")


def _wrapped(line: str, width: int, indent: int) -> list[str]:
    return textwrap.wrap(line, width, subsequent_indent=" " * indent, break_on_hyphens=False, break_long_words=False)


def _groups(metrics: Metrics, currency: str, width: int) -> Iterator[str]:
    """A line for each metric, its note behind it where there is room, else below."""
    everything = list(metrics.each())
    name = max(len(metric.label) for metric in everything)
    value = max(len(plain(metric, currency)) for metric in everything)
    indent = name + value + 6
    for group in metrics.groups:
        yield from ("", group.label)
        for metric in group.metrics:
            line = f"  {metric.label.ljust(name)}  {plain(metric, currency).rjust(value)}"
            yield from _wrapped(f"{line}  {metric.note}", width, indent) if metric.note else [line]


def _months(metrics: Metrics) -> Iterator[str]:
    """Two lines for each year, of six months each."""
    if not metrics.monthly:
        return
    yield from ("", "Monthly returns")
    years: dict[int, dict[int, float | None]] = {}
    for month in metrics.monthly:
        years.setdefault(month.year, {})[month.month] = month.value
    for year, months in years.items():
        for first in (1, 7):
            half = range(first, first + 6)
            if any(month in months for month in half):
                cells = (_unescaped(wording.ratio(months[month], 1)) if month in months else "" for month in half)
                yield f"  {year} {MONTHS[first - 1]}-{MONTHS[first + 4]}{''.join(f'{cell:>10}' for cell in cells)}"


def _drawdowns(metrics: Metrics, currency: str) -> Iterator[str]:
    if not metrics.drawdowns:
        return
    yield from ("", f"{'Deepest drawdowns':<28}  {'peak':<10}  {'lowest':<10}  recovered")
    for fall in metrics.drawdowns:
        end = "not recovered" if fall.recovered is None else wording.day(fall.recovered)
        depth, money = (_unescaped(told) for told in (wording.ratio(-fall.depth), wording.money(-fall.money, currency)))
        yield f"  {depth:>8}  {money:>16}  {wording.day(fall.peak)}  {wording.day(fall.trough)}  {end}"


def _limits(metrics: Metrics) -> Iterator[str]:
    if not metrics.limits:
        return
    yield from ("", "Use of each limit            p95       max")
    for use in metrics.limits:
        unknown = f"  unknown at {use.unknown:,} of {use.known + use.unknown:,} marks" if use.unknown else ""
        yield f"  {use.limit:<20}  {wording.ratio(use.p95, 1):>8}  {wording.ratio(use.highest, 1):>8}{unknown}"


def _rules(metrics: Metrics, currency: str) -> Iterator[str]:
    if not metrics.rules:
        return
    heads = ("", "refused", "shrunk", "warned", "share", "blocked", "what-if profit")
    rows = [
        (
            use.rule,
            f"{use.refused:,}",
            f"{use.shrunk:,}",
            f"{use.warned:,}",
            _unescaped(wording.ratio(use.binding, 1)),
            _unescaped(wording.money(use.blocked, "")),
            _unescaped(wording.money(use.what_if, "", signed=True)),
        )
        for use in metrics.rules
    ]
    sizes = [max(len(row[at]) for row in [heads, *rows]) for at in range(len(heads))]
    yield from ("", f"Refusals by rule (money in {currency})")
    for row in [heads, *rows]:
        cells = (
            cell.ljust(size) if at == 0 else cell.rjust(size) for at, (cell, size) in enumerate(zip(row, sizes, strict=True))
        )
        yield f"  {'  '.join(cells)}"
