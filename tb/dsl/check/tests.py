"""Tests: what is given, what happens, what is expected, each checked with everything the project defines in sight.

A test changes nothing, so it may name rules and policy alike, wherever it stands. What it expects of an order is said in terms
of policy, what it expects of a market in terms of rules.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from tb.core.diagnostics import Label, did_you_mean
from tb.core.span import Span
from tb.core.units import NUMBER, Kind, Unit
from tb.dsl import checked, checked_tests, syntax
from tb.dsl.check import units
from tb.dsl.check.bar_tables import bar_tables, recorded
from tb.dsl.check.expressions import Expressions
from tb.dsl.check.given import amount, facts
from tb.dsl.check.scope import Scope
from tb.dsl.check.walk import parts_of
from tb.dsl.format_expression import spell
from tb.dsl.format_tests import spell_expectation

_COMPARE = {"<": "lt", "<=": "le", ">": "gt", ">=": "ge", "==": "eq", "!=": "ne"}


@dataclass(frozen=True, slots=True)
class Sight:
    """How the tests of one file see the project: as rules do, and as policy does."""

    rules: Expressions
    policy: Expressions
    constraints: Mapping[str, checked.Constraint]

    def report(self, code: str, message: str, span: Span, hint: str = "", labels: tuple[Label, ...] = ()) -> None:
        self.rules.scope.report(code, message, span, hint, labels)


def tests_of(
    scope: Scope,
    checkers: Mapping[str, Expressions],
    files: Sequence[syntax.File],
    test_files: Sequence[syntax.File],
    program: checked.Program,
) -> tuple[checked_tests.Test, ...]:
    """The tests of all files, in their order; `checkers` are those of the files of the project."""
    rules = tuple(path for path, checker in checkers.items() if not checker.in_policy)  # those of the library too
    scope.picked.clear()  # a test sees everything
    by_name = {constraint.name: constraint for constraint in program.constraints}
    using = next(iter(checkers.values()))
    known: dict[str, Span] = {}
    found: list[checked_tests.Test] = []
    for file in (*files, *test_files):
        scope.uses[file.path] = rules
        alone = file in test_files
        as_rules, as_policy = (
            replace(using, file=file.path, in_policy=p, trusted=False, in_tests=alone) for p in (False, True)
        )
        sight = Sight(as_rules, as_policy, by_name)
        if alone:
            misplaced(sight, file)
        found += tests(sight, [node for node in file.declarations if isinstance(node, syntax.Test)], known)
    return tuple(found)


def misplaced(sight: Sight, file: syntax.File) -> None:
    """A file of tests holds tests alone: what it defined would be missing where the rules run."""
    for node in file.declarations:
        if not isinstance(node, syntax.Test | syntax.Prove):
            word = type(node).__name__.lower()
            hint = "move it to a file under rules/ or policy/"
            sight.report("TB095", f"a `{word}` does not belong in a file of tests", node.span, hint)


def tests(sight: Sight, nodes: Sequence[syntax.Test], known: dict[str, Span]) -> list[checked_tests.Test]:
    """Checked tests; those with mistakes are reported and left out. `known` are the names seen so far."""
    found = []
    for node in nodes:
        if node.name in known:
            labels = (Label(known[node.name], "first named here"),)
            sight.report("TB050", f"two tests are named `{node.name}`", node.span, "rename one of the two", labels)
        known.setdefault(node.name, node.span)
        before = len(sight.rules.scope.findings)
        made = _test(sight, node)
        if len(sight.rules.scope.findings) == before:
            found.append(made)
    return found


def _test(sight: Sight, node: syntax.Test) -> checked_tests.Test:
    has_market = bool(node.bars) or node.recorded is not None
    kind = "order" if node.proposes is not None else "market" if has_market else "values"
    if node.bars and node.recorded is not None:
        sight.report("TB092", "the test has bars and recorded data", node.recorded.span, "keep one of the two")
    if kind == "values" and not node.given:
        hint = "add `when STRATEGY proposes buy 0.01 BTC-USD at 60_000 USD`, or `bars BTC-USD 1h`"
        sight.report("TB092", f"nothing happens in the test `{node.name}`", node.span, hint)
    given, held = facts(sight.rules if kind == "values" else sight.policy, node, kind, sight.rules)
    return checked_tests.Test(
        name=node.name,
        kind="order" if kind == "order" else "market" if kind == "market" else "values",
        given=tuple(given),
        held=tuple(held),
        bars=bar_tables(sight.policy, node.bars),
        recorded=None if node.recorded is None else recorded(node.recorded, sight.policy),
        proposes=None if node.proposes is None else _proposes(sight, node.proposes),
        expects=tuple(made for said in node.expects if (made := _expect(sight, said, kind)) is not None),
        span=node.span,
    )


# --- the order -----------------------------------------------------------------------------------------------------------


def _proposes(sight: Sight, node: syntax.Proposes) -> checked_tests.Proposes | None:
    strategies = sight.rules.scope.strategies
    strategy = strategies.get(node.strategy)
    if strategy is None:
        hint = did_you_mean(node.strategy, strategies) or _one_of(strategies)
        sight.report("TB094", f"there is no strategy `{node.strategy}`", node.span, hint)
        return None
    universe = sight.rules.scope.universes.get(strategy.universe)
    symbol = node.instrument.symbol
    if universe is not None and not universe.discovers and symbol not in universe.members():
        hint = did_you_mean(symbol, universe.members()) or f"`{universe.name}` has {', '.join(universe.members()[:6])}"
        sight.report("TB094", f"`{node.strategy}` does not trade `{symbol}`", node.instrument.span, hint)
    if node.quantity.unit is not None or node.quantity.value <= 0:
        hint = f"write `{node.side} 0.01 {symbol}`"
        sight.report("TB094", f"`{node.quantity.text}` is no quantity of `{symbol}`", node.quantity.span, hint)
    return checked_tests.Proposes(
        strategy=node.strategy,
        sign=1 if node.side == "buy" else -1,
        quantity=node.quantity.value,
        instrument=symbol,
        price=_price(sight, "at", node.price),
        stop=_price(sight, "stop", node.stop),
        target=_price(sight, "target", node.target),
        span=node.span,
    )


def _price(sight: Sight, word: str, node: syntax.Expr | None) -> Decimal | None:
    if node is None:
        return None
    found, currency = amount(sight.policy, node), sight.policy.scope.currency
    if found is None:
        return None
    if found.unit.kind is not Kind.PRICE and found.unit != Unit(Kind.MONEY, currency):
        message = f"a price is money in {currency}, not {units.phrase(found.unit)}"
        said = spell(node) if found.unit == NUMBER else "60_000"
        sight.report("TB101", message, node.span, f"write `{word} {said} {currency}`")
        return None
    assert isinstance(found.value, Decimal)
    return found.value


# --- what is expected ----------------------------------------------------------------------------------------------------


def _expect(sight: Sight, node: syntax.Expectation, kind: str) -> checked_tests.Expectation | None:
    text = spell_expectation(node)
    match node:
        case syntax.ExpectThat():
            using = sight.policy if kind == "order" else sight.rules
            if _is_verdict(using, node.condition):
                return None
            if (value := _said_unknown(node)) is not None:
                return checked_tests.ExpectThat(using.check(value), None, None, text, node.span, is_unknown=True)
            condition = using.condition(node.condition)
            confidence = _confidence(sight, node, condition, kind)
            operator = None if node.operator is None else _COMPARE[node.operator]
            return checked_tests.ExpectThat(condition, operator, confidence, text, node.span)
        case syntax.ExpectNoProposal():
            if kind != "market":
                hint = "give `bars`, or expect a verdict" if kind == "values" else "expect a verdict: `expect reject by NAME`"
                sight.report("TB092", "whether a strategy proposes is seen on bars alone", node.span, hint)
            _strategy(sight, node.by, node.span)
            return checked_tests.ExpectNoProposal(node.by, text, node.span)
        case syntax.ExpectVerdict():
            if kind == "values":
                hint = "add `when STRATEGY proposes ...`, or `bars`"
                sight.report("TB092", "nothing is judged in this test", node.span, hint)
            return _verdict(sight, node, text)


_VERDICTS = (
    dict.fromkeys(("approved", "approves", "allowed", "accept", "accepted"), "approve")
    | dict.fromkeys(("rejected", "rejects", "denied", "deny", "refused"), "reject")
    | dict.fromkeys(("warned", "warns"), "warn")
    | dict.fromkeys(("shrunk", "shrinks"), "shrink")
    | dict.fromkeys(("paused", "pauses"), "pause")
    | dict.fromkeys(("halted", "halts"), "halt")
)


def _is_verdict(using: Expressions, node: syntax.Expr) -> bool:
    """`expect rejected`, where nothing is called so: the verdict was meant, and that is reported."""
    if not isinstance(node, syntax.Name) or node.text not in _VERDICTS or node.text in using.scope.defined:
        return False
    using.scope.report("TB102", f"nothing is called `{node.text}`", node.span, f"write `expect {_VERDICTS[node.text]}`")
    return True


def _said_unknown(node: syntax.ExpectThat) -> syntax.Expr | None:
    """The value of `expect VALUE is unknown`. Rules cannot ask that of anything: unknown never fires."""
    said = node.condition
    is_so = isinstance(said, syntax.Is) and said.word == "unknown" and not said.negated and node.confidence is None
    return said.value if is_so and isinstance(said, syntax.Is) else None


def _confidence(sight: Sight, node: syntax.ExpectThat, condition: checked.Expr, kind: str) -> Decimal | None:
    if node.confidence is None:
        return None
    scope = sight.rules.scope
    named = [part.name for part in parts_of(condition) if isinstance(part, checked.Ref) and part.kind == "trigger"]
    if kind == "order" or not named:
        hint = "name a trigger: `expect surge with confidence >= 0.5`"
        sight.report("TB094", "only triggers have a confidence", node.span, hint)
    elif all(scope.triggers[name].confidence is None for name in named if name in scope.triggers):
        sight.report("TB094", f"`{named[0]}` has no confidence", node.span, "give it one: `confidence 0.7`")
    if node.confidence.unit is not None or not 0 <= node.confidence.value <= 1:
        sight.report("TB094", "a confidence lies between 0 and 1", node.confidence.span, "write `with confidence >= 0.5`")
    return node.confidence.value


def _strategy(sight: Sight, name: str | None, span: Span) -> None:
    strategies = sight.rules.scope.strategies
    if name is not None and name not in strategies:
        hint = did_you_mean(name, strategies) or _one_of(strategies)
        sight.report("TB094", f"there is no strategy `{name}`", span, hint)


def _verdict(sight: Sight, node: syntax.ExpectVerdict, text: str) -> checked_tests.ExpectVerdict:
    rule = None
    if node.by is not None and node.verdict == "approve":
        if node.by in sight.constraints:
            hint = f"remove `by {node.by}`, or name the strategy"
            sight.report("TB094", "no rule decides an approval", node.span, hint)
        else:
            _strategy(sight, node.by, node.span)
    elif node.by is not None:
        rule = sight.constraints.get(node.by)
        if rule is None:
            hint = did_you_mean(node.by, sight.constraints) or "name a constraint of policy"
            sight.report("TB094", f"there is no constraint `{node.by}`", node.span, hint)
    clause = None if node.clause is None else sight.policy.condition(node.clause)
    margin = None if node.margin is None else amount(sight.policy, node.margin)
    if margin is not None:
        _fits(sight, margin, clause if clause is not None else None if rule is None else rule.passes)
    if node.to is not None and node.to.value <= 0:
        sight.report("TB094", "nothing shrinks to nothing", node.to.span, "write the quantity that is left, or expect `reject`")
    return checked_tests.ExpectVerdict(
        verdict=node.verdict,
        side=node.side,
        instrument=None if node.instrument is None else node.instrument.symbol,
        to=None if node.to is None else node.to.value,
        by=node.by,
        clause=clause,
        margin=margin,
        text=text,
        span=node.span,
    )


def _fits(sight: Sight, margin: checked.Const, condition: checked.Expr | None) -> None:
    """A margin measures what a comparison of the rule measures."""
    if condition is None:
        return
    measured = [part for part in parts_of(condition) if isinstance(part, checked.Comparison)]
    if any(units.meet(side.unit, margin.unit) is not None for part in measured for side in (part.left, part.right)):
        return
    said = f"it measures {units.phrase(measured[0].left.unit)}" if measured else "it measures nothing"
    message = f"{units.phrase(margin.unit)} is no margin of this rule: {said}"
    sight.report("TB101", message, margin.span, "give the margin in the unit of the measured side")


def _one_of(names: Mapping[str, object]) -> str:
    return f"there is {', '.join(f'`{name}`' for name in names)}" if names else "the project has no strategy"
