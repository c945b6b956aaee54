"""A tracked dict is a dict, and no change of it goes uncounted."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tb.gate.tracked import Tracked

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
