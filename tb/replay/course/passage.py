"""What one course came to: its trades in columns, before anything is recorded or booked."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tb.engine.graph import RuleGraph
from tb.engine.instant import Exact, exact
from tb.engine.say import say
from tb.replay.course import paths
from tb.replay.course.chain import Chain
from tb.replay.course.days import Days, days_of
from tb.replay.course.facts import Fact
from tb.replay.course.judged import PASSED, Said
from tb.replay.course.numbers import Numbers
from tb.replay.course.terms import Terms
from tb.runtime.view import RecordedView

if TYPE_CHECKING:
    from tb.replay.course.past import Past

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

OF_ORDERS = {
    "order.quantity": "quantity",
    "order.price": "price",
    "order.stop": "stop",
    "order.target": "target",
    "order.intended": "intended",
    "equity": "before",
    "cash": "before",
    "margin_free": "before",
}


@dataclass
class Prices:
    """The bars of all instruments, one after the other. `apart` is the place of each close among the instants, empty where
    these are the closes, one for one."""

    time: Ints
    apart: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    rows: Ints

    def place(self, bars: Ints) -> Ints:
        """The places of the closes of some bars among the instants."""
        return self.apart[bars] if len(self.apart) else bars

    @cached_property
    def where(self) -> Ints:
        """Those of all."""
        return self.apart if len(self.apart) else np.arange(len(self.time), dtype=np.int64)


def taken_of(trades: Ints) -> NDArray[np.bool_]:
    """Which rows of `paths.walk` are trades, and not orders that are refused."""
    found: NDArray[np.bool_] = trades[:, paths.CLOSED] >= trades[:, paths.FILLED]
    return found


@dataclass
class Passage:
    """`way` and `deciding` are the number of the terms of each trade and the row of the bar that decided it; `trades` as
    `paths.walk` wrote them, `seen` its excursions. `still` are, for each number of terms, what the gate reads besides what
    moves. An order that is refused is a row that is closed before it is filled: it moves no cash.

    `said[case[k]]` is what the gate says of order k."""

    view: RecordedView
    instants: Ints
    prices: Prices
    listed: Sequence[Terms]
    way: Ints
    deciding: Ints
    trades: Ints
    seen: Floats
    chain: Chain
    still: dict[int, Sequence[Exact]]
    first_decision: int
    first_trade: int
    case: Ints
    said: Sequence[Said] = (PASSED,)
    days: Days = field(default_factory=lambda: days_of([]))
    past: Past | None = None  # of the course that this is a part of, from the trade numbered `since` on
    since: int = 0
    orders: Ints | None = None  # of trades without orders that were refused: their places among all

    def __len__(self) -> int:
        return len(self.way)

    def part(self, begin: int, end: int) -> Passage:
        """The trades from one to before another."""
        return Passage(
            self.view,
            self.instants,
            self.prices,
            self.listed,
            self.way[begin:end],
            self.deciding[begin:end],
            self.trades[begin:end],
            self.seen[begin:end],
            self.chain.part(begin, end),
            self.still,
            self.first_decision + begin,
            self.first_trade + int(np.count_nonzero(self.is_taken[:begin])),
            self.case[begin:end],
            self.said,
            self.days.part(begin, end),
            self.past,
            self.since + begin,
        )

    def copied(self) -> Passage:
        """The same, and nothing of the arrays that it is a part of."""
        names = ("way", "deciding", "trades", "seen", "case")
        columns = {name: getattr(self, name).copy() for name in names}
        return replace(self, chain=self.chain.at(np.arange(len(self))), **columns)

    @classmethod
    def joined(cls, parts: Sequence[Passage]) -> Passage:
        """Passages that follow one another as one, without days and past."""
        first = parts[0]
        return cls(
            first.view,
            first.instants,
            first.prices,
            first.listed,
            np.concatenate([one.way for one in parts]),
            np.concatenate([one.deciding for one in parts]),
            np.concatenate([one.trades for one in parts]),
            np.concatenate([one.seen for one in parts]),
            Chain.joined([one.chain for one in parts]),
            first.still,
            first.first_decision,
            first.first_trade,
            np.concatenate([one.case for one in parts]),
            first.said,
        )

    # --- orders and trades -------------------------------------------------------------------------------------------

    @cached_property
    def is_taken(self) -> NDArray[np.bool_]:
        """Whether an order is approved, and so a trade."""
        return taken_of(self.trades)

    @cached_property
    def which(self) -> Ints:
        """Those that are."""
        return np.flatnonzero(self.is_taken)

    @cached_property
    def numbers(self) -> list[int]:
        """Of each order, the number of the trade that it is, or that the next one would be."""
        return (self.first_trade + np.cumsum(self.is_taken) - self.is_taken).tolist()  # type: ignore[no-any-return]

    @property
    def alone(self) -> Passage:
        """The trades without orders that were refused; only what is of a trade itself is asked of it."""
        return self if len(self.which) == len(self) else self._some_alone  # what keeps itself is not let go of

    @cached_property
    def _some_alone(self) -> Passage:
        which = self.which
        return Passage(
            self.view,
            self.instants,
            self.prices,
            self.listed,
            self.way[which],
            self.deciding[which],
            self.trades[which],
            self.seen[which],
            self.chain.at(which),
            self.still,
            self.first_decision,
            self.first_trade,
            self.case[which],
            self.said,
            orders=which,
        )

    @cached_property
    def of(self) -> list[Terms]:
        """The terms of each trade."""
        return list(map(self.listed.__getitem__, self.way.tolist()))

    @cached_property
    def rows(self) -> list[int]:
        return self.deciding.tolist()  # type: ignore[no-any-return]

    @cached_property
    def columns(self) -> list[list[int]]:
        """The trades' whole numbers, by column."""
        return [column.tolist() for column in self.trades.T]

    @cached_property
    def decided(self) -> list[int]:
        """The instant of each decision."""
        return self.instants[self.trades[:, paths.DECIDED]].tolist()  # type: ignore[no-any-return]

    @cached_property
    def ends(self) -> Ints:
        """The place of the close of each exit's bar."""
        return self.prices.place(self.trades[:, paths.CLOSED])

    @cached_property
    def out(self) -> list[int]:
        """The same as a list."""
        return self.ends.tolist()  # type: ignore[no-any-return]

    @cached_property
    def leaving(self) -> Ints:
        """The instant of each exit's fill: inside its bar, which is known at its close, or at the open beyond the level."""
        bar, gapped = self.trades[:, paths.CLOSED], self.trades[:, paths.GAPPED] != 0
        return np.where(gapped, self.prices.time[bar], self.instants[self.ends])

    @cached_property
    def left(self) -> list[int]:
        """The same as a list."""
        return self.leaving.tolist()  # type: ignore[no-any-return]

    def leave_out(self, k: int) -> None:
        """An order that was a trade is refused."""
        self.chain.leave_out(k)
        paths.leave_out(self.trades[k])
        for name in ("is_taken", "which"):
            vars(self).pop(name, None)

    @property
    def is_any_refused(self) -> bool:
        return len(self.which) < len(self)

    def verdict(self, k: int) -> Said:
        """What the gate says of an order."""
        return self.said[int(self.case[k])]

    @property
    def terms(self) -> Terms | None:
        """Those of all trades, where they are the same."""
        return self.listed[int(self.way[0])] if bool((self.way == self.way[0]).all()) else None

    def value(self, k: int, node: int) -> float | None:
        return self.view.value(node, self.of[k].symbol, self.rows[k])

    def confidence(self, k: int) -> float | None:
        node = self.of[k].enter.confidence
        return None if node is None else self.value(k, node)

    def reason(self, k: int, graph: RuleGraph) -> str:
        return say(graph, self.of[k].enter.because, lambda node: self.value(k, node))

    def facts(self, fact: str | Fact) -> Numbers | Sequence[Exact]:
        """A fact that is another one for each order."""
        if not isinstance(fact, str):
            assert self.past is not None
            return self.past.exactly(fact)[self.since : self.since + len(self)]
        chain, named = self.chain, OF_ORDERS.get(fact)
        if named is not None:
            found: Numbers = getattr(chain, named)
            return found
        if fact != "order.confidence":
            raise KeyError(fact)
        return [exact(self.confidence(k)) for k in range(len(chain))]

    def moved(self, fact: str) -> Floats:
        """The same in floats, each next to it at most; NaN where it is not known."""
        named = OF_ORDERS.get(fact)
        if named is not None:
            found: Floats = getattr(self.chain, named).floats
            return found
        return np.array([np.nan if one is None else float(one) for one in self.facts(fact)])

    def moving(self, fact: str | Fact, k: int) -> Exact:
        """The same of one order."""
        if not isinstance(fact, str):
            assert self.past is not None
            return self.past.one(fact, self.since + k)
        if fact == "order.confidence":
            return exact(self.confidence(k))
        found: Exact = getattr(self.chain, OF_ORDERS[fact]).one(k)
        return found

    def inputs(self, k: int) -> list[Exact]:
        """What the gate reads for an order, in its order."""
        terms, found = self.of[k], list(self.still[self.of[k].number])
        for at, leaf in terms.moving:
            found[at] = exact(self.value(k, leaf)) if isinstance(leaf, int) else self.moving(leaf, k)
        return found

    def held_value(self, k: int, place: int) -> Decimal | None:
        """The close that a trade is held over at a place."""
        first, last = self.columns[paths.FILLED][k], self.columns[paths.CLOSED][k]
        bar = bisect_right(self.prices.where.data, place, first, last + 1) - 1
        return exact(float(self.prices.close[bar]))
