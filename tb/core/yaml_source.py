"""YAML as a tree in which every key and value knows its place, so that a finding can point at it.

Reads the part of YAML that settings need: mappings, lists, plain and quoted values, comments. Anchors, tags and several
documents in one file are findings, not features. Words keep their text: `off` is a word and `2024-01-01` is text; only
`true`, `false`, nothing, and plain decimal numbers become something else. Numbers are exact.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import NoReturn

import yaml

from tb.core.diagnostics import Diagnostic, Label, error
from tb.core.span import Span, whole_file

Path = tuple[str | int, ...]
_NUMBER = re.compile(r"[+-]?\d+(?:_\d+)*(\.\d+)?", re.ASCII)
_DEEPEST = 20


@dataclass(frozen=True, slots=True)
class Scalar:
    """`text` is what was written (without quotes); `value` is what it means."""

    text: str
    value: str | int | Decimal | bool | None
    span: Span


@dataclass(frozen=True, slots=True)
class Entry:
    key: str
    key_span: Span
    value: Node


@dataclass(frozen=True, slots=True)
class Mapping:
    entries: tuple[Entry, ...]
    span: Span

    def get(self, key: str) -> Node | None:
        return next((entry.value for entry in self.entries if entry.key == key), None)


@dataclass(frozen=True, slots=True)
class Items:
    items: tuple[Node, ...]
    span: Span


Node = Scalar | Mapping | Items


def parse_yaml(file: str, text: str, *, syntax: str, duplicate: str) -> tuple[Node | None, list[Diagnostic]]:
    """The tree of a YAML text, None where it is empty or cannot be read, and what is wrong with it.

    `syntax` and `duplicate` are the codes of the findings. Of a key that is given twice the first one stands in the tree.
    """
    reader = _Reader(file, syntax, duplicate)
    try:
        events = yaml.parse(text, Loader=yaml.SafeLoader)
        return reader.document(events), reader.findings
    except _Stop:
        return None, reader.findings
    except yaml.reader.ReaderError as problem:
        before = text[: problem.position].split("\n")
        place = _point(file, len(before), len(before[-1]) + 1)
        character = f"U+{ord(text[problem.position]):04X}"
        return None, [error(syntax, f"the character {character} cannot stand in YAML", place, "remove it")]
    except yaml.MarkedYAMLError as problem:
        return None, [_explain(problem, file, text, syntax)]


def to_plain(node: Node) -> object:
    """The tree as dicts, lists and values, as a schema wants it."""
    match node:
        case Scalar():
            return node.value
        case Mapping():
            return {entry.key: to_plain(entry.value) for entry in node.entries}
        case Items():
            return [to_plain(item) for item in node.items]


def node_at(node: Node, path: Path) -> Node:
    """The value at a path of keys and positions, which must exist."""
    for step in path:
        match node:
            case Mapping() if (inner := node.get(str(step))) is not None:
                node = inner
            case Items() if isinstance(step, int):
                node = node.items[step]
            case _:
                raise KeyError(path)
    return node


def key_span(node: Node, path: Path) -> Span:
    """The place of the last key of a path; of the value itself where the path ends in a list or is empty."""
    if path:
        parent = node_at(node, path[:-1])
        if isinstance(parent, Mapping):
            for entry in parent.entries:
                if entry.key == path[-1]:
                    return entry.key_span
    return node_at(node, path).span


class _Stop(Exception):
    """The finding is recorded; reading ends here."""


class _Reader:
    def __init__(self, file: str, syntax: str, duplicate: str) -> None:
        self.file = file
        self.syntax = syntax
        self.duplicate = duplicate
        self.findings: list[Diagnostic] = []

    def document(self, events: Iterator[yaml.Event]) -> Node | None:
        root: Node | None = None
        for event in events:
            match event:
                case yaml.DocumentStartEvent() if root is not None:
                    self.stop("a second document starts here, and only one is read", event, "remove the `---`")
                case yaml.ScalarEvent() | yaml.MappingStartEvent() | yaml.SequenceStartEvent() | yaml.AliasEvent():
                    root = self.node(event, events, 0)
                case _:
                    pass
        return None if isinstance(root, Scalar) and root.value is None else root

    def node(self, event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> Node:
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            self.stop("anchors (`&name`) and references (`*name`) are not read here", event, "write the value out")
        tag = getattr(event, "tag", None)
        if tag is not None and tag != "!":
            self.stop("tags (`!name`) are not read here", event, "write the value alone")
        if depth > _DEEPEST:
            self.stop(f"nested deeper than {_DEEPEST} levels", event)
        match event:
            case yaml.ScalarEvent():
                return Scalar(event.value, _value(event), self.span(event))
            case yaml.MappingStartEvent():
                return self.mapping(event, events, depth)
            case _:
                return self.items(event, events, depth)

    def mapping(self, start: yaml.Event, events: Iterator[yaml.Event], depth: int) -> Mapping:
        entries: dict[str, Entry] = {}
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                return Mapping(tuple(entries.values()), self.span(start, event))
            key = self.node(event, events, depth + 1)
            if not isinstance(key, Scalar):
                self.stop("a key must be one word, not a list or a mapping", event)
            value = self.node(next(events), events, depth + 1)
            if earlier := entries.get(key.text):
                label = Label(earlier.key_span, "given here first")
                message = f"`{key.text}` is given twice"
                self.findings.append(error(self.duplicate, message, key.span, "keep one of them", [label]))
            else:
                entries[key.text] = Entry(key.text, key.span, value)
        raise AssertionError("the events of a mapping end with its end")

    def items(self, start: yaml.Event, events: Iterator[yaml.Event], depth: int) -> Items:
        items: list[Node] = []
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                return Items(tuple(items), self.span(start, event))
            items.append(self.node(event, events, depth + 1))
        raise AssertionError("the events of a list end with its end")

    def span(self, start: yaml.Event, end: yaml.Event | None = None) -> Span:
        first, last = start.start_mark, (end or start).end_mark
        assert first is not None
        assert last is not None
        return Span(self.file, first.line + 1, first.column + 1, last.line + 1, last.column + 1)

    def stop(self, message: str, event: yaml.Event, hint: str = "") -> NoReturn:
        self.findings.append(error(self.syntax, message, self.span(event), hint))
        raise _Stop


def _value(event: yaml.ScalarEvent) -> str | int | Decimal | bool | None:
    text: str = event.value
    if event.style is not None:  # quoted, or a block of text
        return text
    if text in {"", "~", "null"}:
        return None
    if text in {"true", "false"}:
        return text == "true"
    if (found := _NUMBER.fullmatch(text)) and len(text) <= 40:
        digits = text.replace("_", "")
        return Decimal(digits) if found[1] else int(digits)
    return text


# what the YAML library says -> what is wrong, and the edit that mends it
_PROBLEMS: tuple[tuple[str, str, str], ...] = (
    (r"found character '\\t'", "a tab cannot indent YAML", "indent with spaces"),
    (r"found character '(.)'", "a value cannot start with {0}", "put the value in quotes"),
    (r"mapping values are not allowed", "a `:` does not fit here", "put the value in quotes, or check the indentation"),
    (r"could not find expected ':'", "a key without `: value`", "write `key: value`"),
    (r"expected <block end>, but found '-'", "this `-` does not fit the lines above", "line it up with the other items"),
    (r"expected <block end>, but found '([,}\]])'", "{0} closes or divides nothing", "remove it, or put the value in quotes"),
    (r"expected <block end>", "this does not fit the indentation of the lines above", "line the keys up"),
    (r"expected ',' or '([}\]])'", "the bracket is not closed before this", "add {0} or a `,`"),
    (r"expected '<document start>'", "this does not fit the indentation of the lines above", "line the keys up"),
    (r"sequence entries are not allowed", "a list cannot start on the line of its key", "write it as `[a, b]`"),
    (r"unexpected end of stream", "the quoted text is not closed", "add the closing quote"),
    (r"expected the node content, but found '(.)'", "{0} does not fit here", "put the value in quotes"),
    (r"(?:alias|anchor)", "a `*` or `&` does not fit here", "put the value in quotes"),
    (r"unknown escape character", "a `\\` in double quotes does not fit here", "use single quotes"),
)


def _explain(problem: yaml.MarkedYAMLError, file: str, text: str, code: str) -> Diagnostic:
    said, start = problem.problem or "", problem.context_mark
    mark = problem.problem_mark or start
    if start is not None and ("unexpected end of stream" in said or "expected ':'" in said):
        mark = start  # where the quote opens or the word stands says more than where reading ended
    if mark is None:
        return error(code, "this is not YAML", whole_file(file))
    lines = text.rstrip().split("\n")
    is_past_end = mark.line >= len(lines)
    place = _point(file, len(lines), len(lines[-1]) + 1) if is_past_end else _point(file, mark.line + 1, mark.column + 1)
    labels = []
    if start is not None and "flow" in (problem.context or ""):
        labels = [Label(_point(file, start.line + 1, start.column + 1), "opened here")]
    for pattern, message, hint in _PROBLEMS:
        if found := re.search(pattern, said):
            quoted = ["a backtick" if group == "`" else f"`{group}`" for group in found.groups()]
            return error(code, message.format(*quoted), place, hint.format(*quoted), labels)
    return error(code, "this is not YAML", place, "check quotes, brackets and indentation", labels)


def _point(file: str, line: int, column: int) -> Span:
    return Span(file, line, column, line, column + 1)
