"""The records of a course as columns: a stream that a ledger's groups are cut from (`tb.ledger.sheets`).

Only for courses of one entry in one instrument, whose records have one shape. Each column is packed once for all trades.
INVARIANT: `records` and `group` say what `tb.replay.course.told` says.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from tb.core.records import Curve, Decision, Fill, Mark, Order, Record, Trade
from tb.gate.reading import texts_of as as_told
from tb.ledger.cells import Choice, Column, Every, Packed, Places, numbers, reals, texts
from tb.ledger.grouping import TOGETHER
from tb.ledger.log import BLOCK
from tb.ledger.segments import Group
from tb.ledger.sheets import Sheet, SheetGroup
from tb.replay.course import paths
from tb.replay.course.ahead import Ahead
from tb.replay.course.days import HELD
from tb.replay.course.digits import MINUS, PLAIN, in_turns, texts_of
from tb.replay.course.marks import marks_of
from tb.replay.course.naming import packed, taking_turns_with
from tb.replay.course.numbers import Numbers
from tb.replay.course.passage import OF_ORDERS, Ints, Passage
from tb.replay.course.reckoning import difference, parts, signed, taking_turns
from tb.replay.course.terms import Terms
from tb.replay.course.told import beside, told
from tb.runtime.session import Session

DECIDED, ORDERED, FILLED, OPENED, CLOSED, MARKED, POINTS = range(7)
_OF_A_TRADE = (DECIDED, ORDERED, MARKED, FILLED, OPENED, FILLED, CLOSED)
_BEFORE = (0, 5, 7)  # where in these something stands that is beside them: before it is decided, while it is held, after it
_OF_AN_ORDER = tuple(code in {DECIDED, MARKED} for code in _OF_A_TRADE)  # which of these there are where it is refused
_CAUSES = ("entry", "stop", "target")
# trades whose columns are made at once, so that the first are written while the next are made: those of the groups that are
# handed on together, and the one before them, whose order comes after the decision that ends a block
WINDOW = TOGETHER * BLOCK + 1


@dataclass
class Told:
    """The records of a passage, with what is worked out `ahead` of them. `curves` are points of the curve with their trade and
    place."""

    passage: Passage
    session: Session
    terms: Terms
    curves: Sequence[tuple[int, int, Curve]]
    ahead: Ahead
    count: int = field(init=False)
    _window: tuple[int, int, Told] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        size, count = len(_OF_A_TRADE), len(self.passage)
        days, out = self.passage.days, self.passage.ends
        trades = np.array([k for k, *_ in self.curves], dtype=np.int64)
        places = np.array([place for _, place, _ in self.curves], dtype=np.int64)
        when = np.array([HELD if place < out[k] else HELD + 1 for k, place, _ in self.curves], dtype=np.int64)
        of, kinds = np.r_[trades, days.trade], np.repeat([POINTS, MARKED], (len(trades), len(days)))
        when = np.r_[when, days.when]
        order = np.lexsort((kinds == MARKED, np.r_[places, days.place], when, of))  # points before days
        of, when, kinds = of[order], when[order], kinds[order]
        is_there = np.ones((count, size), dtype=np.bool_)
        is_there[~self.passage.is_taken] = _OF_AN_ORDER
        whole = np.tile(np.array(_OF_A_TRADE, dtype=np.int8), count)[is_there.ravel()]
        begins = np.cumsum(is_there.sum(axis=1)) - is_there.sum(axis=1)
        before = np.where(self.passage.is_taken[of], np.array(_BEFORE)[when], np.minimum(when, 1) * sum(_OF_AN_ORDER))
        self._codes = np.insert(whole, begins[of] + before, kinds)
        self._at = [np.flatnonzero(self._codes == code) for code in range(7)]
        self._starts = begins + of.searchsorted(np.arange(count))
        self.count = len(self._codes)

    @cached_property
    def decisive(self) -> list[int]:
        return self._at[DECIDED].tolist()

    def records(self, begin: int, end: int) -> list[Record]:
        first, last = self._trades_of(begin, end)
        start, (passage, curves) = int(self._starts[first]), self._part(first, last)
        return list(islice(told(passage, self.session, beside(passage, curves)), begin - start, end - start))

    def _trades_of(self, begin: int, end: int) -> tuple[int, int]:
        """The first trade that has records from one place to before another, and the one after the last."""
        return int(self._starts.searchsorted(begin, side="right")) - 1, int(self._starts.searchsorted(end))

    def _part(self, first: int, last: int) -> tuple[Passage, list[tuple[int, int, Curve]]]:
        curves = [(k - first, place, curve) for k, place, curve in self.curves if first <= k < last]
        return self.passage.part(first, last), curves

    def group(self, first: int, begin: int, end: int) -> Group:
        if len(self.passage) <= WINDOW:
            return self._group(first, begin, end)
        of, until = self._trades_of(begin, end)
        if self._window is None or not self._window[0] <= of <= until <= self._window[1]:
            last = max(until, min(of + WINDOW, len(self.passage)))
            passage, curves = self._part(of, last)
            taken = np.count_nonzero(self.passage.is_taken[:of])
            ahead = self.ahead.part(int(taken), int(taken + len(passage.which)))
            self._window = of, last, Told(passage, self.session, self.terms, curves, ahead)
        start = int(self._starts[self._window[0]])
        return self._window[2]._group(first, begin - start, end - start)

    def _group(self, first: int, begin: int, end: int) -> Group:
        spans = [(int(at.searchsorted(begin)), int(at.searchsorted(end))) for at in self._at]
        opened, closed = self._at[OPENED][slice(*spans[OPENED])], self._at[CLOSED][slice(*spans[CLOSED])]
        if len(opened) and (not len(closed) or opened[-1] > closed[-1]):
            return Group(first, self.records(begin, end))  # a trade that is open where the group ends
        sheets, others, before = [], [], begin - spans[OPENED][0]
        for code, (sheet, span) in enumerate(zip(self._sheets, spans, strict=True)):
            if span[0] == span[1] or code == OPENED:
                continue
            places = self._kept_at[code][slice(*span)] - before
            if sheet is not None:
                sheets.append((places, sheet.part(*span)))
            else:
                others.append((places.tolist(), [record for *_, record in self.curves[slice(*span)]]))
        return SheetGroup(first, end - begin - len(opened), sheets, others, lambda: self.records(begin, end))

    @cached_property
    def _kept_at(self) -> list[Ints]:
        """By code, where its records stand among those that are kept."""
        return [at - self._at[OPENED].searchsorted(at) for at in self._at]

    # --- columns -----------------------------------------------------------------------------------------------------

    @cached_property
    def _sheets(self) -> list[Sheet | None]:
        """By code; nothing for trades that are open, and for points of the curve."""
        sizes = list(map(len, self._at))
        alone = self._alone() if sizes[ORDERED] else self
        return [
            Sheet(Decision, sizes[DECIDED], self._decisions()),
            Sheet(Order, sizes[ORDERED], alone._orders()) if sizes[ORDERED] else None,
            Sheet(Fill, sizes[FILLED], alone._fills()) if sizes[FILLED] else None,
            None,
            Sheet(Trade, sizes[CLOSED], alone._trades()) if sizes[CLOSED] else None,
            Sheet(Mark, sizes[MARKED], marks_of(self.passage, self.session, self.terms)),
            None,
        ]

    def _alone(self) -> Told:
        """The trades without orders that were refused."""
        alone = self.passage.alone
        return self if alone is self.passage else Told(alone, self.session, self.terms, (), self.ahead)

    @cached_property
    def _texts(self) -> dict[str, Every | Packed]:
        """Prices and quantities as they are written."""
        chain = self.passage.chain
        names = ("quantity", "price", "stop", "target", "paid", "got", "before")
        found = {name: _written(getattr(chain, name)) for name in names}
        for name, held in (("stop", chain.held_stop), ("target", chain.held_target)):
            found[f"held_{name}"] = found[name] if _are_same(getattr(chain, name), held) else _written(held)
        return found

    @cached_property
    def _ids(self) -> NDArray[np.uint8]:
        """Those of the orders, packed, in rows."""
        return self.ahead.ids()

    @cached_property
    def _decided(self) -> Ints:
        found: Ints = self.passage.instants[self.passage.trades[:, paths.DECIDED]]
        return found

    @cached_property
    def _left(self) -> Ints:
        return self.passage.leaving

    @cached_property
    def _causes(self) -> NDArray[np.uint8]:
        """What closed each trade, as its number among the causes."""
        return np.where(self.passage.trades[:, paths.BY_STOP] != 0, 1, 2).astype(np.uint8)

    @cached_property
    def _decided_at(self) -> Packed:
        return numbers(self._decided)

    def _numbered(self, first: int) -> range:
        return range(first, first + len(self.passage))

    def _decision_numbers(self) -> Column:
        passage = self.passage
        if passage.orders is None:
            return self._numbered(passage.first_decision)
        return numbers(passage.first_decision + passage.orders)

    def _row_of(self, which: int) -> Ints:
        """The data rows of the bars in a column of the trades."""
        found: Ints = self.passage.prices.rows[self.passage.trades[:, which]]
        return found

    def _named(self) -> dict[str, Column]:
        return {"strategy": Every(self.terms.strategy.name), "instrument": Every(self.terms.symbol)}

    def _decisions(self) -> dict[str, Column]:
        passage, terms, written = self.passage, self.terms, self._texts
        period, enter, rows = terms.strategy.period, terms.enter, passage.deciding
        market, ages, origins = self._market(rows)
        is_said = any(not isinstance(word, str) for word in enter.because)
        reasons = [passage.reason(k, self.session.plan.graph) for k in range(len(rows) if is_said else 1)]
        node = enter.confidence
        return (
            self._named()
            | {
                "seq": self._numbered(passage.first_decision),
                "at": self._decided_at,
                "kind": Every("enter"),
                "enter": Every(terms.which),
                "side": Every("buy" if terms.sign > 0 else "sell"),
                "row": numbers(passage.view.markets.bars(terms.symbol, period).rows[rows]),
                "proposed": written["quantity"],
                "price": written["price"],
                "stop": written["stop"],
                "target": written["target"],
                "confidence": Every(None) if node is None else [passage.value(k, node) for k in range(len(rows))],
                "reason": reasons if is_said else Every(reasons[0]),
                "facts": Places(tuple(self._facts())),
                "market": market,
                "ages": ages,
                "rows": origins,
            }
            | self._said()
        )

    def _said(self) -> dict[str, Column]:
        """What the gate said, of what was proposed."""
        passage, quantity = self.passage, self._texts["quantity"]
        case = passage.case.tolist()
        if not any(case):
            nothing: dict[str, Column] = {
                "verdict": Every("approve"),
                "deciding": Every(()),
                "failed": Every(0),
                "unknown": Every(0),
            }
            return nothing | {"approved": quantity}
        said = list(map(passage.said.__getitem__, case))
        verdicts = tuple(dict.fromkeys(one.verdict for one in said))
        at = bytes(verdicts.index(one.verdict) for one in said)
        approved = texts_of(_nothing_at(passage.chain.quantity, ~passage.is_taken)) if passage.is_any_refused else quantity
        masks: dict[str, Column] = {name: [getattr(one, name) for one in said] for name in ("deciding", "failed", "unknown")}
        return masks | {"verdict": Choice(verdicts, at), "approved": approved}

    def _facts(self) -> Iterable[Every | Packed | list[str | None]]:
        """What the gate read, as the record has it."""
        passage, terms = self.passage, self.terms
        moving = dict(terms.moving)
        for at, still in enumerate(passage.still[terms.number]):
            leaf = moving.get(at)
            if leaf is None:
                yield Every(None if still is None else str(still))
            elif isinstance(leaf, int):
                yield _of_market(passage.view.values(leaf, terms.symbol, passage.deciding))
            elif isinstance(leaf, str) and leaf in OF_ORDERS:
                name = OF_ORDERS[leaf]
                yield self._texts[name] if name in self._texts else _written(getattr(passage.chain, name))
            else:
                found = passage.facts(leaf)
                yield _written(found) if isinstance(found, Numbers) else _listed(found)

    def _market(self, rows: Ints) -> tuple[Places, Places, Places]:
        """Values of the rules' leaves with their ages and rows."""
        view, symbol = self.passage.view, self.terms.symbol
        values, ages, origins, known = list[Any](), list[Any](), list[Any](), dict[object, tuple[Any, Any]]()
        for leaf in self.terms.enter.leaves:
            is_constant = self.session.plan.graph[leaf].op == "const"
            values.append(Every(view.value(leaf, symbol, 0)) if is_constant else reals(view.values(leaf, symbol, rows)))
            way = view.way_of(leaf, symbol)
            if way is None or way not in known:
                found = self._origins(leaf, rows)
                if way is not None:
                    known[way] = found
            else:
                found = known[way]
            ages.append(found[0])
            origins.append(found[1])
        return Places(tuple(values)), Places(tuple(ages)), Places(tuple(origins))

    def _origins(self, leaf: int, rows: Ints) -> tuple[Any, Any]:
        """Ages and rows of a leaf's values."""
        view, symbol = self.passage.view, self.terms.symbol
        known = view.origins(leaf, symbol, rows)
        if known is not None and min(int(column.min()) for column in known) >= 0:
            return numbers(known[0]), numbers(known[1])
        pairs = [view.origin(leaf, symbol, row) for row in rows.tolist()]
        return [age for age, _ in pairs], [row for _, row in pairs]

    def _orders(self) -> dict[str, Column]:
        terms, written = self.terms, self._texts
        return self._named() | {
            "id": packed(self._ids),
            "decision": self._decision_numbers(),
            "at": self._decided_at,
            "side": Every("buy" if terms.sign > 0 else "sell"),
            "quantity": written["quantity"],
            "kind": Every("entry"),
            "stop": written["stop"],
            "target": written["target"],
            "expires": numbers(self._decided + terms.strategy.period),
        }

    def _fills(self) -> dict[str, Column]:
        """Two for each trade: of its entry and of its exit."""
        passage, terms, chain = self.passage, self.terms, self.passage.chain
        first, count = passage.first_trade, len(passage)
        causes = self._causes
        out = tuple(f"{cause} of t" for cause in _CAUSES)
        # every trade has them
        quantity, paid, got = (cast(Packed, self._texts[name]) for name in ("quantity", "paid", "got"))
        slipped = [self._slipped(chain.paid, paths.START, terms.sign), self._slipped(chain.got, paths.LAST, -terms.sign)]
        return {
            "order": taking_turns_with(self._ids, causes, out, first),
            "at": numbers(_turns(self._decided, self._left)),
            "row": numbers(_turns(self._row_of(paths.FILLED), self._row_of(paths.CLOSED))),
            "instrument": Every(terms.symbol),
            "side": Choice(("buy", "sell"), (b"\x00\x01" if terms.sign > 0 else b"\x01\x00") * count),
            "quantity": in_turns(quantity, quantity),
            "price": in_turns(paid, got),
            "fee": texts_of(taking_turns(chain.cost, chain.charge)),
            "slippage": texts_of(taking_turns(slipped[0][0], slipped[1][0]), _turns(slipped[0][1], slipped[1][1])),
            "cause": Choice(_CAUSES, _turns(0 * causes, causes).tobytes()),
        }

    def _slipped(self, prices: Numbers, of: int, sign: int) -> tuple[Numbers, Ints]:
        """By how much prices are worse than undisturbed ones; a nothing has a sign as well."""
        trades = self.passage.trades
        undisturbed = Numbers(None, trades[:, of], trades[:, of + paths.WRITTEN])
        found = difference(prices, undisturbed)
        return signed(found, sign), np.where(found.low == 0, PLAIN if sign > 0 else MINUS, PLAIN)

    def _trades(self) -> dict[str, Column]:
        passage, terms, written = self.passage, self.terms, self._texts
        fees, profits, in_risk = self.ahead.profits()
        return self._named() | {
            "seq": self._numbered(passage.first_trade),
            "side": Every("long" if terms.sign > 0 else "short"),
            "decision": self._decision_numbers(),
            "entry_at": self._decided_at,
            "entry_row": numbers(self._row_of(paths.FILLED)),
            "entry_price": written["paid"],
            "quantity": written["quantity"],
            "stop": written["held_stop"],
            "target": written["held_target"],
            "exit_at": numbers(self._left),
            "exit_row": numbers(self._row_of(paths.CLOSED)),
            "exit_price": written["got"],
            "cause": Choice(_CAUSES, self._causes.tobytes()),
            "fees": fees,
            "profit": profits,
            "r": in_risk,
            "best": reals(passage.seen[:, 0]),
            "worst": reals(passage.seen[:, 1]),
        }


