"""Signals, scores, feeds, sessions and decision tables as rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from tb.dsl import syntax
from tb.dsl.build_calendar import WEEK
from tb.dsl.format_expression import SUM, spell, spell_range, spell_text
from tb.dsl.format_row import STEP, Row, because_of, condition_row, doc_row, filled_row, header, row, tailed_rows


def signal_rows(signal: syntax.Signal, source: list[str]) -> Iterator[Row]:
    yield header(signal.span, f"signal {signal.name}")
    yield from doc_row(signal.doc, signal.span, source)
    for case in signal.cases:
        tail = [f"conviction {spell(case.conviction, SUM)}", *because_of(case.because)]
        yield from tailed_rows(STEP, case.span, (case.direction,), "when ", case.when, tail, kind="signal")


def score_rows(score: syntax.Score, source: list[str]) -> Iterator[Row]:
    yield header(score.span, f"score {score.name} of {score.out_of.text}")
    yield from doc_row(score.doc, score.span, source)
    for line in score.lines:
        yield condition_row(STEP, line.span, (f"{line.sign}{line.points.text}", "when "), line.when, kind="points")


def feed_row(feed: syntax.Feed) -> Row:
    words = feed.kind
    words += f" in {spell_range(feed.low, feed.high)}" if feed.low is not None and feed.high is not None else ""
    words += " per instrument" if feed.per_instrument else ""
    words += f" every {feed.every.text}" if feed.every is not None else ""
    words += f", stale after {feed.stale_after.text}"
    doc = [spell_text(feed.doc)] if feed.doc is not None else []
    return row(0, feed.span, f"feed {feed.name}:", words, *doc, kind="feed")


def session_row(session: syntax.Session) -> Row:
    hours = f"{session.start.value:%H:%M}..{session.end.value:%H:%M} {session.zone}"
    days = {WEEK: "", WEEK[:5]: "on weekdays", WEEK[5:]: "on weekends"}.get(session.days, "on " + ", ".join(session.days))
    closed = [f"{day.value.isoformat()}," for day in session.closed]
    words = [f"{days} except {closed[0]}".strip(), *closed[1:]] if closed else [days]
    words[-1] = words[-1].rstrip(",")
    return filled_row(0, session.span, (f"session {session.name}:", hours), words, kind="session")


def table_rows(table: syntax.Table, source: list[str]) -> Iterator[Row]:
    """Aligned as a whole; `otherwise` stands in the place of all conditions."""
    yield header(table.span, f"table {table.name}")
    yield from doc_row(table.doc, table.span, source)
    head = [spell(column) for column in table.columns]
    rows = [[_cell(cell) for cell in line.cells] for line in table.rows]
    widths = [max(len(line[column]) for line in [head, *rows] if line) for column in range(len(head))]
    whole = max(len(_joined(head, widths)), len("otherwise"))
    above = table.columns[0].span.to(table.columns[-1].span)
    yield row(STEP, above, f"{_joined(head, widths).ljust(whole)} | {table.outcome}")
    for line, cells in zip(table.rows, rows, strict=True):
        condition = _joined(cells, widths) if cells else "otherwise"
        yield row(STEP, line.span, f"{condition.ljust(whole)} | {spell(line.outcome, SUM)}")


def _joined(cells: list[str], widths: list[int]) -> str:
    return " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))


def _cell(cell: syntax.Cell) -> str:
    match cell:
        case syntax.AnyCell():
            return "any"
        case syntax.CompareCell(operator=operator, value=value):
            return f"{operator} {spell(value, SUM)}"
        case syntax.RangeCell(low=low, high=high):
            return spell_range(low, high)
        case syntax.EqualCell(value=value, negated=negated):
            return f"{'not ' if negated else ''}{spell(value, SUM)}"
        case _ as never:
            assert_never(never)
