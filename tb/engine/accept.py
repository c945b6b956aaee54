"""accept: the question asked first of every order, whether it passes all constraints, as one generated Python function.

Most orders pass everything, and then no bit needs to be set. The function returns True only where the decision function
(`tb.engine.decide`) returns no bit; anything else it leaves to that function:

1. Of several limits on the same value with constant bounds, the tightest stands for all (`_tightest`).
2. Conditions are plain `and`, `or`, `not` over comparisons. A value that is not known raises TypeError where it is compared or
   computed with, also in a text comparison (`same`, `among`) or a result (`sure`): then the answer is False.
3. A value that several constraints read is computed once, before them.

Sums and products are not looked at for results beyond every number: how far their exponents can reach is known from the graph
(`_reach`), and where that is too far, nothing is ever accepted. Quotients are checked.

INVARIANT: True means that the decision function returns (0, 0) for the same inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from decimal import Decimal

from tb.engine.derived import DERIVED
from tb.engine.graph import Node, RuleGraph
from tb.engine.instant import EXACT, Exact, decision_value
from tb.engine.plan import PolicyPlan

Accept = Callable[[Sequence[Exact]], bool]
_NUMBERS = frozenset("add sub mul div abs neg derived".split())
_LEAF, _MOST = 400, 900_000  # digits before or after the point that an input may have, and that any result may
_COMPARE = {"lt": "<", "le": "<=", "gt": ">", "ge": ">="}
_ORDINARY = frozenset("add sub neg abs min max and or not eq ne is_set one_of".split())
_EXACT = {"add": "add", "sub": "subtract", "mul": "multiply"}


def accept_source(graph: RuleGraph, policy: PolicyPlan) -> tuple[str, Mapping[str, object]] | None:
    """The function's source and the names that it uses; None where a result may leave the range of exponents."""
    writer = _Writer(graph, policy)
    roots = _tightest(graph, [constraint.node for constraint in policy.constraints])
    if any(digits > _MOST for digits in _reach(graph, policy, roots).values()):
        return None
    lines = ["def accept(x):"]
    if policy.leaves:
        lines.append(f"    {''.join(f'v{leaf}, ' for leaf in policy.leaves)}= x")
    lines += writer.conditions(roots)
    return "\n".join(lines) + "\n", writer.names


def accept_of(graph: RuleGraph, policy: PolicyPlan) -> Accept:
    """Whether an order surely passes every constraint. Raises nothing: where it cannot tell, it is False."""
    written = accept_source(graph, policy)
    if written is None:
        return lambda _: False
    source, names = written
    space = {**names, "sure": sure, "same": same, "among": among, "quotient": quotient, "op": decision_value, "abs": abs}
    exec(compile(source, f"<accept {policy.period} ms>", "exec"), space)
    found = space["accept"]
    assert callable(found)

    def accept(inputs: Sequence[Exact]) -> bool:
        try:
            return found(inputs) is True
        except TypeError:
            return False  # something is not known: the decision function says what

    return accept


def sure(value: Exact) -> Exact:
    """The value, known. Raises TypeError for one that is not."""
    if value is None:
        raise TypeError("not known")
    return value


def same(left: Exact, right: Exact) -> bool:
    return sure(left) == sure(right)


def among(value: Exact, names: Sequence[Exact]) -> bool:
    return sure(value) in names


def quotient(left: Decimal, right: Decimal) -> Decimal:
    result = EXACT.divide(left, right)
    if not result.is_finite():
        raise TypeError("not known")
    return result


def _needed(graph: RuleGraph, leaves: Collection[int], roots: Iterable[int]) -> list[int]:
    """What is computed for the roots, from the leaves on, in graph order."""
    seen: dict[int, None] = {}
    stack = list(roots)
    while stack:
        id_ = stack.pop()
        if id_ not in seen:
            seen[id_] = None
            stack += [] if id_ in leaves else graph[id_].args
    return sorted(seen)


def _reach(graph: RuleGraph, policy: PolicyPlan, roots: Sequence[int]) -> dict[int, int]:
    """How many digits before or after the point each node may have."""
    leaves, found = frozenset(policy.leaves), dict[int, int]()
    for id_ in _needed(graph, leaves, roots):
        node = graph[id_]
        args = [] if id_ in leaves else [found[arg] for arg in node.args]
        if id_ in leaves or node.op in {"const", "fact"}:
            found[id_] = _LEAF
        elif node.op in {"mul", "div"}:
            found[id_] = sum(args)
        elif node.op == "derived":
            found[id_] = 2 * sum(args)  # at most products of all its leaves, and a quotient of such
        elif node.op in _ORDINARY or node.op in _COMPARE:
            found[id_] = max(args, default=0) + 1
        else:
            found[id_] = _MOST  # whatever it is, it is finite
    return found


