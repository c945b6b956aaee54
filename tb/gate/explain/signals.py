"""What the signals of an entry said, each in its own words, and the conviction that comes of them."""

from __future__ import annotations

from tb.engine.explain.words import show_value
from tb.engine.graph import RuleGraph
from tb.engine.plan import EnterPlan
from tb.engine.say import Values, say
from tb.engine.signals import SignalPlan
from tb.gate.explain.model import Said


def signals(graph: RuleGraph, entry: EnterPlan, values: Values) -> tuple[Said, ...]:
    """One for each signal that the entry's condition names, in order of appearance."""
    return tuple(_said(graph, signal, values) for signal in entry.signals)


def _said(graph: RuleGraph, signal: SignalPlan, values: Values) -> Said:
    says = show_value(values(signal.node), graph[signal.node].unit)
    counts = next((case for case in signal.cases if values(case.node) == 1.0), None)
    if counts is None:
        return Said(name=signal.name, says=says, because="", place=f"{signal.span.file}:{signal.span.line}")
    because = say(graph, counts.because, values)
    return Said(name=signal.name, says=says, because=because, place=f"{counts.span.file}:{counts.span.line}")


def conviction(graph: RuleGraph, entry: EnterPlan, values: Values) -> str:
    """`6.5, the mean of rsi_reversion 7, momentum 6`; empty where the entry's condition names no signal."""
    if entry.conviction is None:
        return ""
    sign = 1.0 if entry.direction == "long" else -1.0
    counted = []
    for signal in entry.signals:
        said = values(signal.node)
        if said is None:
            counted.append(f"{signal.name} 1 as the least it could be, since it is unknown")
        elif said * sign > 0.0:
            counted.append(f"{signal.name} {abs(said):.3g}")
    mean = values(entry.conviction)
    if mean is None:
        return f"unknown: no signal is known to say {entry.direction}"
    return f"{mean:.3g}, the mean of {', '.join(counted)}" if len(counted) > 1 else f"{mean:.3g}, that of {counted[0]}"
