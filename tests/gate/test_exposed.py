"""What an account is exposed to is worked out anew only where it changed, and comes to what working out everything gives."""

from __future__ import annotations

from decimal import Decimal
from random import Random

from hypothesis import given
from hypothesis import strategies as st
from moments import Life

from tb.gate.account import Account, Holding, Working
from tb.gate.exposed import exposed
from tb.gate.tracked import Tracked


def worked_out(account: Account) -> tuple[object, ...]:
    values = [
        None if (mark := account.marks.get(one.instrument)) is None else one.quantity * mark
        for one in account.holdings.values()
    ]
    anew = exposed(account)
    return list(map(str, values)), anew.held, anew.engaged, str(anew.sides), str(anew.worst)


def kept(account: Account) -> tuple[object, ...]:
    found = account.exposed()
    return list(map(str, account.values())), found.held, found.engaged, str(found.sides), str(found.worst)


@given(st.integers(0, 10**9), st.integers(1, 4))
def test_what_is_kept_is_what_is_worked_out(seed: int, looks: int) -> None:
    life = Life(Random(seed))
    accounts = [life.account, *(book.account for book in life.account.books.values())]
    for _ in range(25):
        for _ in range(looks):
            life.live()
        for account in accounts:
            assert kept(account) == worked_out(account)


def test_a_price_changes_the_sides_of_its_instrument_alone() -> None:
    account = Account("USD", Decimal(1_000))
    for symbol in ("A", "B"):
        account.fill("s", symbol, Decimal(2), Decimal(10), Decimal(0))
    before = dict(account.exposed().sides)
    account.mark("A", Decimal(11))
    after = account.exposed().sides
    assert after == {"A": (Decimal(22), Decimal(0)), "B": (Decimal(20), Decimal(0))}
    assert after["B"] is before["B"]
    account.mark("A", None)
    assert account.exposed().sides["A"] is None
    assert account.exposed().without("B") is None
    account.mark("A", Decimal(12))
    assert account.exposed().without("B") == 24


def test_holdings_that_are_put_in_the_place_of_others_are_seen() -> None:
    account = Account("USD", Decimal(1_000))
    account.fill("s", "A", Decimal(2), Decimal(10), Decimal(0))
    account.open_book("b", Decimal("0.5"), ("s",))
    assert account.exposed().held == ("A",)
    other: Tracked[tuple[str, str], Holding] = Tracked()
    other["s", "B"] = Holding("s", "B", Decimal(3))
    account.marks["B"] = Decimal(5)
    assert account.exposed().held == ("A",)
    account.holdings = other
    assert account.exposed().held == ("B",)
    assert account.values() == [Decimal(15)]


def test_what_somebody_reads_stays_as_it_was() -> None:
    """Another thread may be in the middle of it."""
    account = Account("USD", Decimal(1_000))
    account.fill("s", "A", Decimal(2), Decimal(10), Decimal(0))
    found, values = account.exposed(), account.values()
    told = str((found.sides, found.worst, found.engaged, list(values)))
    account.mark("A", Decimal(11))
    account.working["w"] = Working("w", "B", 1, Decimal(1), Decimal(5), "s")
    assert account.exposed().engaged == ("A", "B")
    assert account.exposed().sides["A"] == (Decimal(22), Decimal(0))
    assert str((found.sides, found.worst, found.engaged, list(values))) == told
