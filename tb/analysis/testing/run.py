"""run: every test of a project, each from a fresh state.

1. Bars that tests name are loaded; what tests speak of is built after the plan, in the order of the files (`Bench`).
2. Each test is run by itself: an order is judged (`orders`), bars are replayed to their end (`markets`), or given values are
   looked at. Nothing that one test does can be seen by another, so that their order does not matter.
3. What came is held against what was expected (`expectations`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import msgspec

from tb.analysis.testing import expectations
from tb.analysis.testing.asked import Asked, ask
from tb.analysis.testing.coverage import Coverage
from tb.analysis.testing.expectations import Came, Values, came
from tb.analysis.testing.given_feeds import unread_feeds
from tb.analysis.testing.markets import Played, played, recording_for, values_at_the_end
from tb.analysis.testing.model import Failure, Report, TestResult
from tb.analysis.testing.orders import Facts, Judged, judge
from tb.analysis.testing.ports import History
from tb.analysis.testing.silence import Silence, silence
from tb.core.diagnostics import Diagnostic, Refused, error
from tb.core.settings import Settings
from tb.dsl.checked_tests import ExpectNoProposal, ExpectThat, ExpectVerdict, Test
from tb.engine.build import Builder
from tb.engine.graph import RuleGraph
from tb.engine.instant import Exact
from tb.engine.interpret import from_leaves
from tb.engine.leaves import leaves_of
from tb.engine.plan import Plan, with_data
from tb.engine.recording import Recording
from tb.engine.series import FEED_OPS
from tb.gate.explain import explain, explain_evaluated, text
from tb.gate.explain.reproduce import Evaluated, facts_of
from tb.gate.gate import Gate

Progress = Callable[[int, int], None]
Seen = Callable[[], Sequence[Values]]  # what a test saw; computed only where somebody asks
SEVERAL = "TB724"


@dataclass(slots=True)
class Bench:
    """A project's plan with what its tests speak of, ready to run any of them in any order."""

    plan: Plan
    settings: Settings
    history: History
    graph: RuleGraph
    asked: Mapping[str, Asked]
    recordings: Mapping[str, Recording]
    refused: Mapping[str, tuple[Diagnostic, ...]]  # tests whose data cannot be read
    _gates: dict[int, Gate] = field(default_factory=dict)

    @classmethod
    def of(cls, builder: Builder, plan: Plan, settings: Settings, history: History, tests: Sequence[Test]) -> Bench:
        """`builder` is the one that built the plan."""
        asked, recordings, refused = {}, {}, {}
        for test in tests:
            try:
                found = recording_for(test, history)
            except Refused as problem:
                refused[test.name] = problem.findings
                found = None
            if found is not None:
                recordings[test.name] = found
            period = None if found is None or not found.bars else next(iter(found.bars.values())).period
            asked[test.name] = ask(builder, plan, test, period)
        return cls(plan, settings, history, builder.graph.freeze(), asked, recordings, refused)

    def gate(self, period: int) -> Gate:
        """The gate of a period, made when first needed."""
        if period not in self._gates:
            self._gates[period] = Gate(self.plan.graph, self.plan.policies[period])
        return self._gates[period]


def run_tests(
    bench: Bench, tests: Sequence[Test], *, coverage: Coverage | None = None, progress: Progress | None = None
) -> Report:
    """Runs the tests in the order given; `coverage` notes what those that pass have seen."""
    results = []
    for done, test in enumerate(tests, start=1):
        results.append(run_test(bench, test, coverage))
        if progress is not None:
            progress(done, len(tests))
    return Report(results=tuple(results))


def run_test(bench: Bench, test: Test, coverage: Coverage | None = None) -> TestResult:
    """Runs one test from a fresh state."""
    result, seen = _run(bench, test)
    if coverage is not None and result.status == "passed":
        coverage.name(test)
        for values in seen():
            coverage.see(values)
    return result


def _run(bench: Bench, test: Test) -> tuple[TestResult, Seen]:
    try:
        if test.name in bench.refused:
            raise Refused(bench.refused[test.name])
        play = None
        if test.name in bench.recordings:
            play = played(test, bench.settings, bench.history, bench.recordings[test.name], bench.plan)
        match test.kind:
            case "order":
                return _order(bench, test, play)
            case "market":
                assert play is not None
                return _market(bench, test, play)
            case _:
                return _values(bench, test)
    except Refused as problem:
        failures = tuple(
            Failure(expected="", actual=finding.message, span=finding.span, hint=finding.hint) for finding in problem.findings
        )
        return _result(test, failures, is_error=True), tuple


