"""No code path reaches a venue but through the gateway, with an approval of the gate: by the source, and while it runs."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from crash_scenarios import HELD, TAKES
from gateway_world import START, World, world
from test_gateway_steps import RESTING

import tb
from tb.core.time import HOUR
from tb.gate.gate import Approved, closing
from tb.runtime.gateway import entries

D = Decimal
ROOT = Path(tb.__file__).parent
CHANGES = frozenset({"place", "amend"})  # methods of an exchange that put something at a venue
WAY = "tb.runtime.gateway"


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(ROOT.rglob("*.py")):
        name = ".".join(path.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__")
        yield name, ast.parse(path.read_text(encoding="utf-8"), str(path))


def calls(tree: ast.Module) -> Iterator[str]:
    """Methods that are called, but for what an exchange around another passes on: `place` within `place`."""
    passed_on = {
        node
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef) and function.name in CHANGES
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == function.name
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node not in passed_on:
            yield node.func.attr


def mentions(tree: ast.Module, name: str) -> bool:
    for node in ast.walk(tree):
        if (isinstance(node, ast.Name) and node.id == name) or (isinstance(node, ast.Attribute) and node.attr == name):
            return True
        if isinstance(node, ast.ImportFrom) and any(alias.name == name for alias in node.names):
            return True
        if isinstance(node, ast.Constant) and node.value == name:
            return True
    return False


def knows_a_venue(name: str, tree: ast.Module) -> bool:
    """Whether a module can hold an exchange: it imports the port, an adapter, or what holds one; commands are taken to."""
    imports = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    imports += [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    venues = ("tb.runtime.ports.exchange", WAY, "tb.connectors")
    return name.startswith(("tb.cli", "tb.runtime.gateway", "tb.web")) or any(one.startswith(venues) for one in imports)


def test_only_one_module_puts_orders_at_a_venue() -> None:
    found = {
        (name, call)
        for name, tree in modules()
        if not name.startswith("tb.connectors") and knows_a_venue(name, tree)
        for call in calls(tree)
        if call in CHANGES
    }
    assert found == {(f"{WAY}.steps", "place"), (f"{WAY}.amending", "amend")}


def test_no_adapter_places_an_order_by_itself() -> None:
    """In an adapter an order is sent by the method `place` of its exchange, which nothing beside the gateway calls."""
    adapters = [(name, tree) for name, tree in modules() if name.startswith("tb.connectors.coinbase")]
    assert adapters
    for name, tree in adapters:
        assert "place" not in set(calls(tree)), name


def test_only_the_command_builds_an_exchange_and_only_the_gate_an_approval() -> None:
    for name, tree in modules():
        room = name.split(".")[1] if "." in name else ""
        if mentions(tree, "_approve"):
            assert name == "tb.gate.gate"
        if mentions(tree, "closing") and any(
            isinstance(node, ast.ImportFrom) and node.module == "tb.gate.gate" and any(a.name == "closing" for a in node.names)
            for node in ast.walk(tree)
        ):
            assert name == f"{WAY}.protecting"
        imports = [n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
        imports += [alias.name for n in ast.walk(tree) if isinstance(n, ast.Import) for alias in n.names]
        if any(one.startswith("tb.connectors.coinbase") for one in imports):
            assert room in {"cli", "connectors"}, name


def test_the_rules_see(tmp_path: Path) -> None:
    assert "place" in set(calls(ast.parse("def f(x):\n    x.exchange.place(1)")))
    for text in ("from tb.gate.gate import _approve", "g._approve(1)", "getattr(g, '_approve')"):
        assert mentions(ast.parse(text), "_approve")


class Guarded:
    """Stands before the venue and asks of every order whether it may come."""

    def __init__(self, made: World) -> None:
        self.made, self.call, self.seen = made, made.truth.call, 0

    def __call__(self, method: str, *args: Any) -> Any:
        if method == "place":
            self.seen += 1
            request = args[0]
            frames = [frame.function for frame in inspect.stack() if frame.filename.endswith("gateway/steps.py")]
            assert "send" in frames
            payloads = [line.split(b" ", 2)[2] for line in (self.made.folder / "journal").read_bytes().split(b"\n")[:-1]]
            written = [entries.decode(payload) for payload in payloads]
            intents = [one for one in written if isinstance(one, entries.Intent) and one.wanted.client_id == request.client_id]
            assert len(intents) == 1
            approved = [p.approved for p in PASSED if p.request.client_id == request.client_id]
            assert len(approved) == 1
            assert type(approved[0]) is Approved
            assert approved[0].quantity >= request.quantity
        return self.call(method, *args)


PASSED: list[Any] = []


@pytest.mark.parametrize("rules", [RESTING, HELD, TAKES])
def test_every_order_of_a_day_has_passed_the_gate_and_is_on_disk(
    tmp_path: Path, rules: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    PASSED.clear()
    made = world(tmp_path, rules=rules)
    guarded = Guarded(made)
    made.gateway.exchange.call = guarded  # type: ignore[attr-defined]
    passes = made.gateway.passes
    monkeypatch.setattr(made.gateway, "passes", lambda passage: (PASSED.append(passage), passes(passage))[1])
    made.step(1, "BTC-USD", "ETH-USD")
    made.truth.fill_up_to("buy", D("0.5"))
    made.turn()
    made.truth.move("BTC-USD", 98)
    made.truth.fault("place", "dropped")
    made.turns(3)
    made.truth.time = START + 4 * HOUR + 500
    made.turn()
    made.step(4)
    made.turn()
    made.gateway.flatten("ann", "enough")
    made.turns(3)
    assert made.held == {}
    assert guarded.seen == len(made.truth.arrived) >= 5


def test_without_an_approval_nothing_passes(tmp_path: Path) -> None:
    made = world(tmp_path)
    made.step(1, "BTC-USD")
    before = len(made.truth.arrived)
    order = made.orders[0]
    for forged in (None, D(10), order, object()):
        with pytest.raises(TypeError):
            made.gateway.submit(forged, order)  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            made.gateway.amend(forged, order.id, D(1), D(1))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="cannot be closed"):
        closing(D(11), held=D(10))
    assert len(made.truth.arrived) == before
