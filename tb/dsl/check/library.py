"""The standard library as files of the project: of each of its modules what the project's files name, and what that needs.

1. `use std.triggers` in a rule file brings everything there, `use std.triggers: NAME` those definitions and what they use.
2. `use std.controls: NAME` in a policy file brings whole controls. Controls are always named: what binds an account is picked.
3. A control whose limit is not set, or that needs a declaration the project lacks, is refused where it is named, so that none
   is half in use.

The parts keep their places in the text of the library; explanations and findings name them.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from functools import lru_cache

from tb.core.diagnostics import did_you_mean
from tb.dsl import syntax
from tb.dsl.check.scope import Scope
from tb.dsl.names import names_in
from tb.dsl.parse import parse
from tb.vocabulary.controls import CONTROLS, Control
from tb.vocabulary.std import CONTROLS as CONTROLS_FILE
from tb.vocabulary.std import LIBRARY, TEXTS, VENUE


def standard_files(scope: Scope, files: Sequence[syntax.File], texts: Mapping[str, str]) -> list[syntax.File]:
    """The constraints of every project, then what the files use of the library. `texts` are those of the library by path,
    where they are not the packaged ones."""
    found = [_parsed(VENUE.path, texts)]
    for module, standard in LIBRARY.items():
        whole = _parsed(standard.path, texts)
        wanted = _wanted(scope, module, whole, files)
        if wanted:
            needed = _with_needs(whole, wanted)
            picked = [node for node in whole.declarations if _belongs_to(node, needed)]
            found.append(syntax.File(whole.path, whole.is_policy, whole.doc, tuple(picked), whole.comments, whole.text))
    return found


def module_at(node: syntax.Use, file: syntax.File) -> str | None:
    """The path of the module of the library that a file may use by this line; None where there is none for it."""
    standard = LIBRARY.get(node.module)
    if standard is None or (standard.path == CONTROLS_FILE.path) is not file.is_policy:
        return None
    return standard.path if node.picked or not file.is_policy else None


BRINGS = "it is in the library: "


def home_of(name: str, taken: Container[str]) -> str:
    """The edit that brings a definition of the library; nothing where it has none of that name.

    What a definition brings with it must not be among the names that are `taken`: these are said instead.
    """
    if name in CONTROLS:
        return f"add `use std.controls: {name}` to a policy file"
    for module, standard in LIBRARY.items():
        if standard.path != CONTROLS_FILE.path and name in definitions_of(module):
            clash = [f"`{other}`" for other in brought_by(module, name) if other in taken]
            if clash:
                return f"it is in the library, but brings {' and '.join(clash)}, which the project defines: rename yours first"
            return f"{BRINGS}add `use {module}: {name}`"
    return ""


def definitions_of(module: str) -> tuple[str, ...]:
    """What a module of the library defines, by name."""
    return tuple(filter(None, map(_name, _parsed(LIBRARY[module].path, {}).declarations)))


def needs_of(node: syntax.Use, file: syntax.File) -> tuple[str, ...]:
    """What the controls that a policy file names use, by name: groups and sessions of the policy among it."""
    if not file.is_policy or module_at(node, file) is None:
        return ()
    whole = _parsed(CONTROLS_FILE.path, {})
    asked = [name for picked in node.picked if picked in CONTROLS for name in CONTROLS[picked].constraints]
    parts = _with_needs(whole, asked)
    return tuple(dict.fromkeys(name for own in whole.declarations if _name(own) in parts for name in names_in(own)))


def brought_by(module: str, name: str) -> tuple[str, ...]:
    """The definitions that come with one of the library: its helpers and parameters, in the order of the file."""
    needs = _with_needs(_parsed(LIBRARY[module].path, {}), (name,))
    return tuple(other for other in definitions_of(module) if other in needs and other != name)


def _parsed(path: str, texts: Mapping[str, str]) -> syntax.File:
    return _parse(path, texts.get(path, TEXTS[path]))


@lru_cache(maxsize=16)
def _parse(path: str, text: str) -> syntax.File:
    file, findings = parse(path, text, is_policy=path in {VENUE.path, CONTROLS_FILE.path})
    if findings:
        raise AssertionError(f"the standard library does not parse: {findings}")
    return file


def _name(node: syntax.Declaration) -> str:
    return str(getattr(node, "name", ""))


def _wanted(scope: Scope, module: str, whole: syntax.File, files: Sequence[syntax.File]) -> tuple[str, ...]:
    """The definitions of a module that the files name, in the order in which they do."""
    wanted: list[str] = []
    for file in files:
        for node in file.declarations:
            if not isinstance(node, syntax.Use) or node.module != module or module_at(node, file) is None:
                continue
            everything = tuple(map(_name, whole.declarations))
            if file.is_policy:
                wanted += _constraints(scope, node, files, whole)
                continue
            wanted += [name for name in node.picked or everything if name in everything]
    return tuple(dict.fromkeys(wanted))


def _constraints(scope: Scope, node: syntax.Use, files: Sequence[syntax.File], whole: syntax.File) -> list[str]:
    found: list[str] = []
    for name in node.picked:
        control = CONTROLS.get(name)
        if control is None:
            hint = did_you_mean(name, list(CONTROLS)) or "docs/controls.md lists the controls"
            scope.report("TB096", f"there is no control `{name}`", node.place(name), hint)
        elif _is_complete(scope, node, control, files, whole):
            found += control.constraints
    return found


def _is_complete(scope: Scope, node: syntax.Use, control: Control, files: Sequence[syntax.File], whole: syntax.File) -> bool:
    """Whether the project gives the control what it needs; what is missing is said at the `use`."""
    defined = {_name(own) for file in files if file.is_policy for own in file.declarations}
    missing = [example for name, example in control.needs.items() if name not in defined]
    place = node.place(control.name)
    for example in missing:
        message = f"the control `{control.name}` needs `{example.split()[1].rstrip(':')}`"
        scope.report("TB098", message, place, f"add `{example}`")
    parts = _with_needs(whole, control.constraints)
    used = dict.fromkeys(name for own in whole.declarations if _name(own) in parts for name in names_in(own))
    unset = [name.removeprefix("limits.") for name in used if name.startswith("limits.") and name[7:] not in scope.limits]
    for name in unset:
        hint = f"add `{name}:` with its number to policy/limits.yaml"
        scope.report("TB097", f"the control `{control.name}` needs the limit `{name}`, which is not set", place, hint)
    return not missing and not unset


def _belongs_to(node: syntax.Declaration, needed: frozenset[str]) -> bool:
    if isinstance(node, syntax.ParamRequire):
        return set(names_in(node)) <= needed
    return _name(node) in needed


def _with_needs(whole: syntax.File, names: Iterable[str]) -> frozenset[str]:
    """The names and everything of the file that they use, directly or through others."""
    uses = {_name(node): set(names_in(node)) for node in whole.declarations}
    needed: set[str] = set()
    stack = list(names)
    while stack:
        name = stack.pop()
        if name not in needed and name in uses:
            needed.add(name)
            stack += sorted(uses[name])
    return frozenset(needed)
