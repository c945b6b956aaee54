"""The marks of a course in columns: at each decision with the use of limits, and at each day that begins."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tb.engine.plan import PolicyPlan
from tb.ledger.cells import Column, Shaped, maps, numbers, reals
from tb.replay.course import paths
from tb.replay.course.days import FLAT, HELD, LEFT
from tb.replay.course.digits import texts_of
from tb.replay.course.held import exactly
from tb.replay.course.numbers import Ints, Numbers
from tb.replay.course.passage import Passage
from tb.replay.course.reckoning import added_up, chosen, multiplied, parts, signed
from tb.replay.course.terms import Terms
from tb.replay.course.usage import uses
from tb.runtime.session import Session


def marks_of(passage: Passage, session: Session, terms: Terms) -> dict[str, Column]:
    days = passage.days
    # before the mark of their trade's decision, or after it
    places = np.where(days.when == FLAT, days.trade, days.trade + 1)
    at = np.insert(passage.instants[passage.trades[:, paths.DECIDED]], places, passage.instants[days.place])
    equity, exposure = _at_days(passage, terms)
    nothing = np.zeros(len(passage), dtype=np.int64)
    used, has = uses(passage, session, terms), np.insert(np.ones(len(passage), dtype=np.uint8), places, 0)
    of_orders = np.insert(passage.is_taken, places, True)
    return {
        "at": numbers(at),
        "equity": texts_of(_inserted(passage.chain.before, places, equity)),
        "exposure": texts_of(_inserted(Numbers(None, nothing, nothing), places, exposure)),
        "usage": _usage(used, has if used else 0 * has, of_orders, session.gates[terms.strategy.period].policy),
    }


def _usage(
    used: Mapping[str, NDArray[np.float64]], has: NDArray[np.uint8], of_orders: NDArray[np.bool_], policy: PolicyPlan
) -> Column:
    """The use of limits at each mark that `has` any; of an order that is refused, of those alone that do not depend on it."""
    of_account = {constraint.name for constraint in policy.constraints if not constraint.reads_order}
    if bool(of_orders.all()) or not used.keys() - of_account:
        return maps(tuple(used), has.tobytes(), {name: reals(cells) for name, cells in used.items()})
    names = tuple(sorted(used)), tuple(sorted(used.keys() & of_account))
    shapes = ((), *names) if names[1] else ((), names[0])
    which = np.where(has == 0, 0, np.where(of_orders, 1, len(shapes) - 1 if names[1] else 0))
    cells = np.stack([used[name] for name in names[0]], axis=1)
    is_there = np.ones(cells.shape, dtype=np.bool_)
    is_there[~of_orders[has == 1]] = [name in of_account for name in names[0]]
    return Shaped(shapes, which.astype(np.uint8).tobytes(), reals(cells[is_there]))


def _inserted(column: Numbers, places: Ints, found: Numbers) -> Numbers:
    high, low, decimals = (np.insert(one, places, other) for one, other in zip(parts(column), parts(found), strict=True))
    return Numbers(high, low, decimals)


def _at_days(passage: Passage, terms: Terms) -> tuple[Numbers, Numbers]:
    """Equity and exposure where days begin."""
    days, chain = passage.days, passage.chain
    whole = [np.zeros((len(days), 3), dtype=np.int64) for _ in range(2)]
    for when, cash in ((FLAT, chain.before), (LEFT, chain.after)):
        which = np.flatnonzero(days.when == when)
        whole[0][which] = np.column_stack(parts(chosen(cash, days.trade[which])))
    which = np.flatnonzero(days.when == HELD)
    if len(which):
        trades = days.trade[which]
        value = multiplied(chosen(chain.quantity, trades), _closes(passage, terms, days.place[which]))
        whole[0][which] = np.column_stack(parts(added_up(chosen(chain.held, trades), signed(value, terms.sign))))
        whole[1][which] = np.column_stack(parts(value))
    equity, exposure = (Numbers(*np.ascontiguousarray(columns.T)) for columns in whole)
    return equity, exposure


def _closes(passage: Passage, terms: Terms, places: Ints) -> Numbers:
    """The closes that are known at places, of the instrument, as `exact` has them."""
    prices = passage.prices
    first, last = int(terms.numbers[paths.FIRST]), int(terms.numbers[paths.END])
    bars = first + prices.where[first:last].searchsorted(places, side="right") - 1
    return exactly(prices.close[bars], np.full(len(places), terms.decimals))
