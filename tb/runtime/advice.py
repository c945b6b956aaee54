"""Asking advisors about the proposals of one instant, within their budgets, and what comes of their answers.

1. Proposals are asked about in their order, advisors in theirs; after a veto nobody else is asked.
2. A call beyond the budget of calls or of cost is not made. What a call costs must be known where there is a budget for it;
   a cost below nothing is not known, since it would fill the budget up again.
3. No answer, for whatever reason - over budget, nothing said, late, not readable - is what the advisor's `otherwise` says.
4. An adjustment is cut to its bound; one that is not allowed, and a veto that is not allowed, change nothing and are noted.

Each question and what came of it goes into the decision's record. An answer never makes an order, and never enlarges its bound.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Literal

from tb.core.records import Advice, Decision
from tb.dsl.checked_capital import Advisor
from tb.engine.instant import EXACT
from tb.gate.advice import CONFIDENCE, CONVICTION, advised
from tb.runtime.drafts import Draft
from tb.runtime.ports import Adviser, Answer, Question

ZERO = Decimal(0)
# why a call was not made
OVER_CALLS, OVER_COST = "over its budget of calls", "over its budget of cost"
NOBODY, NO_COST = "nobody to ask", "what a call costs is not known"
NOT_MADE = frozenset({OVER_CALLS, OVER_COST, NOBODY, NO_COST})
Outcome = Literal["agree", "adjust", "veto", "abstain"]


@dataclass(slots=True)
class Asking:
    """The advisors of one session. `calls` holds the instants at which each was asked, `spent` the cost of calls at `cycle`."""

    advisors: Sequence[Advisor]
    source: Adviser | None
    calls: dict[str, list[int]] = field(default_factory=dict)
    cycle: int | None = None
    spent: dict[str, Decimal] = field(default_factory=dict)

    def advise(self, drafts: Sequence[Draft], at: int) -> list[Draft]:
        """The drafts of one instant with the advice on each, and confidence and conviction as it leaves them.

        Legs are asked about one by one, and one that is vetoed refuses all.
        """
        if at != self.cycle:
            self.cycle, self.spent = at, {}
        found = []
        for draft in drafts:
            legs = tuple(self._advised(leg, at) for leg in draft.legs)
            found.append(replace(legs[0], legs=legs) if legs else self._advised(draft, at))
        return found

    def recall(self, decisions: Iterable[Decision]) -> None:
        """Counts the calls that were made for earlier decisions."""
        for decision in decisions:
            for said in decision.advice:
                if said.why not in NOT_MADE:
                    insort(self.calls.setdefault(said.advisor, []), decision.at)

    def _advised(self, draft: Draft, at: int) -> Draft:
        proposal = draft.proposal
        advice: list[Advice] = []
        for advisor in self.advisors:
            question = Question(
                at=at,
                advisor=advisor.name,
                strategy=proposal.strategy,
                instrument=proposal.instrument,
                side="buy" if proposal.sign > 0 else "sell",
                confidence=advised(proposal.confidence, advice, CONFIDENCE),
                conviction=advised(proposal.conviction, advice, CONVICTION),
                reason=draft.reason,
            )
            said = self._ask(advisor, question)
            advice.append(said)
            if said.outcome == "veto":
                break
        vetoed = next((said.advisor for said in advice if said.outcome == "veto"), None)
        told = replace(
            proposal,
            confidence=advised(proposal.confidence, advice, CONFIDENCE),
            conviction=advised(proposal.conviction, advice, CONVICTION),
            vetoed_by=vetoed,
        )
        return replace(draft, proposal=told, advice=tuple(advice))

    def _ask(self, advisor: Advisor, question: Question) -> Advice:
        made = self.calls.setdefault(advisor.name, [])
        if advisor.calls is not None and len(made) - bisect_right(made, question.at - advisor.per) >= advisor.calls:
            return _silent(advisor, OVER_CALLS)
        if self.source is None:
            return _silent(advisor, NOBODY)
        most, spent = _known_cost(self.source.cost(question)), self.spent.get(advisor.name, ZERO)
        if advisor.cost is not None and most is None:
            return _silent(advisor, NO_COST)
        if advisor.cost is not None and spent + (most or ZERO) > advisor.cost:
            return _silent(advisor, OVER_COST)
        made.append(question.at)
        self.spent[advisor.name] = EXACT.add(spent, most or ZERO)
        return taken(advisor, self.source.ask(question, advisor.within), most)


def _known_cost(told: Decimal | None) -> Decimal | None:
    """What a call costs, None where what is told of it cannot be: below nothing, without end, or no number."""
    return told if told is not None and told.is_finite() and told >= 0 else None


def taken(advisor: Advisor, answer: Answer | None, cost: Decimal | None) -> Advice:
    """What an answer comes to."""
    if answer is None:
        return _silent(advisor, "no answer", cost=cost)
    late = answer.latency is None or answer.latency > advisor.within
    if late or answer.problem:
        return _silent(advisor, answer.problem or "late", cost=cost, answer=answer)
    remarks = []
    if answer.veto and advisor.veto:
        return _advice(advisor, "veto", "", answer, cost, ZERO)
    if answer.veto:
        remarks.append("a veto it may not have")
    wanted = answer.adjust or ZERO
    if wanted and advisor.adjust is None:
        remarks.append("an adjustment it may not make")
        wanted = ZERO
    bound = advisor.adjust or ZERO
    applied = min(bound, max(-bound, wanted))
    if applied != wanted:
        remarks.append(f"cut from {wanted}")
    return _advice(advisor, "adjust" if applied else "agree", ", ".join(remarks), answer, cost, applied)


def _silent(advisor: Advisor, why: str, *, cost: Decimal | None = None, answer: Answer | None = None) -> Advice:
    return _advice(advisor, "veto" if advisor.late == "veto" else "abstain", why, answer, cost, ZERO)


def _advice(
    advisor: Advisor, outcome: Outcome, why: str, answer: Answer | None, cost: Decimal | None, adjust: Decimal
) -> Advice:
    return Advice(
        advisor=advisor.name,
        outcome=outcome,
        why=why,
        adjust=adjust,
        note="" if answer is None else answer.note,
        latency=None if answer is None else answer.latency,
        cost=cost,
    )
