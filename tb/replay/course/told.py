"""The records of a course, in the order in which stepping would have made them.

At each decision: the day that begins, the decision, its order unless it is refused, the mark with the use of limits; at the
fill: fill and trade; then points and days while it is held; at the exit: fill and trade, then points and the day that begins.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from decimal import Decimal

from tb.core.encode import canonical, digest
from tb.core.records import Curve, Decision, Fill, Mark, Order, Record, Trade
from tb.engine.instant import EXACT
from tb.gate.gate import Gate
from tb.replay.course import paths
from tb.replay.course.chain import STEPS
from tb.replay.course.days import FLAT, HELD
from tb.replay.course.passage import Passage
from tb.runtime.judged import texts_of
from tb.runtime.session import Session

ZERO = Decimal(0)
Point = tuple[int, int, int, int, Record]  # trade, when, place, points before days: where a record stands that is of no trade


def told(passage: Passage, session: Session, beside: Sequence[Point], first: int = 0) -> Iterator[Record]:
    """All records from a trade on. `beside` are those that are of no trade, in their order."""
    at = bisect_left(beside, first, key=lambda found: found[0])
    for k in range(first, len(passage)):
        is_taken = bool(passage.is_taken[k])
        trade = (_entry(passage, session, k), _exit(passage, k)) if is_taken else ((), ())
        for when, records in enumerate((_opening(passage, session, k), *trade)):
            if when != FLAT:
                yield from records
            while at < len(beside) and beside[at][:2] == (k, when):
                yield beside[at][4]
                at += 1
            if when == FLAT:
                yield from records


def beside(passage: Passage, curves: Sequence[tuple[int, int, Curve]]) -> list[Point]:
    """What is recorded besides the trades. `curves` are points of the curve with the trade and the place at which they are
    complete."""
    return sorted([*_points(passage, curves), *_marks(passage)], key=lambda found: found[:4])


def _points(passage: Passage, curves: Sequence[tuple[int, int, Curve]]) -> Iterator[Point]:
    for k, place, curve in curves:
        yield k, HELD if place < passage.out[k] else HELD + 1, place, 0, curve


def _marks(passage: Passage) -> Iterator[Point]:
    chain = passage.chain
    for day in passage.days:
        at, k = int(passage.instants[day.place]), day.trade
        equity, exposure = (chain.before[k] if day.when == FLAT else chain.after[k]), ZERO
        if day.when == HELD:
            price = passage.held_value(k, day.place)
            assert price is not None  # a course ends before a close that is not known
            value = EXACT.multiply(passage.of[k].sign * chain.quantity[k], price)
            equity, exposure = EXACT.add(chain.held[k], value), EXACT.add(ZERO, abs(value))
        yield k, day.when, day.place, 1, Mark(at=at, equity=equity, exposure=exposure, usage={})


def _opening(passage: Passage, session: Session, k: int) -> tuple[Record, ...]:
    chain, terms, at = passage.chain, passage.of[k], passage.decided[k]
    seq, side, inputs = passage.first_decision + k, "buy" if terms.sign > 0 else "sell", passage.inputs(k)
    view, row, enter = passage.view, passage.rows[k], terms.enter
    origins, said = [view.origin(leaf, terms.symbol, row) for leaf in enter.leaves], passage.verdict(k)
    decision = Decision(
        seq=seq,
        at=at,
        kind="enter",
        strategy=terms.strategy.name,
        enter=terms.which,
        instrument=terms.symbol,
        side=side,  # type: ignore[arg-type]
        row=view.source_row(terms.symbol, terms.strategy.period, row),
        verdict=said.verdict,
        deciding=said.deciding,
        proposed=chain.quantity[k],
        approved=ZERO if said.is_refused else chain.quantity[k],
        price=chain.price[k],
        stop=chain.stop[k],
        target=chain.target[k],
        confidence=passage.confidence(k),
        reason=passage.reason(k, session.plan.graph),
        failed=said.failed,
        unknown=said.unknown,
        facts=texts_of(inputs),
        market=tuple([passage.value(k, leaf) for leaf in enter.leaves]),
        ages=tuple([age for age, _ in origins]),
        rows=tuple([found for _, found in origins]),
    )
    gate: Gate = session.gates[terms.strategy.period]
    if said.is_refused:
        return decision, Mark(at=at, equity=chain.before[k], exposure=ZERO, usage=gate.account_usage(inputs))
    order = Order(
        id=order_id(session, terms.strategy.name, terms.symbol, at),
        decision=seq,
        at=at,
        strategy=terms.strategy.name,
        instrument=terms.symbol,
        side=side,  # type: ignore[arg-type]
        quantity=chain.quantity[k],
        kind="entry",
        stop=chain.stop[k],
        target=chain.target[k],
        expires=at + terms.strategy.period,
    )
    mark = Mark(at=at, equity=chain.before[k], exposure=ZERO, usage=gate.usage(inputs, chain.quantity[k]))
    return decision, order, mark


def order_id(session: Session, strategy: str, symbol: str, at: int) -> str:
    return digest(canonical([session.run, session.policy_hash, strategy, symbol, at, "enter"]))[:20]


def _price(passage: Passage, which: int, k: int) -> Decimal:
    columns = passage.columns
    return EXACT.multiply(Decimal(columns[which][k]), STEPS[columns[which + paths.WRITTEN][k]])


def _entry(passage: Passage, session: Session, k: int) -> tuple[Record, ...]:
    chain, terms, columns = passage.chain, passage.of[k], passage.columns
    at, row = passage.decided[k], int(passage.prices.rows[columns[paths.FILLED][k]])
    undisturbed = _price(passage, paths.START, k)
    fill = Fill(
        order=order_id(session, terms.strategy.name, terms.symbol, at),
        at=at,
        row=row,
        instrument=terms.symbol,
        side="buy" if terms.sign > 0 else "sell",
        quantity=chain.quantity[k],
        price=chain.paid[k],
        fee=chain.cost[k],
        slippage=EXACT.multiply(terms.sign, EXACT.subtract(chain.paid[k], undisturbed)),
        cause="entry",
    )
    return fill, _trade(passage, k, None)


def _exit(passage: Passage, k: int) -> tuple[Record, ...]:
    chain, terms, columns = passage.chain, passage.of[k], passage.columns
    row = int(passage.prices.rows[columns[paths.CLOSED][k]])
    cause = "stop" if columns[paths.BY_STOP][k] else "target"
    undisturbed = _price(passage, paths.LAST, k)
    fill = Fill(
        order=f"{cause} of t{passage.numbers[k]}",
        at=passage.left[k],
        row=row,
        instrument=terms.symbol,
        side="sell" if terms.sign > 0 else "buy",
        quantity=chain.quantity[k],
        price=chain.got[k],
        fee=chain.charge[k],
        slippage=EXACT.multiply(-terms.sign, EXACT.subtract(chain.got[k], undisturbed)),
        cause=cause,
    )
    return fill, _trade(passage, k, fill)


def _trade(passage: Passage, k: int, last: Fill | None) -> Trade:
    """As `Position.trade` has it."""
    chain, terms = passage.chain, passage.of[k]
    fees = chain.cost[k] if last is None else EXACT.add(chain.cost[k], last.fee)
    profit = None if last is None else profit_of(passage, k, fees)
    return Trade(
        seq=passage.numbers[k],
        strategy=terms.strategy.name,
        instrument=terms.symbol,
        side="long" if terms.sign > 0 else "short",
        decision=passage.first_decision + k,
        entry_at=passage.decided[k],
        entry_row=int(passage.prices.rows[passage.columns[paths.FILLED][k]]),
        entry_price=chain.paid[k],
        quantity=chain.quantity[k],
        stop=chain.held_stop[k],
        target=chain.held_target[k],
        exit_at=None if last is None else last.at,
        exit_row=None if last is None else last.row,
        exit_price=None if last is None else last.price,
        cause=None if last is None else last.cause,
        fees=fees,
        profit=profit,
        r=None if profit is None else risk_of(passage, k, profit),
        best=0.0 if last is None else float(passage.seen[k, 0]),
        worst=0.0 if last is None else float(passage.seen[k, 1]),
    )


def profit_of(passage: Passage, k: int, fees: Decimal) -> Decimal:
    chain = passage.chain
    gained = EXACT.subtract(chain.got[k], chain.paid[k])
    moved = EXACT.add(ZERO, EXACT.multiply(passage.of[k].sign * chain.quantity[k], gained))
    return EXACT.add(EXACT.subtract(moved, fees), ZERO)


def risk_of(passage: Passage, k: int, profit: Decimal) -> Decimal | None:
    chain, stop = passage.chain, passage.chain.held_stop[k]
    if stop is None:
        return None
    risk = EXACT.multiply(chain.quantity[k], abs(EXACT.subtract(chain.paid[k], stop)))
    return EXACT.divide(profit, risk) if risk else None
