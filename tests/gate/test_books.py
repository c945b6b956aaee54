"""Books are parts of an account: what happens to a strategy happens to its book, and the parts add up to the whole."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_facts import ORDER, fact, moment

from tb.gate.account import Account, Working
from tb.gate.facts import Moment
from tb.vocabulary.facts import FACTS, INTERNAL, OF_BOOK, of_book

D = Decimal
STRATEGIES = ("a", "b", "c")
INSTRUMENTS = ("BTC-USD", "ETH-USD")


def divided() -> Account:
    account = Account("USD", D(10_000))
    account.high_water = D(10_000)
    account.open_book("low", D("0.7"), ("a", "b"))
    account.open_book("high", D("0.2"), ("c",))
    return account


EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("fill"), st.sampled_from(STRATEGIES), st.sampled_from(INSTRUMENTS), st.integers(-8, 8).filter(bool)),
        st.tuples(st.just("mark"), st.sampled_from(STRATEGIES), st.sampled_from(INSTRUMENTS), st.integers(1, 200)),
        st.tuples(st.just("work"), st.sampled_from(STRATEGIES), st.sampled_from(INSTRUMENTS), st.integers(1, 8)),
        st.tuples(st.just("trade"), st.sampled_from(STRATEGIES), st.sampled_from(INSTRUMENTS), st.integers(-8, 8)),
    ),
    max_size=25,
)


@given(EVENTS)
@settings(max_examples=100)
def test_books_and_what_no_book_has_add_up_to_the_account(events: list[tuple[str, str, str, int]]) -> None:
    account = divided()
    for at, (what, strategy, instrument, number) in enumerate(events):
        match what:
            case "fill":
                account.fill(strategy, instrument, D(number) / 4, D(100 + at), D("0.5"))
            case "mark":
                account.mark(instrument, D(number))
            case "work":
                account.working[str(at)] = Working(str(at), instrument, 1, D(number), D(10), strategy)
                account.count_order(at, is_entry=True, strategy=strategy)
            case "trade":
                account.trade_closed(at, D(number), strategy=strategy, value=Decimal(100))
        account.observe(at)
        parts = [book.account for book in account.books.values()]
        assert account.equity() == sum((part.equity() or D(0) for part in parts), D(1_000))
        assert sum(len(part.entry_times) for part in parts) == len(account.entry_times)
        assert sum(len(part.underway()) for part in parts) == len(account.underway())
        for book in account.books.values():
            held = {key: holding for key, holding in account.holdings.items() if key[0] in book.strategies}
            assert book.account.holdings == held


def in_book(account: Account, name: str | None) -> Moment:
    at = moment(account)
    return Moment(**{**{f: getattr(at, f) for f in Moment.__slots__}, "book": None if name is None else account.books[name]})


def test_facts_of_a_book_leave_the_others_out() -> None:
    account = divided()
    account.fill("a", "BTC-USD", D(10), D(100), D(0))
    account.fill("c", "BTC-USD", D(4), D(100), D(0))
    account.working["w"] = Working("w", "ETH-USD", 1, D(3), D(100), "c")
    account.count_order(1, is_entry=True, strategy="c")
    account.trade_closed(1, D(-5), strategy="c", value=Decimal(100))
    account.mark("BTC-USD", D(110))
    account.observe(2)
    names = ("equity", "cash", "gross", "open_positions", "entries", "losses_in_a_row", "after.open_positions")
    window = {"entries": "3600000"}
    found = {
        book: [fact(of_book(name), window.get(name, ""), in_book(account, book)) for name in names] for book in ("low", "high")
    }
    assert found == {"low": [7100, 6000, 1100, 1, 0, 0, 1], "high": [2040, 1600, 440, 1, 1, 1, 2]}
    # the order of the moment: 2 BTC at 100
    exposures = [fact("after.exposure of book", "order.instrument", in_book(account, book)) for book in ("low", "high")]
    assert exposures == [1300, 640]
    assert [fact("after.gross of book", "", in_book(account, book)) for book in ("low", "high")] == [1300, 940]
    assert fact("after.gross", "", in_book(account, "low")) == 2040
    assert fact("order.book", "", in_book(account, "low")) == "low"


@pytest.mark.parametrize("name", OF_BOOK)
def test_without_a_book_everything_of_a_book_is_unknown(name: str) -> None:
    argument = "today" if name in {"loss", "entries", "orders"} else "order.instrument" if "exposure" in name else ""
    assert fact(of_book(name), argument, in_book(divided(), None)) is None


def test_a_days_loss_is_that_of_the_book() -> None:
    account = divided()
    account.fill("c", "BTC-USD", D(10), D(100), D(0))
    account.begin_day(0, 86_400_000)
    account.mark("BTC-USD", D(80))
    losses = [fact("loss of book", "today", in_book(account, book)) for book in ("low", "high")]
    assert losses == [0, 200]
    assert fact("equity at day_start of book", "", in_book(account, "high")) == 2_000
    assert fact("drawdown of book", "", in_book(account, "high")) == D("0.1")
    account.mark("BTC-USD", None)
    assert fact("loss of book", "today", in_book(account, "high")) is None
    assert fact("equity of book", "", in_book(account, "low")) == 7_000  # it holds nothing of unknown price


def test_every_fact_of_a_book_is_one_of_the_account() -> None:
    assert all(of_book(name) in FACTS and FACTS[of_book(name)].unit == FACTS[name].unit for name in OF_BOOK)
    assert all((of_book(name) in INTERNAL) == (name in INTERNAL) for name in OF_BOOK)
    assert ORDER.strategy == "a"
