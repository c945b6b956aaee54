"""TB208: hours of the clock without a zone that says whose.

`hour` and `weekday` count in UTC. Where the account's day, or a session, is that of another zone, two clocks are at work: a
rule for eight o'clock is one for nine in summer. An abbreviation such as `EST` is no place: it stays the same all the year.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tb.analysis.contradiction import COMPARISONS
from tb.analysis.subject import Rule, Subject
from tb.core.diagnostics import Diagnostic, Severity, warning
from tb.dsl import syntax

CODE = "TB208"
_CLOCKS = frozenset({"hour", "weekday"})
_PLACES = {
    "EST": "America/New_York",
    "MST": "America/Denver",
    "CET": "Europe/Berlin",
    "MET": "Europe/Berlin",
    "EET": "Europe/Helsinki",
    "WET": "Europe/Lisbon",
}
_UTC = frozenset({"UTC", "Etc/UTC", "Zulu", "UCT", "Universal", "Etc/Zulu", "Etc/UCT", "Etc/Universal"})


def check(subject: Subject) -> Iterable[Diagnostic]:
    sessions = [d for file in subject.files for d in file.declarations if isinstance(d, syntax.Session)]
    for session in sessions:
        if session.zone in _PLACES:
            message = f"`{session.zone}` is no place, so `{session.name}` does not follow the clocks of one"
            yield warning(CODE, message, subject.head(session.span), f"write `{_PLACES[session.zone]}`")
    if subject.zone not in _UTC:
        yield from _hours(subject, f"the trading day in {subject.zone}", subject.zone)
        return
    other = next((session for session in sessions if session.zone not in _UTC), None)
    if other is not None:
        yield from _hours(subject, f"`{other.name}` in {other.zone}", other.zone)


def _hours(subject: Subject, what: str, zone: str) -> Iterator[Diagnostic]:
    for node in subject.conditions:
        if node.op not in COMPARISONS:
            continue
        clocks = [subject.graph[part] for part in node.args if subject.graph[part].op == "field"]
        for clock in (clock for clock in clocks if str(clock.consts[0]) in _CLOCKS):
            for place in subject.places(node):
                message = f"`{subject.words(place)}`: `{clock.consts[0]}` counts in UTC, and {what}"
                yield warning(
                    CODE, message, place, f"say it as a session: `session NAME: 08:00..16:30 {zone}`, and `during NAME`"
                )


RULE = Rule(CODE, "clock-without-zone", "time", "types", Severity.WARNING, check)
