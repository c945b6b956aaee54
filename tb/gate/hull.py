"""outline: whether a watched constraint surely passes at every instant of a stretch, from the least and the most that its
leaves come to in it.

It is asked before `tb.gate.foresight`, which looks at each instant: mostly the account is far from its limits, and a handful of
numbers says so.

INVARIANT: bounds hold the exact value of every instant, errors of rounding included; what is not known here is not sure.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import inf

from tb.engine.graph import Node, RuleGraph
from tb.gate.account import Account
from tb.gate.foresight import CHOOSING, OF_BOOKS, STEP, Outlook

Bounds = tuple[float, float]
# of a truth what it may be, nothing where it is unknown throughout; of what is a number and unknown throughout: NEVER
TRUE, FALSE = 1, 2
NEVER = "unknown"
_Found = Bounds | int | str | None  # None: nobody knows here


@dataclass(frozen=True, slots=True, eq=False)
class Hull:
    """One constraint of a graph: its nodes in their order, each with what gives its bounds from those of its arguments. What is
    constant is known."""

    node: int
    constants: Mapping[int, _Found]
    steps: tuple[tuple[int, Callable[[Outlook], _Found] | str, tuple[int, ...]], ...]

    @classmethod
    def of(cls, graph: RuleGraph, node: int) -> Hull:
        nodes = [graph[id_] for id_ in graph.reach((node,))]
        constants = {one.id: _constant(one.consts[0]) for one in nodes if one.op == "const"}
        steps = [(one.id, _reader(one) if one.op == "fact" else one.op, one.args) for one in nodes if one.op != "const"]
        return cls(node, constants, tuple(steps))

    def surely_passes(self, outlook: Outlook) -> bool:
        """Whether it fails at no instant; one that is unknown throughout does not fail."""
        known = dict(self.constants)
        for id_, does, args in self.steps:
            known[id_] = _of(does, [known[arg] for arg in args]) if isinstance(does, str) else does(outlook)
        passes = known[self.node]
        return passes == NEVER or (isinstance(passes, int) and not passes & FALSE)


def _of(op: str, args: Sequence[_Found]) -> _Found:
    if op in {"and", "or"}:
        return _joined(op, args)
    if None in args or op in CHOOSING:
        return None
    if NEVER in args:
        return NEVER
    if op == "not":
        return None if not isinstance(args[0], int) else (args[0] & TRUE) << 1 | args[0] >> 1
    numbers = [arg for arg in args if isinstance(arg, tuple)]
    if len(numbers) != len(args):
        return None
    if op in {"lt", "le"}:
        return _ordered(*numbers)
    if op in {"gt", "ge"}:
        return _ordered(*reversed(numbers))
    operation = _OPERATIONS.get(op)
    return None if operation is None else operation(numbers)


def _joined(op: str, args: Sequence[_Found]) -> int | None:
    truths = [0 if arg == NEVER else arg for arg in args if isinstance(arg, int | str)]
    if len(truths) != len(args):
        return None
    every, some = (TRUE, FALSE) if op == "and" else (FALSE, TRUE)
    may = every
    for truth in truths:
        assert isinstance(truth, int)
        may &= truth | some
        may |= truth & some
    return may


def _ordered(less: Bounds, more: Bounds) -> int:
    """What `less < more` and `less <= more` may be; where they may be equal, either."""
    return (0 if less[0] > more[1] else TRUE) | (0 if less[1] < more[0] else FALSE)


def _wide(low: float, high: float, size: float) -> Bounds | None:
    """Bounds with the error of one operation on numbers of that size; None where they are none."""
    low, high = low - STEP * size, high + STEP * size
    return (low, high) if -inf < low <= high < inf else None


def _sum(args: Sequence[Bounds]) -> _Found:
    (a, b), (c, d) = args
    return _wide(a + c, b + d, max(abs(a), abs(b)) + max(abs(c), abs(d)))


def _difference(args: Sequence[Bounds]) -> _Found:
    (a, b), (c, d) = args
    return _wide(a - d, b - c, max(abs(a), abs(b)) + max(abs(c), abs(d)))


def _product(args: Sequence[Bounds]) -> _Found:
    (a, b), (c, d) = args
    found = (a * c, a * d, b * c, b * d)
    return _wide(min(found), max(found), max(map(abs, found)))


def _quotient(args: Sequence[Bounds]) -> _Found:
    (a, b), (c, d) = args
    if c <= 0.0 <= d:
        return None
    found = (a / c, a / d, b / c, b / d)
    return _wide(min(found), max(found), max(map(abs, found)))


def _absolute(args: Sequence[Bounds]) -> _Found:
    low, high = args[0]
    return (low, high) if low >= 0.0 else (-high, -low) if high <= 0.0 else (0.0, max(-low, high))


_OPERATIONS: Mapping[str, Callable[[Sequence[Bounds]], _Found]] = {
    "add": _sum,
    "sub": _difference,
    "mul": _product,
    "div": _quotient,
    "neg": lambda args: (-args[0][1], -args[0][0]),
    "abs": _absolute,
    "min": lambda args: (min(low for low, _ in args), min(high for _, high in args)),
    "max": lambda args: (max(low for low, _ in args), max(high for _, high in args)),
}


# --- leaves ------------------------------------------------------------------------------------------------------------------


def _constant(value: object) -> _Found:
    if not isinstance(value, Decimal | int):
        return None
    near = float(value)
    return _wide(near, near, abs(near))


def _known(value: Decimal | None) -> _Found:
    return NEVER if value is None else _constant(value)


def _reader(node: Node) -> Callable[[Outlook], _Found]:
    """How a leaf is bounded, of the account or of the book that is asked about."""
    name, argument = str(node.consts[0]), str(node.consts[1])
    reader = _LEAVES.get(OF_BOOKS.get(name, name))
    if reader is None:
        return lambda _: None
    if name in OF_BOOKS:
        return lambda outlook: NEVER if outlook.book is None else reader(outlook.book, argument)
    return lambda outlook: reader(outlook, argument)


def _equity(outlook: Outlook, _: str) -> _Found:
    low, high = outlook.extent
    return low - outlook.error, high + outlook.error


def _drawdown(outlook: Outlook, _: str) -> _Found:
    high = outlook.account.high_water
    if high is None or high <= 0:
        return None  # it is known as soon as equity is above nothing
    near, (low, most) = float(high), outlook.extent
    highest = max(near, most)
    lost = _wide(0.0, max(highest - low, 0.0), outlook.error / STEP + highest + abs(low))
    reference = _wide(near, highest, outlook.error / STEP + highest)
    return None if lost is None or reference is None else _quotient((lost, reference))


def _loss(outlook: Outlook, window: str) -> _Found:
    if window != "today":
        return None  # its reference moves
    before = outlook.account.equity_at_day_start
    if before is None:
        return NEVER
    near, (low, high) = float(before), outlook.extent
    return _wide(max(near - high, 0.0), max(near - low, 0.0), outlook.error / STEP + 2 * abs(near))


def _since_last_loss(outlook: Outlook, _: str) -> _Found:
    last, times = outlook.account.last_loss, outlook.stretch.times
    return NEVER if last is None else (float(int(times[0]) - last), float(int(times[-1]) - last))


def _count(times: Callable[[Account], list[int]]) -> Callable[[Outlook, str], _Found]:
    def counted(outlook: Outlook, window: str) -> _Found:
        account, all_ = outlook.account, times(outlook.account)
        first, last = (int(outlook.stretch.times[at]) for at in (0, -1))  # fewer and fewer are within the window
        least, most = (len(all_) - bisect_left(all_, account.since(window, at)) for at in (last, first))
        return float(least), float(most)

    return counted


_LEAVES: Mapping[str, Callable[[Outlook, str], _Found]] = {
    "equity": _equity,
    "drawdown": _drawdown,
    "loss": _loss,
    "equity at day_start": lambda outlook, _: _known(outlook.account.equity_at_day_start),
    "cash": lambda outlook, _: _known(outlook.account.cash),
    "losses_in_a_row": lambda outlook, _: _known(Decimal(outlook.account.losses_in_a_row)),
    "since_last_loss": _since_last_loss,
    "open_positions": lambda outlook, _: _known(Decimal(len(outlook.account.held()))),
    "entries": _count(lambda account: account.entry_times),
    "orders": _count(lambda account: account.order_times),
}
