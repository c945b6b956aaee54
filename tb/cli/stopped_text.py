"""What kept strategies from trading over a span, for a terminal: a table for each entry, and a strip of the span below it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from tb.cli.output import is_terminal, width
from tb.cli.table import Column, table
from tb.replay.stopped.model import Closest, OfEntry, StoppedSpan, Stopper, Streak

STRIP = 48  # cells of a strip, at most
_BLOCKS, _PLAIN = " ▁▂▃▄▅▆▇█", " .:-=+*%#"
_UNBOUNDED = 10_000  # a file or another program takes every column
_STATES = (
    ("busy", "held while a position, an order or another entry of it stood at"),
    ("cooling", "held while it cooled down at"),
    ("false", "was false at"),
    ("unknown", "was unknown at"),
    ("outside", "was outside of its universe at"),
)


def as_text(span: StoppedSpan) -> str:
    """The whole answer."""
    lines = [_head(span)]
    lines += [f"  {line}" for line in _stops(span)]
    if not span.entries:
        lines.append("  no strategy covers these instruments")
    for entry in span.entries:
        lines += ["", *_entry(span, entry)]
    return "\n".join(lines) + "\n"


def _head(span: StoppedSpan) -> str:
    who = f"run {span.run}: " if span.run else "today's rules: "
    return f"{who}{', '.join(span.instruments) or 'no instrument'}, {span.first} to {span.last}"


def _stops(span: StoppedSpan) -> Iterator[str]:
    for stop in span.stops:
        until = f"to {stop.to}" if stop.to else "on, still in force"
        yield f"{stop.verdict} of {stop.rule} from {stop.first} {until}: {stop.reason}"


def _entry(span: StoppedSpan, entry: OfEntry) -> Iterator[str]:
    yield f"strategy {entry.strategy}, enter {entry.direction}  ({entry.place})"
    if entry.remark:
        yield f"  {entry.remark}"
        return
    states = entry.states
    told = [f"held at {states.held:,}"]
    told += [f"{words} {count:,}" for name, words in _STATES if (count := getattr(states, name))]
    yield f"  {states.bars:,} bars: the entry {', '.join(told)}"
    if states.differing:
        yield f"  the run noted something else at {states.differing:,} bars: the data or the time of the run differ"
    if entry.proposals:
        counts = ", ".join(f"{count:,} {verdict}" for verdict, count in entry.proposals.items())
        total = sum(entry.proposals.values())
        yield f"  {total:,} proposal{'' if total == 1 else 's'}: {counts}"
    elif span.run:
        yield "  nothing was proposed"
    several = len(entry.instruments) > 1
    if entry.clauses:
        yield ""
        yield from _table(entry.clauses, "bars", several=several)
    if entry.refused_by:
        yield ""
        yield from _table(entry.refused_by, "proposals", several=several)
    yield ""
    yield from _strips(entry)


def _table(stoppers: Sequence[Stopper], counted: str, *, several: bool) -> Iterator[str]:
    what = "stopped by" if counted == "bars" else "refused by"
    columns = (
        Column(what),
        Column("where"),
        Column(counted, right=True),
        Column("alone", right=True),
        Column("longest in a row", drop=1),
        Column("closest it came"),
    )
    rows = (
        (
            clause_words(each),
            each.place,
            f"{each.times:,}" + (f" ({each.unknown:,} unknown)" if each.unknown else ""),
            f"{each.alone:,}",
            _streak(each.streak, several=several),
            _closest(each.closest, several=several),
        )
        for each in stoppers
    )
    yield from (f"  {line}" for line in table(columns, rows, width() if is_terminal(sys.stdout) else _UNBOUNDED))


def clause_words(stopper: Stopper) -> str:
    """The clause as it would have had to hold."""
    return stopper.clause if stopper.wanted == "true" else f"not ({stopper.clause})"


def _streak(streak: Streak | None, *, several: bool) -> str:
    if streak is None:
        return ""
    where = f" ({streak.instrument})" if several and streak.instrument else ""
    return f"{streak.length:,} from {streak.first}{where}"


def _closest(closest: Closest | None, *, several: bool) -> str:
    if closest is None:
        return ""
    where = f" ({closest.instrument})" if several else ""
    return f"{closest.value} against {closest.threshold} at {closest.at}{where}"


def _strips(entry: OfEntry) -> Iterator[str]:
    """How the span went: a full cell where a clause stopped the entry at every bar of that stretch."""
    rows = [(clause_words(each), each.timeline) for each in entry.clauses]
    rows.append(("the entry held", entry.timeline))
    wide = max(len(name) for name, _ in rows)
    for name, cells in rows:
        yield f"  {name:<{wide}}  |{strip(cells)}|"


def strip(cells: Sequence[int | None]) -> str:
    """At most STRIP characters for shares in percent: blank for none, or for no bars."""
    marks = _BLOCKS if _is_sayable(_BLOCKS) else _PLAIN
    step = max(1, -(-len(cells) // STRIP))
    shown = []
    for at in range(0, len(cells), step):
        known = [cell for cell in cells[at : at + step] if cell is not None]
        share = sum(known) / len(known) if known else 0.0
        shown.append(marks[0 if not share else max(1, round(share / 100 * (len(marks) - 1)))])
    return "".join(shown)


def _is_sayable(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
