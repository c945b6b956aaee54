"""A project folder, read whole: settings, rules, policy and limits, or a refusal that names everything wrong with them.

Nothing is guessed: a folder, a settings file or a policy that is not there is a refusal, because a run without its hard
limits is not a run. Text is UTF-8; line ends are read as one kind, so that the same rules have the same hash everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tb.core.diagnostics import Diagnostic, Refused, error, has_errors, in_order
from tb.core.settings import Settings, parse_settings
from tb.core.span import Span, whole_file
from tb.gate.limits import Limits, parse_limits
from tb.vocabulary.std import LIBRARY, PREFIX, VENUE

if TYPE_CHECKING:
    from tb.ledger import Place

SETTINGS = "tb.yaml"
LIMITS = "limits.yaml"
TESTS = "tests"

NO_PROJECT = "TB660"
NO_FOLDER = "TB661"
NO_FILES = "TB662"
UNREADABLE = "TB663"
NOT_TEXT = "TB664"
TOO_LARGE = "TB665"
UNREAD = "TB666"

_LARGEST = 2_000_000  # bytes
_USE = re.compile(rf"^use[ \t]+{re.escape(PREFIX)}(\w+)", re.MULTILINE)  # a declaration begins at column 1


@dataclass(frozen=True, slots=True)
class Project:
    """`rules`, `policy` and `texts` hold the text of files by path relative to `root`, with `/`, in order of name.

    `texts` has every file that decides: settings, rules, policy, limits, and what they use of the standard library. The policy
    hash is made of it. `library` are those of the standard library.
    """

    root: Path
    settings: Settings
    rules: dict[str, str]
    policy: dict[str, str]
    limits: Limits
    texts: dict[str, str]
    warnings: tuple[Diagnostic, ...]
    library: dict[str, str] = field(default_factory=dict)

    @property
    def ledger(self) -> Place:
        """Where the ledger is."""
        from tb.ledger import place_of

        return place_of(self.settings.ledger, self.root)


def load_project(folder: Path) -> Project:
    """The project in a folder. Raises Refused, with all findings, where it cannot be used."""
    findings: list[Diagnostic] = []
    text = _settings_text(folder, findings)
    settings, problems = parse_settings(SETTINGS, text) if text is not None else (None, [])
    findings += problems
    if settings is None or text is None:
        raise Refused(in_order(findings))
    rules = _rule_files(folder, settings.rules, "rules", findings)
    policy = _rule_files(folder, settings.policy, "policy", findings)
    texts = {SETTINGS: text, **rules, **policy}
    limits_path = f"{settings.policy}/{LIMITS}"
    limits = Limits(limits_path, {})
    if (folder / limits_path).exists() and (limits_text := _text(folder, limits_path, findings)) is not None:
        limits, problems = parse_limits(limits_path, limits_text)
        texts[limits_path] = limits_text
        findings += problems
    elif (folder / settings.policy / "limits.yml").exists():
        place = whole_file(f"{settings.policy}/limits.yml")
        findings.append(error(UNREAD, f"`{place.file}` is not read", place, f"rename it to `{LIMITS}`"))
    if has_errors(findings):
        raise Refused(in_order(findings))
    library = standard_texts([*rules.values(), *policy.values()])
    texts |= library
    return Project(folder, settings, rules, policy, limits, dict(sorted(texts.items())), tuple(in_order(findings)), library)


def standard_texts(files: Iterable[str]) -> dict[str, str]:
    """The texts of the standard library that decide in a project of these files: what every project has, and what they use."""
    used = {f"{PREFIX}{name}" for text in files for name in _USE.findall(text)}
    return {VENUE.path: VENUE.text, **{s.path: s.text for module, s in LIBRARY.items() if module in used}}


def load_tests(folder: Path) -> dict[str, str]:
    """The texts of a project's files of tests, `tests/*.tb`, by path, in order of name; a project may have none.

    They decide nothing, so they belong neither to a `Project` nor to its policy hash. Raises Refused where one cannot be read.
    """
    findings: list[Diagnostic] = []
    if not (folder / TESTS).is_dir() or not any((folder / TESTS).glob("*.tb")):
        return {}
    texts = _rule_files(folder, TESTS, "tests", findings)
    if has_errors(findings):
        raise Refused(in_order(findings))
    return texts


def _settings_text(folder: Path, findings: list[Diagnostic]) -> str | None:
    if not folder.is_dir():
        what = "is a file, not a folder" if folder.exists() else "does not exist"
        hint = "name the folder that holds `tb.yaml`, or make a project with `tb init`"
        findings.append(error(NO_PROJECT, f"the project folder `{folder}` {what}", whole_file(str(folder)), hint))
        return None
    if not (folder / SETTINGS).exists():
        near = next((name for name in ("tb.yml", ".tb.yaml", "TB.yaml") if (folder / name).exists()), None)
        hint = f"rename `{near}` to `{SETTINGS}`" if near else "make a project with `tb init`, or name one with `--project`"
        findings.append(error(NO_PROJECT, f"no `{SETTINGS}` in `{folder}`", whole_file(SETTINGS), hint))
        return None
    return _text(folder, SETTINGS, findings)


def _rule_files(root: Path, name: str, key: str, findings: list[Diagnostic]) -> dict[str, str]:
    """The texts of the `.tb` files of a folder, by path, in order of name."""
    folder = root / name
    if not folder.is_dir():
        what = "is not a folder" if folder.exists() else "does not exist"
        hint = f"make it, or name another in `{SETTINGS}`: `{key}: FOLDER`"
        findings.append(error(NO_FOLDER, f"the folder `{name}` {what}", whole_file(name), hint))
        return {}
    try:
        names = sorted(file.name for file in folder.iterdir() if file.suffix == ".tb" and not file.name.startswith("."))
    except OSError as problem:
        findings.append(error(UNREADABLE, f"the folder `{name}` cannot be read: {_reason(problem)}", whole_file(name)))
        return {}
    if not names:
        hint = (
            f"put a rule file such as `{name}/momentum.tb` there"
            if key == "rules"
            else f"put hard limits into `{name}/limits.tb`"
        )
        findings.append(error(NO_FILES, f"the folder `{name}` has no `.tb` file", whole_file(name), hint))
    texts = ((f"{name}/{file}", _text(root, f"{name}/{file}", findings)) for file in names)
    return {path: text for path, text in texts if text is not None}


def _text(root: Path, path: str, findings: list[Diagnostic]) -> str | None:
    """The text of a file, or None and a finding that says why there is none."""
    try:
        size = (root / path).stat().st_size
        if size > _LARGEST:
            message = f"`{path}` has {size / 1_000_000:.1f} MB, more than the {_LARGEST // 1_000_000} MB that are read"
            findings.append(error(TOO_LARGE, message, whole_file(path), "move what does not belong to it elsewhere"))
            return None
        data = (root / path).read_bytes()
    except OSError as problem:
        findings.append(error(UNREADABLE, f"`{path}` cannot be read: {_reason(problem)}", whole_file(path)))
        return None
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as problem:
        line = data.count(b"\n", 0, problem.start) + 1
        column = problem.start - (data.rfind(b"\n", 0, problem.start) + 1) + 1
        place = Span(path, line, column, line, column + 1)
        message = f"`{path}` is not UTF-8 text: byte {data[problem.start]:#04x}"
        findings.append(error(NOT_TEXT, message, place, "save the file as UTF-8"))
        return None


def _reason(problem: OSError) -> str:
    match problem:
        case PermissionError():
            return "permission denied"
        case IsADirectoryError():
            return "it is a folder"
        case FileNotFoundError():
            return "it is gone"
        case _:
            return (problem.strerror or "the file system refused").lower()
