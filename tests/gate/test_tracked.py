"""A tracked dict is a dict, a tracked list is a list, and no change of either goes uncounted."""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable
from decimal import Decimal

import pytest

from tb.gate.account import Account
from tb.gate.tracked import Listed, Tracked

CHANGES: dict[str, Callable[[dict], object]] = {  # type: ignore[type-arg]
    "set": lambda d: d.__setitem__("a", 3),
    "delete": lambda d: d.__delitem__("a"),
    "pop": lambda d: d.pop("a"),
    "popitem": lambda d: d.popitem(),
    "setdefault": lambda d: d.setdefault("z", 1),
    "update": lambda d: d.update({"q": 1}, r=2),
    "clear": lambda d: d.clear(),
    "or": lambda d: d.__ior__({"q": 4}),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_every_change_counts_and_is_that_of_a_dict(change: Callable[[dict], object]) -> None:  # type: ignore[type-arg]
    plain, tracked = {"a": 1, "b": 2}, Tracked({"a": 1, "b": 2})
    before = tracked.changes
    assert change(tracked) == change(plain)
    assert (tracked, tracked.changes > before) == (plain, True)


def test_all_ways_to_change_a_dict_are_among_them() -> None:
    changing = {"__setitem__", "__delitem__", "__ior__", "pop", "popitem", "setdefault", "update", "clear"}
    reading = {"copy", "fromkeys", "get", "items", "keys", "values"}
    assert {name for name in vars(dict) if not name.startswith("__")} == {
        n for n in changing if not n.startswith("__")
    } | reading
    assert changing <= set(vars(Tracked))


LISTED: dict[str, Callable[[list], object]] = {  # type: ignore[type-arg]
    "set": lambda of: of.__setitem__(1, 9),
    "set slice": lambda of: of.__setitem__(slice(0, 2), [7]),
    "delete": lambda of: of.__delitem__(0),
    "delete slice": lambda of: of.__delitem__(slice(1, None)),
    "add": lambda of: of.__iadd__([4]),
    "repeat": lambda of: of.__imul__(2),
    "append": lambda of: of.append(5),
    "extend": lambda of: of.extend((5, 6)),
    "insert": lambda of: of.insert(1, 5),
    "insort": lambda of: insort(of, 2),
    "remove": lambda of: of.remove(3),
    "pop": lambda of: of.pop(),
    "pop first": lambda of: of.pop(0),
    "clear": lambda of: of.clear(),
    "sort": lambda of: of.sort(reverse=True),
    "reverse": lambda of: of.reverse(),
}


@pytest.mark.parametrize("change", LISTED.values(), ids=LISTED)
def test_every_change_counts_and_is_that_of_a_list(change: Callable[[list], object]) -> None:  # type: ignore[type-arg]
    plain, tracked = [1, 3, 4], Listed([1, 3, 4])
    before = tracked.changes
    assert change(tracked) == change(plain)
    assert (tracked, tracked.changes > before) == (plain, True)


def test_all_ways_to_change_a_list_are_among_them() -> None:
    changing = set("append clear extend insert pop remove reverse sort".split())
    assert {name for name in vars(list) if not name.startswith("__")} == changing | {"copy", "count", "index"}
    assert changing | {"__setitem__", "__delitem__", "__iadd__", "__imul__"} <= set(vars(Listed))


CHANGED: dict[str, Callable[[Account], object]] = {
    "fill": lambda a: a.fill("s", "BTC-USD", Decimal(1), Decimal(100), Decimal(0)),
    "mark": lambda a: a.mark("BTC-USD", Decimal(100)),
    "receive": lambda a: a.receive("s", Decimal(1)),
    "begin_day": lambda a: a.begin_day(5, 9),
    "close": lambda a: a.trade_closed(3, Decimal(-1), strategy="s", value=Decimal(10)),
    "order": lambda a: a.count_order(3, is_entry=True, strategy="s"),
    "new high": lambda a: (a.receive("s", Decimal(5)), a.observe(3)),
    "rebase": lambda a: a.rebase(),
    "a field": lambda a: setattr(a, "cash", Decimal(3)),
    "a new list": lambda a: setattr(a, "entry_times", Listed()),
    "a new dict": lambda a: setattr(a, "holdings", Tracked()),
}


@pytest.mark.parametrize("change", CHANGED.values(), ids=CHANGED)
def test_every_change_of_an_account_raises_its_version(change: Callable[[Account], object]) -> None:
    account = Account("USD", Decimal(1000))
    for at in range(4):
        account.count_order(at, is_entry=True, strategy="s")
        account.fill("s", "ETH-USD", Decimal(1), Decimal(100), Decimal(0))
    before = account.version
    change(account)
    assert account.version > before


def test_what_is_worked_out_about_an_account_changes_nothing() -> None:
    account = Account("USD", Decimal(1000))
    account.fill("s", "ETH-USD", Decimal(1), Decimal(100), Decimal(0))
    before = account.version
    found = account.equity(), account.gross(), account.held(), account.drawdown(), account.worst(["ETH-USD"])
    assert (found[0], account.version) == (Decimal(1000), before)


def test_a_change_of_the_whole_account_s_orders_is_one_of_its_books() -> None:
    account = Account("USD", Decimal(1000))
    account.open_book("main", Decimal("0.5"), ("s",))
    before = account.books["main"].account.version
    account.working.update({})
    assert account.books["main"].account.version > before
