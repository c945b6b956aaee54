"""A project's texts become a plan ready to run, or findings that say why not.

The same function serves a folder and the texts a ledger keeps, so an old decision is explained under the exact text that made
it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from tb.core.diagnostics import Diagnostic, Refused, has_errors, in_order
from tb.core.settings import Settings, parse_settings
from tb.dsl import syntax
from tb.dsl.check import check, check_with_tests, without_echoes
from tb.dsl.checked import Program
from tb.dsl.checked_tests import Test
from tb.dsl.parse import parse
from tb.engine.build import Builder
from tb.engine.plan import Plan
from tb.engine.planning import plan
from tb.gate.gate import Gate
from tb.gate.limits import Limits, parse_limits
from tb.runtime.project import LIMITS, SETTINGS, Project
from tb.vocabulary.std import TEXTS


@dataclass(frozen=True, slots=True)
class Compiled:
    """A project whose rules and policy hold together. `files` are the parsed files, rules first."""

    project: Project
    files: tuple[syntax.File, ...]
    plan: Plan
    findings: tuple[Diagnostic, ...]

    @property
    def settings(self) -> Settings:
        return self.project.settings


def parse_files(project: Project) -> tuple[list[syntax.File], list[Diagnostic]]:
    """Every rule and policy file parsed, rules first, and every syntax finding."""
    files: list[syntax.File] = []
    findings: list[Diagnostic] = []
    for texts, is_policy in ((project.rules, False), (project.policy, True)):
        for path, text in texts.items():
            file, found = parse(path, text, is_policy=is_policy)
            files.append(file)
            findings += found
    return files, findings


def compile_project(project: Project) -> Compiled:
    """The plan of a project. Raises Refused with every mistake of every file."""
    files, findings = parse_files(project)
    program, found = check(
        files,
        currency=project.settings.account.currency,
        rates=tuple(project.settings.rates),
        limits={limit.name: limit for limit in project.limits},
        overrides={name: override.text for name, override in project.settings.parameters.items()},
        zone=project.settings.account.timezone,
        library=project.library,
    )
    findings += [*without_echoes(found, findings, files), *project.warnings]
    if program is None or has_errors(findings):
        raise Refused(in_order(findings))
    return Compiled(project, tuple(files), plan(_placed(program, project)), tuple(in_order(findings)))


def _placed(program: Program, project: Project) -> Program:
    """The program with the places of its limits, which an explanation tells."""
    return replace(program, limits_at={limit.name: f"{limit.span.file}:{limit.span.line}" for limit in project.limits})


@dataclass(frozen=True, slots=True)
class Tested:
    """A project with its tests. `builder` built the plan, and can build what the tests speak of."""

    compiled: Compiled
    tests: tuple[Test, ...]
    builder: Builder


def compile_tests(project: Project, texts: Mapping[str, str]) -> Tested:
    """The plan of a project and the tests of its files and of the `texts`, by path. Raises Refused with every mistake."""
    files, findings = parse_files(project)
    test_files = []
    for path, text in texts.items():
        file, found = parse(path, text, is_policy=False)
        test_files.append(file)
        findings += found
    program, tests, found = check_with_tests(
        files,
        test_files,
        currency=project.settings.account.currency,
        rates=tuple(project.settings.rates),
        limits={limit.name: limit for limit in project.limits},
        overrides={name: override.text for name, override in project.settings.parameters.items()},
        zone=project.settings.account.timezone,
        library=project.library,
    )
    findings += [*without_echoes(found, findings, [*files, *test_files]), *project.warnings]
    if program is None or has_errors(findings):
        raise Refused(in_order(findings))
    program = _placed(program, project)
    builder = Builder(program)
    compiled = Compiled(project, tuple(files), plan(program, builder), tuple(in_order(findings)))
    return Tested(compiled, tests, builder)


def project_of(texts: Mapping[str, str], root: Path) -> Project:
    """The project that these texts were, as a ledger keeps them under their policy hash."""
    settings, findings = parse_settings(SETTINGS, texts[SETTINGS])
    if settings is None:
        raise Refused(findings)
    limits_path = f"{settings.policy}/{LIMITS}"
    limits = Limits(limits_path, {})
    if limits_path in texts:
        limits, found = parse_limits(limits_path, texts[limits_path])
        findings += found
    rules = {path: text for path, text in texts.items() if path.startswith(f"{settings.rules}/") and path.endswith(".tb")}
    policy = {path: text for path, text in texts.items() if path.startswith(f"{settings.policy}/") and path.endswith(".tb")}
    library = {path: text for path, text in texts.items() if path in TEXTS}
    return Project(root, settings, rules, policy, limits, dict(texts), tuple(findings), library)


def gates_of(plan: Plan, *, patience: int = 0) -> dict[int, Gate]:
    """The gate of each period that strategies decide in; with `patience` as `Gate` has it."""
    return {period: Gate(plan.graph, policy, patience=patience) for period, policy in plan.policies.items()}
