"""Judges the orders of courses: all of a passage at once where floats are certain, and the gate where they are not.

1. What follows from what no order moves is worked out once for each entry's terms (`judging.Judging`).
2. The first order that is refused is no trade, and what comes after it has to be walked anew: it depends on it.
3. Entries may be walked as refused (`Orders.foreseen`): those that a constraint on the market alone refuses, once it refused
   one; and after any refusal a guess at which others are. Each is judged like any other: of a guess that was wrong, and what
   comes after it, nothing is kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tb.core.time import next_day_start
from tb.engine.instant import Exact
from tb.engine.plan import PolicyPlan
from tb.engine.program import leaves_under
from tb.engine.surely import Masks, bits_of
from tb.replay.candidates import Candidates
from tb.replay.course import paths
from tb.replay.course.facts import TODAY, fact_of, is_past
from tb.replay.course.judged import PASSED, Said, said_of
from tb.replay.course.judging import EXACTLY, Column, Judging, Number, Same
from tb.replay.course.passage import Ints, Passage
from tb.replay.course.terms import Terms
from tb.runtime.drafts import Ready
from tb.runtime.session import Session
from tb.runtime.view import RecordedView

ON, ANEW, OVER = range(3)
NOTHING, SURE, GUESSED = range(3)  # of what is foreseen
_OF_ACCOUNT = frozenset(("equity", "cash", "margin_free", "order.quantity", "order.intended"))
MOST = 1_024  # entries that are guessed to be refused after one


class Orders:
    """For one replay. `still` is what the gate reads besides what moves, by the number of terms; `said` all that it said of any
    order; `foreseen` marks the entries that are walked as refused."""

    def __init__(
        self, session: Session, view: RecordedView, instants: Ints, listed: Sequence[Terms], candidates: Candidates
    ) -> None:
        self._session, self._view, self._instants, self._listed = session, view, instants, listed
        self._place, self._way, self._row = candidates.place, candidates.number, candidates.row
        self.still: dict[int, Sequence[Exact]] = {}
        self.said: list[Said] = [PASSED]
        self.foreseen = np.zeros(len(candidates.row), dtype=np.uint8)
        self._judging: dict[int, Judging] = {}
        self._known: dict[tuple[int, Masks], int | None] = {}  # by period and masks, the case
        self._asked: set[tuple[int, int]] = set()  # terms and bits of constraints whose refusals are foreseen
        self._of_period: dict[int, tuple[int, int]] = {}
        self._sure: dict[int, int] = {}  # by terms, the bits of those
        self._run = 1  # entries that are guessed to be refused after one that was

    def judge(self, passage: Passage, count: int) -> tuple[int, int]:
        """How many of the first orders are approved as they are or refused, and how it goes on: `ON` after all of them; `ANEW`
        where the next one is not what it was walked as: counted already if it was refused, and no trade any more; `OVER` before
        one that is the session's."""
        unsure: dict[int, Masks | None] = {}
        for number in np.unique(passage.way[:count]).tolist():
            which = np.flatnonzero(passage.way[:count] == number)
            judging = self._judging_of(passage, number, int(which[0]))
            columns = self._columns(passage, self._listed[number], which)
            unsure |= {int(which[at]): masks for at, masks in judging.unsure(columns, len(which)).items()}
        places = sorted({*unsure, *np.flatnonzero(~passage.is_taken[:count]).tolist()})
        for at, k in enumerate(places):
            case = self._case(passage, k, unsure.get(k))
            if case is None:
                return k, OVER
            said, is_taken = self.said[case], bool(passage.is_taken[k])
            if not said.is_refused and not is_taken:
                self._guessed_wrong(int(passage.trades[k, paths.ENTRY]))
                return k, ANEW
            passage.case[k] = case
            if said.is_refused:
                self._foresee(passage, k, said)
            if said.is_refused and is_taken:
                self._guess(passage, {one: unsure.get(one) for one in places[at:]})
                passage.leave_out(k)
                return k + 1, ANEW
        return count, ON

    def _case(self, passage: Passage, k: int, masks: Masks | None) -> int | None:
        """The number of what the gate says of an order, None where that is the session's; the masks are what is certain."""
        terms = passage.of[k]
        gate = self._session.gates[terms.strategy.period]
        key = None if masks is None else (terms.strategy.period, masks)
        if key is not None and key in self._known:
            return self._known[key]
        said = said_of(gate.decide(passage.inputs(k), True, passage.chain.quantity.one(k), terms.spec.lot))
        case = None if said is None else self._numbered(said)
        if key is not None and masks is not None:
            shrinks = any(gate.policy.constraints[bit].acts == "shrink" for bit in bits_of(masks[0] | masks[1]))
            if not shrinks:  # else it depends on the size that is left
                self._known[key] = case
        return case

    def _numbered(self, said: Said) -> int:
        if said not in self.said:
            self.said.append(said)
        return self.said.index(said)

    # --- what is read ------------------------------------------------------------------------------------------------

    def _judging_of(self, passage: Passage, number: int, k: int) -> Judging:
        if number not in self._judging:
            terms = self._listed[number]
            self.still[number] = self._read(passage, k)
            policy = self._policy(terms)
            moving = [policy.leaves[at] for at, _ in terms.moving]
            self._judging[number] = Judging(self._session.plan.graph, policy.constraints, self._still(terms), moving)
        return self._judging[number]

    def _policy(self, terms: Terms) -> PolicyPlan:
        return self._session.plan.policies[terms.strategy.period]

    def _still(self, terms: Terms) -> dict[int, Column]:
        moving = {at for at, _ in terms.moving}
        read = enumerate(zip(self._policy(terms).leaves, self.still[terms.number], strict=True))
        return {leaf: Same(value) for at, (leaf, value) in read if at not in moving}

    def _read(self, passage: Passage, k: int) -> Sequence[Exact]:
        """What the gate reads for an order, from the session itself: all that does not move is right for the others too."""
        terms, row = self._listed[int(passage.way[k])], int(passage.deciding[k])
        at = int(self._instants[passage.trades[k, paths.DECIDED]])
        at_ = next(number for number, one in enumerate(self._session.plan.strategies) if one is terms.strategy)
        ready = Ready(at_, terms.which, terms.symbol, row)
        drafts, _ = self._session.proposer.entries([ready], lambda _: False, lambda _: passage.chain.before.one(k), at)
        moment = self._session.moment(drafts[0].proposal, at, None)
        gate = self._session.gates[terms.strategy.period]
        return gate.inputs(moment, lambda node: self._view.value(node, terms.symbol, row))

    def _columns(self, passage: Passage, terms: Terms, which: Ints) -> dict[int, Column]:
        """What moves, of some of the orders."""
        leaves, found = self._policy(terms).leaves, dict[int, Column]()
        rows = passage.deciding[which]
        for at, leaf in terms.moving:
            if isinstance(leaf, int):
                found[leaves[at]] = _of_market(self._view.values(leaf, terms.symbol, rows))
            elif not isinstance(leaf, str):
                assert passage.past is not None
                found[leaves[at]] = passage.past.number(leaf).at(which)
            else:
                moved = passage.moved(leaf)
                moved = moved if len(which) == len(moved) else moved[which]
                found[leaves[at]] = Same(None) if np.isnan(moved).all() else Number.of(moved)
        return found

    # --- what is refused, most likely ---------------------------------------------------------------------------------

    def _guess(self, passage: Passage, masks: Mapping[int, Masks | None]) -> None:
        """What refuses an order goes on to, until the day is over or for a while. Orders after the first are judged as if that
        had been a trade; mostly they are refused all the same."""
        for k, each in masks.items():
            period = passage.of[k].strategy.period
            case = None if each is None else self._known.get((period, each))
            if case is None or each is None or not self.said[case].is_refused or not passage.is_taken[k]:
                continue
            bits, (daily, lasting, sure) = each[0] | each[1], self._kinds(passage.of[k])
            if bits & sure:
                continue  # it is known already of which entries that is so
            entry = int(passage.trades[k, paths.ENTRY])
            until = entry + 1
            if bits & daily:
                ends = next_day_start(passage.decided[k], self._session.settings.account.timezone)
                until = int(self._place.searchsorted(self._instants.searchsorted(ends)))
            elif bits & lasting:
                until += self._run
            some = self.foreseen[entry:until]
            some[some == NOTHING] = GUESSED
        self._run = min(2 * self._run, MOST)

    def _guessed_wrong(self, entry: int) -> None:
        """An entry is approved after all: so, most likely, are those that were guessed together with it."""
        others = np.flatnonzero(self.foreseen[entry:] != GUESSED)
        self.foreseen[entry : entry + int(others[0]) if len(others) else None] = NOTHING
        self.foreseen[entry], self._run = NOTHING, 1

    def _kinds(self, terms: Terms) -> tuple[int, int, int]:
        """The bits of constraints that read what is of a day, of those that read the account or what it has done, and of those
        whose refusals are sure."""
        period = terms.strategy.period
        if period not in self._of_period:
            graph, policy = self._session.plan.graph, self._session.plan.policies[period]
            daily = lasting = 0
            for bit, constraint in enumerate(policy.constraints):
                facts = [fact_of(graph, leaf) for leaf in leaves_under(graph, policy.leaves, constraint.node)]
                daily |= any(fact and (fact[1] == TODAY or fact[0].endswith("day_start")) for fact in facts) << bit
                lasting |= any(fact and (is_past(fact) or fact[0] in _OF_ACCOUNT) for fact in facts) << bit
            self._of_period[period] = daily, lasting
        return *self._of_period[period], self._sure.get(terms.number, 0)

    def _foresee(self, passage: Passage, k: int, said: Said) -> None:
        """Looks for orders to come that are refused by what refused this one, where that reads the market alone."""
        terms, graph = passage.of[k], self._session.plan.graph
        policy = self._policy(terms)
        for bit in bits_of(said.failed | said.unknown):
            constraint = policy.constraints[bit]
            if (terms.number, bit) in self._asked or constraint.acts != "reject":
                continue
            self._asked.add((terms.number, bit))
            still, market = self._still(terms), [leaf for _, leaf in terms.moving if isinstance(leaf, int)]
            if not set(leaves_under(graph, policy.leaves, constraint.node)) <= {*still, *market}:
                continue
            first = int(passage.trades[k, paths.ENTRY]) + 1
            which = first + np.flatnonzero(self._way[first:] == terms.number)
            columns = {leaf: _of_market(self._view.values(leaf, terms.symbol, self._row[which])) for leaf in market}
            fails = Judging(graph, [constraint], still, market).fails(columns, len(which))
            self.foreseen[which[fails]] = SURE
            self._sure[terms.number] = self._sure.get(terms.number, 0) | 1 << bit


def _of_market(values: NDArray[np.float64]) -> Number:
    """What the market says, as `exact` has it: a whole number is what it is."""
    found = Number.of(np.where(np.isfinite(values), values, np.nan))
    is_whole = (np.rint(found.value) == found.value) & (np.abs(found.value) < EXACTLY) & ~found.missing
    return Number(found.value, np.where(is_whole, 0.0, found.error), found.missing)
