"""TB509: a definition, a `use` or a name of one, or a limit that nothing needs.

What only unused definitions use is unused too. A requirement between parameters does not need them: it only ties them together.
`group of order.instrument` asks every group there is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tb.analysis.edits import without_lines
from tb.analysis.subject import Rule, Subject
from tb.analysis.uses import Statement, needed, statements
from tb.core.diagnostics import Diagnostic, Severity, warning
from tb.core.span import Span, whole_file
from tb.dsl import syntax
from tb.dsl.check import definitions_of
from tb.vocabulary.std import LIBRARY, PREFIX

CODE = "TB509"
_SHOWN = {"let": "definition", "param": "parameter", "regime": "block of regimes"}


def check(subject: Subject) -> Iterable[Diagnostic]:
    everything = statements(subject.files)
    yield from _definitions(subject, everything)
    yield from _imports(subject, everything)
    yield from _limits(subject, everything)


def _definitions(subject: Subject, everything: tuple[Statement, ...]) -> Iterator[Diagnostic]:
    asked = needed(everything)
    for definition in everything:
        is_asked = definition.name in asked or (definition.kind == "group" and "group of" in asked)
        if not definition.is_definition or is_asked:
            continue
        users = [other.name for other in everything if definition.name in other.uses and other.is_definition]
        what, place = _SHOWN.get(definition.kind, definition.kind), subject.head(definition.declaration.span)
        said = f"the {what} `{definition.name}`" if definition.kind != "regime" else f"this {what}"
        if users:
            yield warning(CODE, f"{said} is used by `{users[0]}` alone, which nothing uses", place, "remove both, or use them")
        else:
            yield warning(CODE, f"{said} is never used", place, "remove it, or use it")


def _imports(subject: Subject, everything: tuple[Statement, ...]) -> Iterator[Diagnostic]:
    files = {file.path: file for file in subject.files}
    for statement in everything:
        use = statement.declaration
        if not isinstance(use, syntax.Use):
            continue
        if use.module.startswith(PREFIX) and statement.file in subject.policy_files:
            continue  # controls bind by being there
        offered = set(use.picked) or _offered(use.module, everything)
        asked = {name for other in everything if other.file == statement.file for name in other.uses}
        if not offered & asked:
            message, hint = f"nothing of `{use.module}` is used in this file", f"remove `use {use.module}`"
            yield warning(CODE, message, use.span, hint, edits=without_lines(files[statement.file], use.span))
            continue
        spare = [f"`{name}`" for name in use.picked if name not in asked]
        if spare:
            kept = ", ".join(name for name in use.picked if name in asked)
            message = f"{' and '.join(spare)} {'are' if len(spare) > 1 else 'is'} never used in this file"
            yield warning(CODE, message, use.span, f"write `use {use.module}: {kept}`")


def _offered(module: str, everything: tuple[Statement, ...]) -> set[str]:
    if module in LIBRARY:
        return set(definitions_of(module))
    return {s.name for s in everything if s.is_definition and s.file.rsplit("/", 1)[-1] == f"{module}.tb"}


def _limits(subject: Subject, everything: tuple[Statement, ...]) -> Iterator[Diagnostic]:
    asked = {name for statement in everything for name in statement.uses}
    asked |= {f"limits.{name}" for name in subject.program.limits_used}
    for name, limit in subject.limits.items():
        if f"limits.{name}" not in asked:
            span = getattr(limit, "span", None)
            place = span if isinstance(span, Span) else whole_file("policy/limits.yaml")
            message = f"the limit `{name}` limits nothing: no constraint reads it"
            yield warning(CODE, message, place, f"read `limits.{name}` in a constraint, or remove it")


RULE = Rule(CODE, "unused-definition", "hygiene", "graph", Severity.WARNING, check)
