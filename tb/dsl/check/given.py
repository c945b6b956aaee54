"""What a test gives: the leaves that policy reads, what the account holds, and values of the market.

Whatever follows from other facts cannot be given: it would contradict them. The refusal says which ones to give instead.
"""

from __future__ import annotations

from decimal import Decimal

from tb.core.diagnostics import did_you_mean
from tb.core.span import Span
from tb.core.time import parse_instant
from tb.core.units import NUMBER, TRUTH, Kind, Unit
from tb.dsl import checked, checked_tests, syntax
from tb.dsl.check import units
from tb.dsl.check.expressions import Expressions
from tb.dsl.check.literals import fold
from tb.dsl.format_expression import spell
from tb.vocabulary.facts import FACTS, INTERNAL, unit_of

# facts that no rule may read and a test may give
_UNSEEN = frozenset({"halted_by", "paused_by", "order.missing", "instant", "votes_for"})
_SAID = ("instrument", "strategy", "side", "quantity", "price", "stop", "target", "sign", "opens")
_FROM_HOLDINGS = frozenset({"gross", "net", "open_positions"})
_WHEN = "say it in the `when` line"
_HOLD = "give what is held of an instrument: `given exposure(BTC-USD) = 500 USD`, negative for a short"
_OF_BARS = ("equity", "spread", "depth")  # what may be said beside bars, and feeds: the rest comes from them
_BESIDE = "beside bars, `equity`, `spread`, `depth(...)` and feeds can be given"
_WORDS = {"true": Decimal(1), "false": Decimal(0)}


def facts(
    using: Expressions, test: syntax.Test, kind: str, rules: Expressions
) -> tuple[list[checked_tests.Given], list[checked_tests.Held]]:
    """Everything the `given` lines of a test say. `rules` sees what rules see: a feed beside bars is theirs, or of policy."""
    given: dict[str, checked_tests.Given] = {}
    held: dict[str, checked_tests.Held] = {}
    own = test.proposes.instrument.symbol if test.proposes is not None else None
    for node in (fact for line in test.given for fact in line.facts):
        is_beside = kind == "market" and spell(node.what).split("(")[0] not in _OF_BARS
        what = _beside_bars(rules, node) if is_beside else _what(using, node, kind)
        if what is None:
            continue
        value, is_known = _value(using, node, what)
        if not is_known or (value is not None and not _in_range(using, node, what, value)):
            continue
        name = spell(node.what)
        said = checked_tests.Given(what, value, f"{name} = {spell(node.value)}", node.span)
        if isinstance(what, checked.FactRef) and what.name == "exposure":
            symbol = own if what.argument == "order.instrument" else what.argument
            if symbol is None or symbol in using.scope.groups or "order.instrument" in symbol:
                _refuse(using, node.what.span, f"`{name}` is of several instruments", _HOLD)
                continue
            name = f"exposure({symbol})"
            amount = None if value is None else value.value
            holding = checked_tests.Held(symbol, amount if isinstance(amount, Decimal) else None, node.span)
            _once(using, held.get(name) is not None, name, node.span)
            held[name] = holding
            continue
        _once(using, name in given, name, node.span)
        given[name] = said
    return list(given.values()), list(held.values())


def _once(using: Expressions, is_known: bool, name: str, span: Span) -> None:
    if is_known:
        using.scope.report("TB018", f"`{name}` is given twice", span, "remove one of the two")


def _refuse(using: Expressions, span: Span, message: str, hint: str) -> None:
    using.scope.report("TB090", message, span, hint)


def _what(using: Expressions, node: syntax.Fact, kind: str) -> checked.Expr | None:
    name = spell(node.what)
    if isinstance(node.what, syntax.Name) and name in _UNSEEN and kind == "order":
        return checked.FactRef(name, "", unit_of(FACTS[name], using.scope.currency), node.what.span)
    if isinstance(node.what, syntax.Name) and name in INTERNAL and kind == "order":
        _refuse(using, node.what.span, f"`{name}` cannot be given", _HOLD)
        return None
    what = using.check(node.what)
    if using.excused(what):
        return None
    match what:
        case checked.FactRef():
            return what if _may_give(using, what, name) else None
        case checked.Const():
            hint = "set it in `tb.yaml`, under `parameters:`" if what.origin else "name a fact or a market value"
            _refuse(using, node.what.span, f"`{name}` is a number already", hint)
            return None
        case checked.Ref() if kind == "order":
            _refuse(using, node.what.span, f"`{name}` follows from other values", "give what it is computed from")
            return None
        case _:
            return what


def _beside_bars(using: Expressions, node: syntax.Fact) -> checked.Expr | None:
    """A feed, which nothing else tells; whatever follows from bars, or from playing them, cannot be given."""
    name = spell(node.what)
    if name.split("(")[0].split(" ")[0] in FACTS:
        message = f"`{name}` follows from what is played over the bars"
        _refuse(using, node.what.span, message, f"judge an order to give it: `when ... proposes`; {_BESIDE}")
        return None
    what = using.check(node.what)
    if using.excused(what):
        return None
    match what:
        case checked.FeedRead(part="value") | checked.OfInstrument(value=checked.FeedRead(part="value")):
            return what
        case checked.Field() | checked.OfInstrument(value=checked.Field()):
            _refuse(using, node.what.span, f"`{name}` comes from the bars", f"write it in the bars; {_BESIDE}")
        case _:
            _refuse(using, node.what.span, f"`{name}` is computed from the bars", f"write bars that give it; {_BESIDE}")
    return None


