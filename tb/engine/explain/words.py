"""The rule graph back in the language's words, and values with their units as people write them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal

from tb.core.encode import plain
from tb.core.time import DAY, HOUR, MINUTE, show_duration, show_instant
from tb.core.units import Kind, Unit
from tb.engine.graph import Node, RuleGraph
from tb.engine.instant import EXACT, Exact
from tb.vocabulary.catalogue import FUNCTIONS

_SIGNS = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!=", "add": "+", "sub": "-", "mul": "*", "div": "/"}
_BINDING = {"or": 1, "and": 2, "not": 3, "add": 5, "sub": 5, "mul": 6, "div": 6, "neg": 7}
_COMPARED = 4
_WORDS = frozenset({"regime_is", "tier_is", "is_set", "signal_is"})
_OF_CASES = frozenset({"signal", "signal_is", "strength", "agree", "pick", "first", "first_is", "conviction"})
_ATOM = 9


def describe(graph: RuleGraph, id_: int, *, expand: bool = True) -> str:
    """A node as a rule would write it. Named parts keep their names; the node itself is spelled out where `expand`."""
    return _describe(graph, graph[id_], top=expand)[0]


def _describe(graph: RuleGraph, node: Node, *, top: bool = False) -> tuple[str, int]:
    if node.op == "const":
        origin = str(node.consts[2] or "")
        if origin.startswith(("param ", "limits.")):
            return origin.removeprefix("param "), _ATOM
        return str(node.consts[1]), _ATOM
    if node.names and not top:
        return node.names[0], _ATOM
    if node.op == "during" and top:
        name, start, end, zone, days, _ = node.consts
        return f"during {name} ({start}..{end} {zone}, {days})", _ATOM
    if node.op in _SIGNS or node.op in {"and", "or", "not", "neg"}:
        return _operator(graph, node)
    if node.op == "agrees":
        count, bound = (_describe(graph, graph[arg])[0] for arg in node.args[:2])
        return f"{count} {_SIGNS[str(node.consts[0])]} {bound}", _COMPARED
    return _plainly(graph, node), _ATOM


def _operator(graph: RuleGraph, node: Node) -> tuple[str, int]:
    binding = _BINDING.get(node.op, _COMPARED)
    parts = []
    for at, arg in enumerate(node.args):
        text, inner = _describe(graph, graph[arg])
        needs = inner < binding or (inner == binding and at > 0 and node.op in _SIGNS)
        parts.append(f"({text})" if needs or (inner == binding == _COMPARED) else text)
    match node.op:
        case "not" if graph[node.args[0]].op in _WORDS and " is " in parts[0]:
            return parts[0].replace(" is ", " is not ", 1), _ATOM
        case "not" if graph[node.args[0]].op == "one_of":
            return parts[0].replace(" in ", " not in ", 1), _ATOM
        case "not":
            return f"not {parts[0]}", binding
        case "neg":
            return f"-{parts[0]}", binding
        case "and" | "or":
            return f" {node.op} ".join(parts), binding
        case "mul" if graph[node.args[0]].unit.kind is Kind.RATIO and graph[node.args[1]].unit.kind is Kind.MONEY:
            return f"{parts[0]} of {parts[1]}", binding
        case op:
            return f"{parts[0]} {_SIGNS[op]} {parts[1]}", binding


def _plainly(graph: RuleGraph, node: Node) -> str:
    consts = node.consts
    inner = [_describe(graph, graph[arg])[0] for arg in node.args]
    match node.op:
        case "field" | "feed":
            return str(consts[0])
        case "depth":
            return f"depth({show_value(_decimal(consts[0]), Unit(Kind.RATIO))})"
        case "pips":
            return f"{consts[0]} pips"
        case "apply":
            return _call(node, inner)
        case "shift":
            return f"{_wrapped(graph, node)}[{consts[0]}]"
        case "of":
            return f"{_wrapped(graph, node)} of {consts[0]}"
        case "at":
            return f"{_wrapped(graph, node)}@{show_duration(int(consts[0] or 0))}"
        case "every":
            return f"{_wrapped(graph, node)} for {consts[0]} bars"
        case "some":
            return f"{_wrapped(graph, node)} within {consts[0]} bars"
        case "tier" | "member" as op:
            return f"tier of {consts[0]}" if op == "tier" else f"in a {inner[0]}"
        case "during":
            return f"during {consts[0]}"
        case "since_open" | "to_close" as op:
            return f"time_{op}({consts[0]})"
        case "feed_age":
            return f"age of {consts[0]}"
        case "regime_is" | "tier_is" as op:
            return f"{op.removesuffix('_is')} is {consts[1]}"
        case "fact" | "derived":
            return _fact(str(consts[0]), str(consts[1]))
        case "is_set" if graph[node.args[0]].op in {"fact", "derived"}:
            return f"{inner[0]} is set"
        case "is_set":
            return f"({inner[0]}) is known"
        case "one_of":
            return f"{inner[0]} in {consts[0]}"
        case "score":
            return ", ".join(f"{points_of(each)} when {part}" for each, part in zip(consts, inner, strict=True))
        case op if op in _OF_CASES:
            return _of_cases(graph, node, inner)
        case "ramp":
            return f"confidence from {inner[0]}"
        case "best":
            return "confidence"
        case op:
            return f"{op}({', '.join(inner)})"


def _of_cases(graph: RuleGraph, node: Node, inner: list[str]) -> str:
    """Signals and tables."""
    consts = node.consts
    match node.op:
        case "signal":
            return f"signal {node.names[0]}" if node.names else signal_cases(graph, node)
        case "signal_is":
            return f"{inner[0]} is {consts[1]}"
        case "strength":
            return f"{inner[0]}.conviction"
        case "agree":
            named = [_describe(graph, graph[graph[arg].args[0]])[0] for arg in node.args]
            return f"agree({consts[0]}, {', '.join(named)})"
        case "pick":
            return f"table {consts[0]}"
        case "first":
            return f"the first of {'; '.join(str(label) for label in consts)}"
        case "first_is":
            return f"case {int(_number(consts[0])) + 1}, {consts[1]}"
        case "conviction" | "regime" as op:
            return op
        case "ramp":
            return f"confidence from {inner[0]}"
        case "best":
            return "confidence"
        case op:
            return f"{op}({', '.join(inner)})"


def signal_cases(graph: RuleGraph, node: Node) -> str:
    """The cases of a signal as they were written."""
    chosen, *convictions = node.args
    cases = zip(graph[chosen].consts, graph[chosen].args, convictions, strict=False)
    return ", ".join(f"{way} when {_inner(graph, when)} conviction {_inner(graph, sure)}" for way, when, sure in cases)


def _inner(graph: RuleGraph, id_: int) -> str:
    return _describe(graph, graph[id_])[0]


def points_of(constant: object) -> str:
    """`+3`, `-2`: what a line of a score gives."""
    return f"{_decimal(constant):+f}"


def _wrapped(graph: RuleGraph, node: Node) -> str:
    text, binding = _describe(graph, graph[node.args[0]])
    return text if binding == _ATOM else f"({text})"


def _call(node: Node, inner: list[str]) -> str:
    function = FUNCTIONS[str(node.consts[0])]
    shown = [*inner[len(function.implicit) :], *(_number(c) for c in node.consts[2:])]
    part = "" if len(function.outputs) == 1 else f".{function.outputs[int(node.consts[1] or 0)]}"
    return f"{function.name}({', '.join(shown)}){part}"


# leaves that rules cannot name, in a reader's words; {} is the scope
_INTERNAL = {
    "scope.inside": "order belongs to {}",
    "scope.others": "others in {}, worst case",
    "book.long": "long side, worst case",
    "book.short": "short side, worst case",
    "book.gross_others": "all other positions, worst case",
    "book.net_long": "long sides of the book, worst case",
    "book.net_short": "short sides of the book, worst case",
    "book.open_positions": "instruments held or being bought",
    "order.opens": "opens a new instrument",
    "order.sign": "side as a sign",
    "order.net_share": "sum of all legs over this order",
    "order.missing": "inputs of the order that are not known",
    "order.vetoed_by": "veto",
    "votes_for": "weight for the order",
    "kelly.trades": "trades that count",
    "kelly.needed": "trades needed",
    "kelly.wins": "trades won",
    "kelly.gain": "mean gain",
    "kelly.loss": "mean loss",
    "kelly.fraction": "fraction of Kelly",
    "kelly.most": "most of each",
    "allocation.used": "allocation in use",
    "after.allocated": "allocation in use after the order",
    "halted_by": "halt in force",
    "paused_by": "pause in force",
    "instant": "now",
}


def _fact(name: str, argument: str) -> str:
    if name.endswith(" of book"):
        return f"{_fact(name.removesuffix(' of book'), argument)} of book"
    if name in _INTERNAL:
        return _INTERNAL[name].format(argument.replace("order.instrument", "the order's instrument"))
    if not argument:
        return name
    return f"{name}({show_duration(int(argument)) if argument.isdigit() else argument})"


def _number(constant: object) -> str:
    return plain(constant) if isinstance(constant, Decimal) else str(constant)


def _decimal(constant: object) -> Decimal | None:
    return constant if isinstance(constant, Decimal) else None


def show_value(value: Exact | float, unit: Unit, labels: tuple[str, ...] = ()) -> str:
    """A value as people write it: `3.2%`, `12bps`, `7,940.00 USD`, `61,204.5`, `true`, `unknown`.

    `labels` are the names of a regime's cases. Numbers are shortened for reading; records keep them exactly.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "unknown"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value or "none"
    match unit.kind:
        case Kind.TRUTH:
            return "true" if value == 1 else "false"
        case Kind.REGIME:
            return labels[int(value)] if 0 <= int(value) < len(labels) else "unknown"
        case Kind.SIGNAL:
            return f"{'long' if value > 0 else 'short'}, conviction {abs(value):.3g}" if value else "neutral"
        case Kind.RATIO | Kind.QUOTIENT:
            return _ratio(float(value), unit.kind)
        case Kind.MONEY:
            return f"{float(value):z,.2f} {unit.tag or ''}".rstrip()
        case Kind.DURATION:
            return _length(int(value)) if value >= 0 else f"-{_length(int(-value))}"
        case Kind.TIME:
            return show_instant(int(value))
        case Kind.QUANTITY:
            return _quantity(float(value))
        case Kind.R:
            return f"{float(value):g}R"
        case _:
            return _compact(float(value))


