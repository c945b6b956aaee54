"""TB121: a rule counts in pips, and an instrument it covers has none.

The value is unknown there, so that the rule never fires, or its entry is refused for lack of a stop.
"""

from __future__ import annotations

from collections.abc import Iterable

from tb.analysis.subject import Rule, Subject, named
from tb.core.diagnostics import Diagnostic, Severity, error
from tb.engine.plan import StrategyPlan

CODE = "TB121"


def check(subject: Subject) -> Iterable[Diagnostic]:
    if subject.instruments is None:
        return
    for strategy in subject.plan.strategies:
        pips = [subject.graph[id_] for id_ in subject.graph.reach(_read(strategy)) if subject.graph[id_].op == "pips"]
        specs = {symbol: subject.instruments(symbol) for symbol in strategy.members}
        lacking = [symbol for symbol, spec in specs.items() if spec is None or spec.pip is None]
        for place in [subject.places(node)[0] for node in pips if subject.places(node)][:1]:
            if lacking:
                message = f"`{strategy.name}` counts in pips, and no pip is known for {named(lacking)}"
                hint = f"add `pip: 0.0001` to `{lacking[0]}` under `instruments` in tb.yaml, or write the distance as a share"
                yield error(CODE, message, place, hint)


def _read(strategy: StrategyPlan) -> tuple[int, ...]:
    return tuple(dict.fromkeys(root for symbol in strategy.members for root in strategy.reads(symbol)))


RULE = Rule(CODE, "unknown-pip", "correctness", "types", Severity.ERROR, check)
