"""What two runs were made of, where it is not the same: mode, policy, settings, data, code.

`origins` looks at the records of the runs and at the texts stored under their policy hashes, at nothing else: what is told
holds also where files have changed since.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence

import msgspec
import yaml

from tb.core.records import Run
from tb.core.time import show_duration, show_instant

SETTINGS = "tb.yaml"
NOTHING = ""  # stands where one of the two has no such thing
# what `config` says of where files lie: the same bars in another folder are the same data
_PLACES = frozenset({"data_path", "feeds_path"})


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that differs, with what it is in either run; empty where it is not there."""

    what: str
    a: str
    b: str


class Aspect(msgspec.Struct, frozen=True, kw_only=True):
    """`name`: mode, policy, settings, data or code. `changes` is empty where `same`."""

    name: str
    same: bool
    changes: tuple[Change, ...] = ()


def origins(a: Run, b: Run, texts_a: Mapping[str, str], texts_b: Mapping[str, str]) -> tuple[Aspect, ...]:
    """The aspects of two runs, in the order in which to look at them. `texts` are the files of either policy by path."""
    return (
        _aspect("mode", _changes((("mode", a.mode, b.mode),))),
        _aspect("policy", list(_policy(texts_a, texts_b))),
        _aspect("settings", _settings(texts_a.get(SETTINGS, ""), texts_b.get(SETTINGS, ""))),
        _aspect("data", _data(a, b)),
        _aspect("code", _changes((("version", a.version, b.version),))),
    )


def _aspect(name: str, changes: Sequence[Change]) -> Aspect:
    return Aspect(name=name, same=not changes, changes=tuple(changes))


def _changes(values: Sequence[tuple[str, str, str]]) -> list[Change]:
    return [Change(what=what, a=one, b=other) for what, one, other in values if one != other]


def _policy(a: Mapping[str, str], b: Mapping[str, str]) -> Iterator[Change]:
    """Files of rules by their lines, files of numbers by their names."""
    for path in sorted({*a, *b} - {SETTINGS}):
        one, other = a.get(path), b.get(path)
        if one == other:
            continue
        if one is None or other is None:
            yield Change(what=path, a=_presence(one), b=_presence(other))
        elif path.endswith(".tb"):
            yield from _lines(path, one.splitlines(), other.splitlines())
        else:
            changes = _values(one, other, f"{path}: ")
            yield from changes or [Change(what=path, a="other comments or layout", b="")]


def _presence(text: str | None) -> str:
    return NOTHING if text is None else f"{len(text.splitlines())} lines"


def _lines(path: str, a: Sequence[str], b: Sequence[str]) -> Iterator[Change]:
    """Lines that were changed, taken away or added, those that face each other side by side."""
    for tag, first, last, start, end in difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        for step in range(max(last - first, end - start)):
            one = a[first + step].strip() if first + step < last else NOTHING
            other = b[start + step].strip() if start + step < end else NOTHING
            line = first + step + 1 if first + step < last else start + step + 1
            if one != other or tag == "replace":
                yield Change(what=f"{path}:{line}", a=one, b=other)


def _settings(a: str, b: str) -> list[Change]:
    if a == b:
        return []
    return _values(a, b, "") or [Change(what=SETTINGS, a="other comments or layout", b="")]


def _values(a: str, b: str, prefix: str) -> list[Change]:
    one, other = dict(_flat(a)), dict(_flat(b))
    names = dict.fromkeys([*one, *other])
    return _changes([(f"{prefix}{name}", one.get(name, NOTHING), other.get(name, NOTHING)) for name in names])


def _flat(text: str) -> Iterator[tuple[str, str]]:
    """Every value of a YAML text by its dotted name, as it was written. A text that is no YAML is one value."""
    try:
        root = yaml.load(text, Loader=yaml.BaseLoader)  # text, lists and mappings alone
    except yaml.YAMLError:
        yield "text", text
        return
    stack: list[tuple[str, object]] = [("", root)]
    while stack:
        name, value = stack.pop()
        if isinstance(value, dict):
            stack += [(f"{name}.{key}" if name else str(key), part) for key, part in reversed(value.items())]
        elif isinstance(value, list):
            yield name, ", ".join(map(str, value))
        elif value is not None:
            yield name, str(value)


def _data(a: Run, b: Run) -> list[Change]:
    """Span, instruments, bars, feeds and recorded answers; the folder is told where the bars differ."""
    values = [
        ("first close", show_instant(a.first), show_instant(b.first)),
        ("last close", show_instant(a.last), show_instant(b.last)),
        ("period", show_duration(a.period), show_duration(b.period)),
        ("instruments", ", ".join(a.instruments), ", ".join(b.instruments)),
        ("bars", a.data_hash[:16], b.data_hash[:16]),
    ]
    if a.data_hash != b.data_hash:
        values.append(("folder", a.config.get("data_path", a.data), b.config.get("data_path", b.data)))
    names = sorted({*a.config, *b.config} - _PLACES - {"from", "to", "instruments"})
    values += [(name.replace("_", " "), a.config.get(name, NOTHING), b.config.get(name, NOTHING)) for name in names]
    return _changes(values)
