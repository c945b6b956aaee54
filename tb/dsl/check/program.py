"""check: the files of a project, parsed, become one checked program.

1. Every file's `use` lines are resolved, every definition claims its name.
2. Parameters, groups, sessions and feeds, then regime names and universes' tiers, in the order of files: later steps look
   them up.
3. `let` and `trigger`, each when first used or in its turn; a definition that needs itself is refused.
4. Regime conditions, membership conditions, strategies, parameter requirements, capital, constraints, then exceptions to these.
5. The constraints every project has stand before its own; each universe's weights become constraints.

All mistakes of all files are found in one run. The program is returned only where none was found.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from zoneinfo import ZoneInfo

from tb.core.diagnostics import Diagnostic, did_you_mean, has_errors
from tb.core.span import Span
from tb.dsl import checked, checked_tests, syntax
from tb.dsl.check import (
    advisors,
    allocation,
    books,
    constraints,
    council,
    definitions,
    exceptions,
    feeds,
    functions,
    imports,
    later,
    rules,
    scores,
    sessions,
    signals,
    tables,
    tests,
    weights,
)
from tb.dsl.check.expressions import Expressions
from tb.dsl.check.library import standard_files
from tb.dsl.check.scope import LimitValue, Scope
from tb.dsl.checked_capital import Capital
from tb.dsl.parse import parse_expression
from tb.vocabulary.catalogue import FUNCTIONS
from tb.vocabulary.facts import FACTS
from tb.vocabulary.fields import FIELDS
from tb.vocabulary.pointwise import POINTWISE
from tb.vocabulary.std import VENUE

_NAMED = (
    syntax.Param
    | syntax.Group
    | syntax.Universe
    | syntax.Let
    | syntax.Function
    | syntax.Score
    | syntax.Signal
    | syntax.Table
    | syntax.Session
    | syntax.Feed
    | syntax.Trigger
    | syntax.Strategy
    | syntax.Limit
    | syntax.Forbid
    | syntax.Require
    | syntax.Pause
    | syntax.Warn
    | syntax.LimitException
    | syntax.Book
    | syntax.Advisor
)
_UTC = ZoneInfo("UTC")
_VALUES = (
    syntax.Param
    | syntax.Let
    | syntax.Function
    | syntax.Score
    | syntax.Signal
    | syntax.Table
    | syntax.Trigger
    | syntax.Group
    | syntax.Feed
)
_SETTLED = syntax.Let | syntax.Trigger | syntax.Function | syntax.Score | syntax.Signal | syntax.Table
_POLICY_ONLY = syntax.Constraint | syntax.LimitException | syntax.Book | syntax.Council | syntax.Allocate | syntax.Advisor
_RULES_ONLY = syntax.Strategy | syntax.Trigger | syntax.Score | syntax.Signal | syntax.Universe | syntax.Regime


def check(
    files: Sequence[syntax.File],
    *,
    currency: str = "USD",
    rates: Sequence[str] = (),
    limits: Mapping[str, LimitValue] | None = None,
    overrides: Mapping[str, str] | None = None,
    as_of: int | None = None,
    zone: ZoneInfo = _UTC,
    library: Mapping[str, str] | None = None,
) -> tuple[checked.Program | None, list[Diagnostic]]:
    """The checked program and every finding. `overrides` are parameter values of tb.yaml, as text with unit; `rates` the other
    currencies whose worth in the account's is known.

    `as_of` is the instant, in ms, that the program is checked for: an exception that has ended by then is an error. Without
    one no day is meant, as for a replay: there an exception holds or not by the instants of the data. Days begin in `zone`.
    `library` has texts of the standard library by path, where they are not the packaged ones.
    Tests are not looked at: a mistake in one keeps nothing from running.
    """
    program, _, findings = check_with_tests(
        files,
        None,
        currency=currency,
        rates=rates,
        limits=limits,
        overrides=overrides,
        as_of=as_of,
        zone=zone,
        library=library,
    )
    return program, findings


def check_with_tests(
    files: Sequence[syntax.File],
    test_files: Sequence[syntax.File] | None,
    *,
    currency: str = "USD",
    rates: Sequence[str] = (),
    limits: Mapping[str, LimitValue] | None = None,
    overrides: Mapping[str, str] | None = None,
    as_of: int | None = None,
    zone: ZoneInfo = _UTC,
    library: Mapping[str, str] | None = None,
) -> tuple[checked.Program | None, tuple[checked_tests.Test, ...], list[Diagnostic]]:
    """As `check`, with the tests of `files` and of the `test_files`, which hold tests alone; None leaves all of them out.

    Tests are checked where the program itself has no mistake: they speak of it.
    """
    scope = Scope(currency, limits or {})
    everything = [*standard_files(scope, files, library or {}), *files]
    checkers: dict[str, Expressions] = {}
    assets = _assets(everything)
    for file in everything:
        trusted = file.path == VENUE.path
        settle = partial(_settle, scope, checkers)
        checkers[file.path] = Expressions(scope, file.path, file.is_policy, settle, trusted, assets, {}, checkers)
    _claim(scope, everything)
    later.refuse(scope, files)
    _settle_params(scope, everything, checkers, dict(overrides or {}))
    _each(everything, checkers, syntax.Group, definitions.group)
    _each(everything, checkers, syntax.Session, sessions.session)
    _each(everything, checkers, syntax.Feed, feeds.feed)
    _announce(scope, everything, checkers)
    for name in list(scope.pending):
        _settle(scope, checkers, name)
    _each(everything, checkers, syntax.Regime, definitions.regime)
    _each(everything, checkers, syntax.Universe, definitions.universe)
    _each(everything, checkers, syntax.Strategy, rules.strategy)
    _each(everything, checkers, syntax.ParamRequire, definitions.param_require)
    _capital(scope, files, checkers)
    for file in everything:
        for node in file.declarations:
            if isinstance(node, syntax.Constraint):
                _constraint(scope, checkers[file.path], file, node)
    calendar = exceptions.Calendar(zone, as_of)
    for file in files:
        for node in file.declarations:
            if file.is_policy and isinstance(node, syntax.LimitException):
                exceptions.exception(checkers[file.path], node, calendar)
    if has_errors(scope.findings):
        return None, (), scope.findings
    program = _program(scope, tuple(rates))
    found = () if test_files is None else tests.tests_of(scope, checkers, files, test_files, program)
    later.refuse(scope, test_files or ())
    return program, found, scope.findings


def _program(scope: Scope, rates: tuple[str, ...]) -> checked.Program:
    """What was found without a mistake, with the constraints that follow from universes and from what is said of capital."""
    return checked.Program(
        params=scope.params,
        groups=scope.groups,
        universes=scope.universes,
        regime=scope.regime,
        lets=scope.lets,
        triggers=scope.triggers,
        strategies=scope.strategies,
        constraints=(
            *scope.constraints,
            *weights.constraints(scope.universes.values(), scope.currency, of_book=bool(scope.books)),
            *books.constraints(scope.books.values(), scope.currency),
            *advisors.constraints(scope.advisors.values()),
            *council.constraints(scope.council),
            *allocation.constraints(scope.allocation, scope.currency, of_book=bool(scope.books)),
        ),
        currency=scope.currency,
        limits_used=dict(scope.limits_used),
        signals=scope.signals,
        capital=Capital(tuple(scope.books.values()), scope.council, scope.allocation, tuple(scope.advisors.values())),
        feeds=scope.feeds,
        rates=rates,
    )


def _assets(files: Sequence[syntax.File]) -> tuple[str, ...]:
    """The base assets of the instruments traded: `0.01 BTC` is a quantity of one."""
    return tuple(
        dict.fromkeys(
            member.symbol.replace("_", "-").split("-")[0]
            for other in files
            for node in other.declarations
            if isinstance(node, syntax.Universe)
            for tier in node.tiers
            for member in tier.members
        )
    )


def _settle(scope: Scope, checkers: Mapping[str, Expressions], name: str) -> None:
    """Checks a pending definition in the context of its own file."""
    node = scope.pending.get(name)
    if node is None:
        return
    if name in scope.open:
        circle = " -> ".join([*scope.open[scope.open.index(name) :], name])
        scope.report("TB118", f"`{name}` needs itself: {circle}", node.span, "define it without itself")
        scope.broken.update(scope.open)
        return
    using = checkers[node.span.file]
    scope.open.append(name)
    match node:
        case syntax.Let():
            definitions.let(using, node)
        case syntax.Trigger():
            definitions.trigger(using, node)
        case syntax.Function():
            functions.function(using, node)
        case syntax.Score():
            scores.score(using, node)
        case syntax.Signal():
            signals.signal(using, node)
        case syntax.Table():
            tables.table(using, node)
    scope.open.pop()
    scope.pending.pop(name, None)


def _claim(scope: Scope, files: Sequence[syntax.File]) -> None:
    regimes = [
        case.name for file in files for node in file.declarations if isinstance(node, syntax.Regime) for case in node.cases
    ]
    scope.regime_names = tuple(dict.fromkeys(regimes))
    imports.resolve(scope, files)
    for file in files:
        for node in file.declarations:
            if isinstance(node, _NAMED):
                scope.define(node.name, node.span, file.is_policy)
            if isinstance(node, _VALUES):
                _shadowed(scope, node, file.is_policy)
        _misplaced(scope, file)


def _shadowed(scope: Scope, node: _VALUES, in_policy: bool) -> None:
    """A definition of a name that means something already would never be read."""
    what = "a market field" if node.name in FIELDS else "a fact" if in_policy and node.name in FACTS else ""
    if isinstance(node, syntax.Function) and (
        node.name in FUNCTIONS or node.name in POINTWISE or node.name in {"depth", "agree", "annualised", *sessions.CLOCKS}
    ):
        what = "a function"
    if what:
        scope.report("TB050", f"`{node.name}` is {what} already", node.span, f"choose another name, such as `my_{node.name}`")
        scope.broken.add(node.name)


def _belongs(file: syntax.File, node: syntax.Declaration) -> bool:
    return not isinstance(node, _RULES_ONLY if file.is_policy else _POLICY_ONLY)


def _misplaced(scope: Scope, file: syntax.File) -> None:
    for node in file.declarations:
        if file.is_policy and isinstance(node, _RULES_ONLY):
            if isinstance(node, _NAMED):
                scope.broken.add(node.name)
            word = type(node).__name__.lower()
            scope.report("TB053", f"a `{word}` does not belong in a policy file", node.span, "move it to a file under rules/")
        if not file.is_policy and isinstance(node, _POLICY_ONLY):
            word = "exception" if isinstance(node, syntax.LimitException) else type(node).__name__.lower()
            article = "an" if word[0] in "aeiou" else "a"
            message = f"{article} `{word}` does not belong in a rule file"
            scope.report("TB053", message, node.span, "move it to a file under policy/")


def _settle_params(
    scope: Scope, files: Sequence[syntax.File], checkers: Mapping[str, Expressions], overrides: dict[str, str]
) -> None:
    for file in files:
        for node in file.declarations:
            if not isinstance(node, syntax.Param) or node.name in scope.params:
                continue
            override: syntax.Expr | None = None
            if node.name in overrides:
                text = overrides.pop(node.name)
                override, findings = parse_expression(text, "tb.yaml", 1, 1)
                scope.findings.extend(findings)
            definitions.param(checkers[file.path], node, override)
    for name in overrides:
        hint = did_you_mean(name, scope.params) or "remove it"
        scope.report("TB402", f"tb.yaml sets the parameter `{name}`, which no rule has", Span("tb.yaml", 1, 1, 1, 1), hint)


def _announce(scope: Scope, files: Sequence[syntax.File], checkers: Mapping[str, Expressions]) -> None:
    """Lets and triggers are settled when needed; tiers must be known to conditions, so universes are announced bare."""
    for file in files:
        for node in file.declarations:
            if not _belongs(file, node):
                continue
            is_first = scope.defined.get(str(getattr(node, "name", "")), (None,))[0] == node.span
            if isinstance(node, _SETTLED) and is_first:
                scope.pending[node.name] = node
            if isinstance(node, syntax.Function) and is_first:
                scope.functions[node.name] = node
            if isinstance(node, syntax.Universe):
                tiers = tuple(
                    checked.Tier(tier.name, tuple(m.symbol for m in tier.members), None, None, None, tier.span)
                    for tier in node.tiers
                )
                scope.universes[node.name] = checked.Universe(node.name, node.venue, tiers, None, node.span)


def _each(files: Sequence[syntax.File], checkers: Mapping[str, Expressions], kind: type, check_one: object) -> None:
    for file in files:
        for node in file.declarations:
            if isinstance(node, kind) and _belongs(file, node) and callable(check_one):
                check_one(checkers[file.path], node)


def _capital(scope: Scope, files: Sequence[syntax.File], checkers: Mapping[str, Expressions]) -> None:
    """What policy says about capital, before the constraints that may read it."""
    nodes = [node for file in files if file.is_policy for node in file.declarations]
    strategies = [n for file in files for n in file.declarations if isinstance(n, syntax.Strategy) and _belongs(file, n)]
    books.books(scope, [node for node in nodes if isinstance(node, syntax.Book)], strategies)
    for node in nodes:
        if isinstance(node, syntax.Advisor):
            advisors.advisor(checkers[node.span.file], node)
    scope.allocation = allocation.allocation(scope, [node for node in nodes if isinstance(node, syntax.Allocate)])
    scope.council = council.council(scope, [node for node in nodes if isinstance(node, syntax.Council)], strategies)


def _constraint(scope: Scope, using: Expressions, file: syntax.File, node: syntax.Constraint) -> None:
    if file.is_policy:
        constraints.constraint(using, node)
