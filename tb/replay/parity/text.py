"""Parity for a terminal: the score, what the runs were made of, how the decisions compare, and the first that differs."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from tb.replay.parity.align import Counts
from tb.replay.parity.divergence import ClausePair, Divergence, Line
from tb.replay.parity.model import Parity, percent
from tb.replay.parity.origin import Aspect

SHOWN = 6  # changes of an aspect, constraints of a divergence
NONE = "-"
_HEADS = ("", "the same", "value only", "verdict", "only {a}", "only {b}")


def text(found: Parity, width: int = 80) -> str:
    """Lines of at most `width` columns, as far as what is written in rules and data lets itself be broken."""
    verdicts = "" if found.same else f", the same verdicts {percent(found.verdict_score)}"
    lines = [f"parity {percent(found.score)}{verdicts}  {found.a} and {found.b}{_log(found)}"]
    for note in found.notes:
        lines += wrapped(f"note: {note}", width, 6)
    lines += ["", *_origins(found, width), "", *_counts(found)]
    if found.first is not None:
        lines += ["", *_divergence(found.first, found, width)]
    elif not found.same:
        lines += ["", "every decision is the same; bars without a proposal differ: `tb why-not` shows one"]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _log(found: Parity) -> str:
    if found.same_log is None:
        return ""
    return (
        ": the same decision log" if found.same_log else ": other decision logs" if not found.same else ": the same decisions"
    )


# what the runs were made of


def _origins(found: Parity, width: int) -> Iterator[str]:
    differing = [aspect for aspect in found.origins if not aspect.same]
    same = [aspect.name for aspect in found.origins if aspect.same]
    if same:
        yield f"the same    {', '.join(same)}"
    if not differing:
        return
    yield f"different   {', '.join(aspect.name for aspect in differing)}"
    for aspect in differing:
        yield from _aspect(aspect, found, width)


def _aspect(aspect: Aspect, found: Parity, width: int) -> Iterator[str]:
    shown = aspect.changes[:SHOWN]
    yield from rows([(change.what, change.a, change.b) for change in shown], (found.a, found.b), width, indent=2)
    if len(shown) < len(aspect.changes):
        yield f"  and {len(aspect.changes) - len(shown)} more; `--json` lists all"


# counts


def _counts(found: Parity) -> Iterator[str]:
    named: list[tuple[str, Counts]] = [("decisions", found.decisions)]
    if found.latches.all:
        named.append(("pauses, halts", found.latches))
    cells = [[head.format(a=found.a, b=found.b) for head in _HEADS]]
    for name, counts in named:
        numbers = (counts.same, counts.value, counts.verdict, counts.only_a, counts.only_b)
        cells.append([name, *(f"{number:,}" for number in numbers)])
    widths = [max(len(row[at]) for row in cells) for at in range(len(_HEADS))]
    for row in cells:
        yield "  ".join(
            cell.ljust(size) if at == 0 else cell.rjust(size) for at, (cell, size) in enumerate(zip(row, widths, strict=True))
        )
    bars = found.bars
    if bars.differing or bars.apart:
        apart = f", {bars.apart} stretches of them face nothing" if bars.apart else ""
        yield f"bars without a proposal: {bars.compared:,} compared, {bars.differing:,} differ{apart}"


# the first that differs


def _divergence(first: Divergence, found: Parity, width: int) -> Iterator[str]:
    ids = " and ".join(name for name in (first.a, first.b) if name)
    yield f"first divergence  {first.at}  {first.what}{f'  ({ids})' if ids else ''}"
    yield from wrapped(f"  cause  {first.cause}", width, 9)
    labels = (found.a, found.b)
    yield ""
    yield from rows([(line.what, line.a, line.b) for line in first.outcome], labels, width, indent=2)
    if first.inputs:
        yield "  inputs that differ"
        yield from rows([(_placed(line), line.a, line.b) for line in first.inputs], labels, width, indent=4, heads=False)
    for clause in first.clauses[:SHOWN]:
        yield from _clause(clause, labels, width)
    if len(first.clauses) > SHOWN:
        yield f"  and {len(first.clauses) - SHOWN} more constraints; `--json` lists all"
    named = [name for name in (first.a, first.b) if name]
    if named and ":" not in named[0]:
        yield f"  `tb explain {named[0]}` tells all of it"


def _placed(line: Line) -> str:
    return f"{line.what} ({line.where})" if line.where else line.what


def _clause(clause: ClausePair, labels: Sequence[str], width: int) -> Iterator[str]:
    name = f"{clause.name}  " if clause.name else ""
    texts = list(dict.fromkeys(text for text in (clause.a, clause.b) if text))
    if len(texts) == 1:
        yield from wrapped(f"  {name}{texts[0]}  ({clause.place})", width, 4)
    else:
        yield f"  {name}({clause.place})"
        for label, said in zip(labels, (clause.a, clause.b), strict=True):
            yield from wrapped(f"    {label}: {said or 'not there'}", width, 6)
    yield from rows([(line.what, line.a, line.b) for line in clause.lines], labels, width, indent=4, heads=False)


def rows(
    values: Iterable[tuple[str, str, str]], labels: Sequence[str], width: int, *, indent: int, heads: bool = True
) -> Iterator[str]:
    """Three columns: what it is, and its value in either run. Where they do not fit, either value has a line of its own."""
    cells = [(what, a or NONE, b or NONE) for what, a, b in values]
    if not cells:
        return
    top = [("", labels[0], labels[1])] if heads else []
    sizes = [max(len(row[at]) for row in [*top, *cells]) for at in range(3)]
    margin = " " * indent
    if indent + sum(sizes) + 4 <= width:
        for row in [*top, *cells]:
            yield f"{margin}{row[0].ljust(sizes[0])}  {row[1].ljust(sizes[1])}  {row[2]}"
        return
    size = max(map(len, labels))
    for what, a, b in cells:
        yield f"{margin}{what}"
        for label, value in zip(labels, (a, b), strict=True):
            yield from wrapped(f"{margin}  {label.ljust(size)}  {value}", width, indent + size + 4)


def wrapped(line: str, width: int, indent: int) -> list[str]:
    """A line in as many as the width asks for, all but the first set in."""
    return textwrap.wrap(
        line, width, subsequent_indent=" " * indent, break_on_hyphens=False, break_long_words=False, drop_whitespace=True
    ) or [line]
