"""What is found in the standard library is shown where the project uses it, with the place in the library beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from tb.core.diagnostics import Diagnostic, Label
from tb.dsl import syntax
from tb.vocabulary.std import LIBRARY


def used_at(files: Sequence[syntax.File], findings: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
    """The findings, those in the library moved to a `use` of it: the one that names what is meant, else the first."""
    for finding in findings:
        places = _uses(files, finding.span.file)
        if not places:
            yield finding
            continue
        named = [use for use in places if any(f"`{name}`" in finding.message for name in use.picked)]
        label = Label(finding.span, "it stands here in the library")
        yield replace(finding, span=(named or places)[0].span, labels=(label, *finding.labels), edits=())


def _uses(files: Sequence[syntax.File], path: str) -> list[syntax.Use]:
    return [
        node
        for file in files
        for node in file.declarations
        if isinstance(node, syntax.Use) and node.module in LIBRARY and LIBRARY[node.module].path == path
    ]
