"""Checked capital: which part of it belongs to whom."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from tb.core.span import Span


@dataclass(frozen=True, slots=True)
class Book:
    """A part of the capital, with the strategies that trade it. `leverage` is gross exposure over its equity at most."""

    name: str
    share: Decimal
    strategies: tuple[str, ...]
    leverage: Decimal
    span: Span


@dataclass(frozen=True, slots=True)
class Capital:
    """What a project says about its capital. Nothing said is one capital for all."""

    books: tuple[Book, ...] = ()

    def book_of(self, strategy: str) -> Book | None:
        return next((book for book in self.books if strategy in book.strategies), None)