def _length(ms: int) -> str:
    """`90m`, `3d`; what is longer than a minute and no whole number of them in parts: `47m54.856s`."""
    if ms < MINUTE or ms % MINUTE == 0:
        return show_duration(ms)
    seconds = f"{plain(Decimal(ms % MINUTE) / 1000)}s"
    days, hours, minutes = ms // DAY, ms % DAY // HOUR, ms % HOUR // MINUTE
    return "".join(f"{count}{name}" for count, name in ((days, "d"), (hours, "h"), (minutes, "m")) if count) + seconds


def show_apart(values: Sequence[Exact | float], unit: Unit) -> tuple[str, ...]:
    """As `show_together`; where the first two are different and would look alike, all have the digits that tell them apart."""
    shown = show_together(values, unit)
    if len(shown) > 1 and shown[0] == shown[1]:
        finely = _finely(values, unit)
        return shown if finely is None else finely
    return shown


def _finely(values: Sequence[Exact | float], unit: Unit) -> tuple[str, ...] | None:
    """With two digits of the difference of the first two; None where there is no difference, or none of numbers."""
    numbers = [Decimal(repr(v)) if isinstance(v, float) else v for v in values]
    known = [n for n in numbers if isinstance(n, Decimal) and n.is_finite()]
    if len(known) != len(numbers) or known[0] == known[1] or unit.kind not in _FINE:
        return None
    scale, sign = (2, "%") if unit.kind is Kind.RATIO else (0, _FINE[unit.kind])
    said = f" {unit.tag}" if unit.kind is Kind.MONEY and unit.tag else sign
    places = max(2 - scale, 1 - EXACT.subtract(known[0], known[1]).adjusted() - scale)
    return tuple(f"{EXACT.scaleb(number, scale):z,.{places}f}{said}" for number in known)


