"""How an order asked to be filled and how its position is managed, in a trader's words."""

from __future__ import annotations

from decimal import Decimal

from tb.core.encode import plain
from tb.core.records import Decision
from tb.core.settings import Settings
from tb.core.time import show_duration, show_instant
from tb.core.units import RATIO
from tb.engine.explain.words import describe, show_value
from tb.engine.graph import RuleGraph
from tb.engine.management import LevelPlan
from tb.engine.plan import EnterPlan
from tb.gate.explain.reproduce import Evaluated, reader
from tb.gate.resting import asked_price


def order_words(graph: RuleGraph, settings: Settings, evaluated: Evaluated, decision: Decision) -> str:
    """`limit at 95 (bid), rests 5m, until 2024-01-01T01:05Z, post only`; empty at market."""
    entry, spec = evaluated.entry, settings.instrument(decision.instrument)
    if not isinstance(entry, EnterPlan) or entry.order.price is None or spec is None:
        return ""
    how, sign = entry.order, 1 if decision.side == "buy" else -1
    asked = asked_price(graph, how, sign, spec.tick, reader(evaluated.market), decision.inventory or Decimal(0))
    at = "an unknown price" if asked is None else plain(asked)
    words = f"{how.style} at {at} ({describe(graph, entry.order.price, expand=False)})"
    if how.valid is not None:
        words += f", rests {show_duration(how.valid)}, until {show_instant(decision.at + how.valid)}"
    if how.skew is not None and decision.inventory:
        most = describe(graph, how.skew, expand=False)
        way, part = "down" if decision.inventory > 0 else "up", show_value(abs(decision.inventory), RATIO)
        words += f", moved {way} by {part} of ({most}) for what is held"
    if how.is_quote:
        return f"{words}, a quote: post only, until it is replaced"
    return f"{words}{', post only' if how.post_only else ''}"


def management_words(graph: RuleGraph, evaluated: Evaluated, decision: Decision) -> tuple[str, ...]:
    """A line for each take, with its level, and for what moves the stop."""
    entry = evaluated.entry
    if not isinstance(entry, EnterPlan):
        return ()
    manage, lines = entry.manage, []
    levels = decision.takes if len(decision.takes) == len(manage.takes) else (None,) * len(manage.takes)
    for take, level in zip(manage.takes, levels, strict=True):
        at = "an unknown price" if level is None else plain(level)
        lines.append(f"take {show_value(take.share, RATIO)} at {at} ({_level(graph, take.level)})")
    if manage.break_even is not None:
        lines.append(f"stop moves to the entry after {manage.break_even.text}")
    if manage.trailing is not None:
        after = "" if manage.trailing.after is None else f" after {manage.trailing.after.text}"
        lines.append(f"stop trails the close by {describe(graph, manage.trailing.distance.node, expand=False)}{after}")
    return tuple(lines)


def _level(graph: RuleGraph, level: LevelPlan) -> str:
    words = describe(graph, level.node, expand=False)
    return f"{words} from entry" if level.kind in {"ratio", "distance"} else words
