"""tb: rules, hard limits and an explanation for every decision.

The public names, each imported when first used, so that `import tb` stays cheap:

    compiled = tb.compile_project(tb.load_project(Path(".")))
    market = tb.load_market(Path("data"))
    with tb.open_ledger(compiled.project.ledger) as ledger:
        ...

Everything else is inside: it may change without notice.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tb.core.diagnostics import Diagnostic, Refused, Severity
    from tb.core.records import Decision, Fill, Latch, Mark, Order, Quiet, Run, Trade
    from tb.core.settings import Settings
    from tb.dsl.check import check
    from tb.dsl.format import format_file
    from tb.dsl.parse import parse
    from tb.engine.plan import Plan
    from tb.engine.planning import plan
    from tb.gate.explain import Explanation, explain
    from tb.gate.gate import Approved, Gate, Judgement
    from tb.gate.proposal import Proposal
    from tb.ledger import open_ledger, policy_hash
    from tb.ledger.store import Ledger
    from tb.replay.data import Market, load_market
    from tb.replay.run import Outcome, replay_market
    from tb.replay.sample import sample_market
    from tb.replay.why_not import WhyNot, why_not
    from tb.runtime.policy import Compiled, compile_project
    from tb.runtime.project import Project, load_project

_HOMES = {
    "Approved": "tb.gate.gate",
    "Compiled": "tb.runtime.policy",
    "Decision": "tb.core.records",
    "Diagnostic": "tb.core.diagnostics",
    "Explanation": "tb.gate.explain",
    "Fill": "tb.core.records",
    "Gate": "tb.gate.gate",
    "Judgement": "tb.gate.gate",
    "Latch": "tb.core.records",
    "Ledger": "tb.ledger.store",
    "Mark": "tb.core.records",
    "Market": "tb.replay.data",
    "Order": "tb.core.records",
    "Outcome": "tb.replay.run",
    "Plan": "tb.engine.plan",
    "Project": "tb.runtime.project",
    "Proposal": "tb.gate.proposal",
    "Quiet": "tb.core.records",
    "Refused": "tb.core.diagnostics",
    "Run": "tb.core.records",
    "Settings": "tb.core.settings",
    "Severity": "tb.core.diagnostics",
    "Trade": "tb.core.records",
    "WhyNot": "tb.replay.why_not",
    "check": "tb.dsl.check",
    "compile_project": "tb.runtime.policy",
    "explain": "tb.gate.explain",
    "format_file": "tb.dsl.format",
    "load_market": "tb.replay.data",
    "load_project": "tb.runtime.project",
    "open_ledger": "tb.ledger",
    "parse": "tb.dsl.parse",
    "plan": "tb.engine.planning",
    "policy_hash": "tb.ledger",
    "replay_market": "tb.replay.run",
    "sample_market": "tb.replay.sample",
    "why_not": "tb.replay.why_not",
}

__version__ = "0.2.0"
__all__ = [
    "Approved",
    "Compiled",
    "Decision",
    "Diagnostic",
    "Explanation",
    "Fill",
    "Gate",
    "Judgement",
    "Latch",
    "Ledger",
    "Mark",
    "Market",
    "Order",
    "Outcome",
    "Plan",
    "Project",
    "Proposal",
    "Quiet",
    "Refused",
    "Run",
    "Settings",
    "Severity",
    "Trade",
    "WhyNot",
    "__version__",
    "check",
    "compile_project",
    "explain",
    "format_file",
    "load_market",
    "load_project",
    "open_ledger",
    "parse",
    "plan",
    "policy_hash",
    "replay_market",
    "sample_market",
    "why_not",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"tb has no public name {name!r}")
    return getattr(import_module(home), name)
