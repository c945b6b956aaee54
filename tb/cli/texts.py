"""A project as far as it can be read: where `load_project` refuses a folder, this gives what is left of it.

For commands that look at texts and run nothing: one broken file must not hide what is wrong with the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tb.core.diagnostics import Diagnostic, Refused

if TYPE_CHECKING:
    from tb.core.settings import Settings
    from tb.gate.limits import Limit


@dataclass(frozen=True, slots=True)
class Texts:
    """`settings` is None where `tb.yaml` cannot be used; `findings` are those of reading, of every file."""

    settings: Settings | None
    rules: Mapping[str, str]
    policy: Mapping[str, str]
    limits: Mapping[str, Limit]
    sources: Mapping[str, str]  # what findings speak of: rules, policy, tests, settings and limits by path
    findings: tuple[Diagnostic, ...] = field(default=())
    tests: Mapping[str, str] = field(default_factory=dict)  # of the files that hold tests alone


def read_texts(folder: Path) -> Texts:
    """Raises Refused where the folder is no project at all."""
    from tb.runtime.project import load_tests

    found = _read_project(folder)
    try:
        tests = load_tests(folder)
    except Refused as refused:
        return replace(found, findings=(*found.findings, *refused.findings))
    return replace(found, tests=tests, sources={**found.sources, **tests})


def _read_project(folder: Path) -> Texts:
    from tb.runtime.project import load_project

    try:
        project = load_project(folder)
    except Refused as refused:
        return _what_is_left(folder, refused)
    limits = {limit.name: limit for limit in project.limits}
    sources = {path: text for path, text in project.texts.items() if path not in project.library}
    return Texts(project.settings, project.rules, project.policy, limits, sources, project.warnings)


def _what_is_left(folder: Path, refused: Refused) -> Texts:
    from tb.core.settings import parse_settings
    from tb.gate.limits import parse_limits
    from tb.runtime.project import LIMITS, SETTINGS

    text = _read(folder / SETTINGS)
    settings = None if text is None else parse_settings(SETTINGS, text)[0]
    names = (settings.rules, settings.policy) if settings is not None else ("rules", "policy")
    rules, policy = (_rule_files(folder, name) for name in names)
    if not rules and not policy and settings is None:
        raise refused
    limits_path = f"{names[1]}/{LIMITS}"
    limits_text = _read(folder / limits_path)
    limits = {} if limits_text is None else {limit.name: limit for limit in parse_limits(limits_path, limits_text)[0]}
    sources = {**rules, **policy}
    sources |= {} if text is None else {SETTINGS: text}
    sources |= {} if limits_text is None else {limits_path: limits_text}
    return Texts(settings, rules, policy, limits, sources, refused.findings)


def _rule_files(folder: Path, name: str) -> dict[str, str]:
    try:
        files = sorted(path.name for path in (folder / name).iterdir() if path.suffix == ".tb" and path.name[0] != ".")
    except OSError:
        return {}  # the refusal says so
    read = {f"{name}/{file}": _read(folder / name / file) for file in files}
    return {path: text for path, text in read.items() if text is not None}


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except (OSError, UnicodeDecodeError):
        return None  # the refusal says so