def _result(test: Test, failures: Sequence[Failure], explanation: str = "", *, is_error: bool = False) -> TestResult:
    return TestResult(
        name=test.name,
        span=test.span,
        status="error" if is_error else "failed" if failures else "passed",
        expectations=len(test.expects),
        failures=tuple(failures),
        explanation=explanation if failures else "",
    )


def _unread(test: Test, unread: Sequence[str]) -> tuple[TestResult, Seen]:
    """What nothing reads would make a test that tests something else than it says."""
    failures = [
        Failure(
            expected="",
            actual=f"nothing reads what is given: `{said}`",
            span=next(given.span for given in test.given if given.text == said),
            hint="give what the rules read, or remove it",
        )
        for said in unread
    ]
    return _result(test, failures, is_error=True), tuple


# --- an order ------------------------------------------------------------------------------------------------------------


def _order(bench: Bench, test: Test, play: Played | None) -> tuple[TestResult, Seen]:
    asked, graph = bench.asked[test.name], bench.graph
    assert test.proposes is not None
    gate = bench.gate(asked.context.period)
    conditions = list(asked.conditions.values())
    read_too = leaves_of(graph, conditions, in_policy=True)
    last_bar = None
    if play is not None:
        nodes = [leaf for leaf in (*gate.policy.leaves, *read_too) if graph[leaf].stage == "market"]
        last_bar = values_at_the_end(graph, play, test.proposes.instrument, nodes, asked.context.period)
    judged = judge(graph, bench.plan, gate, bench.settings, asked, last_bar, read_too)
    if judged.unread:
        return _unread(test, judged.unread)
    one = came(graph, gate, judged.decision, judged.inputs)
    facts = Facts(graph, bench.plan, bench.settings, asked, last_bar)
    more: Values = {leaf: facts.value(leaf) for leaf in read_too}
    values = from_leaves(graph, {**one.values, **more}, conditions)
    failures = _compare(graph, test, asked, [one], values, Silence())
    values_asked = {node: values[node] for node in graph.reach(tuple(conditions)) if node in values}
    return _result(test, failures, _explained(bench, gate, judged) if failures else ""), lambda: (_asked_of(one), values_asked)


def _explained(bench: Bench, gate: Gate, judged: Judged) -> str:
    strategy = bench.plan.strategy(judged.decision.strategy)
    evaluated = Evaluated(strategy, None, {}, judged.inputs, judged.judgement, ())
    found = explain_evaluated(bench.plan, gate, bench.settings, judged.decision, evaluated, policy_hash="")
    return text(msgspec.structs.replace(found, id="the order", at=found.at if judged.at_an_instant else ""), only_failing=True)


def _compare(
    graph: RuleGraph,
    test: Test,
    asked: Asked,
    decided: Sequence[Came],
    values: Values,
    unready: Silence,
) -> list[Failure]:
    failures = []
    for at, expected in enumerate(test.expects):
        match expected:
            case ExpectVerdict():
                found = expectations.verdict(expected, at, asked, decided)
            case ExpectNoProposal():
                found = expectations.no_proposal(expected, decided, unready)
            case ExpectThat():
                found = expectations.condition(graph, expected, at, asked, values)
        failures += [] if found is None else [found]
    return failures


# --- a market, and values alone ------------------------------------------------------------------------------------------


def _market(bench: Bench, test: Test, play: Played) -> tuple[TestResult, Seen]:
    asked = bench.asked[test.name]
    read = frozenset(str(node.consts[0]) for node in bench.graph.nodes if node.op in FEED_OPS)
    if unread := unread_feeds(test, read):
        return _unread(test, unread)
    decisions = [d for d in bench.history.play(play.settings, play.recording) if d.at == play.at]
    gates = [bench.gate(bench.plan.strategy(decision.strategy).period) for decision in decisions]
    decided = [
        came(bench.graph, gate, decision, facts_of(bench.plan.graph, gate, decision))
        for gate, decision in zip(gates, decisions, strict=True)
    ]
    conditions = _conditions(bench, test, play)
    asks = any(isinstance(expected, ExpectNoProposal) for expected in test.expects)
    unready = silence(bench.plan, play, test) if asks else Silence()
    failures = _compare(bench.graph, test, asked, decided, conditions, unready)
    told = ""
    if failures:
        explained = [
            text(explain(bench.plan, gate, play.settings, decision, policy_hash=""), only_failing=True)
            for gate, decision in zip(gates, decisions, strict=True)
        ]
        why_not = [bench.history.why_not(play.settings, play.recording, symbol, play.at) for symbol in play.bars]
        told = "\n".join(explained or why_not)

    def seen() -> list[Values]:
        return [conditions, *(_asked_of(one) for one in decided), *_rules_at_the_end(bench, play)]

    return _result(test, failures, told), seen


