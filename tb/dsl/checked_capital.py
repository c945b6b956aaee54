"""Checked capital: which part of it belongs to whom, and who has to agree before it is used."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Context, Decimal

from tb.core.records import Ballot
from tb.core.span import Span

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
class Capital:
    """What a project says about its capital. Nothing said is one capital for all, and no votes."""

    books: tuple[Book, ...] = ()
    council: Council | None = None

    def book_of(self, strategy: str) -> Book | None:
        return next((book for book in self.books if strategy in book.strategies), None)
