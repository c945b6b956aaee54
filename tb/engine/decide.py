"""decide: the constraints as one generated Python function.

`generate` writes the source: one local for each leaf, one statement for each node, in graph order, then one test for each
constraint. `judge` takes the leaves' values in the plan's order and returns two bitmasks over the constraints, in policy order:
those that failed and those that could not be known. `measure` returns the measured side and the bound of each upper limit, the
widest one where an exception loosens it. They read nothing else, so these inputs are the decision's whole snapshot.

The source is shown by `tb compile --show`; `lines` maps its lines to the rules they stand for. The reference for its
meaning is `tb.engine.interpret.judge`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from types import CodeType

from tb.core.span import Span
from tb.engine.derived import DERIVED
from tb.engine.graph import Node, RuleGraph
from tb.engine.instant import EXACT, Exact, decision_value
from tb.engine.plan import ExemptionPlan, PolicyPlan

Judge = Callable[[Sequence[Exact]], tuple[int, int]]
Values = Callable[[Sequence[Exact]], tuple[Exact, ...]]
Measure = Callable[[Sequence[Exact]], tuple[tuple[Exact, Exact], ...]]
_COMPARE = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}
_EXACT = {"add": "add", "sub": "subtract", "mul": "multiply"}


@dataclass(frozen=True, slots=True)
class Generated:
    """`lines[n]` is the rule that line n + 1 of the source stands for, None for lines of no rule."""

    source: str
    lines: tuple[Span | None, ...]
    judge: Judge
    measured: tuple[str, ...]  # names of the limits whose sides `measure` returns
    measure: Measure


@lru_cache(maxsize=256)
def code_of(source: str, name: str) -> CodeType:
    """Generated source, compiled once for all gates that are built of the same policy."""
    return compile(source, name, "exec")


def generate(graph: RuleGraph, policy: PolicyPlan) -> Generated:
    """The decision function of a policy for one period."""
    writer = _Writer(graph, policy)
    writer.write()
    source = "\n".join(writer.source) + "\n"
    names = _names(writer)
    exec(code_of(source, f"<policy {policy.period} ms>"), names)
    judge, measure = names["judge"], names["measure"]
    assert callable(judge)
    assert callable(measure)
    return Generated(source, tuple(writer.spans), judge, tuple(writer.measured), measure)


def values_of(graph: RuleGraph, policy: PolicyPlan, nodes: Sequence[int]) -> Values:
    """The exact values of nodes above the policy's leaves, from these."""
    writer = _Writer(graph, policy)
    writer.write_values(nodes)
    names = _names(writer)
    exec(code_of("\n".join(writer.source) + "\n", f"<values {policy.period} ms>"), names)
    values = names["values"]
    assert callable(values)
    return values


def _names(writer: _Writer) -> dict[str, object]:
    return {
        "x_add": _settled(EXACT.add),
        "x_subtract": _settled(EXACT.subtract),
        "x_multiply": _settled(EXACT.multiply),
        "op": decision_value,
        "widest": widest,
        **{f"k{node}": value for node, value in writer.constants.items()},
        **{_function(name): function for name, function in DERIVED.items()},
        **writer.tables,
    }


def _settled(operation: Callable[[Decimal, Decimal], Decimal]) -> Callable[[Decimal, Decimal], Decimal | None]:
    """The operation, its result unknown where it is beyond every number."""

    def settled(left: Decimal, right: Decimal) -> Decimal | None:
        result = operation(left, right)
        return result if result.is_finite() else None

    return settled


def widest(bound: Exact, *others: Exact) -> Exact:
    """The upper bound in force: the limit's own, or a wider one of an exception that holds (None where it does not)."""
    known = [other for other in others if isinstance(other, Decimal)]
    return max([bound, *known]) if isinstance(bound, Decimal) else None


def _function(name: str) -> str:
    return "f_" + name.replace(".", "_").replace(" ", "_")


