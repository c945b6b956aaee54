"""Whether one condition is true wherever another is, in three-valued logic: not only never false there, but never unknown.

A comparison that is true has known sides, and arithmetic that is known has known parts; so it can be told what else is known.
Only conditions that look at the same values are compared, which keeps hundreds of them cheap.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tb.analysis.clauses import Clause, Term
from tb.analysis.contradiction import COMPARISONS, Contradictions
from tb.engine.graph import RuleGraph

_STRICT = frozenset({"neg", "add", "sub", "mul", "div", "abs", "min", "max", "sign", "log", "exp", "sqrt"})
_TOTAL = frozenset({"neg", "add", "sub", "mul", "abs", "min", "max", "sign"})  # known wherever their arguments are
_LOGIC = frozenset({"and", "or", "not", *COMPARISONS})
_ALWAYS = frozenset({"const", "tier_is", "during", "is_set"})


class Implications:
    """Answers questions about the conditions of one graph."""

    def __init__(self, contradictions: Contradictions) -> None:
        self.contradictions = contradictions
        self.graph: RuleGraph = contradictions.graph
        self._values: dict[int, frozenset[int]] = {}
        self._directions: dict[int, dict[int, int]] = {}

    def implies(self, one: int, other: int) -> bool:
        """Whether `other` is true wherever `one` is. False where that is undecided."""
        if one == other:
            return True
        if not self.values(other) <= self.values(one) or self.contradictions.never(one, True):
            return False
        if not self.contradictions.never_together([(one, True), (other, False)]):
            return False
        terms = self.contradictions.clauses.terms(one, True)
        if terms is None:
            return False
        possible = (term for term in terms if not self.contradictions.impossible(term))
        return all(self._holds((other, True), term, self._known_where(term)) for term in possible)

    def values(self, condition: int) -> frozenset[int]:
        """What a condition looks at: the nodes that its clauses compare, arithmetic looked through."""
        if condition not in self._values:
            found, stack, seen = set[int](), [condition], set[int]()
            while stack:
                node = self.graph[stack.pop()]
                if node.id in seen or node.op == "const":
                    continue
                seen.add(node.id)
                if node.op in _LOGIC or node.op in _STRICT or node.op in {"regime_is", "one_of", "is_set"}:
                    stack += node.args
                else:
                    found.add(node.id)
            self._values[condition] = frozenset(found)
        return self._values[condition]

    def directions(self, condition: int) -> dict[int, int]:
        """Whether each value makes a condition true by being small (1) or large (-1); 0 for both, and for what is no number."""
        if condition not in self._directions:
            found: dict[int, int] = {}
            stack, seen = [(condition, True)], set[Clause]()
            while stack:
                clause = stack.pop()
                node, wanted = self.graph[clause[0]], clause[1]
                if clause in seen:
                    continue
                seen.add(clause)
                if node.op in {"and", "or", "not"}:
                    stack += [(part, wanted != (node.op == "not")) for part in node.args]
                    continue
                for value, way in self._ways(node.id, wanted):
                    found[value] = way if found.get(value, way) == way else 0
            self._directions[condition] = found
        return self._directions[condition]

    def _ways(self, id_: int, wanted: bool) -> Iterator[tuple[int, int]]:
        node = self.graph[id_]
        smaller = {"lt": 1, "le": 1, "gt": -1, "ge": -1}.get(node.op, 0) * (1 if wanted else -1)
        linear = self.contradictions.difference(node) if smaller else None
        weights = {} if linear is None else linear.weights
        for value in self.values(id_):
            weight = weights.get(value)
            way = 0 if weight is None else smaller if weight > 0 else -smaller
            yield value, way if set(weights) == set(self.values(id_)) else 0

    def is_known(self, condition: int, term: Term) -> bool:
        """Whether a condition surely has an answer where all clauses of a term have theirs."""
        return self._known(condition, self._known_where(term))

    def _holds(self, clause: Clause, term: Term, given: set[int]) -> bool:
        """Whether a condition, whose opposite is ruled out, surely has the answer where the term holds."""
        if self._known(clause[0], given):
            return True
        node, wanted = self.graph[clause[0]], clause[1]
        parts = [(argument, wanted != (node.op == "not")) for argument in node.args]
        if node.op == "not" or (node.op in {"and", "or"} and (node.op == "and") == wanted):
            return all(self._holds(part, term, given) for part in parts)
        if node.op in {"and", "or"}:  # one that holds is enough, whether the others are known or not
            ruled_out = (part for part in parts if self._excludes(term, (part[0], not part[1])))
            return any(self._holds(part, term, given) for part in ruled_out)
        return False

    def _excludes(self, term: Term, clause: Clause) -> bool:
        return self.contradictions.never_together([*term, clause])

    def _known_where(self, term: Term) -> set[int]:
        """Nodes that have a value wherever all clauses of the term have their answers."""
        found, stack = set[int](), [id_ for id_, _ in term if self.graph[id_].op != "is_set"]
        stack += [self.graph[id_].args[0] for id_, wanted in term if self.graph[id_].op == "is_set" and wanted]
        while stack:
            node = self.graph[stack.pop()]
            if node.id not in found:
                found.add(node.id)
                stack += node.args if node.op in _STRICT or node.op in COMPARISONS or node.op in {"regime_is", "one_of"} else ()
        return found

    def _known(self, id_: int, given: set[int]) -> bool:
        node = self.graph[id_]
        if id_ in given or node.op in _ALWAYS:
            return True
        if node.op == "div":
            return bool(self.contradictions.ranges.fixed(node.args[1], node.stage)) and self._known(node.args[0], given)
        if node.op in _TOTAL or node.op in _LOGIC or node.op in {"regime_is", "one_of"}:
            return all(self._known(argument, given) for argument in node.args)
        return False


def shared(implications: Implications, conditions: Iterable[int]) -> dict[int, frozenset[int]]:
    """For each condition those that look at one of its values, itself left out."""
    by_value: dict[int, list[int]] = {}
    every = list(dict.fromkeys(conditions))
    for condition in every:
        for value in implications.values(condition):
            by_value.setdefault(value, []).append(condition)
    return {
        condition: frozenset(other for value in implications.values(condition) for other in by_value[value]) - {condition}
        for condition in every
    }
