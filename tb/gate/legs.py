"""Legs before the gate: how large they are asked for, how they shrink together, and what their verdicts come to.

- Legs of the `same quantity` are whole numbers of the coarsest step that fits all their lots, so that they stay exactly equal.
- If the gate lets a leg pass at a smaller size alone, all legs shrink in that proportion, down to their grids, and all are
  judged again; a leg that is the same as the first one follows the first.
- One refused leg refuses all. The session and the explanation both come through here, so a record can be worked out again.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from tb.core.records import LATTICE, Round, Verdict
from tb.core.settings import InstrumentSpec, quote_currency
from tb.dsl.checked_legs import asset_of
from tb.engine.baskets import LegPlan
from tb.engine.graph import RuleGraph
from tb.engine.instant import EXACT
from tb.gate.account import ZERO
from tb.gate.conversion import ONE, converted
from tb.gate.gate import Judgement
from tb.gate.levels import WIDE, Values, to_grid
from tb.gate.sizing import Sized, size

MOST_ROUNDS = 16  # a size that does not settle by then is refused
_REFUSING = frozenset({"reject", "pause", "halt"})


@dataclass(frozen=True, slots=True)
class Place:
    """What is known of a leg's market: None where its price or its rate is not known, or nobody said its tick and lot."""

    price: Decimal | None
    spec: InstrumentSpec | None
    rate: Decimal | None = ONE

    @property
    def worth(self) -> Decimal | None:
        """The price in the account's currency."""
        return converted(self.price, self.rate)


@dataclass(frozen=True, slots=True)
class Amount:
    """One leg of an order group with its signed meaning: what it buys or sells, how much, at what price, in what money."""

    symbol: str
    sign: int
    quantity: Decimal
    price: Decimal | None
    rate: Decimal | None = ONE


def common_step(lots: Sequence[Decimal]) -> Decimal:
    """The smallest quantity that is a whole number of every lot."""
    scale = 10 ** max(0, *(-int(lot.as_tuple().exponent) for lot in lots))
    return EXACT.divide(Decimal(math.lcm(*(int(lot * scale) for lot in lots))), Decimal(scale))


def asked(
    graph: RuleGraph, legs: Sequence[LegPlan], places: Sequence[Place], equity: Decimal | None, values: Values
) -> tuple[Sized, ...]:
    """What the rules ask for: each leg's quantity, on the grids; what could not be computed is named."""
    first = _sized(graph, legs[0], places[0], equity, values)
    step = _shared_step(legs, places)
    quantity = ZERO if first.missing or step is None else to_grid(first.quantity, step, up=False)
    found = [Sized(quantity, None, None, first.intended, first.missing)]
    for leg, place in zip(legs[1:], places[1:], strict=True):
        if leg.same is None:
            found.append(_sized(graph, leg, place, equity, values))
        elif (lacking := _lacking(place)) or first.missing or places[0].worth is None:
            found.append(Sized(ZERO, None, None, None, lacking or ("size",)))
        else:
            found.append(_like_first(leg, place, quantity, places[0].worth, first.intended))
    return tuple(found)


def _sized(graph: RuleGraph, leg: LegPlan, place: Place, equity: Decimal | None, values: Values) -> Sized:
    if place.price is None or place.spec is None:
        return Sized(ZERO, None, None, None, _lacking(place))
    return size(graph, leg.entry, place.price, equity, place.spec, values, place.rate)


def _lacking(place: Place) -> tuple[str, ...]:
    return (
        ("instrument",)
        if place.spec is None
        else ("price",)
        if place.price is None
        else ("rate",)
        if place.rate is None
        else ()
    )


def _like_first(leg: LegPlan, place: Place, first: Decimal, first_price: Decimal, intended: Decimal | None) -> Sized:
    assert place.worth is not None
    assert place.spec is not None
    if leg.same == "quantity":
        meant = None if intended is None else EXACT.multiply(EXACT.divide(intended, first_price), place.worth)
        return Sized(first, None, None, meant, ())
    return Sized(_worth(first, first_price, place.worth, place.spec.lot), None, None, intended, ())


def _worth(quantity: Decimal, price: Decimal, other: Decimal, lot: Decimal) -> Decimal:
    """The quantity of another instrument that is worth as much, down to its lot."""
    return ZERO if other <= 0 else to_grid(WIDE.divide(WIDE.multiply(quantity, price), other), lot, up=False)


def _shared_step(legs: Sequence[LegPlan], places: Sequence[Place]) -> Decimal | None:
    """The grid of the first leg and of those that have the same quantity; None where a lot is not known."""
    lots = [place.spec.lot if place.spec is not None else None for place in places]
    shared = [lot for leg, lot in zip(legs, lots, strict=True) if leg is legs[0] or leg.same == "quantity"]
    known = [lot for lot in shared if lot is not None]
    return common_step(known) if len(known) == len(shared) else None


