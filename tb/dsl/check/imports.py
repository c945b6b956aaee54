"""`use`: which files a file sees, and which of their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tb.core.diagnostics import did_you_mean
from tb.dsl import syntax
from tb.dsl.check.library import module_at
from tb.dsl.check.scope import Scope
from tb.vocabulary.controls import CONTROLS
from tb.vocabulary.std import LIBRARY, PREFIX


def resolve(scope: Scope, files: Sequence[syntax.File]) -> None:
    """Fills `scope.uses` and `scope.picked`; reports what finds nothing. `files` has those of the library that are used."""
    modules = {_module(file.path): file for file in files if not file.is_policy and not file.path.startswith("std/")}
    by_path = {file.path: file for file in files}
    for file in files:
        used: list[str] = []
        for node in file.declarations:
            if not isinstance(node, syntax.Use):
                continue
            home = None
            if node.module.startswith(PREFIX):
                path = module_at(node, file)
                home = by_path.get(path or "")
                if path is None:
                    _refuse(scope, node, file)
            elif file.is_policy:
                hint = "move it to a file under rules/"
                scope.report("TB053", "a `use` does not belong in a policy file", node.span, hint)
            else:
                home = _own(scope, node, file, modules)
            if home is not None:
                used.append(home.path)
                scope.brought.setdefault(home.path, f"use {node.module}: {', '.join(node.picked)}".rstrip(": "))
                _pick(scope, node, file, home)
        scope.uses[file.path] = tuple(used)


def _own(scope: Scope, node: syntax.Use, file: syntax.File, modules: Mapping[str, syntax.File]) -> syntax.File | None:
    """The rule file of the project that is named."""
    home = modules.get(node.module)
    if home is not None and home.path != file.path:
        return home
    others = [module for module, other in modules.items() if other.path != file.path]
    hint = did_you_mean(node.module, [*others, *LIBRARY]) or f"there is no rules/{node.module}.tb"
    if home is not None:
        hint = "remove it: a file sees its own definitions"
    scope.report("TB102", f"`use {node.module}` finds nothing", node.span, hint)
    return None


def _refuse(scope: Scope, node: syntax.Use, file: syntax.File) -> None:
    if node.module not in LIBRARY:
        hint = did_you_mean(node.module, list(LIBRARY)) or f"the library has {' and '.join(f'`{m}`' for m in LIBRARY)}"
        scope.report("TB102", f"`use {node.module}` finds nothing", node.span, hint)
    elif file.is_policy and not node.picked and node.module == f"{PREFIX}controls":
        example = ", ".join(list(CONTROLS)[:3])
        scope.report("TB096", "controls are named one by one", node.span, f"write `use {node.module}: {example}`")
    else:
        here, there = ("policy", "rules") if file.is_policy else ("rule", "policy")
        message = f"`use {node.module}` does not belong in a {here} file"
        scope.report("TB053", message, node.span, f"move it to a file under {there}/")


def _pick(scope: Scope, node: syntax.Use, file: syntax.File, home: syntax.File) -> None:
    """What is named is all that is seen; a second line for the same file adds to it."""
    key = (file.path, home.path)
    if file.is_policy:
        return  # policy files see all of policy
    if not node.picked:
        scope.picked[key] = None
        return
    there = [name for own in home.declarations if (name := str(getattr(own, "name", "")))]
    for name in node.picked:
        if name not in there:
            hint = did_you_mean(name, there) or f"`use {node.module}` brings all there is"
            scope.report("TB096", f"`{node.module}` has no `{name}`", node.place(name), hint)
    before = scope.picked.get(key, frozenset())
    scope.picked[key] = None if before is None else before | frozenset(node.picked)


def _module(path: str) -> str:
    return path.rsplit("/", 1)[-1].removesuffix(".tb")
