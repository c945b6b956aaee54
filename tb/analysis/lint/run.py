"""lint: everything that can be known of a project without running it.

1. What parsing found is handed in; the files are checked (`tb.dsl.check`). Names, units and parameters are settled there.
2. Where the project is sound its plan is built and every rule of the catalogue looks at it.
3. Comments hide findings of rules (`tb.analysis.suppression`), then levels change or switch off what is left.

Findings come in order of place, each once. Errors of parsing and checking keep their severity whatever the levels say: without
a meaning there is nothing to be lenient about.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from tb.analysis.levels import by_code, of_no_rule
from tb.analysis.library_place import used_at
from tb.analysis.lint.catalogue import RULES
from tb.analysis.observed import Observed
from tb.analysis.subject import Costs, DataSpan, Instrument, Rule, Subject
from tb.analysis.suppression import NO_EFFECT, NO_REASON, read_suppressions, suppress, without_effect
from tb.core.diagnostics import Diagnostic, Severity, has_errors, in_order
from tb.core.span import Span
from tb.dsl import syntax
from tb.dsl.check import LimitValue, check_with_tests, without_echoes
from tb.engine.plan import Plan
from tb.engine.planning import plan

if TYPE_CHECKING:
    from tb.engine.markets import Markets

_UTC = ZoneInfo("UTC")
_BY_CODE: Mapping[str, Rule] = {rule.code: rule for rule in RULES}
_LEVELLED = frozenset(_BY_CODE) | {NO_REASON, NO_EFFECT}


def lint(
    files: Sequence[syntax.File],
    *,
    tests: Sequence[syntax.File] = (),
    findings: Sequence[Diagnostic] = (),
    currency: str = "USD",
    rates: Sequence[str] = (),
    limits: Mapping[str, LimitValue] | None = None,
    overrides: Mapping[str, str] | None = None,
    levels: Mapping[str, Severity | None] | None = None,
    instruments: Callable[[str], Instrument | None] | None = None,
    costs: Callable[[str], Costs | None] | None = None,
    data: DataSpan | None = None,
    markets: Callable[[Plan], Markets] | None = None,
    observed: Observed | None = None,
    budget: int | None = None,
    as_of: int | None = None,
    zone: ZoneInfo = _UTC,
    library: Mapping[str, str] | None = None,
) -> list[Diagnostic]:
    """Every finding of a project, in order. `tests` are the files that hold tests alone.

    `findings` are those of parsing files and limits; `rates`, `limits`, `overrides`, `as_of`, `zone` and `library` are as in
    `check`. `levels` gives rules another severity, by code or category; None switches one off. What is not known of
    `instruments`, their `costs` and `data` is not checked (`unasked` says so); `markets` gives the bars themselves, and
    `observed` is a recorded run.
    """
    limits, levels = limits or {}, by_code(levels or {}, RULES)
    checking = partial(
        check_with_tests,
        files,
        currency=currency,
        rates=rates,
        limits=limits,
        overrides=overrides,
        as_of=as_of,
        zone=zone,
        library=library,
    )
    program, _, checked = checking(None)
    suppressions, wrong = read_suppressions(files)
    found = [*findings, *without_echoes(checked, findings, files)]
    if program is None or has_errors(found):
        return in_order([*found, *_levelled(wrong, levels)])
    if tests or any(isinstance(node, syntax.Test) for file in files for node in file.declarations):
        *_, again = checking(tests)
        found += [finding for finding in again if finding not in checked]
    planned = plan(program)
    bars = None if markets is None else markets(planned)
    subject = Subject(
        tuple(files), program, planned, limits, data, instruments, zone.key, costs, bars, observed, tuple(tests), budget
    )
    ruled = [finding for rule in RULES if levels.get(rule.code, rule.severity) is not None for finding in rule.check(subject)]
    left = suppress(in_order(used_at(files, ruled)), suppressions, _BY_CODE)
    asked = {"data": data is not None or markets is not None, "run": observed is not None}
    without = [rule.code for rule in RULES if not asked.get(rule.technique, True)]  # they might find what is hidden
    off = [*without, *(code for code, level in levels.items() if level is None)]
    idle = without_effect(suppressions, _BY_CODE, off)
    return in_order([*found, *_levelled([*left, *wrong, *idle], levels)])


def unknown_levels(places: Mapping[str, Span]) -> list[Diagnostic]:
    """What is wrong with the codes and categories that settings give a level, by where they do."""
    return of_no_rule(places, RULES)


def unasked(data: DataSpan | None, instruments: Callable[[str], Instrument | None] | None) -> tuple[str, ...]:
    """What a run of `lint` could not look at, in sentences for people."""
    said = []
    if data is None:
        said.append("no data was given, so look-backs were not compared with its length")
    if instruments is None:
        said.append("no instruments were given, so pips were not looked at")
    return tuple(said)


def _levelled(findings: Sequence[Diagnostic], levels: Mapping[str, Severity | None]) -> list[Diagnostic]:
    left = []
    for finding in findings:
        level = levels.get(finding.code, finding.severity) if finding.code in _LEVELLED else finding.severity
        if level is not None:
            left.append(replace(finding, severity=level))
    return left
