"""Holds what ARCHITECTURE.md promises about the source itself.

One function per rule, each from a parsed module to the sentences that say what is wrong and where. Every rule is run over
the whole package, and over small snippets that it has to refuse, so that a rule that has stopped seeing cannot stay green.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# what each room may import, besides itself; `cli` sees all and nobody sees it
CHAIN = ("core", "vocabulary", "dsl", "engine", "gate", "analysis")
SEES: dict[str, frozenset[str]] = {room: frozenset(CHAIN[:place]) for place, room in enumerate(CHAIN)}
SEES["ledger"] = frozenset({"core"})
SEES["connectors"] = frozenset({"core", "runtime.ports"})
SEES["runtime"] = frozenset({"core", "vocabulary", "dsl", "engine", "gate", "ledger"})
SEES["replay"] = SEES["runtime"] | {"runtime"}
SEES["web"] = SEES["runtime"] | {"runtime"}
PACKAGE = ""  # tb/__init__.py re-exports the public names
SEES[PACKAGE] = frozenset(SEES) - {PACKAGE}

PURE = frozenset(CHAIN)
ORDERED = frozenset({"engine", "gate", "runtime"})
QUICK = frozenset({PACKAGE, "cli", "core", "dsl"})  # loaded before the first character is printed
HEAVY = frozenset("ccxt fastapi httpx numba numpy pandas polars pydantic rich sqlalchemy sqlmodel".split())

LONGEST_FILE = 600
LONGEST_FUNCTION = 60
# module or function -> why it may be longer
LONG_FILES: dict[str, str] = {"tb.core.codes": "one table, a row for each code"}
LONG_FUNCTIONS: dict[str, str] = {}

BANNED_NAMES = frozenset("base common helper helpers manager managers misc util utils".split())


@dataclass(frozen=True)
class Module:
    """One source file: its dotted name, the room it stands in, its text and its tree."""

    name: str
    room: str
    text: str
    tree: ast.Module
    is_package: bool

    def at(self, node: ast.AST, what: str) -> str:
        return f"{self.name}:{getattr(node, 'lineno', 1)}: {what}"


def module(name: str, text: str, *, is_package: bool = False) -> Module:
    parts = name.split(".")
    room = parts[1] if len(parts) > 1 else PACKAGE
    return Module(name, "cli" if room == "__main__" else room, text, ast.parse(text, name), is_package)


@cache
def source() -> tuple[Module, ...]:
    """The whole package, read once for all rules."""
    found = []
    for path in sorted((ROOT / "tb").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        found.append(module(name, path.read_text(encoding="utf-8"), is_package=is_package))
    return tuple(found)


# imports point one way


def imported(m: Module) -> Iterator[tuple[ast.stmt, str]]:
    """Every import of the module as a full dotted name, wherever in the file it stands."""
    for node in ast.walk(m.tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = node.module or ""
            if node.level:
                here = m.name.split(".")
                parents = here[: len(here) - node.level + m.is_package]
                origin = ".".join([*parents, origin] if origin else parents)
            yield from ((node, f"{origin}.{alias.name}") for alias in node.names)


def direction(m: Module) -> list[str]:
    if m.room not in SEES and m.room != "cli":
        return [f"{m.name}: `{m.room}` is not a room of the house; rooms are {', '.join(sorted(SEES))} and cli"]
    wrong = []
    for node, name in imported(m):
        top, _, rest = name.partition(".")
        if top != "tb" or m.room == "cli":
            continue
        room = rest.split(".")[0]
        allowed = SEES[m.room] | {m.room}
        is_allowed = room in allowed or any(rest == part or rest.startswith(part + ".") for part in allowed if "." in part)
        if not is_allowed:
            wrong.append(m.at(node, f"{m.room or 'tb'} may not import {name}"))
    return wrong


# no I/O, clock or randomness in the pure rooms

IMPURE_MODULES = frozenset(
    "aiohttp asyncio ctypes fcntl getpass glob http httpx logging multiprocessing os random requests secrets select shutil "
    "signal socket sqlalchemy sqlite3 sqlmodel ssl subprocess tempfile threading time urllib urllib3 uuid websockets".split()
)
IMPURE_CALLS = frozenset({"open", "print", "input", "breakpoint"})
IMPURE_METHODS = frozenset(
    "now utcnow today read_text read_bytes write_text write_bytes mkdir rmdir unlink touch iterdir rglob open "
    "read_parquet read_csv scan_parquet scan_csv write_parquet write_csv fromfile tofile loadtxt savetxt urandom".split()
)
IMPURE_SYS = frozenset("stdout stderr stdin argv exit".split())
PURE_OF_PATHLIB = frozenset({"PurePath", "PurePosixPath"})


def reads_packaged_resource(call: ast.Call) -> bool:
    """`files("tb.dsl").joinpath("grammar.lark").read_text()`: part of the program, not input."""
    return any(
        isinstance(node, ast.Call) and ast.unparse(node.func) in {"files", "resources.files", "importlib.resources.files"}
        for node in ast.walk(call.func)
    )


def impure_import(name: str) -> bool:
    parts = name.split(".")
    if parts[0] == "pathlib":
        return len(parts) < 2 or parts[1] not in PURE_OF_PATHLIB
    if parts[0] == "sys":
        return len(parts) > 1 and parts[1] in IMPURE_SYS
    if parts[:2] == ["urllib", "parse"]:
        return False  # text in, text out
    return parts[0] in IMPURE_MODULES or parts[:2] in (["numpy", "random"], ["io", "open"])


def purity(m: Module) -> list[str]:
    if m.room not in PURE:
        return []
    wrong = [m.at(node, f"{m.room} may not import {name}") for node, name in imported(m) if impure_import(name)]
    for node in ast.walk(m.tree):
        if isinstance(node, ast.Call):
            match node.func:
                case ast.Name(id=name) if name in IMPURE_CALLS:
                    wrong.append(m.at(node, f"{m.room} may not call {name}()"))
                case ast.Attribute(attr=name) if name in IMPURE_METHODS and not reads_packaged_resource(node):
                    wrong.append(m.at(node, f"{m.room} may not call .{name}()"))
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            owner, name = node.value.id, node.attr
            if (owner == "sys" and name in IMPURE_SYS) or (owner in {"np", "numpy"} and name == "random"):
                wrong.append(m.at(node, f"{m.room} may not use {owner}.{name}"))
    return wrong


# the command starts fast


def top_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements that run when the module is imported, but for those only a type checker reads."""
    for statement in body:
        yield statement
        if isinstance(statement, ast.If) and ast.unparse(statement.test).endswith("TYPE_CHECKING"):
            yield from top_level(statement.orelse)
            continue
        for name in ("body", "orelse", "finalbody"):
            if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
                yield from top_level(getattr(statement, name, []))
        for handler in getattr(statement, "handlers", []):
            yield from top_level(handler.body)