def _in_range(using: Expressions, node: syntax.Fact, what: checked.Expr, value: checked.Const) -> bool:
    """A feed is unknown where a file says more than its range: such a value is none that could be given."""
    read = what.value if isinstance(what, checked.OfInstrument) else what
    if not isinstance(read, checked.FeedRead) or not isinstance(value.value, Decimal) or read.part != "value":
        return True
    low, high = read.feed.low, read.feed.high
    if (low is None or value.value >= low) and (high is None or value.value <= high):
        return True
    message = (
        f"`{spell(node.value)}` is outside of the range of `{read.feed.name}` (line {read.feed.span.line}), where it is unknown"
    )
    _refuse(using, node.value.span, message, "give a value inside of it, or `unknown`")
    return False


def _may_give(using: Expressions, what: checked.FactRef, name: str) -> bool:
    spec = FACTS[what.name]
    if what.name.startswith("order.") and what.name.removeprefix("order.") in _SAID:
        _refuse(using, what.span, f"`{name}` is said by the order", _WHEN)
    elif spec.is_derived:
        from_order = all(need.startswith("order.") for need in spec.needs)
        _refuse(using, what.span, f"`{name}` follows from other facts", _order_hint(what.name) if from_order else _HOLD)
    elif what.name in _FROM_HOLDINGS:
        _refuse(using, what.span, f"`{name}` follows from what is held", _HOLD)
    else:
        return True
    return False


def _order_hint(name: str) -> str:
    levels = {"order.notional": "at 60_000 USD", "order.target_gap": "at 60_000 USD target 66_000 USD"}
    return f"say its prices in the `when` line: `... {levels.get(name, 'at 60_000 USD stop 58_000 USD target 66_000 USD')}`"


def _value(using: Expressions, node: syntax.Fact, what: checked.Expr) -> tuple[checked.Const | None, bool]:
    """What a fact is given as (None: unknown), and whether that could be read."""
    word = node.value.text if isinstance(node.value, syntax.Name) else ""
    if word == "unknown":
        return None, True
    if what.unit == TRUTH:
        if word in _WORDS:
            return checked.Const(_WORDS[word], NUMBER, word, None, node.value.span), True
        _refuse(using, node.value.span, f"`{spell(node.what)}` is true, false or unknown", "write `true`, `false` or `unknown`")
        return None, False
    if what.unit.kind in {Kind.TEXT, Kind.INSTRUMENT, Kind.LIST, Kind.TIME, Kind.REGIME}:
        return _word(using, node, what.unit)
    return _number(using, node.value, what)


def _word(using: Expressions, node: syntax.Fact, unit: Unit) -> tuple[checked.Const | None, bool]:
    said, span = node.value, node.value.span
    match unit.kind, said:
        case Kind.TEXT, syntax.Text(value=text):
            return checked.Const(text, unit, text, None, span), True
        case Kind.TIME, syntax.Text(value=text) if (at := parse_instant(text)) is not None:
            return checked.Const(Decimal(at), unit, text, None, span), True
        case ((Kind.LIST | Kind.INSTRUMENT), syntax.Symbol(symbol=symbol)):
            return checked.Const(symbol, unit, symbol, None, span), True
        case Kind.LIST, syntax.Name() if said.text in using.scope.groups:
            members = ",".join(using.scope.groups[said.text].members)
            return checked.Const(members, unit, said.text, None, span), True
    forms = {
        Kind.TEXT: 'write a text: `"majors.core"`',
        Kind.TIME: 'write an instant in UTC: `"2026-03-01 09:30"`',
        Kind.LIST: "write an instrument, or the name of a group",
    }
    hint = forms.get(unit.kind, "write an instrument: `BTC-USD`")
    if isinstance(said, syntax.Name) and unit.kind is Kind.LIST:
        hint = did_you_mean(said.text, using.scope.groups) or hint
    _refuse(using, span, f"`{spell(said)}` is not {units.phrase(unit)}", hint)
    return None, False


def _number(using: Expressions, node: syntax.Expr, what: checked.Expr) -> tuple[checked.Const | None, bool]:
    found = amount(using, node)
    if found is None:
        return None, False
    money = found.unit == Unit(Kind.MONEY, using.scope.currency)
    is_price = what.unit.kind is Kind.PRICE and (money or (what.unit.tag is None and found.unit.kind is Kind.PRICE))
    if units.meet(what.unit, found.unit) is None and not is_price:
        hint = units.mismatch_hint(what, found, using.scope.currency)
        message = f"{units.phrase(what.unit)} cannot be given as {units.phrase(found.unit)}"
        using.scope.report("TB101", message, found.span, hint)
        return None, False
    return found, True


def amount(using: Expressions, node: syntax.Expr) -> checked.Const | None:
    """A number that is known before anything runs; reported where it is none."""
    value = using.check(node)
    if using.excused(value):
        return None
    found = fold(value)
    if found is None or not isinstance(found.value, Decimal):
        message = f"`{spell(node)}` is not a number with a unit"
        _refuse(using, node.span, message, "write a number as in `80bps`, `10_000 USD`, or `unknown`")
        return None
    return found
