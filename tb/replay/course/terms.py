"""The terms of a course: whether a plan has solo trades, and what each of its entries comes to in whole numbers.

INVARIANT: an entry without terms is never part of a course, and a plan with something that could act besides its entries, stops
and targets has none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from math import gcd

import numpy as np
from numpy.typing import NDArray

from tb.core.settings import InstrumentSpec, Venue
from tb.engine.graph import RuleGraph
from tb.engine.instant import EXACT
from tb.engine.management import LevelPlan
from tb.engine.plan import EnterPlan, Plan, StrategyPlan
from tb.replay.course import money, paths
from tb.replay.course.facts import WATCHED, Fact, fact_of, is_past
from tb.runtime.session import Session
from tb.runtime.view import RecordedView

Key = tuple[int, int, str]  # strategy, entry and instrument, as in the states of a replay
_DIGITS, _PRICE_DIGITS = 28, 15  # of the session's arithmetic; of a price that a kernel takes

# what constraints read that is the same at every decision of an entry while the account is flat
_STILL = frozenset(
    """halted_by paused_by order.minimum order.maximum order.sign order.missing order.instrument order.strategy order.side
    order.kind order.valid order.tier order.rate order.legs order.hedged order.net_share order.opens scope.inside scope.others
    book.long book.short book.gross_others book.net_long book.net_short book.open_positions exposure gross net open_positions
    restricted order.vetoed_by votes_for order.tick order.lot order.fee_rate order.margin_rate working_orders reserved
    self_match strategy.open_positions strategy.working_orders breaker venue.status venue.heartbeat_age venue.reconciled_age
    venue.unknown_orders venue.clock_skew data_age order.book rejects_in_a_row since_last_reject""".split()
)
MOVING = frozenset(
    "order.quantity order.price order.stop order.target order.intended order.confidence equity cash margin_free".split()
)


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """One entry of one strategy in one instrument. `numbers` is its row for `tb.replay.course.paths.walk`, `money` the one for
    `tb.replay.course.money.reckon`."""

    number: int
    strategy: StrategyPlan
    which: int
    enter: EnterPlan
    symbol: str
    sign: int
    spec: InstrumentSpec
    venue: Venue
    decimals: int
    numbers: NDArray[np.int64]
    money: NDArray[np.int64]
    moving: tuple[
        tuple[int, str | int | Fact], ...
    ]  # what the gate reads that moves: its place, and fact or node of the market


def is_plain(session: Session, view: RecordedView) -> bool:
    """Whether nothing but entries, stops and targets can act in a plan, and nothing is read that a course does not keep."""
    plan, settings = session.plan, session.settings
    capital = plan.program.capital
    if capital.books or capital.advisors or capital.council is not None or capital.allocation is not None:
        return False
    watched = session.watching.watched
    if any(constraint.exemptions for constraint in watched.constraints):
        return False
    if not all((fact := fact_of(plan.graph, leaf)) and fact[0] in WATCHED and is_kept(fact) for leaf in watched.leaves):
        return False
    for strategy in plan.strategies:
        if strategy.baskets or strategy.quotes or strategy.cool_downs or strategy.tier is not None:
            return False
    if any(session.feeds.values()):  # how old each was is kept with a decision
        return False
    for policy in plan.policies.values():
        for leaf in policy.leaves:
            fact = fact_of(plan.graph, leaf)
            if fact is not None and not is_kept(fact):
                return False
    symbols = {symbol for strategy in plan.strategies for symbol in strategy.members if symbol in view.markets.base}
    return not any(settings.is_foreign(symbol) or symbol in view.markets.funding for symbol in symbols)


def is_kept(fact: Fact) -> bool:
    """Whether a course knows a fact at each of its decisions."""
    return fact[0] in _STILL | MOVING or is_past(fact)


def terms_of(session: Session, view: RecordedView, keys: Mapping[Key, object]) -> dict[Key, Terms] | None:
    """The terms of all entries, in the order of the keys; None where one has none: it could act where nobody looked."""
    if not is_plain(session, view):
        return None
    offsets, begin = {}, 0
    for symbol, bars in view.markets.base.items():
        offsets[symbol] = (begin, begin + len(bars))
        begin += len(bars)
    found: dict[Key, Terms] = {}
    owners: dict[tuple[int, str], int] = {}
    for number, key in enumerate(keys):
        owner = owners.setdefault((key[0], key[2]), len(owners))
        terms = _terms(session, view, key, number, owner, offsets[key[2]])
        if terms is None:
            return None
        found[key] = terms
    return found or None


def _terms(session: Session, view: RecordedView, key: Key, number: int, owner: int, span: tuple[int, int]) -> Terms | None:
    plan, settings, (at, which, symbol) = session.plan, session.settings, key
    strategy, spec, venue = plan.strategies[at], settings.instrument(symbol), settings.venue_for(symbol)
    enter, bars = strategy.entries_of(symbol)[which], view.markets.base[symbol]
    decimals = -_exponent(spec.tick) if spec is not None else 0
    if spec is None or bars.bid is not None or bars.ask is not None:
        return None
    if spec.tick != Decimal((0, (1,), -decimals)) or not 1 <= decimals <= 12:
        return None
    manage, order = enter.manage, enter.order
    if order.style != "market" or order.valid is not None or order.is_quote or enter.by_conviction is not None:
        return None
    if manage.trailing is not None or manage.break_even is not None or manage.takes or enter.conviction is not None:
        return None
    sign = 1 if enter.direction == "long" else -1
    numbers = _numbers(plan.graph, enter, sign, spec, venue, decimals, _half(view, symbol))
    if numbers is None:
        return None
    longest = strategy.longest_hold(symbol, strategy.tier_at(symbol, lambda _: None) or "")
    numbers[paths.LONGEST] = paths.EVER if longest is None else longest
    numbers[paths.FIRST], numbers[paths.END], numbers[paths.KEY] = *span, owner
    own = _money(sign, spec, venue)
    return Terms(number, strategy, which, enter, symbol, sign, spec, venue, decimals, numbers, own, _moving(plan, strategy))


def _money(sign: int, spec: InstrumentSpec, venue: Venue) -> NDArray[np.int64]:
    """Lot and fee in whole numbers, all 0 where a kernel cannot take them."""
    row = [sign]
    for value in (spec.lot, venue.fee):
        count, decimals = int(value.scaleb(-_exponent(value))), -_exponent(value)
        if not (0 <= count < 1 << 62 and 0 <= decimals <= money.MOST_DECIMALS):
            return np.zeros(money.TERMS, dtype=np.int64)
        row += [count, decimals]
    return np.array(row, dtype=np.int64)


def _moving(plan: Plan, strategy: StrategyPlan) -> tuple[tuple[int, str | int | Fact], ...]:
    graph = plan.graph
    found: list[tuple[int, str | int | Fact]] = []
    for at, leaf in enumerate(plan.policies[strategy.period].leaves):
        fact = fact_of(graph, leaf)
        if fact is None:
            found.append((at, leaf))
        elif fact[0] in MOVING:
            found.append((at, fact[0]))
        elif is_past(fact):
            found.append((at, fact))
    return tuple(found)


def _half(view: RecordedView, symbol: str) -> Decimal:
    """Half of the stated spread, as the view takes it around a last price."""
    spread = view.markets.assumptions.spread_of(symbol)
    return EXACT.divide(Decimal(repr(float(spread))) if spread else Decimal(0), Decimal(2))


def _numbers(
    graph: RuleGraph, enter: EnterPlan, sign: int, spec: InstrumentSpec, venue: Venue, decimals: int, half: Decimal
) -> NDArray[np.int64] | None:
    around, slipped, worse = 1 + sign * half, 1 + sign * venue.slippage, 1 - sign * venue.slippage
    if sum(len(factor.as_tuple().digits) for factor in (around, slipped)) + _PRICE_DIGITS > _DIGITS:
        return None
    row = [0] * paths.TERMS
    row[paths.SIGN], row[paths.TEN], row[paths.DECIMALS] = sign, 10**decimals, decimals
    for at, factors in ((paths.EXPECTED, (around, slipped)), (paths.SLIPPED, (slipped,)), (paths.WORSE, (worse,))):
        row[at], row[at + 1] = _parts(reduce(EXACT.multiply, factors))
        row[at + 2] = -sum(map(_exponent, factors))
    sides = ((paths.STOPS, enter.stop, -sign), (paths.TARGETS, enter.target, sign))
    for at, level, toward in sides:
        said = None if level is None else _level(graph, level, toward)
        if level is not None and said is None:
            return None
        row[at : at + 6] = (0, 0, 0, 1, 0, 0) if said is None else (1, *said)
    in_r = [row[at + paths.IN_R] for at, *_ in sides]
    if not (row[paths.STOPS] or row[paths.TARGETS]) or in_r[0] or (in_r[1] and not row[paths.STOPS]):
        return None
    times = [paths.EXPECTED, paths.SLIPPED, paths.WORSE, *(at + which for at, *_ in sides for which in (paths.A, paths.B))]
    row[paths.MOST] = (1 << 60) // (2 * max(abs(row[at]) for at in times))
    if row[paths.MOST] < 1000 or any(abs(value) >= 1 << 62 for value in row):
        return None
    return np.array(row, dtype=np.int64)


def _level(graph: RuleGraph, level: LevelPlan, toward: int) -> tuple[int, ...] | None:
    """A level as (entry * a + risk * b) / of, whether it is measured in R, and the decimals of what it says; None where it is
    not the same at every bar."""
    node = graph[level.node]
    value = node.consts[0] if node.op == "const" else None
    if not isinstance(value, Decimal) or len(value.as_tuple().digits) > _DIGITS - _PRICE_DIGITS - 2 or _exponent(value) > 0:
        return None
    match level.kind:
        case "ratio":
            a, of = _parts(1 + toward * value)
            return a, 0, of, 0, -_exponent(1 + toward * value)
        case "r":
            b, of = _parts(value)
            return of, toward * b, of, 1, -_exponent(value)
        case _:
            return None


def _parts(value: Decimal) -> tuple[int, int]:
    """A fraction in lowest terms: numerator and denominator."""
    top, bottom = value.as_integer_ratio()
    by = gcd(top, bottom)
    return top // by, bottom // by


def _exponent(value: Decimal) -> int:
    found = value.as_tuple().exponent
    return found if isinstance(found, int) else 0
