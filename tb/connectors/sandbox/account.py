"""What the account has of each currency: in all, and held by open orders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

ZERO = Decimal(0)


@dataclass(slots=True)
class Account:
    """INVARIANT: held is never negative; nothing is held beyond what is there when it is held."""

    total: dict[str, Decimal]
    held: dict[str, Decimal] = field(default_factory=dict)
    began: Mapping[str, Decimal] = field(init=False)

    def __post_init__(self) -> None:
        self.began = dict(self.total)

    @property
    def currencies(self) -> list[str]:
        return sorted(self.total)

    def available(self, currency: str) -> Decimal:
        return self.total.get(currency, ZERO) - self.held.get(currency, ZERO)

    def holds(self, currency: str, amount: Decimal) -> bool:
        """Holds an amount where it is available."""
        if amount > self.available(currency):
            return False
        self.held[currency] = self.held.get(currency, ZERO) + amount
        return True

    def release(self, currency: str, amount: Decimal) -> None:
        if amount:
            self.held[currency] = max(self.held.get(currency, ZERO) - amount, ZERO)

    def add(self, currency: str, amount: Decimal) -> None:
        self.total[currency] = self.total.get(currency, ZERO) + amount

    def gained(self, currency: str) -> Decimal:
        """What there is beyond what there was at first."""
        return self.total.get(currency, ZERO) - self.began.get(currency, ZERO)
