"""`tb lint`: every mistake and weakness of a project that can be known without running it."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tb.cli.options import command, instant, json_option, project_option
from tb.cli.output import coloured, is_terminal, put, say, write_findings
from tb.cli.texts import Texts, read_texts
from tb.core.diagnostics import Diagnostic, Refused, Severity, has_errors, in_order

if TYPE_CHECKING:
    from tb.analysis.subject import DataSpan

FOUND = 1


@command("lint", "tb lint", "tb lint --strict --format plain", "tb lint --data data --json | jq '.findings[].code'")
@click.option("--data", type=click.Path(path_type=Path), metavar="PATH", help="Compare look-backs with this data.")
@click.option("--as-of", type=instant, metavar="TIME", help="Exceptions that have ended by then are errors. Default: now.")
@click.option("--strict", is_flag=True, help="Exit code 1 for warnings, too.")
@click.option(
    "--format", "form", type=click.Choice(["human", "plain", "json"]), help="Default: human on a terminal, else plain."
)
@project_option
@json_option
def tb_lint(data: Path | None, as_of: int | None, strict: bool, form: str | None, project: Path, as_json: bool) -> None:
    """Check the project's rules, limits and settings.

    Exit code 1 where there is an error. All files are looked at, however many of them have mistakes. A comment `# tb: ignore
    CODE because REASON` hides a finding on the next line; `levels:` under `lint:` in `tb.yaml` changes how much one counts.
    """
    try:
        texts = read_texts(project)
        findings = in_order(_findings(texts, project, data, time.time_ns() // 1_000_000 if as_of is None else as_of))
    except Refused as refused:
        texts, findings = Texts(None, {}, {}, {}, {}), list(refused.findings)
    form = "json" if as_json else form or ("human" if is_terminal(sys.stdout) else "plain")
    _show(findings, texts, form)
    if has_errors(findings) or (strict and any(finding.severity is Severity.WARNING for finding in findings)):
        raise click.exceptions.Exit(FOUND)


def _findings(texts: Texts, project: Path, data: Path | None, as_of: int) -> list[Diagnostic]:
    from tb.analysis.lint import lint
    from tb.dsl.parse import parse

    files, found = [], list(texts.findings)
    for part, is_policy in ((texts.rules, False), (texts.policy, True)):
        for path, text in part.items():
            file, mistakes = parse(path, text, is_policy=is_policy)
            files.append(file)
            found += mistakes
    settings = texts.settings
    if settings is None:
        return found  # without a currency and limits nothing can be said about what the rules mean
    folder = data if data is not None else project / settings.data if settings.data is not None else None
    span, problems = _span(folder)
    found += problems
    return lint(
        files,
        findings=found,
        currency=settings.account.currency,
        limits=texts.limits,
        overrides={name: override.text for name, override in settings.parameters.items()},
        levels={code: level.severity for code, level in settings.lint_levels.items()},
        instruments=settings.instrument,
        data=span,
        as_of=as_of,
        zone=settings.account.timezone,
    )


def _span(folder: Path | None) -> tuple[DataSpan | None, list[Diagnostic]]:
    """How long the data is, and what is wrong with it."""
    if folder is None:
        return None, []
    from tb.analysis.lint import DataSpan
    from tb.replay.data import load_market

    try:
        market = load_market(folder)
    except Refused as refused:
        return None, list(refused.findings)
    return DataSpan(market.period, {symbol: len(bars) for symbol, bars in market.bars.items()}), list(market.warnings)


def _show(findings: list[Diagnostic], texts: Texts, form: str) -> None:
    from tb.core import render

    files = len(texts.sources)
    if form == "json":
        counts = {f"{severity}s": sum(f.severity is severity for f in findings) for severity in reversed(Severity)}
        write_findings(findings, **counts, files=files)
    elif form == "human":
        put(render.human(findings, texts.sources, colour=coloured(sys.stdout)))
    else:
        if findings:
            put(render.plain(findings))
        say(render.summary(findings, files=files))