def _turns(first: NDArray[Any], second: NDArray[Any]) -> NDArray[Any]:
    """One of each in turn."""
    whole = np.empty(2 * len(first), dtype=first.dtype)
    whole[::2], whole[1::2] = first, second
    return whole


def _nothing_at(values: Numbers, where: NDArray[np.bool_]) -> Numbers:
    high, low, decimals = (np.where(where, 0, column) for column in parts(values))
    return Numbers(high, low, decimals)


def _written(values: Numbers) -> Every | Packed:
    """Values as their texts; nothing where all are nothing."""
    return Every(None) if values.is_price and not values.low.any() else texts_of(values)


def _are_same(one: Numbers, other: Numbers) -> bool:
    """Whether two columns of prices are written alike."""
    return bool(np.array_equal(one.low, other.low) and np.array_equal(one.decimals, other.decimals))


def _of_market(values: NDArray[np.float64]) -> Every | Packed | list[str | None]:
    """The texts of market values made exact; nothing where they are not known."""
    is_known = np.isfinite(values)
    if not is_known.any():
        return Every(None)
    found = as_told(values[is_known].tolist())
    if is_known.all():
        return texts(found)  # type: ignore[arg-type]
    each = iter(found)
    return [next(each) if known else None for known in is_known.tolist()]


def _listed(values: Sequence[Any]) -> Every | list[str | None]:
    """The same of values that are Decimals."""
    if all(value is None for value in values):
        return Every(None)
    return [None if value is None else str(value) for value in values]