_FINE = {
    Kind.NUMBER: "",
    Kind.RATIO: "%",
    Kind.QUOTIENT: "",
    Kind.PRICE: "",
    Kind.MONEY: "",
    Kind.QUANTITY: "",
    Kind.R: "R",
}


def show_together(values: Sequence[Exact | float], unit: Unit) -> tuple[str, ...]:
    """Values that stand beside each other, as `show_value`, shares of all of them in percent or all of them in bps."""
    shown = [show_value(value, unit) for value in values]
    if unit.kind is not Kind.RATIO or len({"bps" in said for said in shown if said != "unknown"}) < 2:
        return tuple(shown)
    shares = [None if said == "unknown" else float(value or 0) for said, value in zip(shown, values, strict=True)]
    in_bps = all(share is None or abs(share) < _SMALL for share in shares)
    return tuple("unknown" if share is None else _bps(share) if in_bps else _percent(share) for share in shares)


def _quantity(value: float) -> str:
    """Eight digits that count, and no power of ten: `0.00001`, `250,000,000`."""
    said = f"{value:,.8g}"
    return f"{Decimal(said.replace(',', '')):,f}" if "e" in said else said


_SMALL = 0.001  # below it a share is said in bps


def _ratio(value: float, kind: Kind) -> str:
    if kind is Kind.QUOTIENT:
        return f"{value:.4g}"
    return _bps(value) if value != 0 and abs(value) < _SMALL else _percent(value)


def _bps(value: float) -> str:
    return f"{value * 10_000:.3g}bps"


def _percent(value: float) -> str:
    """Four digits that count, and no power of ten: `0.0005%`."""
    said = f"{value * 100:.4g}"
    return f"{plain(Decimal(said)) if 'e' in said else said}%"


def _compact(value: float) -> str:
    if value != 0 and (abs(value) >= 1e12 or abs(value) < 1e-4):
        return f"{value:.4g}"
    text = f"{value:,.6f}" if abs(value) < 10 else f"{value:,.4f}" if abs(value) < 10_000 else f"{value:,.2f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