def _rules_at_the_end(bench: Bench, play: Played) -> Iterator[Values]:
    """What every strategy's conditions are at the last bar of each of its instruments."""
    graph = bench.plan.graph
    for strategy in with_data(bench.plan, play.bars).strategies:
        roots = [] if strategy.membership is None else [strategy.membership]
        roots += [exit_.when for exit_ in strategy.exits]
        for enter in strategy.enters:
            roots += [enter.when, *(size.condition for size in enter.sizes if size.condition is not None)]
        leaves = leaves_of(graph, roots, in_policy=False)
        for symbol in strategy.members:
            last_bar = values_at_the_end(graph, play, symbol, roots, strategy.period)
            if last_bar is not None:
                values: Values = {leaf: _float(last_bar.value(leaf)) for leaf in leaves}
                yield from_leaves(graph, values, roots)


def _asked_of(one: Came) -> Values:
    """The values of the constraints that the order had to answer to."""
    gate = one.gate
    applies = gate.applies(one.decision.kind == "enter")
    asked = [c.node for bit, c in enumerate(gate.policy.constraints) if applies >> bit & 1 or c.acts is None]
    return {node: one.values[node] for node in one.graph.reach(tuple(asked)) if node in one.values}


def _conditions(bench: Bench, test: Test, play: Played) -> Values:
    """The values of what conditions read, at the last bar of the instrument that they are about."""
    asked, graph = bench.asked[test.name], bench.graph
    nodes = [*asked.conditions.values(), *asked.confidences.values()]
    if not nodes:
        return {}
    symbol = test.bars[0].instrument if test.bars else play.subject or next(iter(_named(graph, nodes)), None)
    if symbol is None:
        expected = next(e for e in test.expects if isinstance(e, ExpectThat))
        message = f"the data has several instruments: {', '.join(play.bars)}"
        others = [name for name in play.bars if f" of {name}" not in expected.text] or list(play.bars)
        hint = f"say of which: `expect ({expected.text}) of {others[0]}`"
        raise Refused([error(SEVERAL, message, expected.span, hint)])
    last_bar = values_at_the_end(graph, play, symbol, nodes, asked.context.period)
    leaves = leaves_of(graph, nodes, in_policy=False)
    values: Values = {leaf: _float(None if last_bar is None else last_bar.value(leaf)) for leaf in leaves}
    return from_leaves(graph, values, nodes)


def _named(graph: RuleGraph, nodes: Sequence[int]) -> tuple[str, ...]:
    """The instruments that conditions name, where each of them names all that it reads: none is left open then."""
    named: dict[str, None] = {}
    seen: set[int] = set()
    stack = list(nodes)
    while stack:
        node = graph[id_ := stack.pop()]
        if id_ in seen:
            continue
        seen.add(id_)
        if node.op == "of":
            named[str(node.consts[0])] = None
        elif node.args:
            stack.extend(node.args)
        elif node.op != "const":
            return ()
    return tuple(named)


def _values(bench: Bench, test: Test) -> tuple[TestResult, Seen]:
    """Conditions on what is given alone; whatever else they read is unknown."""
    asked, graph = bench.asked[test.name], bench.graph
    nodes = [*asked.conditions.values(), *asked.confidences.values()]
    read = graph.reach(tuple(nodes))
    unread = [said.text for node, said in asked.words.items() if node not in read]
    if unread:
        return _unread(test, unread)
    seeds: Values = dict.fromkeys(leaves_of(graph, nodes, in_policy=False), math.nan)
    seeds |= {node: _float(value) for node, value in asked.given.items()}
    values = from_leaves(graph, seeds, nodes)
    return _result(test, _compare(graph, test, asked, [], values, Silence())), lambda: (values,)


def _float(value: Exact | float) -> float:
    return float(value) if isinstance(value, float | Decimal) else math.nan
