"""`tb test`: the tests of a project, written in the language."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tb.cli.options import command, json_option, project_option
from tb.cli.output import progress, put, put_json, say, show_findings, write_file

if TYPE_CHECKING:
    from tb.analysis.testing import Covered, Report
    from tb.core.diagnostics import Diagnostic
    from tb.dsl.checked_tests import Test
    from tb.runtime.policy import Tested

FAILED, UNTESTED = 1, 5
NO_TEST = "TB720"


def _share(_context: click.Context, _parameter: click.Parameter, text: str | None) -> float | None:
    """`90%`, also written `90`."""
    if text is None:
        return None
    number = text.strip().removesuffix("%")
    if not number.replace(".", "", 1).isdigit() or not 0 <= float(number) <= 100:
        raise click.BadParameter(f"`{text}` is not a share; write 90%")
    return float(number) / 100


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a run of the command is asked to do."""

    project: Path
    words: str | None
    form: str
    junit: Path | None
    covering: bool
    least: float | None


@command(
    "test",
    "tb test",
    "tb test -k wide",
    "tb test --watch",
    "tb test --coverage-min 90% --junit test.xml",
)
@click.option("-k", "words", metavar="WORDS", help="Only tests whose name has these words.")
@click.option("--list", "only_list", is_flag=True, help="Name the tests and run none.")
@click.option("--coverage", "covering", is_flag=True, help="Show which rules and outcomes of clauses no test has seen.")
@click.option("--coverage-min", "least", callback=_share, metavar="90%", help="Exit code 5 where less is covered.")
@click.option("--format", "form", type=click.Choice(["text", "json", "junit"]), help="How to show it (default: text).")
@click.option("--junit", type=click.Path(path_type=Path), metavar="FILE", help="Write JUnit XML to a file, too.")
@click.option("--watch", is_flag=True, help="Run again whenever a file of the project changes, until Ctrl-C.")
@project_option
@json_option
def tb_test(
    words: str | None,
    only_list: bool,
    covering: bool,
    least: float | None,
    form: str | None,
    junit: Path | None,
    watch: bool,
    project: Path,
    as_json: bool,
) -> None:
    """Run the tests in rules/, policy/ and tests/ of the project.

    Exit code 1 where one fails, 5 where there is none or too little is covered. A failure shows what was expected beside what
    came, and why.
    """
    form = "json" if as_json else form or "text"
    wanted = Wanted(project, words, form, junit, covering or least is not None, least)
    if watch:
        if form != "text" or only_list:
            raise click.UsageError("--watch shows text, and goes with neither --list nor another format")
        from tb.cli.test_watch import watch_project

        watch_project(project, lambda: _once(wanted))
        return
    if only_list:
        _list(_some(wanted, _tested(project)), as_json=form == "json")
        return
    code = _once(wanted)
    if code:
        raise click.exceptions.Exit(code)


def _once(wanted: Wanted) -> int:
    """Runs the tests and shows what came; the exit code."""
    tested = _tested(wanted.project)
    chosen = _some(wanted, tested)
    report, covered = _run(tested, chosen, wanted)
    if wanted.junit is not None:
        from tb.analysis.testing.junit import junit

        write_file(wanted.junit, junit(report) + "\n")
    _show(report, covered, wanted.form)
    if not report.passed:
        return FAILED
    if covered is not None and wanted.least is not None and covered.share < wanted.least:
        from tb.analysis.testing.text import percent

        say(f"{percent(covered)} is covered, and {wanted.least * 100:g}% is asked for")
        return UNTESTED
    return 0


def _tested(project: Path) -> Tested:
    from tb.runtime.policy import compile_tests
    from tb.runtime.project import load_project, load_tests

    texts = load_tests(project)
    tested = compile_tests(load_project(project), texts)
    show_findings(tested.compiled.findings, project, {**tested.compiled.project.texts, **texts})
    return tested


def _some(wanted: Wanted, tested: Tested) -> tuple[Test, ...]:
    """The tests asked for. Where there is none the command ends: a run that tests nothing does not pass."""
    words = (wanted.words or "").casefold()
    chosen = tuple(test for test in tested.tests if words in test.name.casefold())
    if not chosen:
        finding = _none(wanted.words, tested.tests)
        if wanted.form == "json":
            put_json({"passed": False, "tests": [], "findings": [_finding(finding)]})
        else:
            show_findings([finding], wanted.project)
        raise click.exceptions.Exit(UNTESTED)
    return chosen


def _none(words: str | None, tests: Sequence[Test]) -> Diagnostic:
    from tb.core.diagnostics import did_you_mean, error
    from tb.core.span import whole_file

    if tests and words is not None:
        hint = did_you_mean(words, [test.name for test in tests]) or "`tb test --list` names them"
        return error(NO_TEST, f"no test has `{words}` in its name", whole_file("tests"), hint)
    hint = 'write one into tests/limits.tb: `test "NAME"`, with `given`, `when` and `expect` below it'
    return error(NO_TEST, "the project has no test", whole_file("tests"), hint)


def _finding(finding: Diagnostic) -> dict[str, Any]:
    return {"code": finding.code, "message": finding.message, "hint": finding.hint}


def _list(tests: Sequence[Test], *, as_json: bool) -> None:
    if as_json:
        put_json([{"name": test.name, "file": test.span.file, "line": test.span.line} for test in tests])
        return
    for test in tests:
        put(f"{test.span.file}:{test.span.line}  {test.name}")
    say(f"{len(tests)} {'test' if len(tests) == 1 else 'tests'}")


def _run(tested: Tested, tests: Sequence[Test], wanted: Wanted) -> tuple[Report, Covered | None]:
    from tb.analysis.testing import Bench, Coverage, run_tests
    from tb.replay.testing import TestHistory

    compiled = tested.compiled
    bench = Bench.of(
        tested.builder, compiled.plan, compiled.settings, TestHistory(compiled.plan, compiled.settings, wanted.project), tests
    )
    coverage = Coverage(compiled.plan, bench.graph, [file.path for file in compiled.files]) if wanted.covering else None
    with progress("test") as told:
        report = run_tests(bench, tests, coverage=coverage, progress=told)
    return report, None if coverage is None else coverage.covered()


def _show(report: Report, covered: Covered | None, form: str) -> None:
    match form:
        case "json":
            from tb.cli.test_facts import facts

            put_json(facts(report, covered))
        case "junit":
            from tb.analysis.testing.junit import junit

            sys.stdout.write(junit(report) + "\n")
        case _:
            from tb.analysis.testing.text import coverage_text, text

            put(text(report))
            if covered is not None:
                put(coverage_text(covered))