def shrunk(
    legs: Sequence[LegPlan], places: Sequence[Place], quantities: Sequence[Decimal], allowed: Sequence[Decimal]
) -> tuple[Decimal, ...]:
    """All legs in the proportion of the one that may keep the least. All places are known: else nothing is allowed."""
    share = min(range(len(legs)), key=lambda at: WIDE.divide(allowed[at], quantities[at]))
    part, whole = allowed[share], quantities[share]

    def less(at: int, step: Decimal) -> Decimal:
        return to_grid(WIDE.divide(WIDE.multiply(quantities[at], part), whole), step, up=False)

    step = _shared_step(legs, places)
    first = ZERO if step is None else less(0, step)
    found = [first]
    for at in range(1, len(legs)):
        leg, place, price = legs[at], places[at], places[0].worth
        if place.spec is None or place.worth is None or price is None:
            found.append(ZERO)
        elif leg.same == "quantity":
            found.append(first)
        elif leg.same == "money":
            found.append(min(less(at, place.spec.lot), _worth(first, price, place.worth, place.spec.lot)))
        else:
            found.append(less(at, place.spec.lot))
    return tuple(found)


def round_of(quantities: Sequence[Decimal], judgements: Sequence[Judgement]) -> Round:
    """What the gate said to the legs, each in the light of those before it."""
    return Round(
        quantities=tuple(quantities),
        verdicts=tuple(judgement.verdict for judgement in judgements),
        deciding=tuple(judgement.deciding for judgement in judgements),
        allowed=tuple(judgement.quantity for judgement in judgements),
    )


def is_settled(rounds: Sequence[Round]) -> bool:
    """Whether the last round decides: a leg was refused, none shrinks any more, or it went on for too long."""
    last = rounds[-1].verdicts
    return not _REFUSING.isdisjoint(last) or "shrink" not in last or len(rounds) >= MOST_ROUNDS


def outcome(rounds: Sequence[Round]) -> tuple[Verdict, tuple[str, ...], tuple[Decimal, ...]]:
    """The verdict on all legs, the rules that decided it, and what is approved of each."""
    last = rounds[-1]
    shrinking = [name for one in rounds for name in _by(one, "shrink")]
    strictest = max(last.verdicts, key=LATTICE.index)
    nothing = (ZERO,) * len(last.quantities)
    if strictest in _REFUSING:
        return strictest, tuple(dict.fromkeys([*shrinking, *_by(last, strictest)])), nothing
    if strictest == "shrink":
        return "reject", tuple(dict.fromkeys(shrinking)), nothing
    if shrinking:
        return "shrink", tuple(dict.fromkeys(shrinking)), last.quantities
    return strictest, tuple(dict.fromkeys(_by(last, strictest))), last.quantities


def refused_in(one: Round) -> tuple[int, ...]:
    """The legs that were refused in a round, by place."""
    return tuple(at for at, verdict in enumerate(one.verdicts) if verdict in _REFUSING)


def _by(one: Round, verdict: str) -> list[str]:
    pairs = zip(one.verdicts, one.deciding, strict=True)
    return [name for said, names in pairs if said == verdict for name in names]


# --- what a leg's order is in the light of the others ------------------------------------------------------------------


def hedged(legs: Sequence[Amount], at: int) -> Decimal | None:
    """The share of a leg's quantity that other legs hold the other way of its asset, 0 to 1; None where that is not known.

    A leg holds what it buys, and owes what it pays with: selling BTC-EUR holds EUR, which selling EUR_USD gives away.
    """
    own = legs[at]
    asset, held = asset_of(own.symbol), ZERO
    for leg in (leg for place, leg in enumerate(legs) if place != at):
        if asset_of(leg.symbol) == asset:
            held = EXACT.add(held, leg.sign * leg.quantity)
        elif quote_currency(leg.symbol) == asset:
            if leg.price is None:
                return None
            held = EXACT.subtract(held, leg.sign * EXACT.multiply(leg.quantity, leg.price))
    if not own.quantity:
        return ZERO
    return min(Decimal(1), max(ZERO, EXACT.divide(-own.sign * held, own.quantity)))


def net_share(legs: Sequence[Amount], at: int) -> Decimal | None:
    """What all legs add up to, as a multiple of this leg's own signed value; 1 for a lone order, None where not known."""
    own, total = legs[at], ZERO
    for leg in legs:
        price = converted(leg.price, leg.rate)
        if price is None:
            return None
        total = EXACT.add(total, leg.sign * EXACT.multiply(leg.quantity, price))
    value = own.sign * EXACT.multiply(own.quantity, converted(own.price, own.rate) or ZERO)
    return EXACT.divide(total, value) if value else Decimal(1)