def quick_start(m: Module) -> list[str]:
    if m.room not in QUICK:
        return []
    early = list(top_level(m.tree.body))
    return [
        m.at(node, f"{m.room or 'tb'} may not import {name} while it loads; import it in the function that needs it")
        for node, name in imported(m)
        if name.split(".")[0] in HEAVY and node in early
    ]


# nothing is decided by the order of a set

SETS = frozenset({"set", "frozenset"})
SET_METHODS = frozenset("union intersection difference symmetric_difference copy".split())
IN_ORDER = frozenset("list tuple enumerate zip iter map filter next reversed join fromkeys".split())  # keep the order they see
ORDERLESS = frozenset("set frozenset sorted any all min max len".split())  # give the same for every order
Scope = ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


def is_set_annotation(node: ast.expr | None) -> bool:
    if node is None:
        return False
    name = ast.unparse(node).strip("'\"").split("[")[0].rsplit(".", 1)[-1]
    return name in SETS | {"AbstractSet", "Set", "FrozenSet", "MutableSet"}


def is_set(node: ast.expr, names: frozenset[str]) -> bool:
    match node:
        case ast.Set() | ast.SetComp():
            return True
        case ast.Call(func=ast.Name(id=name)):
            return name in SETS
        case ast.Call(func=ast.Attribute(value=owner, attr=name)):
            return name in SET_METHODS and is_set(owner, names)
        case ast.BinOp(left=left, op=ast.BitOr() | ast.BitAnd() | ast.BitXor() | ast.Sub(), right=right):
            return is_set(left, names) or is_set(right, names)
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in names
        case ast.IfExp(body=body, orelse=orelse):
            return is_set(body, names) or is_set(orelse, names)
    return False


