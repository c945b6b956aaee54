"""`tb test`: the tests of a project, written in the language."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tb.cli.options import command, json_option, project_option
from tb.cli.output import progress, put, put_json, say, show_findings

if TYPE_CHECKING:
    from tb.analysis.testing import Report
    from tb.core.diagnostics import Diagnostic
    from tb.dsl.checked_tests import Test
    from tb.runtime.policy import Tested

FAILED, UNTESTED = 1, 5
NO_TEST = "TB720"


@command("test", "tb test", "tb test -k wide", "tb test --list")
@click.option("-k", "words", metavar="WORDS", help="Only tests whose name has these words.")
@click.option("--list", "only_list", is_flag=True, help="Name the tests and run none.")
@project_option
@json_option
def tb_test(words: str | None, only_list: bool, project: Path, as_json: bool) -> None:
    """Run the tests in rules/, policy/ and tests/ of the project.

    Exit code 1 where one fails, 5 where there is none. A failure shows what was expected beside what came, and why.
    """
    tested = _tested(project)
    chosen = _chosen(tested.tests, words)
    if not chosen:
        _tell_none(words, tested.tests, project, as_json=as_json)
        raise click.exceptions.Exit(UNTESTED)
    if only_list:
        _list(chosen, as_json=as_json)
        return
    report = _run(tested, chosen, project)
    if as_json:
        put_json(_facts(report))
    else:
        from tb.analysis.testing.text import text

        put(text(report))
    if not report.passed:
        raise click.exceptions.Exit(FAILED)


def _tested(project: Path) -> Tested:
    from tb.runtime.policy import compile_tests
    from tb.runtime.project import load_project, load_tests

    texts = load_tests(project)
    tested = compile_tests(load_project(project), texts)
    show_findings(tested.compiled.findings, project, {**tested.compiled.project.texts, **texts})
    return tested


def _chosen(tests: Sequence[Test], words: str | None) -> tuple[Test, ...]:
    wanted = (words or "").casefold()
    return tuple(test for test in tests if wanted in test.name.casefold())


def _tell_none(words: str | None, tests: Sequence[Test], project: Path, *, as_json: bool) -> None:
    from tb.core.diagnostics import did_you_mean, error
    from tb.core.span import whole_file

    message = "the project has no test"
    hint = 'write one into tests/limits.tb: `test "NAME"`, with `given`, `when` and `expect` below it'
    if tests and words is not None:
        message = f"no test has `{words}` in its name"
        hint = did_you_mean(words, [test.name for test in tests]) or "`tb test --list` names them"
    finding = error(NO_TEST, message, whole_file("tests"), hint)
    if as_json:
        put_json({"passed": False, "tests": [], "findings": [_finding(finding)]})
    else:
        show_findings([finding], project)


def _finding(finding: Diagnostic) -> dict[str, Any]:
    return {"code": finding.code, "message": finding.message, "hint": finding.hint}


def _list(tests: Sequence[Test], *, as_json: bool) -> None:
    if as_json:
        put_json([{"name": test.name, "file": test.span.file, "line": test.span.line} for test in tests])
        return
    for test in tests:
        put(f"{test.span.file}:{test.span.line}  {test.name}")
    say(f"{len(tests)} {'test' if len(tests) == 1 else 'tests'}")


def _run(tested: Tested, tests: Sequence[Test], project: Path) -> Report:
    from tb.analysis.testing import Bench, run_tests
    from tb.replay.testing import TestHistory

    plan = tested.compiled.plan
    bench = Bench.of(tested.builder, plan, tested.compiled.settings, TestHistory(plan, project), tests)
    with progress("test") as told:
        return run_tests(bench, tests, progress=told)


def _facts(report: Report) -> dict[str, Any]:
    return {
        "passed": report.passed,
        "tests": [
            {
                "name": result.name,
                "file": result.span.file,
                "line": result.span.line,
                "status": result.status,
                "expectations": result.expectations,
                "failures": [
                    {
                        "expected": failure.expected,
                        "actual": failure.actual,
                        "hint": failure.hint,
                        "file": failure.span.file,
                        "line": failure.span.line,
                    }
                    for failure in result.failures
                ],
                "explanation": result.explanation,
            }
            for result in report.results
        ],
        "counts": {status: report.count(status) for status in ("passed", "failed", "error")},
    }
