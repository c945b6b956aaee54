"""A dict and a list that count their changes, so that what was worked out from them is known to be out of date."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, SupportsIndex, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Tracked(dict[K, V]):
    """INVARIANT: every way of changing it raises `changes`."""

    __slots__ = ("changes",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.changes = 0

    def __setitem__(self, key: K, value: V) -> None:
        self.changes += 1
        super().__setitem__(key, value)

    def __delitem__(self, key: K) -> None:
        self.changes += 1
        super().__delitem__(key)

    def __ior__(self, other: Any) -> Tracked[K, V]:  # type: ignore[override,misc]
        self.changes += 1
        super().update(other)
        return self

    def pop(self, *args: Any) -> Any:
        self.changes += 1
        return super().pop(*args)

    def popitem(self) -> tuple[K, V]:
        self.changes += 1
        return super().popitem()

    def setdefault(self, *args: Any) -> Any:
        self.changes += 1
        return super().setdefault(*args)

    def update(self, *args: Any, **kwargs: Any) -> None:
        self.changes += 1
        super().update(*args, **kwargs)

    def clear(self) -> None:
        self.changes += 1
        super().clear()


class Listed(list[V]):
    """INVARIANT: every way of changing it raises `changes`."""

    __slots__ = ("changes",)

    def __init__(self, values: Iterable[V] = ()) -> None:
        super().__init__(values)
        self.changes = 0

    def __setitem__(self, *args: Any) -> None:
        self.changes += 1
        super().__setitem__(*args)

    def __delitem__(self, at: SupportsIndex | slice) -> None:
        self.changes += 1
        super().__delitem__(at)

    def __iadd__(self, values: Iterable[V]) -> Listed[V]:  # type: ignore[misc,override]
        self.changes += 1
        super().extend(values)
        return self

    def __imul__(self, times: SupportsIndex) -> Listed[V]:
        self.changes += 1
        super().__imul__(times)
        return self

    def append(self, value: V) -> None:
        self.changes += 1
        super().append(value)

    def extend(self, values: Iterable[V]) -> None:
        self.changes += 1
        super().extend(values)

    def insert(self, at: SupportsIndex, value: V) -> None:
        self.changes += 1
        super().insert(at, value)

    def remove(self, value: V) -> None:
        self.changes += 1
        super().remove(value)

    def pop(self, *args: Any) -> V:
        self.changes += 1
        return super().pop(*args)

    def clear(self) -> None:
        self.changes += 1
        super().clear()

    def sort(self, **how: Any) -> None:
        self.changes += 1
        super().sort(**how)

    def reverse(self) -> None:
        self.changes += 1
        super().reverse()
