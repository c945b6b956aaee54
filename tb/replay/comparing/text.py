"""Runs side by side for a terminal: as many in a row as its width takes, the first always among them."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence

from tb.replay.comparing.model import Comparison, Row
from tb.replay.figures import Metric, Unit
from tb.replay.parity.text import rows as side_by_side
from tb.replay.parity.text import wrapped
from tb.replay.report import wording

KEY = (
    "total_return cagr final_equity max_drawdown volatility sharpe sortino calmar trades win_rate profit_factor expectancy_r "
    "sqn exposure_time fees turnover proposals refusal_rate binding_share blocked_notional halts"
).split()
SHOWN = 6  # changes of one aspect
BEST = "*"


def text(found: Comparison, width: int = 80, *, everything: bool = False) -> str:
    """Lines of at most `width` columns where the names of runs let them; `everything` shows all metrics, not the chief ones."""
    lines = [f"{len(found.runs)} runs: {', '.join(run.label for run in found.runs)}"]
    for warning in found.warnings:
        lines += wrapped(f"warning: {warning}", width, 9)
    lines += ["", *_table(found, width, everything), *_origins(found, width)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def shown(value: float | None, unit: Unit, currency: str) -> str:
    """A value in its unit as plain text."""
    if value is None:
        return wording.NONE
    metric = Metric(name="", label="", value=value, unit=unit, definition="")
    return html.unescape(wording.metric(metric, currency)).replace(wording.MINUS, "-")


def apart(difference: float | None, unit: Unit) -> str:
    """How far a value is from another, with its sign: `+0.27pp` between percentages, `+26.52` between amounts of money. Empty
    where that is not known, or would read as nothing."""
    if not difference:
        return ""
    told = shown(abs(difference), unit, "").removeprefix("+")
    if not any(digit in told for digit in "123456789"):
        return ""
    if unit == "ratio":
        told = f"{told.removesuffix('%')}pp"
    return f"{'-' if difference < 0 else '+'}{told}"


def _table(found: Comparison, width: int, everything: bool) -> Iterator[str]:
    """One table where all runs fit; without differences where only so they do; else several, the first run in each."""
    currency, labels = found.runs[0].currency, [run.label for run in found.runs]
    rows = [row for row in found.rows if everything or row.name in KEY]
    name = max(len(row.label) for row in rows)
    for with_differences in (True, False):
        cells = [[_cell(row, at, currency, with_differences) for at in range(len(labels))] for row in rows]
        sizes = [max(len(labels[at]), *(len(line[at]) for line in cells)) for at in range(len(labels))]
        blocks = list(_blocks(sizes, width - name))
        if len(blocks) == 1 or len(labels) == 2:
            break
    for block in blocks:
        yield "  ".join(["".ljust(name), *(labels[at].rjust(sizes[at]) for at in block)])
        group = ""
        for row, line in zip(rows, cells, strict=True):
            if everything and row.group != group:
                group = row.group
                yield from ("", group)
            yield "  ".join([row.label.ljust(name), *(line[at].rjust(sizes[at]) for at in block)])
        yield ""
    if any(row.best for row in rows):
        yield f"{BEST} the best of a row"
    if with_differences and any("(" in cell for line in cells for cell in line):
        yield f"in brackets the difference to {labels[0]}, between percentages in points (pp)"


def _cell(row: Row, at: int, currency: str, with_differences: bool) -> str:
    value = shown(row.values[at], row.unit, currency) + (BEST if at in row.best else " ")
    if at == 0 or not with_differences:
        return value
    told = apart(row.differences[at], row.unit)
    return f"{value} ({told})" if told else value


def _blocks(sizes: Sequence[int], width: int) -> Iterator[list[int]]:
    """Columns that fit beside each other; each block begins with the first."""
    block, used = [0], sizes[0] + 2
    for at in range(1, len(sizes)):
        if used + sizes[at] + 2 > width and len(block) > 1:
            yield block
            block, used = [0], sizes[0] + 2
        block.append(at)
        used += sizes[at] + 2
    yield block


def _origins(found: Comparison, width: int) -> Iterator[str]:
    first = found.runs[0].label
    for run in found.runs[1:]:
        differing = [aspect for aspect in run.against_first if not aspect.same]
        named = ", ".join(aspect.name for aspect in differing)
        yield ""
        yield f"{run.label} against {first}: {f'other {named}' if differing else 'made of the same'}"
        for aspect in differing:
            changes = [(change.what, change.a, change.b) for change in aspect.changes[:SHOWN]]
            yield from side_by_side(changes, (first, run.label), width, indent=2)
            if len(aspect.changes) > SHOWN:
                yield f"  and {len(aspect.changes) - SHOWN} more; `--json` lists all"
