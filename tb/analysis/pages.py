"""A page for each lint rule: what to avoid, what to prefer, and why.

The programs on it are those that test the rule, copied into `lint/examples.json` by `python docs/generate.py`, so that a page
can be read wherever tb is installed. `docs/lint/` holds the same pages, and a list of them.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from functools import cache
from importlib import resources
from textwrap import fill
from typing import TypedDict

from tb.analysis.later import LATER
from tb.analysis.levels import COMMENTS
from tb.analysis.lint.catalogue import RULES
from tb.analysis.refused import REFUSED, Refused
from tb.analysis.subject import Category, Rule
from tb.core.codes import CODES, range_of

EXAMPLES = "examples.json"
WIDTH = 110


class Example(TypedDict):
    """A program of several files that gets the finding, what is said of it, and one that does not get it."""

    avoid: str
    says: str
    prefer: str


Examples = Mapping[str, Example]
_RULES: Mapping[str, Rule] = {rule.code: rule for rule in RULES}


@cache
def examples() -> Examples:
    """The programs that come with the package, by code."""
    text = resources.files("tb.analysis.lint").joinpath(EXAMPLES).read_text(encoding="utf-8")
    found: Examples = json.loads(text)
    return found


def explanation(code: str) -> str | None:
    """What there is to say of a code; of one without programs what the table of messages says. None for no code of tb."""
    if code in REFUSED:
        return _refused(code)
    if code in LATER:
        return f"# {code} {LATER[code].title}\n\nThis is not looked for yet.\n\n{_wrapped(LATER[code].why)}\n"
    return page(code, examples()) if code in examples() else _message(code) if code in CODES else None


def page(code: str, programs: Examples) -> str:
    """The page of a lint rule, as Markdown."""
    row, example = CODES[code], programs[code]
    parts = [f"# {code} {row.title}", _standing(code), "## Avoid", *_files(example["avoid"])]
    parts += ["`tb lint` says:", f"```text\n{example['says'].rstrip()}\n```"]
    parts += ["## Prefer", *_files(example["prefer"]), "## Why", _wrapped(row.meaning), *_details(code)]
    return "\n\n".join(parts) + "\n"


def index(programs: Examples) -> str:
    """The list of all pages, as Markdown, by what the rules are about."""
    parts = ["# Lint rules", "What `tb lint` looks for. `tb lint --explain CODE` shows a page without a browser."]
    groups: dict[str, list[str]] = {}
    for code in sorted(programs):
        groups.setdefault(range_of(code), []).append(_line(code))
    for title, lines in groups.items():
        parts += [f"## {title}", "\n".join(lines)]
    parts += ["## Said while files are read", _WHILE_READING]
    parts.append("\n".join(_row(code) for code in sorted(CODES) if _is_numbered(code) and code not in programs))
    parts += ["## What cannot be written", "Other linters look for these. Here no program can say them."]
    parts.append("\n".join(f"- {row.code} {row.title}: {row.why}{_said(row)}" for row in REFUSED.values()))
    parts += ["## What is not looked for yet"]
    parts.append("\n".join(f"- {row.code} {row.title}: {row.why}" for row in LATER.values()))
    return "\n\n".join(parts) + "\n"


_WHILE_READING = (
    "These are found when rules, policy and settings are read, and have no programs of their own: [errors.md](../errors.md) "
    "says what each means."
)


def _is_numbered(code: str) -> bool:
    """Whether a code has a number of the linter's."""
    return "TB101" <= code < "TB600"


def _row(code: str) -> str:
    return f"- {code} {CODES[code].title} ({CODES[code].severity})"


def _refused(code: str) -> str:
    row = REFUSED[code]
    return f"# {code} {row.title}\n\nThis cannot be written.\n\n{_wrapped(row.why + _said(row))}\n"


def _said(row: Refused) -> str:
    return f" Said as {' or '.join(row.by)}." if row.by else ""


def _line(code: str) -> str:
    return f"- [{code}]({code}.md) {CODES[code].title} ({CODES[code].severity})"


def _message(code: str) -> str:
    row = CODES[code]
    said = [f"# {code} {row.title}", f"*{row.severity}*, always.", _wrapped(row.meaning), f"hint: {row.example_hint}"]
    return "\n\n".join(said) + "\n"


def _standing(code: str) -> str:
    """How much the rule counts, and what changes that."""
    rule, severity = _RULES.get(code), CODES[code].severity
    category: Category | None = rule.category if rule is not None else COMMENTS.get(code)
    if category is None:
        return f"*{severity}*, always: without it a file has no meaning."
    said = [f"*{severity}*. `lint.levels` in `tb.yaml` changes it, as `{code}` or with all of `{category}`."]
    if rule is not None and rule.suppressible:
        said.append(f"`# tb: ignore {code} because ...` hides one finding.")
    elif rule is not None:
        said.append("It is about the whole policy, so no comment hides it.")
    return "\n".join(said)


def _details(code: str) -> list[str]:
    """What the module of the rule says of it, after its first sentence."""
    rule = _RULES.get(code)
    doc = (sys.modules[rule.check.__module__].__doc__ or "") if rule is not None else ""
    return [_wrapped(" ".join(paragraph.split())) for paragraph in doc.strip().split("\n\n")[1:]]


def _wrapped(text: str) -> str:
    return fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)


def _files(program: str) -> list[str]:
    """The files of a program as blocks; each but a single one has its name above it."""
    name, parts = "rules/program.tb", dict[str, list[str]]()
    for line in program.splitlines():
        if line.startswith("--- "):
            name = _SHOWN.get(line.removeprefix("--- ").strip(), line.removeprefix("--- ").strip())
        else:
            parts.setdefault(name, []).append(line)
    blocks = []
    for file, lines in parts.items():
        if not any(line.strip() for line in lines):
            continue
        blocks += [f"`{file}`:"] if len(parts) > 1 else []
        blocks.append("\n".join([f"```{'tb' if file.endswith('.tb') else 'text'}", *lines, "```"]))
    return blocks


_SHOWN = {
    "zone": "the account's zone",
    "limits": "policy/limits.yaml",
    "data": "the data",
    "instruments": "instruments in tb.yaml",
    "costs": "costs of the venue in tb.yaml",
    "bars": "closes of the data, and how often each",
    "run": "what a run showed",
    "budget": "lint.budget in tb.yaml",
}
