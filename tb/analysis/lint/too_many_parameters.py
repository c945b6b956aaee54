"""TB405: more parameters to choose than a run has trades to choose them by.

A parameter counts where it has a range and a step, so that it can be searched, and the strategy needs it, directly or through
what it names. Ten closed trades of the strategy are asked for each: with fewer, the best values fit what happened by chance.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tb.analysis.subject import Rule, Subject, named
from tb.analysis.uses import statements
from tb.core.diagnostics import Diagnostic, Severity, warning

CODE = "TB405"
TRADES = 10  # for each parameter


def check(subject: Subject) -> Iterable[Diagnostic]:
    run = subject.observed
    if run is None:
        return
    everything = statements(subject.files)
    uses = {statement.name: statement.uses for statement in everything if statement.is_definition}
    own = {statement.name: statement.uses for statement in everything if statement.kind == "strategy"}
    for strategy in subject.program.strategies.values():
        read = _reached(own.get(strategy.name, ()), uses)
        free = [p.name for p in subject.program.params.values() if p.step is not None and p.low is not None and p.name in read]
        trades = run.trades.get(strategy.name, 0)
        if free and trades < TRADES * len(free):
            message = (
                f"`{strategy.name}` closed {_counted(trades, 'trade')} in {run.run} and reads "
                f"{_counted(len(free), 'parameter')} that can be searched, {named(free)}"
            )
            hint = f"fix some of them by dropping `step`, or replay until there are {TRADES * len(free)} trades"
            yield warning(CODE, message, subject.head(strategy.span), hint)


def _reached(names: Iterable[str], uses: Mapping[str, tuple[str, ...]]) -> frozenset[str]:
    """Names and all that they need."""
    stack, seen = list(names), set[str]()
    while stack:
        name = stack.pop()
        if name not in seen:
            seen.add(name)
            stack += uses.get(name, ())
    return frozenset(seen)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


RULE = Rule(CODE, "too-many-free-parameters", "parameters", "run", Severity.WARNING, check)