def set_names(scope: Scope, outer: frozenset[str]) -> frozenset[str]:
    """Names that hold a set in this scope: by annotation, or by what they are assigned."""
    names = set(outer)
    for node in ast.walk(scope):
        match node:
            case ast.arg(arg=name, annotation=kind) if is_set_annotation(kind):
                names.add(name)
            case ast.AnnAssign(target=ast.Name(id=name) | ast.Attribute(attr=name), annotation=kind) if is_set_annotation(kind):
                names.add(name)
            case ast.Assign(targets=[ast.Name(id=name) | ast.Attribute(attr=name)], value=value) if is_set(value, frozenset()):
                names.add(name)
    return frozenset(names)


def walked(node: ast.AST, harmless: frozenset[ast.AST]) -> list[ast.expr]:
    """What this node goes through one by one, in an order that can show in a result."""
    match node:
        case ast.For(iter=target) | ast.AsyncFor(iter=target):
            return [target]
        case ast.ListComp(generators=loops) | ast.GeneratorExp(generators=loops) | ast.DictComp(generators=loops):
            return [] if node in harmless else [loop.iter for loop in loops]
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=arguments) if name in IN_ORDER:
            return list(arguments)
        case ast.Starred(value=value):
            return [value]
    return []


def set_order(m: Module) -> list[str]:
    if m.room not in ORDERED:
        return []
    harmless = frozenset(
        argument
        for call in ast.walk(m.tree)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in ORDERLESS
        for argument in call.args
    )
    fields = frozenset(
        item.target.id
        for kind in ast.walk(m.tree)
        if isinstance(kind, ast.ClassDef)
        for item in kind.body
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name) and is_set_annotation(item.annotation)
    )
    scopes = [node for node in ast.walk(m.tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    module_names = set_names(ast.Module([s for s in m.tree.body if isinstance(s, ast.Assign | ast.AnnAssign)], []), fields)
    wrong: dict[ast.AST, str] = {}
    for scope, names in [(m.tree, module_names), *((s, set_names(s, module_names)) for s in scopes)]:
        for node in ast.walk(scope):
            if any(is_set(target, names) for target in walked(node, harmless)):
                wrong[node] = m.at(node, f"{m.room} may not go through a set: its order is not stated; use sorted() or a tuple")
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "hash":
                wrong[node] = m.at(node, f"{m.room} may not call hash(): it differs between runs")
    return list(wrong.values())


# kernels give the same bits everywhere


def same_bits(m: Module) -> list[str]:
    if m.room not in {"vocabulary", "engine", "replay"}:
        return []
    wrong = []
    for node in ast.walk(m.tree):
        match node:
            case ast.keyword(arg="fastmath" | "parallel" as name, value=ast.Constant(value=True)):
                wrong.append(m.at(node.value, f"{name}=True lets the result differ between machines"))
            case ast.BinOp(op=ast.Pow()) if ".kernels" in m.name:
                wrong.append(m.at(node, "a kernel may not use **; write a * a, or math.sqrt"))
            case ast.Call(func=ast.Name(id="sum")) if ".kernels" in m.name:
                wrong.append(m.at(node, "a kernel may not call sum(); write the loop"))
            case ast.Call(func=ast.Attribute(attr="sum" | "mean" | "std" | "var" | "hypot" | "dot" as name)) if (
                ".kernels" in m.name
            ):
                wrong.append(m.at(node, f"a kernel may not call .{name}(); write the loop"))
    return wrong


# sizes and names


def functions(tree: ast.AST, prefix: str) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{prefix}.{node.name}", node
        is_named = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        yield from functions(node, f"{prefix}.{node.name}" if is_named else prefix)


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def sizes(m: Module) -> list[str]:
    wrong = []
    lines = len(m.text.splitlines())
    if lines > LONGEST_FILE and m.name not in LONG_FILES:
        wrong.append(f"{m.name}: {lines} lines; split by concept, {LONGEST_FILE} is the end")
    for name, node in functions(m.tree, m.name):
        if length(node) > LONGEST_FUNCTION and name not in LONG_FUNCTIONS:
            wrong.append(m.at(node, f"{name} has {length(node)} lines; {LONGEST_FUNCTION} is the end, 40 the aim"))
    return wrong


def names(m: Module) -> list[str]:
    words = frozenset(word for part in m.name.split(".") for word in part.split("_"))
    return [f"{m.name}: `{word}` says nothing about what is inside" for word in sorted(words & BANNED_NAMES)]


def described(m: Module) -> list[str]:
    says_something = bool(m.tree.body) and not (m.is_package and not m.text.strip())
    return (
        [f"{m.name}: a module starts by saying what it guarantees"] if says_something and not ast.get_docstring(m.tree) else []
    )


RULES: tuple[Callable[[Module], list[str]], ...] = (
    direction,
    purity,
    quick_start,
    set_order,
    same_bits,
    sizes,
    names,
    described,
)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_package_keeps_the_rule(rule: Callable[[Module], list[str]]) -> None:
    modules = source()
    assert len(modules) > len(CHAIN)
    assert [sentence for m in modules for sentence in rule(m)] == []


def test_no_two_test_files_share_a_name() -> None:
    names = Counter(file.name for file in (ROOT / "tests").rglob("test_*.py"))
    assert [name for name, count in names.items() if count > 1] == []  # the second would not be collected


def test_every_exception_is_still_needed() -> None:
    found = {m.name: len(m.text.splitlines()) for m in source()}
    assert [name for name in LONG_FILES if found.get(name, 0) <= LONGEST_FILE] == []
    lengths = {name: length(node) for m in source() for name, node in functions(m.tree, m.name)}
    assert [name for name in LONG_FUNCTIONS if lengths.get(name, 0) <= LONGEST_FUNCTION] == []


def test_the_command_loads_nothing_heavy() -> None:
    script = f"import sys, tb.cli; print(*sorted({set(HEAVY)!r} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.split() == []


BAD: tuple[tuple[Callable[[Module], list[str]], str, str], ...] = (
    (direction, "tb.core.span", "import tb.dsl.parse"),
    (direction, "tb.core.span", "from tb import dsl"),
    (direction, "tb.dsl.parse", "from ..engine import build"),
    (direction, "tb.dsl.parse", "def f():\n    from tb.gate.verdict import judge"),
    (direction, "tb.dsl.parse", "if TYPE_CHECKING:\n    from tb.engine.build import build"),
    (direction, "tb.engine.build", "from tb.gate import facts"),
    (direction, "tb.gate.facts", "import tb.runtime.ports"),
    (direction, "tb.ledger.store", "from tb.dsl.syntax import Name"),
    (direction, "tb.connectors.coinbase", "from tb.runtime.gateway import Gateway"),
    (direction, "tb.connectors.coinbase", "from tb.runtime import portsmith"),
    (direction, "tb.runtime.session", "from tb.replay.venue import Venue"),
    (direction, "tb.replay.report", "from tb.cli import main"),
    (direction, "tb.replay.report", "from tb.analysis.lint import run"),
    (direction, "tb.attic.thing", "x = 1"),
    (direction, "tb", "from tb.cli import main"),
    (purity, "tb.dsl.parse", "text = open('rules.tb').read()"),
    (purity, "tb.dsl.parse", "from pathlib import Path"),
    (purity, "tb.dsl.parse", "import pathlib"),
    (purity, "tb.dsl.parse", "def f(path):\n    return path.read_text()"),
    (purity, "tb.dsl.parse", "def f(path):\n    return path.files.read_text()"),
    (purity, "tb.engine.decide", "from datetime import datetime\nx = datetime.now(None)"),
    (purity, "tb.engine.decide", "import datetime as d\nx = d.date.today()"),
    (purity, "tb.engine.decide", "import time"),
    (purity, "tb.engine.decide", "def f():\n    from random import random"),
    (purity, "tb.engine.decide", "import numpy as np\nx = np.random.default_rng()"),
    (purity, "tb.engine.decide", "from numpy.random import default_rng"),
    (purity, "tb.gate.facts", "import os.path"),
    (purity, "tb.gate.facts", "import sys\nsys.stdout.write('x')"),
    (purity, "tb.gate.facts", "from sys import stderr"),
    (purity, "tb.gate.facts", "import secrets, uuid"),
    (purity, "tb.gate.facts", "import logging"),
    (purity, "tb.gate.facts", "print('approved')"),
    (purity, "tb.vocabulary.rsi", "import polars as pl\nx = pl.read_parquet('BTC-USD.parquet')"),
    (purity, "tb.analysis.prove", "import subprocess"),
    (purity, "tb.core.render", "from urllib.request import urlopen"),
    (quick_start, "tb.cli", "import numpy as np"),
    (quick_start, "tb.cli.main", "try:\n    from rich.console import Console\nexcept ImportError:\n    Console = None"),
    (quick_start, "tb.dsl.parse", "class A:\n    import polars"),
    (quick_start, "tb", "from sqlmodel import Session"),
    (set_order, "tb.engine.decide", "for x in {1, 2}:\n    f(x)"),
    (set_order, "tb.engine.decide", "for x in set(y):\n    f(x)"),
    (set_order, "tb.engine.decide", "a = [f(x) for x in frozenset(y)]"),
    (set_order, "tb.engine.decide", "def f(names: set[str]):\n    return list(names)"),
    (set_order, "tb.engine.decide", "def f(a):\n    seen = {x.name for x in a}\n    return ', '.join(seen)"),
    (set_order, "tb.gate.facts", "def f(a):\n    seen = set()\n    return {k: 1 for k in seen | a}"),
    (set_order, "tb.gate.facts", "NAMES = frozenset({'a'})\ndef f():\n    for n in NAMES:\n        g(n)"),
    (set_order, "tb.gate.facts", "class A:\n    names: frozenset[str]\ndef f(a):\n    return tuple(a.names)"),
    (set_order, "tb.runtime.session", "def f(a, b):\n    return [*set(a).union(b)]"),
    (set_order, "tb.runtime.session", "def f(a):\n    return hash(a)"),
    (same_bits, "tb.vocabulary.kernels.trend", "def f(a):\n    return a ** 2"),
    (same_bits, "tb.vocabulary.kernels.trend", "def f(a):\n    return sum(a)"),
    (same_bits, "tb.vocabulary.kernels.trend", "def f(a):\n    return a.mean()"),
    (same_bits, "tb.vocabulary.kernels.trend", "f = njit(fastmath=True)(g)"),
    (sizes, "tb.core.span", "x = 1\n" * 601),
    (sizes, "tb.core.span", "class A:\n    def f(self):\n" + "        x = 1\n" * 60),
    (names, "tb.core.utils", ""),
    (names, "tb.runtime.order_manager", ""),
    (names, "tb.base.span", ""),
    (described, "tb.core.span", "x = 1"),
)

GOOD: tuple[tuple[Callable[[Module], list[str]], str, str], ...] = (
    (direction, "tb.gate.facts", "from tb.engine.build import build\nfrom . import verdict\nimport msgspec"),
    (
        direction,
        "tb.connectors.coinbase",
        "from tb.runtime.ports import Venue\nfrom tb.runtime import ports\nfrom tb.core import span",
    ),
    (direction, "tb.cli.main", "from tb.web import serve\nfrom tb.cli import options"),
    (
        purity,
        "tb.dsl.parse",
        "from importlib import resources\nG = resources.files('tb.dsl').joinpath('grammar.lark').read_text()",
    ),
    (
        purity,
        "tb.gate.facts",
        "from datetime import UTC, datetime\nfrom zoneinfo import ZoneInfo\nx = datetime.fromtimestamp(0, UTC)",
    ),
    (purity, "tb.replay.data", "import os\nprint(open('x'))"),
    (quick_start, "tb.cli", "def f():\n    import numpy"),
    (quick_start, "tb.cli", "if TYPE_CHECKING:\n    import numpy"),
    (
        set_order,
        "tb.engine.decide",
        "for x in sorted({1, 2}):\n    f(x)\nb = any(x > 1 for x in {1, 2})\nc = {x for x in {1, 2}}",
    ),
    (set_order, "tb.engine.decide", "def f(a: set[str], b: list[str]):\n    return [x for x in b if x in a]"),
    (set_order, "tb.engine.decide", "def f():\n    a = set()\ndef g(a: list[str]):\n    return list(a)"),
    (sizes, "tb.core.span", "def f():\n" + "    x = 1\n" * 59),
    (names, "tb.gate.baseline", ""),
    (described, "tb.core.span", '"""Places in source text."""\nx = 1'),
)


@pytest.mark.parametrize(("rule", "name", "text"), BAD, ids=lambda value: getattr(value, "__name__", None))
def test_the_rule_refuses(rule: Callable[[Module], list[str]], name: str, text: str) -> None:
    assert rule(module(name, text)) != []


@pytest.mark.parametrize(("rule", "name", "text"), GOOD, ids=lambda value: getattr(value, "__name__", None))
def test_the_rule_accepts(rule: Callable[[Module], list[str]], name: str, text: str) -> None:
    assert rule(module(name, text)) == []
