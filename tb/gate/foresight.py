"""foresee: at which instants of a stretch a watched constraint may fail, judged with rounded numbers and their errors.

1. Each leaf about the account is a column over the stretch with a bound on its error (`_LEAVES`), or is unknown throughout. A
   leaf that is not among them leaves its constraint undecided at every instant.
2. Operations carry the bound along (`_number`); a comparison closer than its bound is undecided (`_truth`).
3. An instant counts where some constraint fails or is undecided: the session takes that step, exactly.

INVARIANT: an instant that does not count is one at which the exact evaluation finds that every watched constraint passes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from tb.engine.graph import RuleGraph
from tb.engine.plan import ConstraintPlan
from tb.gate.account import Account, Book
from tb.gate.history import Stretch
from tb.vocabulary.facts import OF_BOOK, of_book

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
STEP = 1e-15  # more than the relative error of one rounded operation on numbers of 28 digits


@dataclass(frozen=True, slots=True, eq=False)
class _Number:
    value: Floats
    error: Floats


@dataclass(frozen=True, slots=True, eq=False)
class _Truth:
    """Where it may be true and where it may be false: both where that is undecided, neither where it is unknown."""

    true: Bools
    false: Bools


@dataclass(frozen=True, slots=True)
class _Unknown:
    """What the exact evaluation does not know either, at no instant."""


_Column = _Number | _Truth | _Unknown | None  # None: nobody knows here
_UNKNOWN = _Unknown()
CHOOSING = frozenset(("is_set", "first", "pick"))  # known though what they are made of may not be


@dataclass(frozen=True, slots=True, eq=False)
class Outlook:
    """What one account comes to over a stretch. `book` is the outlook of the book that is asked about, if any."""

    account: Account
    stretch: Stretch
    equity: Floats
    gross: Floats
    error: float
    book: Outlook | None = None

    _extent: list[tuple[float, float]] = field(default_factory=list)  # once it was asked for

    @property
    def extent(self) -> tuple[float, float]:
        """The least and the most of equity, each within its error."""
        if not self._extent:
            self._extent.append((float(np.minimum.reduce(self.equity)), float(np.maximum.reduce(self.equity))))
        return self._extent[0]

    @classmethod
    def of(cls, account: Account, stretch: Stretch, book: Book | None = None) -> Outlook:
        own = None if book is None else cls.of(book.account, stretch)
        return cls(account, stretch, *account.floats_through(stretch), own)


def may_fail(graph: RuleGraph, constraints: Sequence[ConstraintPlan], outlook: Outlook) -> Bools:
    """For each instant of the stretch whether one of the constraints may fail."""
    found = np.zeros(len(outlook.stretch.times), dtype=np.bool_)
    known: dict[int, _Column] = {}
    for constraint in constraints:
        for node in graph.reach((constraint.node,)):
            if node not in known:
                known[node] = _evaluate(graph, node, known, outlook)
        passes = known[constraint.node]
        if passes is _UNKNOWN:
            continue
        if not isinstance(passes, _Truth):
            return np.ones(len(found), dtype=np.bool_)
        found |= passes.false
    return found


def _evaluate(graph: RuleGraph, id_: int, known: Mapping[int, _Column], outlook: Outlook) -> _Column:
    node, size = graph[id_], len(outlook.stretch.times)
    if node.op == "const":
        value = node.consts[0]
        return _constant(float(value), size) if isinstance(value, Decimal | int) else None
    if node.op == "fact":
        return _leaf(str(node.consts[0]), str(node.consts[1]), outlook)
    args = [known[arg] for arg in node.args]
    if node.op in {"and", "or"}:
        return _joined(node.op, args, size)
    if any(arg is None for arg in args) or node.op in CHOOSING:
        return None
    if _UNKNOWN in args:
        return _UNKNOWN
    if node.op == "not" and isinstance(args[0], _Truth):
        return _Truth(args[0].false, args[0].true)
    numbers = [arg for arg in args if isinstance(arg, _Number)]
    if len(numbers) != len(args):
        return None
    if node.op in _COMPARE:
        return _truth(node.op, numbers[0], numbers[1])
    return _number(node.op, numbers)


def _leaf(name: str, argument: str, outlook: Outlook) -> _Column:
    whose = outlook
    if name in OF_BOOKS:
        if outlook.book is None:
            return _UNKNOWN
        name, whose = OF_BOOKS[name], outlook.book
    reader = _LEAVES.get(name)
    return None if reader is None else reader(whose, argument)


def _joined(op: str, args: list[_Column], size: int) -> _Truth | None:
    nowhere = np.zeros(size, dtype=np.bool_)
    truths = [
        _Truth(nowhere, nowhere) if isinstance(arg, _Unknown) else arg for arg in args if isinstance(arg, _Truth | _Unknown)
    ]
    if len(truths) != len(args):
        return None
    trues, falses = [t.true for t in truths], [t.false for t in truths]
    if op == "and":
        return _Truth(np.logical_and.reduce(trues), np.logical_or.reduce(falses))
    return _Truth(np.logical_or.reduce(trues), np.logical_and.reduce(falses))


_COMPARE = frozenset(("lt", "le", "gt", "ge"))


def _truth(op: str, left: _Number, right: _Number) -> _Truth:
    gap = right.value - left.value if op in {"lt", "le"} else left.value - right.value
    error = left.error + right.error + STEP * (np.abs(left.value) + np.abs(right.value))
    is_known = np.isfinite(gap) & np.isfinite(error)
    return _Truth(~is_known | (gap >= -error), ~is_known | (gap <= error))


def _number(op: str, args: list[_Number]) -> _Number | None:
    with np.errstate(all="ignore"):
        match op:
            case "neg":
                return _Number(-args[0].value, args[0].error)
            case "abs":
                return _Number(np.abs(args[0].value), args[0].error)
            case "add" | "sub":
                left, right = args
                value = left.value + right.value if op == "add" else left.value - right.value
                size = np.abs(left.value) + np.abs(right.value)
                return _Number(value, left.error + right.error + STEP * size)
            case "mul":
                left, right = args
                error = np.abs(left.value) * right.error + np.abs(right.value) * left.error + left.error * right.error
                value = left.value * right.value
                return _Number(value, error + STEP * np.abs(value))
            case "div":
                return _quotient(*args)
            case "min" | "max":
                fold = np.minimum if op == "min" else np.maximum
                return _Number(fold.reduce([a.value for a in args]), np.maximum.reduce([a.error for a in args]))
            case _:
                return None


def _quotient(left: _Number, right: _Number) -> _Number:
    """Unknown, as an infinite error, where the divisor may be 0."""
    least = np.abs(right.value) - right.error
    value = left.value / right.value
    error = np.where(least > 0, (left.error + np.abs(value) * right.error) / least, np.inf)
    return _Number(value, error + STEP * np.abs(value))


# --- leaves ------------------------------------------------------------------------------------------------------------------


def _constant(value: float, size: int) -> _Number:
    return _Number(np.full(size, value), np.full(size, abs(value) * STEP))


def _known(value: Decimal | None, outlook: Outlook) -> _Column:
    return _UNKNOWN if value is None else _constant(float(value), len(outlook.stretch.times))


def _equity(outlook: Outlook, _: str) -> _Column:
    return _Number(outlook.equity, np.full(len(outlook.equity), outlook.error))


def _gross(outlook: Outlook, _: str) -> _Column:
    """The fact takes an instrument as one position, whoever holds how much of it; the curve takes each strategy's."""
    account, gross = outlook.account, outlook.gross
    instruments = dict.fromkeys(holding.instrument for holding in account.holdings.values())
    if len(instruments) < len(account.holdings):
        gross = np.zeros(len(gross))
        for instrument in instruments:
            gross = gross + np.abs(float(account.position(instrument)) * outlook.stretch.closes[instrument])
    return _Number(gross, np.full(len(gross), outlook.error))


