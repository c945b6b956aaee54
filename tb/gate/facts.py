"""The leaf facts: how each is read from order, account and book. None is unknown, and unknown denies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from tb.core.settings import Settings
from tb.engine.instant import Exact, exact
from tb.gate.account import ZERO, Account, Book
from tb.gate.conversion import ONE
from tb.gate.facts_of_conduct import READERS_OF_CONDUCT
from tb.gate.net import net_sides
from tb.gate.proposal import Allotment, Proposal
from tb.gate.standing import NOTHING_SAID, Standing
from tb.vocabulary.facts import OF_BOOK, of_book


@dataclass(frozen=True, slots=True)
class Moment:
    """Everything facts may read at one instant. `age` is that of the instrument's newest bar in ms, None without one."""

    at: int
    proposal: Proposal
    account: Account
    groups: Mapping[str, tuple[str, ...]]
    restricted: tuple[str, ...]
    minimum: Decimal | None
    maximum: Decimal | None
    age: int | None
    halted_by: str | None
    paused_by: str | None
    book: Book | None = None  # of the order's strategy; None where the project has no books
    settings: Settings | None = None
    standing: Standing = NOTHING_SAID


Reader = Callable[[Moment, str], Exact]


def read(name: str, argument: str, moment: Moment) -> Exact:
    """The value of a leaf fact; `argument` is its scope or window."""
    return READERS[name](moment, argument)


def _scope(moment: Moment, argument: str) -> tuple[tuple[str, ...], ...]:
    """The sets of instruments that a scope means. An instrument in several groups answers to each of them."""
    own = moment.proposal.instrument
    if argument == "order.instrument":
        return ((own,),)
    if argument == "group of order.instrument":
        found = tuple(members for members in moment.groups.values() if own in members)
        return found or ((own,),)
    return (moment.groups.get(argument, (argument,)),)


def _inside(moment: Moment, argument: str) -> Exact:
    if argument == "order.instrument":
        return ONE
    own = moment.proposal.instrument
    return Decimal(int(any(own in members for members in _scope(moment, argument))))


def _others(moment: Moment, argument: str) -> Exact:
    if argument == "order.instrument":
        return ZERO
    own = moment.proposal.instrument
    sums = [moment.account.worst(m for m in members if m != own) for members in _scope(moment, argument)]
    known = [total for total in sums if total is not None]
    return max(known) if len(known) == len(sums) else None


def _exposure(moment: Moment, argument: str) -> Exact:
    sums = []
    for members in _scope(moment, argument):
        values = [moment.account.value(member) for member in members]
        known = [abs(value) for value in values if value is not None]
        if len(known) != len(values):
            return None
        sums.append(sum(known, ZERO))
    return max(sums)


def _side(moment: Moment, which: int) -> Exact:
    sides = moment.account.sides(moment.proposal.instrument)
    return None if sides is None else sides[which]


def _gross_others(moment: Moment, _: str) -> Exact:
    return moment.account.exposed().without(moment.proposal.instrument)


def _net(moment: Moment, which: int) -> Exact:
    sides = net_sides(moment.account, moment.proposal.group)
    return None if sides is None else sides[which]


def _held_values(moment: Moment) -> list[Decimal] | None:
    values = [moment.account.value(instrument) for instrument in moment.account.held()]
    known = [value for value in values if value is not None]
    return known if len(known) == len(values) else None


def _gross(moment: Moment, _: str) -> Exact:
    values = _held_values(moment)
    return None if values is None else sum((abs(value) for value in values), ZERO)


def _net_now(moment: Moment, _: str) -> Exact:
    values = _held_values(moment)
    return None if values is None else abs(sum(values, ZERO))


def _allotted(value: Callable[[Allotment], Decimal]) -> Reader:
    def read_allotment(moment: Moment, _: str) -> Exact:
        return None if moment.proposal.allotment is None else value(moment.proposal.allotment)

    return read_allotment


def _allocation_used(moment: Moment, _: str) -> Exact:
    """What the strategy holds and waits for of the order's instrument and of those that count as one with it."""
    allotment, own = moment.proposal.allotment, moment.proposal.instrument
    return None if allotment is None else moment.account.used_by(moment.proposal.strategy, (own, *allotment.alike))


def _since_last_loss(moment: Moment, _: str) -> Exact:
    last = moment.account.last_loss
    return None if last is None else Decimal(moment.at - last)


