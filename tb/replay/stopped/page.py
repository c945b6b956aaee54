"""What kept strategies from trading over a span, as one self-contained HTML page: no script, no network, light and dark.

Each clause has a lane along the span: the darker a stretch, the more of its bars the clause stopped. Lanes stand under each
other on one axis of time, for all instruments together and, folded, for each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from tb.core.time import show_instant
from tb.replay.report.chart import Span, dates
from tb.replay.report.table import table
from tb.replay.report.wording import fixed, text
from tb.replay.stopped.model import Closest, OfEntry, StoppedSpan, Stopper, Streak

_STYLE = """
:root{color-scheme:light dark;--line:#8884;--bad:#cf222e;--good:#1a7f37;--soft:#8882}
body{font:15px/1.5 system-ui,sans-serif;max-width:76rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.4rem;margin:0}h2{font-size:1.1rem;margin:2.2rem 0 .4rem;border-bottom:1px solid var(--line)}
.meta{opacity:.75}.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;margin:.6rem 0}
td,th{text-align:left;padding:.2rem .6rem;border-bottom:1px solid var(--soft);font-size:.92em}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
.lane{display:grid;grid-template-columns:20rem 1fr;gap:.8rem;align-items:center;margin:.15rem 0}
.lane>span{overflow:hidden;text-overflow:ellipsis;white-space:nowrap;font:.85em ui-monospace,monospace}
svg{display:block;width:100%}svg .track{fill:var(--soft)}svg .miss{fill:var(--bad)}svg .held{fill:var(--good)}
details{margin:.5rem 0}summary{cursor:pointer}
.feet text{font-size:11px;fill:currentColor;opacity:.75}
"""


def page(span: StoppedSpan) -> str:
    """The page. Equal arguments give equal bytes; whatever text is in the answer is shown as text."""
    who = f"run {span.run}" if span.run else "today's rules"
    title = f"why not: {who}"
    head = (
        f"<h1>Why it did not trade</h1><p class=meta>{text(who)} · {text(', '.join(span.instruments))} · "
        f"{text(span.first)} to {text(span.last)}</p>"
    )
    body = "".join(_entry(span, entry) for entry in span.entries)
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{text(title)}</title>'
        f"<style>{_STYLE}</style></head><body>{head}{_stops(span)}{body}</body></html>\n"
    )


def _stops(span: StoppedSpan) -> str:
    if not span.stops:
        return ""
    rows = [[text(s.verdict), text(s.rule), text(s.first), text(s.to) or "still in force", text(s.reason)] for s in span.stops]
    return f"<h2>Pauses and halts</h2>{table(('what', 'constraint', 'from', 'to', 'reason'), rows)}"


def _entry(span: StoppedSpan, entry: OfEntry) -> str:
    title = f"<h2>{text(entry.strategy)}, enter {text(entry.direction)} <span class=meta>({text(entry.place)})</span></h2>"
    if entry.remark:
        return f"{title}<p>{text(entry.remark)}</p>"
    s = entry.states
    counts = (
        f"{fixed(s.bars, 0)} bars: held at {fixed(s.held, 0)}, busy at {fixed(s.busy, 0)}, cooling down at "
        f"{fixed(s.cooling, 0)}, false at {fixed(s.false, 0)}, unknown at {fixed(s.unknown, 0)}, outside of the universe at "
        f"{fixed(s.outside, 0)}"
    )
    proposed = ", ".join(f"{fixed(count, 0)} {text(verdict)}" for verdict, count in entry.proposals.items())
    told = f"<p>proposals: {proposed or 'none'}</p>" if span.run else ""
    folded = "".join(
        f"<details><summary>{text(one.instrument)}</summary>{_lanes(span, [c for c in one.clauses if c.times], one.timeline)}"
        f"</details>"
        for one in entry.instruments
        if len(entry.instruments) > 1
    )
    refused = _stopper_table(entry.refused_by, "refused by", "proposals") if entry.refused_by else ""
    return (
        f"{title}<p>{counts}</p>{told}{_lanes(span, entry.clauses, entry.timeline)}"
        f"{_stopper_table(entry.clauses, 'stopped by', 'bars')}{refused}{folded}"
    )


def _stopper_table(stoppers: Sequence[Stopper], what: str, counted: str) -> str:
    if not stoppers:
        return ""
    rows = [
        [
            f"<code>{text(_words(s))}</code>",
            text(s.place),
            fixed(s.times, 0),
            fixed(s.alone, 0),
            fixed(s.unknown, 0),
            _streak(s.streak),
            _closest(s.closest),
        ]
        for s in stoppers
    ]
    heads = (what, "where", counted, "alone", "unknown", "longest in a row", "closest it came")
    return table(heads, rows, numbers=(2, 3, 4))


def _words(stopper: Stopper) -> str:
    return stopper.clause if stopper.wanted == "true" else f"not ({stopper.clause})"


def _streak(streak: Streak | None) -> str:
    if streak is None:
        return ""
    return f"{fixed(streak.length, 0)}, {text(streak.first)} to {text(streak.last)} {text(streak.instrument)}"


def _closest(closest: Closest | None) -> str:
    if closest is None:
        return ""
    return (
        f"{text(closest.value)} against {text(closest.threshold)}, {text(closest.distance)} away, "
        f"{text(closest.at)} {text(closest.instrument)}"
    )


def _lanes(span: StoppedSpan, stoppers: Sequence[Stopper], held: Sequence[int | None]) -> str:
    lanes = [_lane(span, _words(s), s.timeline, "miss") for s in stoppers]
    lanes.append(_lane(span, "the entry held", held, "held"))
    axis = dates(Span(span.first_ms, span.last_ms))
    return f'{"".join(lanes)}<div class="lane"><span></span>{axis}</div>'


def _lane(span: StoppedSpan, name: str, cells: Sequence[int | None], kind: str) -> str:
    pieces = "".join(_pieces(span, cells, kind))
    return (
        f'<div class="lane"><span title="{text(name)}">{text(name)}</span><svg height="16" viewBox="0 0 {len(cells) or 1} 1" '
        f'preserveAspectRatio="none" role="img" aria-label="{text(name)}"><rect class="track" width="{len(cells) or 1}" '
        f'height="1"/>{pieces}</svg></div>'
    )


def _pieces(span: StoppedSpan, cells: Sequence[int | None], kind: str) -> Iterator[str]:
    """A rectangle for each run of stretches of one share."""
    at, count = 0, max(len(cells), 1)
    for share, run in groupby(cells):
        length = len(list(run))
        if share:
            first, last = (show_instant(span.first_ms + (span.last_ms - span.first_ms) * c // count) for c in (at, at + length))
            yield (
                f'<rect class="{kind}" x="{at}" width="{length}" height="1" fill-opacity="{max(share, 15) / 100:.2f}">'
                f"<title>{share}% of the bars, {first} to {last}</title></rect>"
            )
        at += length
