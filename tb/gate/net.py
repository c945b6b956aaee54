"""Net exposure of the book in the worst case: what enters and leaves together counts as one sum."""

from __future__ import annotations

from decimal import Decimal

from tb.engine.instant import EXACT
from tb.gate.account import ZERO, Account


def net_sides(account: Account, without: str) -> tuple[Decimal, Decimal] | None:
    """Long and short sides of the whole book, worst case; what entered together, and so leaves together, counts as one sum.

    `without` names a group that is not counted. None where a price is not known.
    """
    changes = account.changes + (account.whole or account).together.changes
    if account.kept.net is None or account.kept.net[:2] != (changes, without):
        account.kept.net = (changes, without, _net_sides(account, without))
    return account.kept.net[2]


def _net_sides(account: Account, without: str) -> tuple[Decimal, Decimal] | None:
    sums: dict[str, Decimal] = {}
    groups = account.together if account.whole is None else account.whole.together
    for (strategy, instrument), holding in account.holdings.items():
        mark = account.marks.get(instrument)
        key = groups.get((strategy, instrument), f"{strategy} {instrument}")
        if key != without:
            if mark is None:
                return None
            sums[key] = EXACT.add(sums.get(key, ZERO), EXACT.multiply(holding.quantity, mark))
    for order in account.underway():
        key = order.group or f"order {order.order}"
        if key != without:
            sums[key] = EXACT.add(sums.get(key, ZERO), order.sign * order.value)
    long = short = ZERO
    for total in sums.values():
        long, short = (EXACT.add(long, total), short) if total > 0 else (long, EXACT.add(short, total))
    return long, short
