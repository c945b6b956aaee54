"""Checked capital: which part of it belongs to whom, and who has to agree before it is used."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Context, Decimal

from tb.core.records import Ballot
from tb.core.span import Span

CORRELATION_BARS = 100  # closed bars over which returns are compared
_EXACT = Context(prec=28, traps=[])


@dataclass(frozen=True, slots=True)
class Book:
    """A part of the capital, with the strategies that trade it. `leverage` is gross exposure over its equity at most."""

    name: str
    share: Decimal
    strategies: tuple[str, ...]
    leverage: Decimal
    span: Span


@dataclass(frozen=True, slots=True)
class Vote:
    """A strategy of the council and the weight of its vote."""

    strategy: str
    weight: Decimal


@dataclass(frozen=True, slots=True)
class Council:
    """Strategies that vote; `share` of the weight has to be for an order, more than that where `is_strict`."""

    votes: tuple[Vote, ...]
    is_strict: bool
    share: Decimal
    span: Span

    @property
    def members(self) -> tuple[str, ...]:
        return tuple(vote.strategy for vote in self.votes)

    def weight(self, strategy: str) -> Decimal:
        return next((vote.weight for vote in self.votes if vote.strategy == strategy), Decimal(0))

    def share_for(self, ballots: Iterable[Ballot]) -> Decimal | None:
        """The weight that is for it over the weight of all who were asked; None where nobody was."""
        given = [(self.weight(ballot.strategy), ballot.says) for ballot in ballots]
        whole = sum((weight for weight, _ in given), Decimal(0))
        approving = sum((weight for weight, says in given if says == "for"), Decimal(0))
        return _EXACT.divide(approving, whole) if whole else None


@dataclass(frozen=True, slots=True)
class Allocation:
    """Sizes by Kelly: `fraction` of Kelly's share from a strategy's last `trades`, and at most `most_each` of equity.

    Instruments whose returns correlate above `correlation` share one allocation; None where each has its own.
    """

    fraction: Decimal
    trades: int
    most_each: Decimal
    correlation: Decimal | None
    span: Span

    def is_one(self, correlation: float | None) -> bool:
        """Whether two instruments count as one. Where it is not known how like they are, they do."""
        return self.correlation is not None and (correlation is None or Decimal(repr(correlation)) > self.correlation)


@dataclass(frozen=True, slots=True)
class Advisor:
    """A model or a person who is asked about proposals. `adjust` is a part of the scale of conviction, None where it may not.

    At most `calls` in any `per` ms, `cost` at one instant, an answer within `within` ms; `late` is what no answer means.
    """

    name: str
    adjust: Decimal | None
    veto: bool
    calls: int | None
    per: int
    cost: Decimal | None
    within: int
    late: str  # "abstain" or "veto"
    doc: str
    span: Span


@dataclass(frozen=True, slots=True)
class Capital:
    """What a project says about its capital. Nothing said is one capital for all, no votes, and sizes as they are written."""

    books: tuple[Book, ...] = ()
    council: Council | None = None
    allocation: Allocation | None = None
    advisors: tuple[Advisor, ...] = ()

    def book_of(self, strategy: str) -> Book | None:
        return next((book for book in self.books if strategy in book.strategies), None)