def _in_book(reader: Reader) -> Reader:
    """The same fact about the book of the order's strategy in the place of the account."""

    def read_of_book(moment: Moment, argument: str) -> Exact:
        return None if moment.book is None else reader(replace(moment, account=moment.book.account), argument)

    return read_of_book


_ACCOUNT: Mapping[str, Reader] = {
    "order.instrument": lambda m, _: m.proposal.instrument,
    "order.strategy": lambda m, _: m.proposal.strategy,
    "order.side": lambda m, _: "buy" if m.proposal.sign > 0 else "sell",
    "order.kind": lambda m, _: m.proposal.order.style,
    "order.valid": lambda m, _: Decimal(m.proposal.order.valid or 0),
    "order.tier": lambda m, _: m.proposal.tier,
    "order.sign": lambda m, _: Decimal(m.proposal.sign),
    "order.quantity": lambda m, _: m.proposal.quantity,
    "order.rate": lambda m, _: m.proposal.rate,
    "order.price": lambda m, _: m.proposal.price,
    "order.stop": lambda m, _: m.proposal.stop,
    "order.target": lambda m, _: m.proposal.target,
    "order.confidence": lambda m, _: exact(m.proposal.confidence),
    "order.conviction": lambda m, _: exact(m.proposal.conviction),
    "order.intended": lambda m, _: m.proposal.intended,
    "order.missing": lambda m, _: m.proposal.missing,
    "order.minimum": lambda m, _: m.minimum,
    "order.maximum": lambda m, _: m.maximum,
    "order.legs": lambda m, _: Decimal(m.proposal.legs),
    "order.hedged": lambda m, _: m.proposal.hedged,
    "order.net_share": lambda m, _: m.proposal.net_share,
    "order.opens": lambda m, _: Decimal(int(m.proposal.instrument not in m.account.engaged())),
    "scope.inside": _inside,
    "scope.others": _others,
    "exposure": _exposure,
    "gross": _gross,
    "net": _net_now,
    "open_positions": lambda m, _: Decimal(len(m.account.held())),
    "book.long": lambda m, _: _side(m, 0),
    "book.short": lambda m, _: _side(m, 1),
    "book.gross_others": _gross_others,
    "book.net_long": lambda m, _: _net(m, 0),
    "book.net_short": lambda m, _: _net(m, 1),
    "book.open_positions": lambda m, _: Decimal(len(m.account.engaged())),
    "equity": lambda m, _: m.account.equity(),
    "equity at day_start": lambda m, _: m.account.equity_at_day_start,
    "cash": lambda m, _: m.account.cash,
    "loss": lambda m, window: m.account.loss(window, m.at),
    "drawdown": lambda m, _: m.account.drawdown(),
    "entries": lambda m, window: m.account.count(m.account.entry_times, window, m.at),
    "orders": lambda m, window: m.account.count(m.account.order_times, window, m.at),
    "losses_in_a_row": lambda m, _: Decimal(m.account.losses_in_a_row),
    "since_last_loss": _since_last_loss,
    "data_age": lambda m, _: None if m.age is None else Decimal(m.age),
    "restricted": lambda m, _: ",".join(m.restricted),
    "order.vetoed_by": lambda m, _: m.proposal.vetoed_by,
    "votes_for": lambda m, _: m.proposal.votes_for,
    "kelly.trades": _allotted(lambda a: Decimal(a.trades)),
    "kelly.needed": _allotted(lambda a: Decimal(a.needed)),
    "kelly.wins": _allotted(lambda a: Decimal(a.wins)),
    "kelly.gain": _allotted(lambda a: a.gain),
    "kelly.loss": _allotted(lambda a: a.loss),
    "kelly.fraction": _allotted(lambda a: a.fraction),
    "kelly.most": _allotted(lambda a: a.most),
    "allocation.used": _allocation_used,
    "halted_by": lambda m, _: m.halted_by,
    "paused_by": lambda m, _: m.paused_by,
    "instant": lambda m, _: Decimal(m.at),
}
READERS: Mapping[str, Reader] = {
    **_ACCOUNT,
    **READERS_OF_CONDUCT,
    "order.book": lambda m, _: None if m.book is None else m.book.name,
    **{of_book(name): _in_book(reader) for name, reader in _ACCOUNT.items() if name in OF_BOOK},
}
