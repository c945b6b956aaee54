"""Amounts from the currency that an instrument is priced in to the account's, exactly.

INVARIANT: at the rate 1 nothing is touched, not even how a number is written.
"""

from __future__ import annotations

from decimal import Decimal

from tb.engine.instant import EXACT

ONE = Decimal(1)


def converted(amount: Decimal | None, rate: Decimal | None) -> Decimal | None:
    """The amount in the account's currency; None where it or the rate is not known."""
    return None if amount is None or rate is None else at_rate(amount, rate)


def at_rate(amount: Decimal, rate: Decimal | None) -> Decimal:
    """The amount in the account's currency. A rate of None stands for an instrument that is priced in it."""
    return amount if rate is None or rate == ONE else EXACT.multiply(amount, rate)
