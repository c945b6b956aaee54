"""What takes long of a course's records and lets others run: worked out for all trades at once, beside the making of the rest.

Ids of orders are hashes, profits in R quotients of many digits: hardly anything but machine code.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tb.core.encode import canonical
from tb.ledger.cells import Every, Packed
from tb.replay.course import paths
from tb.replay.course.digits import NOTHING, PLAIN, texts_of
from tb.replay.course.naming import ids_of
from tb.replay.course.numbers import Numbers
from tb.replay.course.passage import Passage
from tb.replay.course.reckoning import added_up, difference, multiplied, quotient, signed
from tb.replay.course.terms import Terms
from tb.runtime.session import Session

WORTH = 1_024  # trades for which a thread is begun
Ids = NDArray[np.uint8]
Profits = tuple[Packed, Packed, Every | Packed]  # fees, profits and profits in R, as texts


@dataclass(frozen=True, slots=True)
class Ahead:
    """Both wait until they are there, and raise what went wrong."""

    ids: Callable[[], Ids]  # packed, in rows
    profits: Callable[[], Profits]

    def part(self, begin: int, end: int) -> Ahead:
        """Those of the trades from one to before another."""

        def profits() -> Profits:
            fees, profits, in_risk = self.profits()
            return fees.cut(begin, end), profits.cut(begin, end), _part(in_risk, begin, end)

        return Ahead(lambda: self.ids()[begin:end], profits)


def _part(column: Every | Packed, begin: int, end: int) -> Every | Packed:
    return column if isinstance(column, Every) else column.cut(begin, end)


def ahead_of(passage: Passage, session: Session, terms: Terms) -> Ahead:
    """Works on them on a thread of its own, where that pays."""
    if len(passage) < WORTH:
        return Ahead(lambda: _ids(passage, session, terms), lambda: _profits(passage, session, terms))
    beside = ThreadPoolExecutor(1, "ahead")
    found = [beside.submit(made, passage, session, terms) for made in (_ids, _profits)]
    beside.shutdown(wait=False)
    return Ahead(found[0].result, found[1].result)  # type: ignore[arg-type]


def _ids(passage: Passage, session: Session, terms: Terms) -> Ids:
    before = canonical([session.run, session.policy_hash, terms.strategy.name, terms.symbol])[:-1] + b","
    return ids_of(before, b',"enter"]', passage.instants[passage.trades[:, paths.DECIDED]])


def _profits(passage: Passage, _: Session, terms: Terms) -> Profits:
    chain = passage.chain
    fees = added_up(chain.cost, chain.charge)
    moved = multiplied(signed(chain.quantity, terms.sign), difference(chain.got, chain.paid))
    profits = difference(moved, fees)
    if chain.held_stop.is_price and not chain.held_stop.low.any():
        return texts_of(fees), texts_of(profits), Every(None)
    risks = multiplied(chain.quantity, difference(chain.paid, chain.held_stop))
    is_none = (risks.low == 0) & (risks.high == 0)
    in_risk = quotient(profits, _positive(risks, is_none))
    return texts_of(fees), texts_of(profits), texts_of(in_risk, np.where(is_none, NOTHING, PLAIN))


def _positive(amounts: Numbers, is_none: NDArray[np.bool_]) -> Numbers:
    """Without their signs, and 1 in place of nothing."""
    assert amounts.high is not None
    return Numbers(np.abs(amounts.high), np.where(is_none, 1, np.abs(amounts.low)), amounts.decimals)
