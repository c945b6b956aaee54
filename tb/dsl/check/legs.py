"""Legs: orders of one strategy that enter together and leave together. Which instruments they are, and how large.

A word names a tier of the strategy's universe, a symbol an instrument of it. Every entry of a strategy names the same ones, so
that what it holds can be told apart by asset. Values without `of` are those of the first leg; `funding_rate` is that of the one
leg that pays funding.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from tb.core.diagnostics import Label, did_you_mean
from tb.core.span import Span
from tb.core.units import NUMBER
from tb.dsl import checked, syntax
from tb.dsl.check import units
from tb.dsl.check.expressions import Expressions
from tb.dsl.check.literals import fold
from tb.dsl.check.templates import template
from tb.dsl.check.walk import expand
from tb.dsl.checked_legs import Leg, LegEnter, asset_of, baskets, is_perpetual
from tb.vocabulary.catalogue import FUNCTIONS
from tb.vocabulary.fields import FIELDS, Origin


def leg_enter(using: Expressions, node: syntax.LegEnter, universe: checked.Universe | None) -> LegEnter:
    """One `enter when` with its legs, each by itself; `together` then looks at all of them."""
    when = using.condition(node.when)
    legs = tuple(found for leg in node.legs if (found := _leg(using, leg, universe)) is not None)
    for at, leg in enumerate(legs):
        if leg.word in [earlier.word for earlier in legs[:at]]:
            hint = "name another tier or instrument, or remove the leg"
            using.scope.report("TB069", f"two legs of one entry are in `{leg.word}`", leg.span, hint)
    if legs and len({leg.is_tier for leg in legs}) > 1:
        hint = "name every leg by its tier, or every leg by its instrument"
        using.scope.report("TB069", "one leg names a tier and another an instrument", node.legs[-1].span, hint)
    return LegEnter(when, legs, template(using, node.because), node.span)


def _leg(using: Expressions, node: syntax.Leg, universe: checked.Universe | None) -> Leg | None:
    share = _share(using, node.size) if node.size is not None else None
    match node.instrument:
        case syntax.Symbol(symbol=word):
            is_tier, known = False, () if universe is None else universe.members()
            message = f"`{word}` is not in the universe `{universe.name if universe else ''}`"
            add = f"add `{word}` to a tier of it"
        case syntax.Name(parts=parts):
            word, is_tier = ".".join(parts), True
            known = () if universe is None else tuple(tier.name for tier in universe.tiers)
            message = f"`{word}` is not a tier of the universe `{universe.name if universe else ''}`"
            add = "name a tier, or an instrument such as `BTC-USD`"
    if universe is not None and word not in known:
        using.scope.report("TB070", message, node.instrument.span, did_you_mean(word, known) or add)
        return None
    if node.size is not None and share is None:
        return None
    return Leg(node.side, word, is_tier, share, node.same, node.span)


def _share(using: Expressions, size: syntax.Expr) -> checked.Expr | None:
    if not isinstance(size, syntax.Of) or not (isinstance(size.whole, syntax.Name) and size.whole.parts == ("equity",)):
        hint = "write `10% of equity`, `same quantity` or `same money`"
        using.scope.report("TB101", "the size of a leg is a share of equity", size.span, hint)
        return None
    share = using.check(size.value)
    if using.excused(share):
        return None
    if not units.as_ratio(share.unit):
        written = isinstance(share, checked.Const) and share.unit == NUMBER
        hint = units.percent_hint(share, " of equity") if written and isinstance(share, checked.Const) else "use a percentage"
        message = f"the size of a leg is a share of equity, not {units.phrase(share.unit)}"
        using.scope.report("TB101", message, size.span, hint)
        return None
    folded = fold(share)
    if folded is not None and isinstance(folded.value, Decimal) and folded.value <= 0:
        using.scope.report("TB059", "a size must be more than nothing", size.span, "write `10% of equity`")
        return None
    return share


def together(using: Expressions, node: syntax.Strategy, strategy: checked.Strategy, universe: checked.Universe) -> None:
    """What only the whole strategy shows: the same legs everywhere, an asset for them, and `of LEG` where there is one."""
    scope = using.scope
    first = strategy.leg_enters[0] if strategy.leg_enters else None
    if first is not None and node.enters:
        hint = "write two strategies: a position with legs ends as a whole"
        labels = (Label(first.span, "this entry has legs"),)
        scope.report("TB069", f"`{node.name}` enters with legs and without", node.enters[0].span, hint, labels)
    words = [leg.word for leg in first.legs] if first is not None else []
    for later in strategy.leg_enters[1:]:
        if {leg.word for leg in later.legs} != set(words):
            labels = (Label(strategy.leg_enters[0].span, "these are the legs of the first entry"),)
            hint = "name the same ones, or write a strategy of its own"
            scope.report("TB069", f"the entries of `{node.name}` name different legs", later.span, hint, labels)
    for leg, span in _asked(using, strategy):
        if leg not in words:
            known = f"name one of its legs: {', '.join(f'`{word}`' for word in words)}" if words else "name an instrument"
            scope.report("TB070", f"`of {leg}` means a leg, and `{node.name}` has no such leg", span, known)
    if first is not None and len(words) == len(node.leg_enters[0].legs) and len({leg.is_tier for leg in first.legs}) == 1:
        _assets(using, node, strategy, universe)


def _assets(using: Expressions, node: syntax.Strategy, strategy: checked.Strategy, universe: checked.Universe) -> None:
    legs = strategy.leg_enters[0].legs
    for tier in universe.tiers:
        members = {asset_of(member): member for member in reversed(tier.members)}
        twice = [member for member in tier.members if member not in members.values()]
        if twice and tier.name in [leg.word for leg in legs]:
            hint = f"keep one of them in `{tier.name}`"
            message = f"`{tier.name}` holds {asset_of(twice[0])} twice, `{members[asset_of(twice[0])]}` and `{twice[0]}`"
            using.scope.report("TB070", message, tier.span, hint)
            return
    found = baskets(strategy, universe)
    if universe.discovers:
        message = f"the legs of `{node.name}` have to be known, and `{universe.name}` has a tier with a condition"
        hint = "list the instruments of each tier: `tier perp BTC-PERP, ETH-PERP`"
        using.scope.report("TB088", message, node.leg_enters[0].span, hint)
    elif not found:
        named = " and ".join(f"`{leg.word}`" for leg in legs)
        hint = "name instruments of the same asset in each, such as `BTC-USD` and `BTC-PERP`"
        using.scope.report("TB070", f"no asset has an instrument in {named}", node.leg_enters[0].span, hint)
    payers = {word for basket in found for word, symbol in basket.members if is_perpetual(symbol)}
    for span in _funding(using, strategy) if found and len(payers) != 1 else ():
        hint = f"write `funding_rate of {sorted(payers)[0] if payers else legs[-1].word}`"
        why = "several of them pay funding" if payers else "no name of them says that it is a perpetual"
        using.scope.report("TB070", f"it is not clear which leg's `funding_rate` is meant: {why}", span, hint)


def _expressions(item: object) -> Iterator[checked.Expr]:
    """Every expression that a strategy says; definitions it names are not among them."""
    if hasattr(item, "unit"):
        yield item  # type: ignore[misc]
    elif isinstance(item, tuple):
        for part in item:
            yield from _expressions(part)
    else:
        for name in getattr(item, "__dataclass_fields__", {}):
            yield from _expressions(getattr(item, name))


def _asked(using: Expressions, strategy: checked.Strategy) -> Iterator[tuple[str, Span]]:
    """The legs that `of` names, each once."""
    told: set[str] = set()
    for value in _expressions(strategy):
        for part in expand(value, using.scope.lets, using.scope.triggers):
            if isinstance(part, checked.OfLeg) and part.leg not in told:
                told.add(part.leg)
                yield part.leg, part.span


def _funding(using: Expressions, strategy: checked.Strategy) -> Iterator[Span]:
    """The first `funding_rate` that says of no instrument which is meant."""
    for value in _expressions(strategy):
        named = {id(inner) for part in expand(value, using.scope.lets, using.scope.triggers) for inner in _named(using, part)}
        for part in expand(value, using.scope.lets, using.scope.triggers):
            if _reads_funding(part) and id(part) not in named:
                yield part.span
                return


def _reads_funding(part: checked.Expr) -> bool:
    match part:
        case checked.Field(name=name):
            return FIELDS[name].origin is Origin.FUNDING
        case checked.Apply(function=function):
            return any(FIELDS[name].origin is Origin.FUNDING for name in FUNCTIONS[function].implicit)
        case _:
            return False


def _named(using: Expressions, part: checked.Expr) -> Iterator[checked.Expr]:
    if isinstance(part, checked.OfLeg | checked.OfInstrument):
        yield from expand(part.value, using.scope.lets, using.scope.triggers)