def _tightest(graph: RuleGraph, nodes: Iterable[int]) -> list[int]:
    """The conditions without those that follow from another: of `m <= 5` and `m <= 7` the first."""
    found: dict[tuple[int, str] | int, int] = {}
    for id_ in nodes:
        node = graph[id_]
        bound = _bound(graph, node)
        if bound is None:
            found[id_] = id_
            continue
        key = (node.args[0], node.op)
        other = found.get(key)
        known = None if other is None else _bound(graph, graph[other])
        is_upper = node.op in {"lt", "le"}
        if known is None or (bound < known if is_upper else bound > known):
            found[key] = id_
    return list(found.values())


def _bound(graph: RuleGraph, node: Node) -> Decimal | None:
    if node.op not in _COMPARE or graph[node.args[1]].op != "const":
        return None
    value = graph[node.args[1]].consts[0]
    return value if isinstance(value, Decimal) else None


class _Writer:
    def __init__(self, graph: RuleGraph, policy: PolicyPlan) -> None:
        self.graph = graph
        self.leaves = frozenset(policy.leaves)
        self.names: dict[str, object] = {f"x_{name}": getattr(EXACT, name) for name in _EXACT.values()}
        self._locals: set[int] = set()

    def conditions(self, roots: Sequence[int]) -> list[str]:
        """Statements that return True where every root holds."""
        shared = self._shared(roots)
        lines = []
        for root in roots:
            for id_ in self.graph.reach((root,)):
                if id_ in shared and id_ not in self._locals:
                    lines.append(f"    v{id_} = {self._written(self.graph[id_])}")
                    self._locals.add(id_)
            lines.append(f"    if not {self._truth(root)}: return False")
        return [*lines, "    return True"]

    def _shared(self, roots: Sequence[int]) -> frozenset[int]:
        """The numbers that are read more than once."""
        uses: dict[int, int] = {}
        for id_ in _needed(self.graph, self.leaves, roots):
            for arg in self.graph[id_].args if id_ not in self.leaves else ():
                uses[arg] = uses.get(arg, 0) + 1
        numbers = (id_ for id_, count in uses.items() if count > 1 and id_ not in self.leaves)
        return frozenset(id_ for id_ in numbers if self.graph[id_].op in _NUMBERS)

    def _text(self, id_: int) -> str:
        node = self.graph[id_]
        if id_ in self.leaves or id_ in self._locals:
            return f"v{id_}"
        if node.op == "const":
            value = node.consts[0]
            self.names[f"k{id_}"] = value if isinstance(value, Decimal | str) else None
            return f"k{id_}"
        return self._written(node)

    def _truth(self, id_: int) -> str:
        """A condition; nothing but a leaf can be unknown without having raised."""
        return f"sure(v{id_})" if id_ in self.leaves else self._text(id_)

    def _derived(self, node: Node, args: Sequence[str]) -> str:
        """A derived fact asks for all of its leaves, also where its formula would not read one."""
        name = "f_" + str(node.consts[0]).replace(".", "_").replace(" ", "_")
        self.names[name] = DERIVED[str(node.consts[0])]
        known = " and ".join(f"v{arg} is not None" for arg in dict.fromkeys(node.args) if arg in self.leaves)
        called = f"{name}({', '.join(args)})"
        return f"({called} if {known} else sure(None))" if known else called

    def _written(self, node: Node) -> str:
        is_logic = node.op in {"and", "or", "not"}
        args = [self._truth(arg) if is_logic else self._text(arg) for arg in node.args]
        match node.op:
            case "and" | "or":
                return "(" + f" {node.op} ".join(args) + ")"
            case "not":
                return f"(not {args[0]})"
            case "is_set":
                return f"({args[0]} is not None)"
            case "eq" | "ne":
                return f"same({args[0]}, {args[1]})" if node.op == "eq" else f"(not same({args[0]}, {args[1]}))"
            case "one_of" if len(args) == 1:
                self.names[f"t{node.id}"] = tuple(str(name) for name in node.consts[1:])
                return f"among({args[0]}, t{node.id})"
            case "one_of":
                return f"among({args[0]}, sure({args[1]}).split(','))"
            case op if op in _COMPARE:
                return f"({args[0]} {_COMPARE[op]} {args[1]})"
            case op if op in _EXACT:
                return f"x_{_EXACT[op]}({args[0]}, {args[1]})"
            case "div":
                return f"quotient({args[0]}, {args[1]})"
            case "abs":
                return f"abs({args[0]})"
            case "derived":
                return self._derived(node, args)
            case op:
                self.names[f"c{node.id}"] = node.consts
                return f"sure(op({op!r}, c{node.id}, ({', '.join(args)},)))"
