"""What the policy did, drawn: use of each limit, refusals by constraint, pauses and halts over time."""

from __future__ import annotations

from collections.abc import Sequence

from tb.replay.figures import LimitUse, RuleUse, Stoppage
from tb.replay.report.chart import Span, dates, percent
from tb.replay.report.table import coloured, table
from tb.replay.report.wording import NONE, duration, fixed, instant, money, ratio, text

FULLEST = 2.0  # a bar ends at twice its limit; beyond it only the number says how far


def limits_section(limits: Sequence[LimitUse]) -> str:
    """One bar for each limit: filled up to the 95 % quantile, a tick at the maximum, a line at the limit itself."""
    if not limits:
        return '<p class="empty">no limit was measured in this run</p>'
    reach = min(max([1.0, *(use.highest for use in limits if use.highest is not None)]), FULLEST)
    rows = [
        [
            f'<span class="rule">{text(use.limit)}</span>',
            _meter(use, reach),
            ratio(use.p95, 1),
            ratio(use.highest, 1),
            fixed(use.unknown, 0),
        ]
        for use in sorted(limits, key=lambda use: -1.0 if use.highest is None else -use.highest * 2.0 - 2.0)
    ]
    return table(("limit", "use", "p95", "max", "unknown"), rows, numbers=(2, 3, 4), kind="meters")


def _meter(use: LimitUse, reach: float) -> str:
    if use.highest is None or use.p95 is None:
        return '<span class="faint">never known</span>'
    tone = "full" if use.highest > 1.0 else "near" if use.highest > 0.8 else "calm"
    fill, top = (min(max(value / reach, 0.0), 1.0) for value in (use.p95, use.highest))
    label = f"95 of 100 marks at or below {ratio(use.p95, 1)}, at most {ratio(use.highest, 1)}"
    return (
        f'<svg class="meter {tone}" height="14" role="img" aria-label="{label}"><title>{label}</title>'
        f'<rect class="track" width="100%" height="100%" rx="3"/>'
        f'<rect class="upto" width="{percent(top)}" height="100%" rx="3"/>'
        f'<rect class="fill" width="{percent(fill)}" height="100%" rx="3"/>'
        f'<line class="edge" x1="{percent(1.0 / reach)}" x2="{percent(1.0 / reach)}" y1="0" y2="100%"/></svg>'
    )


def rules_section(rules: Sequence[RuleUse], currency: str) -> str:
    """How often each constraint decided, longest bar first."""
    if not rules:
        return '<p class="empty">no constraint refused, shrank or warned about an entry</p>'
    most = max(max(use.refused + use.shrunk, use.warned, use.shadowed) for use in rules)
    in_shadow = any(use.shadowed for use in rules)  # a column only where there is something in it
    is_followed = any(use.what_if is not None for use in rules)
    rows = [
        [
            f'<span class="rule">{text(use.rule)}</span>',
            _counts(use, most),
            fixed(use.refused, 0),
            fixed(use.shrunk, 0),
            fixed(use.warned, 0),
            *([fixed(use.shadowed, 0)] if in_shadow else []),
            ratio(use.binding, 1),
            money(use.blocked, currency),
            *([coloured(use.what_if, money(use.what_if, currency, signed=True))] if is_followed else []),
        ]
        for use in rules
    ]
    shadow = ("in shadow",) if in_shadow else ()
    what_if = ("what-if profit",) if is_followed else ()
    heads = ("constraint", "decided", "refused", "shrunk", "warned", *shadow, "binding share", "blocked notional", *what_if)
    return table(heads, rows, numbers=range(2, len(heads)), kind="meters")


def _counts(use: RuleUse, most: int) -> str:
    refused, shrunk = use.refused / most, use.shrunk / most
    warned = use.warned / most if refused + shrunk == 0.0 else 0.0
    return (
        '<svg class="counts" height="14" aria-hidden="true">'
        f'<rect class="refused" width="{percent(refused)}" height="100%" rx="2"/>'
        f'<rect class="shrunk" x="{percent(refused)}" width="{percent(shrunk)}" height="100%" rx="2"/>'
        f'<rect class="warned" width="{percent(warned)}" height="100%" rx="2"/></svg>'
    )


def stops_section(stops: Sequence[Stoppage], span: Span) -> str:
    """A lane for each constraint that paused or halted, and the list of what happened."""
    if not stops:
        return '<p class="empty">no pause and no halt</p>'
    lanes = []
    for rule in dict.fromkeys(stop.rule for stop in stops):
        pieces = "".join(_piece(stop, span) for stop in stops if stop.rule == rule)
        lanes.append(
            f'<div class="lane"><span class="rule">{text(rule)}</span><svg height="18"><rect class="track" width="100%" '
            f'height="100%" rx="3"/>{pieces}</svg></div>'
        )
    lanes.append(f'<div class="lane"><span></span>{dates(span)}</div>')
    return f'<div class="lanes">{"".join(lanes)}</div>{_stop_table(stops)}'


def _piece(stop: Stoppage, span: Span) -> str:
    left, right = span.place(stop.start), span.place(stop.end)
    return (
        f'<rect class="{stop.verdict}" x="{percent(left)}" width="{percent(max(right - left, 0.001))}" height="100%">'
        f"<title>{stop.verdict}, {instant(stop.start)} to {instant(stop.end)}</title></rect>"
    )


def _stop_table(stops: Sequence[Stoppage]) -> str:
    shown = stops[-50:]
    rows = [
        [
            instant(stop.start),
            f'<span class="tag {stop.verdict}">{stop.verdict}</span>',
            f'<span class="rule">{text(stop.rule)}</span>',
            "in force at the end" if stop.ongoing else instant(stop.end),
            duration(stop.end - stop.start),
            text(stop.lifted_by) if stop.lifted_by else (NONE if stop.ongoing else "by itself"),
            text(stop.reason),
        ]
        for stop in shown
    ]
    note = f'<p class="note">the last {len(shown)} of {len(stops):,}</p>' if len(shown) < len(stops) else ""
    return table(("from", "what", "constraint", "to", "length", "lifted", "reason"), rows, numbers=(4,), tall=True) + note