class _Writer:
    def __init__(self, graph: RuleGraph, policy: PolicyPlan) -> None:
        self.graph = graph
        self.policy = policy
        self.source: list[str] = []
        self.spans: list[Span | None] = []
        self.constants: dict[int, Exact] = {}
        self.tables: dict[str, object] = {}
        self.measured: list[str] = []

    def write(self) -> None:
        self._begin("judge")
        self._line("    failed = unknown = 0", None)
        done = set(self.policy.leaves)
        for bit, constraint in enumerate(self.policy.constraints):
            self._line(f"    # {constraint.kind} {constraint.name}  ({constraint.span.file}:{constraint.span.line})", None)
            self._compute(constraint.node, constraint.span, done)
            name = self._name(constraint.node)
            self._line(f"    if not {name}:", constraint.span)
            self._line(f"        if {name} is None: unknown |= {1 << bit}", constraint.span)
            self._line(f"        else: failed |= {1 << bit}", constraint.span)
        self._line("    return failed, unknown", None)
        self._write_measure()

    def write_values(self, nodes: Sequence[int]) -> None:
        self._begin("values")
        done = set(self.policy.leaves)
        for node in nodes:
            self._compute(node, None, done)
        self._line(f"    return ({''.join(f'{self._name(node)}, ' for node in nodes)})", None)

    def _write_measure(self) -> None:
        self._line("", None)
        self._line("", None)
        self._begin("measure")
        done, pairs = set(self.policy.leaves), []
        for constraint in self.policy.constraints:
            if constraint.measure is None:
                continue
            self._compute(constraint.node, constraint.span, done)
            self.measured.append(constraint.name)
            measured, bound = (self._name(arg) for arg in self.graph[constraint.measure].args)
            ways = "".join(f", {self._way(exemption)}" for exemption in constraint.loosened)
            pairs.append(f"({measured}, {f'widest({bound}{ways})' if ways else bound}), ")
        self._line(f"    return ({''.join(pairs)})", None)

    def _way(self, exemption: ExemptionPlan) -> str:
        bound = self._name(self.graph[exemption.passes].args[1])
        return bound if exemption.applies is None else f"{bound} if {self._name(exemption.applies)} is True else None"

    def _begin(self, name: str) -> None:
        self._line(f"def {name}(x):", None)
        if self.policy.leaves:
            self._line(f"    {''.join(f'v{leaf}, ' for leaf in self.policy.leaves)}= x", None)

    def _compute(self, root: int, span: Span | None, done: set[int]) -> None:
        for id_ in self.graph.reach((root,)):
            if id_ in done or self._below_leaf(id_, root):
                continue
            done.add(id_)
            if self.graph[id_].op == "const":
                value = self.graph[id_].consts[0]
                self.constants[id_] = value if isinstance(value, Decimal | str) else None
            else:
                self._line(f"    v{id_} = {self._expression(self.graph[id_])}", span)

    def _below_leaf(self, id_: int, root: int) -> bool:
        """Whether a node is reached only through market leaves: those come with their values."""
        node = self.graph[id_]
        return node.stage == "market" or (node.op == "const" and not self._used_here(id_, root))

    def _used_here(self, id_: int, root: int) -> bool:
        return any(id_ in self.graph[n].args and self.graph[n].stage == "decision" for n in self.graph.reach((root,)))

    def _name(self, id_: int) -> str:
        return f"k{id_}" if self.graph[id_].op == "const" else f"v{id_}"

    def _expression(self, node: Node) -> str:
        args = [self._name(a) for a in node.args]
        checks = [n for a, n in zip(node.args, args, strict=True) if self.graph[a].op != "const"]
        missing = " or ".join(f"{name} is None" for name in checks)
        guard = f"None if {missing} else " if missing else ""
        match node.op:
            case "and":
                return f"False if {self._any(args, 'False')} else None if {missing or 'False'} else True"
            case "or":
                return f"True if {self._any(args, 'True')} else None if {missing or 'False'} else False"
            case "not":
                return f"{guard}not {args[0]}"
            case "is_set":
                return f"{args[0]} is not None"
            case "one_of" if len(args) == 1:
                self.tables[f"t{node.id}"] = tuple(str(c) for c in node.consts[1:])
                return f"{guard}{args[0]} in t{node.id}"
            case "one_of":
                return f"{guard}{args[0]} in {args[1]}.split(',')"
            case op if op in _COMPARE:
                return f"{guard}{args[0]} {_COMPARE[op]} {args[1]}"
            case op if op in _EXACT:
                return f"{guard}x_{_EXACT[op]}({args[0]}, {args[1]})"
            case "first":
                self.tables[f"t{node.id}"] = node.consts
                return f"op('first', t{node.id}, ({''.join(f'{name}, ' for name in args)}))"
            case "derived":
                return f"{guard}{_function(str(node.consts[0]))}({', '.join(args)})"
            case op:
                return f"op({op!r}, (), ({', '.join(args)},))"

    @staticmethod
    def _any(args: list[str], value: str) -> str:
        return " or ".join(f"{name} is {value}" for name in args)

    def _line(self, text: str, span: Span | None) -> None:
        self.source.append(text)
        self.spans.append(span)