def _drawdown(outlook: Outlook, _: str) -> _Column:
    high = outlook.account.high_water
    if high is None:
        high = Decimal(0)
    if high <= 0:
        return None  # it is known as soon as equity is above nothing
    highest = np.maximum(np.maximum.accumulate(outlook.equity), float(high))
    error = np.full(len(highest), outlook.error + float(high) * STEP)
    lost = _Number(np.maximum(highest - outlook.equity, 0.0), 2 * error + STEP * highest)
    return _quotient(lost, _Number(highest, error))


def _loss(outlook: Outlook, window: str) -> _Column:
    account = outlook.account
    if window == "today":
        before = account.equity_at_day_start
        if before is None:
            return _UNKNOWN
        reference, error = np.full(len(outlook.equity), float(before)), abs(float(before)) * STEP
    else:
        reference, error = _equity_before(outlook, int(window))
    value = np.maximum(reference - outlook.equity, 0.0)
    return _Number(value, np.full(len(value), outlook.error + error) + STEP * np.abs(reference))


def _equity_before(outlook: Outlook, length: int) -> tuple[Floats, float]:
    """Equity a window before each instant, of the stretch itself or as the account noted it earlier, and its error."""
    wanted = outlook.stretch.times - length
    place = outlook.stretch.times.searchsorted(wanted, side="right") - 1
    found, error = outlook.equity[np.maximum(place, 0)].copy(), outlook.error
    earlier = int((place < 0).sum())
    if earlier and outlook.account.history:
        found[:earlier], more = outlook.account.history.floats_before(wanted[:earlier])
        error = max(error, more)
    return found, error


def _count(times: Callable[[Account], list[int]]) -> Callable[[Outlook, str], _Column]:
    def counted(outlook: Outlook, window: str) -> _Column:
        all_, size = np.array(times(outlook.account), dtype=np.int64), len(outlook.stretch.times)
        if window == "today":
            return _constant(float(len(all_) - int(all_.searchsorted(outlook.account.day_starts))), size)
        first = outlook.stretch.times - int(window) + 1
        return _Number((len(all_) - all_.searchsorted(first)).astype(np.float64), np.zeros(size))

    return counted


def _since_last_loss(outlook: Outlook, _: str) -> _Column:
    last = outlook.account.last_loss
    return (
        _UNKNOWN if last is None else _Number((outlook.stretch.times - last).astype(np.float64), np.zeros(len(outlook.equity)))
    )


_LEAVES: Mapping[str, Callable[[Outlook, str], _Column]] = {
    "equity": _equity,
    "gross": _gross,
    "drawdown": _drawdown,
    "loss": _loss,
    "equity at day_start": lambda outlook, _: _known(outlook.account.equity_at_day_start, outlook),
    "cash": lambda outlook, _: _known(outlook.account.cash, outlook),
    "losses_in_a_row": lambda outlook, _: _known(Decimal(outlook.account.losses_in_a_row), outlook),
    "since_last_loss": _since_last_loss,
    "open_positions": lambda outlook, _: _known(Decimal(len(outlook.account.held())), outlook),
    "entries": _count(lambda account: account.entry_times),
    "orders": _count(lambda account: account.order_times),
}
OF_BOOKS: Mapping[str, str] = {of_book(name): name for name in OF_BOOK}
