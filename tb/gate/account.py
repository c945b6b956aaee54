"""The account as constraints see it: cash, positions, working orders, counts, and what equity has been.

Everything is exact. A held instrument whose last price is unknown makes equity unknown, and with it every limit that is a share
of equity: unknown denies. Times are the instants of events; there is no clock here.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec
import numpy as np

from tb.engine.instant import EXACT
from tb.gate.activity import Activity, SentOrder
from tb.gate.conversion import ONE, at_rate
from tb.gate.exposed import Exposed, exposed
from tb.gate.history import Equity, EquityHistory, Floats, HeldThrough, Stretch
from tb.gate.tracked import Listed, Tracked

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Holding:
    """What one strategy holds of one instrument; `quantity` is signed."""

    strategy: str
    instrument: str
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Working:
    """An approved order that adds risk and has not filled yet. `group` names the legs that fill with it, if any; `rate` is what
    the currency of its price is worth: as it was approved, then at each close (`Settling.revalue`)."""

    order: str
    instrument: str
    sign: int
    quantity: Decimal
    price: Decimal
    strategy: str
    group: str = ""
    rate: Decimal | None = ONE
    value: Decimal = field(init=False, repr=False, compare=False)  # in the account's currency

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", at_rate(EXACT.multiply(self.quantity, self.price), self.rate))


@dataclass(frozen=True, slots=True)
class Book:
    """A part of an account with capital of its own: what its strategies hold and have made. `account` is that part."""

    name: str
    strategies: tuple[str, ...]
    account: Account


def _value(holding: tuple[str, Decimal], mark: Decimal | None) -> Decimal | None:
    return None if mark is None else EXACT.multiply(holding[1], mark)


@dataclass(slots=True)
class Kept:
    """What was worked out about an account, as long as nothing changes."""

    equity: Decimal | None = None
    is_summed: bool = False
    net: tuple[int, str, tuple[Decimal, Decimal] | None] | None = None  # `tb.gate.net`
    valued: _Valued | None = None
    # after so many changes of holdings, of orders on their way, of marks
    exposed: tuple[tuple[int, int, int], Exposed] | None = None
    held: tuple[int, tuple[str, ...]] | None = None  # after so many changes of holdings
    through: tuple[tuple[int, int], HeldThrough] | None = None  # after so many fields written and changes of holdings
    floats: tuple[HeldThrough, Floats] | None = None  # of a stretch


class _Valued(msgspec.Struct, frozen=True, eq=False, gc=False):
    """The value of each holding, after so many changes of the holdings and of the marks."""

    held: int
    marked: int
    holdings: Sequence[tuple[str, Decimal]]  # instrument and quantity
    marks: Sequence[Decimal | None]
    values: Sequence[Decimal | None]


@dataclass(slots=True)
class Account:
    """One account. Change it through its methods only: they keep the high-water mark, the counts and the books.

    Books follow from the same events: what happens to a strategy happens to its book too. INVARIANT: whatever changes cash,
    holdings, working orders, marks, counts, the day or the high-water mark raises `version`, and nothing lowers it.
    """

    currency: str
    cash: Decimal
    day_starts: int = 0  # of the trading day in progress
    day_ends: int = 0
    equity_at_day_start: Decimal | None = None
    high_water: Decimal | None = None
    holdings: Tracked[tuple[str, str], Holding] = field(default_factory=Tracked)
    working: Tracked[str, Working] = field(default_factory=Tracked)
    together: Tracked[tuple[str, str], str] = field(default_factory=Tracked)  # the group of each holding that is a leg
    marks: Tracked[str, Decimal | None] = field(default_factory=Tracked)
    entry_times: Listed[int] = field(default_factory=Listed)
    order_times: Listed[int] = field(default_factory=Listed)
    losses_in_a_row: int = 0
    last_loss: int | None = None
    history: EquityHistory = field(default_factory=EquityHistory.empty)  # equity at the closes seen
    activity: Activity = field(default_factory=Activity)  # of the whole account
    returns: dict[str, list[Decimal]] = field(default_factory=dict)  # of closed trades by strategy, over their entry's value
    books: dict[str, Book] = field(default_factory=dict)  # by name
    whole: Account | None = field(default=None, repr=False, compare=False)  # of a book: the account it is a part of
    strategies: tuple[str, ...] = ()  # of a book: its strategies
    kept: Kept = field(default_factory=Kept, repr=False, compare=False)
    _written: int = field(default=0, repr=False, compare=False)  # how often a field was

    def __setattr__(self, name: str, value: Any) -> None:
        before = getattr(self, name, None)
        object.__setattr__(self, name, value)
        if name != "_written":
            lost = 0
            if isinstance(before, Tracked | Listed):  # the new one counts its changes anew
                lost = before.changes
                for account in (self, *(book.account for book in self.books.values())):
                    object.__setattr__(account, "kept", Kept())
            object.__setattr__(self, "_written", getattr(self, "_written", 0) + 1 + lost)

    @property
    def version(self) -> int:
        """Rises with whatever changes, but for the history of equity, activity and returns."""
        working = (self.whole or self).working.changes
        counts = self.entry_times.changes + self.order_times.changes
        return self._written + self.holdings.changes + self.marks.changes + working + counts

    # --- books -----------------------------------------------------------------------------------------------------

    def open_book(self, name: str, share: Decimal, strategies: tuple[str, ...]) -> None:
        """Sets a share of the cash apart for a book, before anything is traded."""
        part = Account(self.currency, EXACT.multiply(self.cash, share), whole=self, strategies=strategies)
        part.high_water = part.cash
        self.books[name] = Book(name, strategies, part)

    def book_of(self, strategy: str) -> Book | None:
        return next((book for book in self.books.values() if strategy in book.strategies), None)

    def capital_of(self, strategy: str) -> Account:
        """What a strategy's sizes are shares of: its book, or the whole account where there are no books."""
        book = self.book_of(strategy)
        return self if book is None else book.account

    def _parts(self, strategy: str) -> tuple[Account, ...]:
        book = self.book_of(strategy)
        return () if book is None else (book.account,)

    def underway(self) -> tuple[Working, ...]:
        """Approved orders that have not filled yet; a book's are those of its strategies."""
        if self.whole is None:
            return tuple(self.working.values())
        return tuple(order for order in self.whole.working.values() if order.strategy in self.strategies)

    # --- what is held ----------------------------------------------------------------------------------------------

    def position(self, instrument: str) -> Decimal:
        """Net quantity over all strategies."""
        total = ZERO
        for holding in self.holdings.values():
            if holding.instrument == instrument:
                total = EXACT.add(total, holding.quantity)
        return total

    @property
    def changes(self) -> int:
        """Rises whenever what is held, on its way or marked changes."""
        return self.holdings.changes + self.marks.changes + (self.whole or self).working.changes

    def exposed(self) -> Exposed:
        """What the account is exposed to, until it changes."""
        kept, now = self.kept, (self.holdings.changes, (self.whole or self).working.changes, self.marks.changes)
        if kept.exposed is None:
            found: Exposed | None = None
        else:
            before, found = kept.exposed
            if now == before:
                return found
            if now[0] != before[0]:
                found = None
            elif now[1] != before[1]:
                found = found.grown(self.underway())
            if found is not None and now[2] != before[2]:
                found = found.at(self.values())
        if found is None:
            found = exposed(self)
        kept.exposed = now, found
        return found

    def values(self) -> Sequence[Decimal | None]:
        """The value of each holding at its last price, None where that is unknown, in the order of `holdings`."""
        held, marked, before = self.holdings.changes, self.marks.changes, self.kept.valued
        if before is not None and before.held == held:
            if before.marked == marked:
                return before.values
            holdings, marks, values = before.holdings, list(before.marks), list(before.values)
            mark_of = self.marks.get
            for at, holding in enumerate(holdings):
                mark = mark_of(holding[0])
                if mark is not marks[at]:
                    marks[at], values[at] = mark, _value(holding, mark)
        else:
            holdings = [(holding.instrument, holding.quantity) for holding in self.holdings.values()]
            marks = [self.marks.get(name) for name, _ in holdings]
            values = list(map(_value, holdings, marks))
        self.kept.valued = _Valued(held, marked, holdings, marks, values)
        return values

    def held(self) -> tuple[str, ...]:
        """Instruments with a position, in order of opening."""
        before, now = self.kept.held, self.holdings.changes
        if before is not None and before[0] == now:
            return before[1]
        found = tuple(dict.fromkeys([holding.instrument for holding in self.holdings.values()]))
        self.kept.held = now, found
        return found

    def value(self, instrument: str) -> Decimal | None:
        """Signed value of the position at the last price; None where that is unknown."""
        quantity = self.position(instrument)
        if not quantity:
            return ZERO
        mark = self.marks.get(instrument)
        return None if mark is None else EXACT.multiply(quantity, mark)

    def mark(self, instrument: str, price: Decimal | None) -> None:
        """The last price of an instrument; None where it is unknown."""
        self.marks[instrument] = price
        self.kept.is_summed = False
        for book in self.books.values():
            book.account.mark(instrument, price)

    def mark_all(self, prices: Mapping[str, Decimal | None]) -> None:
        """The last prices of several instruments, as `mark` has that of one."""
        if prices:
            self.marks.update(prices)
            self.kept.is_summed = False
            for book in self.books.values():
                book.account.mark_all(prices)

    def equity(self) -> Decimal | None:
        """Cash and positions at their last price; None where one of these is unknown."""
        kept = self.kept
        if not kept.is_summed:
            total, add = self.cash, EXACT.add
            for value in self.values():
                if value is None:
                    kept.equity, kept.is_summed = None, True
                    return None
                total = add(total, value)
            kept.equity, kept.is_summed = total, True  # in this order: another thread may read it meanwhile
        return kept.equity

    def gross(self) -> Decimal | None:
        """Absolute values of all that is held, added up; None where a price is unknown."""
        total, add = ZERO, EXACT.add
        for value in self.values():
            if value is None:
                return None
            total = add(total, abs(value))
        return total

    def sides(self, instrument: str) -> tuple[Decimal, Decimal] | None:
        """Signed value of the long side and of the short side of an instrument, each at its worst (`tb.gate.exposed`)."""
        return self.exposed().sides.get(instrument, (ZERO, ZERO))

    def engaged(self) -> tuple[str, ...]:
        """Instruments held or being bought or sold, each once."""
        return self.exposed().engaged

    def worst(self, instruments: Iterable[str]) -> Decimal | None:
        """Sum of worst-case absolute values."""
        total, worst = ZERO, self.exposed().worst
        for instrument in instruments:
            value = worst.get(instrument, ZERO)
            if value is None:
                return None
            total = EXACT.add(total, value)
        return total

    def used_by(self, strategy: str, instruments: Iterable[str]) -> Decimal | None:
        """What a strategy holds and waits for of these instruments, all values added up; None where a price is unknown."""
        among, total = tuple(instruments), ZERO
        for holding in self.holdings.values():
            if holding.strategy == strategy and holding.instrument in among:
                mark = self.marks.get(holding.instrument)
                if mark is None:
                    return None
                total = EXACT.add(total, abs(EXACT.multiply(holding.quantity, mark)))
        for order in self.underway():
            if order.strategy == strategy and order.instrument in among:
                total = EXACT.add(total, order.value)
        return total

    # --- events ----------------------------------------------------------------------------------------------------

    def begin_day(self, starts: int, ends: int, *, as_last_noted: bool = False) -> None:
        """A trading day begins; its reference is the equity of this moment, or equity as last noted if there is a note."""
        self.day_starts, self.day_ends = starts, ends
        self.equity_at_day_start = self.history.last() if as_last_noted and self.history else self.equity()
        for book in self.books.values():
            book.account.begin_day(starts, ends, as_last_noted=as_last_noted)

    def observe(self, at: int) -> None:
        """Takes note of equity at a close: the high-water mark and the history of losses read it."""
        for book in self.books.values():
            book.account.observe(at)
        equity = self.equity()
        if equity is None:
            return
        if self.high_water is None or equity > self.high_water:
            self.high_water = equity
        self.history.note(at, equity)

    def held_through(self, stretch: Stretch) -> HeldThrough:
        """What equity is over a stretch at which nothing but prices moves."""
        before, now = self.kept.through, (self._written, self.holdings.changes)
        if before is not None and before[0] == now and before[1].stretch is stretch:
            return before[1]
        held = tuple([(holding.instrument, holding.quantity) for holding in self.holdings.values()])
        found = HeldThrough(stretch, self.cash, held)
        self.kept.through = now, found
        return found

    def floats_through(self, stretch: Stretch) -> Floats:
        """Equity and gross exposure at each instant of a stretch, and how far each may be from the exact value."""
        through, before = self.held_through(stretch), self.kept.floats
        if before is not None and before[0] is through:
            return before[1]
        found = through.floats()
        self.kept.floats = through, found
        return found

    def pass_over(self, stretch: Stretch) -> None:
        """Marks and observes each instant of a stretch: what `mark` and `observe` at each of them come to."""
        for instrument in stretch.closes:
            self.mark(instrument, stretch.price(instrument, len(stretch.times) - 1))
        for account in (self, *(book.account for book in self.books.values())):
            account._observe_all(stretch)

    def pass_trades(self, cash: Decimal, last: int) -> None:
        """Whole trades are over, the last at that instant, and leave nothing but this cash."""
        self.cash, self.kept.is_summed = cash, False
        self.history.note_after_others(last, cash)
        self.observe(last)

    def _observe_all(self, stretch: Stretch) -> None:
        if not self.holdings:
            self.observe(stretch.last)
            return
        through = self.held_through(stretch)
        self._raise_high_water(through, *self.floats_through(stretch))
        self.history.note_stretch(through)

    def _raise_high_water(self, through: HeldThrough, equity: Equity, _: Equity, error: float) -> None:
        """The highest exact equity is among the instants at which the rounded one is highest, within its error."""
        highest = float(np.maximum.reduce(equity))
        if self.high_water is not None and highest + error < float(self.high_water) * (1 - 1e-15):
            return
        near = np.flatnonzero(equity >= highest - 2 * error).tolist()
        places = {tuple(float(closes[place]) for closes in through.stretch.closes.values()): place for place in near}
        for place in places.values():
            exactly = through.at(place)
            if self.high_water is None or exactly > self.high_water:
                self.high_water = exactly

    def rebase(self) -> None:
        """A person lifted a halt: the drawdown is measured, and what nobody looked after counted, anew from here."""
        (self.whole or self).activity.attend(self.strategies)
        self.high_water = self.equity()

    def fill(self, strategy: str, instrument: str, quantity: Decimal, price: Decimal, fee: Decimal) -> None:
        """Books a fill: signed quantity at a price, fee in account currency. The price is the mark until a close is seen."""
        self.kept.is_summed = False
        self.cash = EXACT.subtract(EXACT.subtract(self.cash, EXACT.multiply(quantity, price)), fee)
        key = (strategy, instrument)
        holding = self.holdings.get(key)
        total = quantity if holding is None else EXACT.add(holding.quantity, quantity)
        if total:
            self.holdings[key] = Holding(strategy, instrument, total)
            self.marks.setdefault(instrument, price)
        else:
            self.holdings.pop(key, None)
            if instrument not in self.held():
                self.marks.pop(instrument, None)
        for part in self._parts(strategy):
            part.fill(strategy, instrument, quantity, price, fee)
            part.mark(instrument, self.marks.get(instrument))  # one instrument has one mark, whoever bought it first

    def receive(self, strategy: str, amount: Decimal) -> None:
        """Books money that comes without a trade, negative where it is paid: funding."""
        self.kept.is_summed = False
        self.cash = EXACT.add(self.cash, amount)
        for part in self._parts(strategy):
            part.receive(strategy, amount)

    def trade_closed(self, at: int, profit: Decimal, *, strategy: str, value: Decimal) -> None:
        """A trade is over; `value` is what its entry was worth."""
        for part in self._parts(strategy):
            part.trade_closed(at, profit, strategy=strategy, value=value)
        if value > 0:
            self.returns.setdefault(strategy, []).append(EXACT.divide(profit, value))
        if profit < 0:
            self.losses_in_a_row += 1
            self.last_loss = at
        else:
            self.losses_in_a_row = 0

    def count_order(self, at: int, *, is_entry: bool, strategy: str) -> None:
        """Counts an approved order at once, before it is sent."""
        for part in self._parts(strategy):
            part.count_order(at, is_entry=is_entry, strategy=strategy)
        self.order_times.append(at)
        if is_entry:
            self.entry_times.append(at)

    @contextmanager
    def without(self, order: SentOrder) -> Iterator[None]:
        """For a while an order counts as not sent: one that rests is asked about again, and may not stand in its own way."""
        with ExitStack() as held, self.activity.without(order):
            for part in self._parts(order.strategy):
                held.enter_context(part._without_counts(order))
            held.enter_context(self._without_counts(order))
            yield

    @contextmanager
    def _without_counts(self, order: SentOrder) -> Iterator[None]:
        counts = [self.order_times, self.entry_times] if order.is_entry else [self.order_times]
        for times in counts:
            del times[bisect_left(times, order.at)]
        try:
            yield
        finally:
            for times in counts:
                insort(times, order.at)

    # --- questions about windows -----------------------------------------------------------------------------------

    def since(self, window: str, at: int) -> int:
        """The first instant of a window that ends now: `today`, or a length in ms (its far end is outside)."""
        return self.day_starts if window == "today" else at - int(window) + 1

    def count(self, times: list[int], window: str, at: int) -> Decimal:
        return Decimal(len(times) - bisect_left(times, self.since(window, at)))

    def loss(self, window: str, at: int) -> Decimal | None:
        """Equity lost since the window began, 0 in profit."""
        equity = self.equity()
        before = self.equity_at_day_start if window == "today" else self.equity_at(at - int(window))
        if equity is None or before is None:
            return None
        return max(ZERO, EXACT.subtract(before, equity))

    def equity_at(self, at: int) -> Decimal | None:
        """Equity as last noted at or before an instant; before the first note, the first."""
        return self.history.before(at)

    def drawdown(self) -> Decimal | None:
        equity = self.equity()
        if equity is None or self.high_water is None or self.high_water <= 0:
            return None
        return EXACT.divide(EXACT.subtract(self.high_water, equity), self.high_water) if equity < self.high_water else ZERO
