"""The records of a course as columns: a stream that a ledger's groups are cut from (`tb.ledger.sheets`).

Only for courses of one entry in one instrument, whose records have one shape. INVARIANT: `records` and `group` say what
`tb.replay.course.told` says.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from itertools import islice, repeat
from typing import Any

import numpy as np

from tb.core.encode import canonical
from tb.core.records import Curve, Decision, Fill, Mark, Order, Record, Trade
from tb.engine.instant import EXACT, exact
from tb.ledger.columns import Cells, Column, Every, Places
from tb.ledger.segments import Group
from tb.ledger.sheets import Sheet, SheetGroup
from tb.replay.course import paths
from tb.replay.course.chain import STEPS
from tb.replay.course.days import FLAT
from tb.replay.course.passage import OF_ORDERS, Ints, Passage
from tb.replay.course.terms import Terms
from tb.replay.course.told import ZERO, Point, beside, told
from tb.replay.course.usage import uses
from tb.runtime.session import Session

DECIDED, ORDERED, FILLED, OPENED, CLOSED, MARKED, POINTS = range(7)
_OF_A_TRADE = (DECIDED, ORDERED, MARKED, FILLED, OPENED, FILLED, CLOSED)
_BEFORE = (0, 5, 7)  # where in these something stands that is beside them: before it is decided, while it is held, after it


@dataclass
class Told:
    """The records of a passage. `curves` are points of the curve with trade and place."""

    passage: Passage
    session: Session
    terms: Terms
    curves: Sequence[tuple[int, int, Curve]]
    beside: list[Point] = field(init=False)
    count: int = field(init=False)

    def __post_init__(self) -> None:
        self.beside = beside(self.passage, self.curves)
        size = len(_OF_A_TRADE)
        at = [size * k + _BEFORE[when] for k, when, *_ in self.beside]
        kinds = [MARKED if isinstance(record, Mark) else POINTS for *_, record in self.beside]
        whole = np.tile(np.array(_OF_A_TRADE, dtype=np.int8), len(self.passage))
        self._codes = np.insert(whole, at, kinds) if at else whole
        self._at = [np.flatnonzero(self._codes == code) for code in range(7)]
        numbers = np.arange(len(self.passage))
        self._starts = size * numbers + np.searchsorted([k for k, *_ in self.beside], numbers)
        self.count = len(self._codes)

    @cached_property
    def decisive(self) -> list[int]:
        return self._at[DECIDED].tolist()

    def records(self, begin: int, end: int) -> list[Record]:
        k = int(self._starts.searchsorted(begin, side="right")) - 1
        start = int(self._starts[k])
        return list(islice(told(self.passage, self.session, self.beside, k), begin - start, end - start))

    def group(self, first: int, begin: int, end: int) -> Group:
        codes = self._codes[begin:end]
        opened, closed = np.flatnonzero(codes == OPENED), np.flatnonzero(codes == CLOSED)
        if len(opened) and (not len(closed) or opened[-1] > closed[-1]):
            return Group(first, self.records(begin, end))  # a trade that is open where the group ends
        codes = codes[codes != OPENED]
        sheets, others = [], []
        for code, sheet in enumerate(self._sheets):
            places = np.flatnonzero(codes == code).tolist()
            span = slice(int(self._at[code].searchsorted(begin)), int(self._at[code].searchsorted(end)))
            if places and sheet is not None:
                sheets.append((places, Sheet(sheet[0], len(places), {n: _cut(c, span) for n, c in sheet[1].items()})))
            elif places:
                others.append((places, [record for *_, record in self.beside if isinstance(record, Curve)][span]))
        return SheetGroup(first, len(codes), sheets, others, lambda: self.records(begin, end))

    # --- columns -----------------------------------------------------------------------------------------------------

    @cached_property
    def _sheets(self) -> list[tuple[type, dict[str, Column]] | None]:
        """By code; nothing for trades that are open, and for points of the curve."""
        return [
            (Decision, self._decisions()),
            (Order, self._orders()),
            (Fill, self._fills()),
            None,
            (Trade, self._trades()),
            (Mark, self._marks()),
            None,
        ]

    @cached_property
    def _texts(self) -> dict[str, Every | Cells]:
        """Prices and quantities as they are written."""
        chain = self.passage.chain
        found: dict[str, Every | Cells] = {}
        for name in ("quantity", "price", "stop", "target", "paid", "held_stop", "held_target", "got", "before"):
            found[name] = _written(getattr(chain, name))
        return found | (
            {"intended": _written(chain.intended)} if any(leaf == "order.intended" for _, leaf in self.terms.moving) else {}
        )

    @cached_property
    def _ids(self) -> list[str]:
        terms, session = self.terms, self.session
        start = canonical([session.run, session.policy_hash, terms.strategy.name, terms.symbol])[:-1] + b',%d,"enter"]'
        return [hashlib.sha256(start.replace(b"%d", b"%d" % at)).hexdigest()[:20] for at in self.passage.decided]

    def _numbered(self, first: int) -> list[int]:
        return list(range(first, first + len(self.passage)))

    def _named(self) -> dict[str, Column]:
        return {"strategy": Every(self.terms.strategy.name), "instrument": Every(self.terms.symbol)}

    def _decisions(self) -> dict[str, Column]:
        passage, terms, texts = self.passage, self.terms, self._texts
        period, enter = terms.strategy.period, terms.enter
        rows = np.array(passage.rows, dtype=np.int64)
        market, ages, origins = self._market(rows)
        is_said = any(not isinstance(word, str) for word in enter.because)
        reasons = [passage.reason(k, self.session.plan.graph) for k in range(len(rows) if is_said else 1)]
        node = enter.confidence
        return self._named() | {
            "seq": self._numbered(passage.first_decision),
            "at": passage.decided,
            "kind": Every("enter"),
            "enter": Every(terms.which),
            "side": Every("buy" if terms.sign > 0 else "sell"),
            "row": passage.view.markets.bars(terms.symbol, period).rows[rows].tolist(),
            "verdict": Every("approve"),
            "deciding": Every(()),
            "proposed": texts["quantity"],
            "approved": texts["quantity"],
            "price": texts["price"],
            "stop": texts["stop"],
            "target": texts["target"],
            "confidence": Every(None) if node is None else [passage.value(k, node) for k in range(len(rows))],
            "reason": reasons if is_said else Every(reasons[0]),
            "failed": Every(0),
            "unknown": Every(0),
            "facts": Places(tuple(self._facts())),
            "market": market,
            "ages": ages,
            "rows": origins,
        }

    def _facts(self) -> Iterable[Every | Cells]:
        """What the gate read, as the record has it."""
        passage, terms = self.passage, self.terms
        moving = dict(terms.moving)
        for at, still in enumerate(passage.still[terms.number]):
            leaf = moving.get(at)
            if leaf is None:
                yield Every(None if still is None else str(still))
            elif isinstance(leaf, int):
                yield _written([exact(passage.value(k, leaf)) for k in range(len(passage))])
            elif leaf in OF_ORDERS:
                yield self._texts[OF_ORDERS[leaf]]
            else:
                yield _written(passage.facts(leaf))

    def _market(self, rows: Ints) -> tuple[Places, Places, Places]:
        """Values of the rules' leaves with their ages and rows."""
        view, symbol = self.passage.view, self.terms.symbol
        values: list[Any] = []
        ages: list[Any] = []
        origins: list[Any] = []
        for leaf in self.terms.enter.leaves:
            if self.session.plan.graph[leaf].op == "const":
                values.append(Every(view.value(leaf, symbol, 0)))
            else:
                found = view.column(leaf, symbol)[rows]
                listed = found.tolist()
                values.append(listed if not np.isnan(found).any() else [None if one != one else one for one in listed])  # noqa: PLR0124
            known = view.origins(leaf, symbol, rows)
            pairs = [] if known is not None else [view.origin(leaf, symbol, row) for row in rows.tolist()]
            ages.append(known[0].tolist() if known is not None else [age for age, _ in pairs])
            origins.append(known[1].tolist() if known is not None else [row for _, row in pairs])
        return Places(tuple(values)), Places(tuple(ages)), Places(tuple(origins))

    def _orders(self) -> dict[str, Column]:
        passage, terms, texts = self.passage, self.terms, self._texts
        period = terms.strategy.period
        return self._named() | {
            "id": self._ids,
            "decision": self._numbered(passage.first_decision),
            "at": passage.decided,
            "side": Every("buy" if terms.sign > 0 else "sell"),
            "quantity": texts["quantity"],
            "kind": Every("entry"),
            "stop": texts["stop"],
            "target": texts["target"],
            "expires": [at + period for at in passage.decided],
        }

    def _fills(self) -> dict[str, Column]:
        """Two for each trade: of its entry and of its exit."""
        passage, terms, chain = self.passage, self.terms, self.passage.chain
        by_stop, rows = passage.columns[paths.BY_STOP], passage.prices.rows
        sides = ("buy", "sell") if terms.sign > 0 else ("sell", "buy")
        causes = ["stop" if one else "target" for one in by_stop]
        out = [f"{cause} of t{seq}" for seq, cause in enumerate(causes, passage.first_trade)]
        bars = passage.trades[:, [paths.FILLED, paths.CLOSED]].ravel()
        paid, got = _list(self._texts["paid"]), _list(self._texts["got"])
        slipped = self._slipped(chain.paid, paths.START, terms.sign), self._slipped(chain.got, paths.LAST, -terms.sign)
        return {
            "order": _turns(self._ids, out),
            "at": _turns(passage.decided, passage.left),
            "row": rows[bars].tolist(),
            "instrument": Every(terms.symbol),
            "side": list(sides) * len(passage),
            "quantity": _turns(_list(self._texts["quantity"]), _list(self._texts["quantity"])),
            "price": _turns(paid, got),
            "fee": _turns(list(map(str, chain.cost)), list(map(str, chain.charge))),
            "slippage": _turns(*slipped),
            "cause": _turns(["entry"] * len(passage), causes),
        }

    def _slipped(self, prices: Sequence[Any], of: int, sign: int) -> list[str]:
        passage, known = self.passage, dict[tuple[int, int, int, int], str]()
        counts, written = passage.columns[of], passage.columns[of + paths.WRITTEN]
        price_of = paths.PAID if of == paths.START else paths.GOT
        others, other_written = passage.columns[price_of], passage.columns[price_of + paths.WRITTEN]
        found = []
        for price, count, decimals, other, with_ in zip(prices, counts, written, others, other_written, strict=True):
            key = (count - other if decimals == with_ else -1 - count, decimals, with_, 0 if decimals == with_ else other)
            text = known.get(key)
            if text is None:
                undisturbed = EXACT.multiply(count, STEPS[decimals])
                text = known[key] = str(EXACT.multiply(sign, EXACT.subtract(price, undisturbed)))
            found.append(text)
        return found

    def _trades(self) -> dict[str, Column]:
        passage, terms, chain, texts = self.passage, self.terms, self.passage.chain, self._texts
        fees = list(map(EXACT.add, chain.cost, chain.charge))
        profits, in_risk = self._profits(fees)
        rows, trades = passage.prices.rows, passage.trades
        return self._named() | {
            "seq": self._numbered(passage.first_trade),
            "side": Every("long" if terms.sign > 0 else "short"),
            "decision": self._numbered(passage.first_decision),
            "entry_at": passage.decided,
            "entry_row": rows[trades[:, paths.FILLED]].tolist(),
            "entry_price": texts["paid"],
            "quantity": texts["quantity"],
            "stop": texts["held_stop"],
            "target": texts["held_target"],
            "exit_at": passage.left,
            "exit_row": rows[trades[:, paths.CLOSED]].tolist(),
            "exit_price": texts["got"],
            "cause": ["stop" if one else "target" for one in passage.columns[paths.BY_STOP]],
            "fees": list(map(str, fees)),
            "profit": list(map(str, profits)),
            "r": in_risk,
            "best": passage.seen[:, 0].tolist(),
            "worst": passage.seen[:, 1].tolist(),
        }

    def _profits(self, fees: Sequence[Decimal]) -> tuple[list[Decimal], Every | Cells]:
        """Each trade's profit, and the same in R as text."""
        chain, nothing = self.passage.chain, repeat(ZERO)
        signed = chain.quantity if self.terms.sign > 0 else list(map(EXACT.minus, chain.quantity))
        moved = map(EXACT.add, nothing, map(EXACT.multiply, signed, map(EXACT.subtract, chain.got, chain.paid)))
        profits = list(map(EXACT.add, map(EXACT.subtract, moved, fees), nothing))
        if chain.held_stop[0] is None:
            return profits, Every(None)
        risks = list(map(EXACT.multiply, chain.quantity, map(abs, map(EXACT.subtract, chain.paid, chain.held_stop))))
        in_risk = [EXACT.divide(profit, risk) if risk else None for profit, risk in zip(profits, risks, strict=True)]
        return profits, _written(in_risk)

    def _marks(self) -> dict[str, Column]:
        """Those of decisions, with the use of limits, and those of days that begin."""
        passage = self.passage
        at, equity = list(passage.decided), list(_list(self._texts["before"]))
        exposure, usage = ["0"] * len(at), uses(passage, self.session, self.terms)
        # before the mark of their trade's decision, or after it
        days = [(k if when == FLAT else k + 1, day) for k, when, _, _, day in self.beside if isinstance(day, Mark)]
        if days:
            at = _between(at, [(place, day.at) for place, day in days])
            equity = _between(equity, [(place, str(day.equity)) for place, day in days])
            exposure = _between(exposure, [(place, str(day.exposure)) for place, day in days])
            usage = _between(usage, [(place, day.usage) for place, day in days])
        return {"at": at, "equity": equity, "exposure": exposure, "usage": usage}


def _between(cells: Sequence[Any], found: Sequence[tuple[int, Any]]) -> list[Any]:
    """The cells with others before those of these numbers, in order."""
    whole: list[Any] = []
    begin = 0
    for place, cell in found:
        whole += cells[begin:place]
        whole.append(cell)
        begin = place
    whole += cells[begin:]
    return whole


def _turns(first: Sequence[Any], second: Sequence[Any]) -> list[Any]:
    """One of each in turn."""
    whole: list[Any] = [None] * (2 * len(first))
    whole[::2], whole[1::2] = first, second
    return whole


def _written(values: Sequence[Any]) -> Every | Cells:
    """Values as their texts; nothing where all are nothing."""
    unknown = sum(value is None for value in values)
    if unknown:
        return Every(None) if unknown == len(values) else [None if value is None else str(value) for value in values]
    return list(map(str, values))


def _list(column: Column) -> list[Any]:
    assert isinstance(column, list)
    return column


def _cut(column: Column, span: slice) -> Column:
    if isinstance(column, Every):
        return column
    if isinstance(column, Places):
        return Places(tuple(one if isinstance(one, Every) else one[span] for one in column.columns))
    return column[span]
