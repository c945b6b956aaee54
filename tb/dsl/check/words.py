"""Words in conditions: `in` a list of instruments, `is` a tier, a regime, a side, set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tb.core.diagnostics import did_you_mean
from tb.core.units import ANY, SIGNAL, TRUTH, Kind
from tb.dsl import checked, syntax
from tb.dsl.check import signals, units

if TYPE_CHECKING:
    from tb.dsl.check.expressions import Expressions


def member(using: Expressions, node: syntax.Member) -> checked.Expr:
    value = using.check(node.value)
    if isinstance(node.of, syntax.Name) and node.of.text == "restricted" and using.in_policy:
        found: checked.Expr = checked.OneOf(value, None, "restricted", TRUTH, node.span)
    elif isinstance(node.of, syntax.Name) and using.sees_group(node.of.text):
        group = using.scope.groups[node.of.text]
        found = checked.OneOf(value, group.members, group.name, TRUTH, node.span)
    else:
        name = node.of.text if isinstance(node.of, syntax.Name) else "this"
        if using.excused(value):
            return value
        if name in using.scope.defined and not using.scope.visible(name, using.file, using.in_policy):
            return using.unknown(syntax.Name((name,), node.span))
        near = did_you_mean(name, [*filter(using.sees_group, using.scope.groups), *(["restricted"] if using.in_policy else [])])
        return using.refuse("TB102", f"`{name}` is not a list of instruments", node.span, near or "name a `group`")
    if using.excused(value):
        return value
    if value.unit.kind is not Kind.INSTRUMENT:
        message = f"{units.phrase(value.unit)} cannot be in a list of instruments"
        return using.refuse("TB101", message, node.span, "use `order.instrument`")
    return checked.Not(found, TRUTH, node.span) if node.negated else found


def is_word(using: Expressions, node: syntax.Is) -> checked.Expr:
    found = _is_plainly(using, node)
    return checked.Not(found, TRUTH, node.span) if node.negated and found.unit.kind is not Kind.ANY else found


def _is_plainly(using: Expressions, node: syntax.Is) -> checked.Expr:
    subject = node.value.text if isinstance(node.value, syntax.Name) else ""
    if subject == "tier" and not using.in_policy:
        tiers = list(dict.fromkeys(tier.name for u in using.scope.universes.values() for tier in u.tiers))
        return _word(using, node, tiers, "tier", checked.TierIs)
    if subject == "regime" and not using.in_policy:
        return _word(using, node, list(using.scope.regime_names), "regime", checked.RegimeIs)
    producer = signals.named(using, subject) if subject else None
    if producer is not None:
        return signals.is_direction(using, producer, node)
    value = using.check(node.value)
    if using.excused(value):
        return checked.Const("?", ANY, "?", None, node.span)
    if node.word == "set" and isinstance(value, checked.FactRef):
        return checked.IsSet(value, TRUTH, node.span)
    if isinstance(value, checked.FactRef) and value.unit.kind in {Kind.TEXT, Kind.INSTRUMENT}:
        if value.name == "order.side" and node.word not in {"buy", "sell"}:
            return using.refuse("TB102", f"`{node.word}` is not a side", node.span, "a side is `buy` or `sell`")
        if value.name == "order.kind" and node.word not in {"market", "limit", "stop"}:
            return using.refuse("TB102", f"an order is never `{node.word}`", node.span, "write `market`, `limit` or `stop`")
        if value.name == "order.tier":
            return _order_tier(using, node, value)
        books = using.scope.books
        if value.name == "order.book" and node.word not in books:
            hint = did_you_mean(node.word, books) or f"add `book {node.word} 100% of capital strategies ...`"
            return using.refuse("TB102", f"there is no book `{node.word}`", node.span, hint)
        strategies = using.scope.strategies
        if value.name == "order.strategy" and strategies and node.word not in {*strategies, *using.scope.defined}:
            hint = did_you_mean(node.word, strategies)
            return using.refuse("TB102", f"there is no strategy `{node.word}`", node.span, hint)
        word = checked.Const(node.word, value.unit, node.word, None, node.span)
        return checked.Comparison("eq", value, word, TRUTH, node.span)
    hint = "compare it with `==`, `<` or `>`" if value.unit != SIGNAL else f"write `(SIGNAL is {node.word})[1]` to look back"
    return using.refuse("TB101", f"{units.phrase(value.unit)} is not `{node.word}`", node.span, hint)


def _order_tier(using: Expressions, node: syntax.Is, value: checked.FactRef) -> checked.Expr:
    """An order's tier is named with its universe; a policy means the tier of that name in whichever universe."""
    tiers = [(u.name, tier.name) for u in using.scope.universes.values() for tier in u.tiers]
    members = tuple(f"{universe}.{tier}" for universe, tier in tiers if tier == node.word)
    if tiers and not members:
        hint = did_you_mean(node.word, [tier for _, tier in tiers])
        return using.refuse("TB061", f"there is no tier `{node.word}`", node.span, hint)
    return checked.OneOf(value, members, node.word, TRUTH, node.span)


def _word(
    using: Expressions,
    node: syntax.Is,
    known: list[str],
    what: str,
    make: type[checked.TierIs] | type[checked.RegimeIs],
) -> checked.Expr:
    if node.word in known:
        return make(node.word, TRUTH, node.span)
    hint = did_you_mean(node.word, known) or (f"one of {', '.join(f'`{k}`' for k in known)}" if known else f"define a {what}")
    return using.refuse("TB061", f"there is no {what} `{node.word}`", node.span, hint)
