"""Sessions: hours of a calendar with a time zone, and `during` one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, available_timezones

from tb.core.diagnostics import did_you_mean
from tb.core.span import Span
from tb.core.units import ANY, DURATION, TRUTH
from tb.dsl import checked, syntax
from tb.dsl.checked_calendar import During, Session, SessionTime

if TYPE_CHECKING:
    from tb.dsl.check.expressions import Expressions


def session(using: Expressions, node: syntax.Session) -> None:
    """Defines a session; its zone must be one that this machine knows."""
    if not _is_zone(node.zone):
        hint = did_you_mean(node.zone, available_timezones()) or "such as `Europe/London` or `UTC`"
        using.scope.report("TB032", f"`{node.zone}` is not a time zone", node.span, hint)
        using.scope.broken.add(node.name)
    closed = tuple(day.value.isoformat() for day in node.closed)
    start, end = (f"{clock.value:%H:%M}" for clock in (node.start, node.end))
    using.scope.sessions[node.name] = Session(node.name, start, end, node.zone, node.days, closed, node.span)


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # an unknown name, a path in disguise, a folder of zones
        return False
    return True


CLOCKS = {"time_since_open": True, "time_to_close": False}  # name -> whether it counts from the start


def during(using: Expressions, node: syntax.During) -> checked.Expr:
    """`during london`: the session named, where this file sees it."""
    found = _named(using, node.session, node.span)
    return During(found, TRUTH, node.span) if isinstance(found, Session) else found


def session_time(using: Expressions, node: syntax.Call) -> checked.Expr:
    """`time_since_open(london)`, `time_to_close(london)`."""
    name = node.name.text
    if len(node.arguments) != 1 or node.named or not isinstance(node.arguments[0], syntax.Name):
        example = f"{name}({next(iter(using.scope.sessions), 'london')})"
        return using.refuse("TB051", f"`{name}` needs the name of a session", node.span, f"write `{example}`")
    found = _named(using, node.arguments[0].text, node.span)
    return SessionTime(found, CLOCKS[name], DURATION, node.span) if isinstance(found, Session) else found


def _named(using: Expressions, name: str, span: Span) -> Session | checked.Expr:
    scope = using.scope
    if name in scope.broken:
        return checked.Const("?", ANY, "?", None, span)
    found = scope.sessions.get(name)
    if found is not None and not scope.visible(name, using.file, using.in_policy):
        return using.unknown(syntax.Name((name,), span))
    if found is None:
        known = [other for other in scope.sessions if scope.visible(other, using.file, using.in_policy)]
        hint = did_you_mean(name, known) or "define it: `session NAME: 08:00..16:30 Europe/London on weekdays`"
        return using.refuse("TB061", f"there is no session `{name}`", span, hint)
    return found
