"""What an alert looks like to the person who gets it. Secrets are taken out here, last of all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tb.core.redaction import redacted
from tb.core.time import show_instant
from tb.runtime.ports.alerts import Alert, Severity

LINES = 12  # alerts told one by one in a message; of more the rest is counted
LONGEST = 400  # characters of one alert
ORDER: tuple[Severity, ...] = ("critical", "warning", "info")


def worst(alerts: Sequence[Alert]) -> Severity:
    return min((alert.severity for alert in alerts), key=ORDER.index, default="info")


def title_of(alerts: Sequence[Alert], project: str) -> str:
    """Whose alert it is, how grave, and about what."""
    kinds = list(dict.fromkeys(alert.what for alert in sorted(alerts, key=lambda one: ORDER.index(one.severity))))
    about = ", ".join(kinds[:3]) + (", ..." if len(kinds) > 3 else "")
    return redacted(f"{project} {worst(alerts)}: {about}" if kinds else f"{project}: alerts were dropped")


def body_of(alerts: Sequence[Alert], again: Mapping[Alert, int], dropped: int) -> str:
    """A line for each alert, the gravest first; how often one came again; how many were dropped."""
    told = sorted(alerts, key=lambda one: ORDER.index(one.severity))
    lines = [line_of(alert, again.get(alert, 0)) for alert in told[:LINES]]
    rest = told[LINES:]
    if rest:
        kinds: dict[str, int] = {}
        for alert in rest:
            kinds[alert.what] = kinds.get(alert.what, 0) + 1
        lines.append(f"and {len(rest)} more: " + ", ".join(f"{count} {kind}" for kind, count in kinds.items()))
    if dropped:
        lines.append(f"{dropped} {'alert was' if dropped == 1 else 'alerts were'} dropped: nobody took them in time")
    return "\n".join(lines)


def line_of(alert: Alert, again: int = 0) -> str:
    """When, how grave, about what, and its words; how often it came again."""
    words = redacted(" ".join(alert.words.split()))
    short = words if len(words) <= LONGEST else words[: LONGEST - 3] + "..."
    times = f" (came {again} more {'time' if again == 1 else 'times'})" if again else ""
    return f"{show_instant(alert.at // 1000 * 1000)} {alert.severity} {alert.what}: {short}{times}"
