"""The rule graph: every distinct computation of rules and policy once, in one stated order.

A node is identified by what it computes (operation, arguments, constants, period, stage), never by where it was written; the
spans of every place that says the same are kept with it. Arguments come before the nodes that use them. Once frozen, nothing
changes. Evaluator, explainer, linter and prover all read this one thing.

INVARIANT: nodes[i].id == i, and every argument's id is smaller than i.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from tb.core.encode import canonical, digest
from tb.core.span import Span
from tb.core.units import Unit
from tb.vocabulary.std import TEXTS

Stage = Literal["constant", "market", "decision"]
Constant = Decimal | str | int | float | None

# operations whose value at an instant follows from the values of their arguments at that instant
POINTWISE_OPS = frozenset(
    "neg add sub mul div abs min max sign log exp sqrt lt le gt ge eq ne and or not ramp best score regime regime_is member "
    "first first_is pick signal signal_is strength agree agrees conviction".split()
)


@dataclass(frozen=True, slots=True)
class Node:
    """One computation.

    `op`: `const`, `pips`, `field`, `depth`, `apply`, `shift`, `of`, `at`, `every`, `some`, `tier`, `tier_is`, `during`,
    `feed`, `feed_age`, `fact`, `derived`, `is_set`, `one_of`, or one of POINTWISE_OPS. `period` is in ms, 0 where none matters.
    `look_back` counts closed bars of `period` before the present one that the value depends on. `low` and `high` bound the
    value, None where open.
    """

    id: int
    op: str
    args: tuple[int, ...]
    consts: tuple[Constant, ...]
    unit: Unit
    period: int
    stage: Stage
    look_back: int
    low: float | None
    high: float | None
    key: str
    spans: tuple[Span, ...]
    names: tuple[str, ...]  # of the `let`s, triggers and parameters that mean this node


@dataclass(frozen=True, slots=True)
class RuleGraph:
    """Frozen nodes in evaluation order."""

    nodes: tuple[Node, ...]

    def __getitem__(self, node: int) -> Node:
        return self.nodes[node]

    def reach(self, roots: tuple[int, ...]) -> tuple[int, ...]:
        """The ids that the roots depend on, themselves included, in evaluation order."""
        seen: set[int] = set()
        stack = list(roots)
        while stack:
            node = stack.pop()
            if node not in seen:
                seen.add(node)
                stack.extend(self.nodes[node].args)
        return tuple(sorted(seen))


@dataclass(slots=True)
class _Draft:
    op: str
    args: tuple[int, ...]
    consts: tuple[Constant, ...]
    unit: Unit
    period: int
    stage: Stage
    look_back: int
    low: float | None
    high: float | None
    key: str
    spans: dict[Span, None]
    names: dict[str, bool]  # name -> whether the standard library gave it

    def names_to_show(self) -> tuple[str, ...]:
        """The project's own names first; those of the library only where no file of the project writes the same itself."""
        own = tuple(name for name, of_library in self.names.items() if not of_library)
        if any(span.file not in TEXTS for span in self.spans):
            return own
        return own + tuple(name for name, of_library in self.names.items() if of_library)


class GraphBuilder:
    """Adds nodes, sharing equal ones, until `freeze`."""

    def __init__(self) -> None:
        self._drafts: list[_Draft] = []
        self._known: dict[tuple[object, ...], int] = {}

    def add(
        self,
        op: str,
        args: tuple[int, ...],
        consts: tuple[Constant, ...],
        unit: Unit,
        *,
        period: int,
        stage: Stage,
        span: Span,
        look_back: int = 0,
        bounds: tuple[float | None, float | None] = (None, None),
    ) -> int:
        """The id of the node, new or known; the span is added to it."""
        identity = (op, args, tuple((type(c).__name__, str(c)) for c in consts), period, stage)
        found = self._known.get(identity)
        if found is None:
            parts = [op, [self._drafts[a].key for a in args], [str(c) for c in consts], period, stage]
            key = digest(canonical(parts))[:12]
            found = len(self._drafts)
            self._drafts.append(_Draft(op, args, consts, unit, period, stage, look_back, *bounds, key, {}, {}))
            self._known[identity] = found
        self._drafts[found].spans[span] = None
        return found

    def name(self, node: int, name: str, *, of_library: bool = False) -> None:
        """Adds a name of the node; those of the standard library are kept apart from the project's own."""
        self._drafts[node].names[name] = of_library

    def __getitem__(self, node: int) -> _Draft:
        return self._drafts[node]

    def freeze(self) -> RuleGraph:
        return RuleGraph(
            tuple(
                Node(
                    i,
                    d.op,
                    d.args,
                    d.consts,
                    d.unit,
                    d.period,
                    d.stage,
                    d.look_back,
                    d.low,
                    d.high,
                    d.key,
                    tuple(d.spans),
                    d.names_to_show(),
                )
                for i, d in enumerate(self._drafts)
            )
        )
