"""`tb lint`: every mistake and weakness of a project that can be known without running it."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from tb.cli.lint_baseline import Compared, compared, told
from tb.cli.lint_data import Given, data_of
from tb.cli.lint_fix import Mended, mend
from tb.cli.options import command, instant, json_option, project_option
from tb.cli.output import coloured, is_terminal, put, put_difference, say, write_findings
from tb.cli.texts import Texts, read_texts
from tb.core.diagnostics import Diagnostic, Edit, Label, Refused, Severity, did_you_mean, in_order
from tb.core.span import Span

FOUND = 1
FORMATS = ("human", "plain", "json", "sarif", "junit", "github", "gitlab")


def _explain(ctx: click.Context, _parameter: click.Parameter, code: str | None) -> None:
    if code is None or ctx.resilient_parsing:
        return
    from tb.analysis.pages import explanation
    from tb.core.codes import CODES

    text = explanation(code.upper())
    if text is None:
        near = did_you_mean(code.upper(), CODES) or "docs/errors.md lists them"
        raise click.BadParameter(f"there is no code `{code}`; {near}", ctx, _parameter)
    put(text.rstrip("\n"))
    ctx.exit()


@command(
    "lint",
    "tb lint",
    "tb lint --strict --format plain",
    "tb lint --explain TB104",
    "tb lint --data data --json | jq '.findings[].code'",
    "tb lint --data r1                # limits that never came near, or refused everything, in run 1",
)
@click.option("--data", metavar="PATH|RUN", help="Look at this data, or at what a run of the ledger came to.")
@click.option("--as-of", type=instant, metavar="TIME", help="Exceptions that have ended by then are errors. Default: now.")
@click.option("--strict", is_flag=True, help="Exit code 1 for warnings, too.")
@click.option("--format", "form", type=click.Choice(FORMATS), help="Default: human on a terminal, else plain.")
@click.option("--explain", metavar="CODE", expose_value=False, is_eager=True, callback=_explain, help="Show what a code means.")
@click.option("--fix", is_flag=True, help="Make every edit that is safe, then say what is left.")
@click.option("--dry-run", is_flag=True, help="With --fix: show the edits as a diff and write nothing.")
@click.option("--write-baseline", is_flag=True, help="Agree to the findings there are: from now on only more of them fail.")
@project_option
@json_option
def tb_lint(
    data: str | None,
    as_of: int | None,
    strict: bool,
    form: str | None,
    fix: bool,
    dry_run: bool,
    write_baseline: bool,
    project: Path,
    as_json: bool,
) -> None:
    """Check the project's rules, limits and settings.

    Exit code 1 where there is an error. All files are looked at, however many of them have mistakes. A comment `# tb: ignore
    CODE because REASON` hides a finding on the next line; `levels:` under `lint:` in `tb.yaml` changes how much one counts.

    `--fix` edits rule and policy files, each in one step, and only where everything else in them stays as it is. With
    `--dry-run` the exit code is 1 where there is something to edit.
    """
    if dry_run and not fix:
        raise click.UsageError("`--dry-run` goes with `--fix`")
    done, mended = Compared([]), Mended()
    try:
        texts = read_texts(project)
        linter = _Linter(texts, project, data_of(texts, project, data), time.time_ns() // 1_000_000 if as_of is None else as_of)
        found = linter.findings(texts)
        if fix:
            mended = mend(texts, project, linter.findings, write=not dry_run)
            texts, found = mended.texts or texts, found if dry_run or mended.texts is None else list(mended.left)
        done = compared(found, project, _looked(found, texts, linter.data), write=write_baseline and not dry_run)
        findings = done.left
    except Refused as refused:
        texts, findings = Texts(None, {}, {}, {}, {}), list(refused.findings)
    form = "json" if as_json else form or ("human" if is_terminal(sys.stdout) else "plain")
    failing = Severity.WARNING if strict else Severity.ERROR
    more: dict[str, Any] = {} if done.agreed is None else {"baseline": done.agreed}
    if dry_run and form in {"human", "plain"}:
        put_difference(mended.diff)
    else:
        _show(findings, texts, form, project, failing, more | mended.as_json(written=not dry_run) if fix else more)
    told(done)
    mended.tell(written=not dry_run)
    if (dry_run and mended.made) or any(finding.severity >= failing for finding in findings):
        raise click.exceptions.Exit(FOUND)


class _Linter:
    """The linter with all of a project but its rules and policy settled: data is read once, however often texts change."""

    def __init__(self, texts: Texts, project: Path, data: Given, as_of: int) -> None:
        self.settings = texts.settings
        self.before: list[Diagnostic] = list(texts.findings)
        self.as_of, self.data = as_of, data
        if self.settings is not None:
            from tb.analysis.lint import unknown_levels

            self.levels = {name: level.severity for name, level in self.settings.lint_levels.items()}
            self.before += [*data.findings, *unknown_levels({n: level.span for n, level in self.settings.lint_levels.items()})]

    def findings(self, texts: Texts) -> list[Diagnostic]:
        """Every finding, in order."""
        collects = gc.isenabled()
        gc.disable()  # nearly everything that is made is kept to the end, so looking for garbage would find none
        try:
            return self._findings(texts)
        finally:
            if collects:
                gc.enable()

    def _findings(self, texts: Texts) -> list[Diagnostic]:
        from tb.analysis.lint import lint
        from tb.dsl.parse import parse

        files, found, found_in_tests = [], list(self.before), []
        for part, is_policy in ((texts.rules, False), (texts.policy, True)):
            for path, text in part.items():
                file, mistakes = parse(path, text, is_policy=is_policy)
                files.append(file)
                found += mistakes
        asked = []
        for path, text in texts.tests.items():
            file, mistakes = parse(path, text, is_policy=False)
            asked.append(file)
            found_in_tests += mistakes
        settings = self.settings
        if settings is None:
            return in_order(
                [*found, *found_in_tests]
            )  # without a currency and limits nothing can be said about what the rules mean
        found = lint(
            files,
            tests=asked,
            findings=found,
            currency=settings.account.currency,
            rates=tuple(settings.rates),
            limits=texts.limits,
            overrides={name: override.text for name, override in settings.parameters.items()},
            levels=self.levels,
            instruments=settings.instrument,
            costs=settings.venue_for,
            data=self.data.span,
            markets=self.data.markets(settings),
            observed=self.data.observed,
            budget=settings.lint_budget,
            as_of=self.as_of,
            zone=settings.account.timezone,
        )
        return in_order([*found, *found_in_tests])


def _looked(found: list[Diagnostic], texts: Texts, data: Given) -> frozenset[str]:
    from tb.analysis.baseline import rules_that_looked

    if texts.settings is None:
        return frozenset()
    levels = {name: level.severity for name, level in texts.settings.lint_levels.items()}
    return rules_that_looked(found, with_data=data.market is not None, with_run=data.observed is not None, levels=levels)


def _show(findings: list[Diagnostic], texts: Texts, form: str, project: Path, failing: Severity, more: dict[str, Any]) -> None:
    from tb.core import render

    files = len(texts.sources)
    if form == "json":
        counts = {f"{severity}s": sum(f.severity is severity for f in findings) for severity in reversed(Severity)}
        write_findings(findings, **counts, files=files, **more)
    elif form == "human":
        put(render.human(findings, texts.sources, colour=coloured(sys.stdout)))
    elif form == "plain":
        if findings:
            put(render.plain(findings))
        say(render.summary(findings, files=files))
    else:
        _report(findings, texts, form, project, failing)


def _report(findings: Sequence[Diagnostic], texts: Texts, form: str, project: Path, failing: Severity) -> None:
    """What build servers read. They know files by their path from where the command runs, the top of the repository."""
    from tb.core import render

    from_here = _from_here(project)
    placed = [_moved(finding, from_here) for finding in findings]
    match form:
        case "sarif":
            from tb.cli.version import installed

            put(render.sarif(placed, version=installed()))
        case "junit":
            put(render.junit(placed, [from_here(file) for file in texts.sources], failing=failing))
        case "gitlab":
            put(render.gitlab(placed))
        case _:
            if placed:
                put(render.github(placed))


def _from_here(project: Path) -> Callable[[str], str]:
    """Turns the path of a file of the project into its path from the present folder; others stay as they are."""
    root = project
    if root.is_absolute() and root.is_relative_to(Path.cwd()):
        root = root.relative_to(Path.cwd())
    return lambda file: (root / file).as_posix() if (project / file).exists() and not (Path(file).is_absolute()) else file


def _moved(finding: Diagnostic, from_here: Callable[[str], str]) -> Diagnostic:
    def moved(span: Span) -> Span:
        return replace(span, file=from_here(span.file))

    labels = tuple(Label(moved(label.span), label.text) for label in finding.labels)
    edits = tuple(Edit(moved(edit.span), edit.text) for edit in finding.edits)
    return replace(finding, span=moved(finding.span), labels=labels, edits=edits)
