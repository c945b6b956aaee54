"""What a constraint may read besides market data: signatures of the facts of order, account and book.

A leaf fact is looked up by the gate and stored in the decision's snapshot. A derived fact is a pure function
(`tb.engine.derived`) of leaf facts, so that everything that changes with the size of the order can be computed again from the
record for any size. All leaves but `order.quantity` are independent of the order's quantity.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum

from tb.core.units import DURATION, INSTRUMENT, LIST, NUMBER, PRICE, QUANTITY, QUOTIENT, RATIO, TEXT, TIME, Unit, money


class Argument(Enum):
    SCOPE = "an instrument, a group, `order.instrument` or `group of order.instrument`"
    WINDOW = "`today` or a duration such as `1h`"


@dataclass(frozen=True, slots=True)
class FactSpec:
    """`unit` None means money in the account's currency. `needs` names the leaves a derived fact is computed from, in order."""

    name: str
    doc: str
    unit: Unit | None
    arguments: tuple[Argument, ...] = ()
    needs: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    optional: bool = False  # its absence is an answer (`is set`), not a failure

    @property
    def is_derived(self) -> bool:
        return bool(self.needs)


_SCOPED = ("scope.inside", "scope.others", "book.long", "book.short", "order.sign", "order.quantity", "order.price")
_WHOLE = ("book.gross_others", "book.long", "book.short", "order.sign", "order.quantity", "order.price")

_SPECS = (
    # the order
    FactSpec("order.instrument", "instrument of the order", INSTRUMENT),
    FactSpec("order.strategy", "name of the strategy that proposes it", TEXT),
    FactSpec("order.side", "`buy` or `sell`", TEXT),
    FactSpec("order.tier", "tier of the instrument in the strategy's universe", TEXT, optional=True),
    FactSpec("order.book", "book that the strategy belongs to", TEXT, optional=True),
    FactSpec("order.vetoed_by", "advisor who vetoes it", TEXT, optional=True),
    FactSpec("votes_for", "share of the council's weight that is for the order", RATIO, low=0, high=1, optional=True),
    FactSpec("kelly.trades", "closed trades of the strategy that count", NUMBER, low=0),
    FactSpec("kelly.needed", "how many are needed", NUMBER, low=0),
    FactSpec("kelly.wins", "how many of them won", NUMBER, low=0),
    FactSpec("kelly.gain", "mean return of those that won", RATIO, low=0),
    FactSpec("kelly.loss", "mean loss of those that lost, as a ratio", RATIO, low=0),
    FactSpec("kelly.fraction", "fraction of the share by Kelly", NUMBER, low=0, high=1),
    FactSpec("kelly.most", "share of equity that one allocation has at most", RATIO, low=0, high=1),
    FactSpec("allocation.used", "what the strategy holds of what shares the allocation, worst case", None, low=0),
    FactSpec(
        "allocation",
        "share of equity that the strategy's own trades allow",
        RATIO,
        needs=("kelly.trades", "kelly.needed", "kelly.wins", "kelly.gain", "kelly.loss", "kelly.fraction", "kelly.most"),
        low=0,
        high=1,
    ),
    FactSpec(
        "after.allocated",
        "what shares the allocation, after the order",
        None,
        needs=("allocation.used", "order.quantity", "order.price"),
        low=0,
    ),
    FactSpec("order.sign", "1 for a buy, -1 for a sell", NUMBER, low=-1, high=1),
    FactSpec("order.quantity", "quantity, in units of the instrument", QUANTITY, low=0),
    FactSpec("order.rate", "what the currency that the instrument is priced in is worth in the account's", NUMBER, low=0),
    FactSpec("order.price", "price expected: worst side of the quote and slippage, or the limit", PRICE, low=0),
    FactSpec("order.kind", "`market`, `limit` or `stop`: how it asks to be filled", TEXT),
    FactSpec("order.valid", "how long it may rest, 0 at market", DURATION, low=0),
    FactSpec("order.stop", "price of the protective stop", PRICE, low=0, optional=True),
    FactSpec("order.target", "price of the target", PRICE, low=0, optional=True),
    FactSpec("order.confidence", "confidence of the strongest trigger that fired", NUMBER, low=0, high=1, optional=True),
    FactSpec("order.conviction", "conviction of the signals that agree with the entry", NUMBER, low=1, high=10, optional=True),
    FactSpec("order.intended", "money the size rule asked for, before rounding to lots", None, low=0),
    FactSpec("order.missing", "inputs of the order that could not be computed", TEXT, optional=True),
    FactSpec("order.minimum", "smallest notional the venue takes", None, low=0),
    FactSpec("order.maximum", "largest quantity the venue takes", QUANTITY, low=0, optional=True),
    FactSpec("order.legs", "how many legs enter together with it, itself included; 1 for an order alone", NUMBER, low=1),
    FactSpec(
        "order.hedged",
        "share of its quantity that other legs of its entry hold the other way, of the same asset",
        RATIO,
        low=0,
        high=1,
    ),
    FactSpec("order.notional", "quantity times price", None, needs=("order.quantity", "order.price"), low=0),
    FactSpec("order.risk", "money lost at the stop", None, needs=("order.quantity", "order.price", "order.stop"), low=0),
    FactSpec(
        "order.stop_gap",
        "distance from price to stop, positive on the right side",
        PRICE,
        needs=("order.sign", "order.price", "order.stop"),
    ),
    FactSpec(
        "order.target_gap",
        "distance from price to target, positive on the right side",
        PRICE,
        needs=("order.sign", "order.price", "order.target"),
    ),
    FactSpec(
        "reward_risk",
        "distance to target over distance to stop",
        QUOTIENT,
        needs=("order.price", "order.stop", "order.target"),
        low=0,
    ),
    FactSpec("order.tick", "step of the price of the instrument", PRICE, low=0, optional=True),
    FactSpec("order.lot", "step of the quantity of the instrument", QUANTITY, low=0, optional=True),
    FactSpec("order.fee_rate", "fee of a fill as a share of its value", RATIO, low=0),
    FactSpec("order.margin_rate", "share of its value that a position binds as margin", RATIO, low=0),
    FactSpec("order.off_tick", "price above the last whole tick", PRICE, needs=("order.price", "order.tick")),
    FactSpec("order.off_lot", "quantity above the last whole lot", QUANTITY, needs=("order.quantity", "order.lot")),
    FactSpec("order.fee", "fee of the order", None, needs=("order.quantity", "order.price", "order.fee_rate"), low=0),
    FactSpec("order.margin", "margin of the order", None, needs=("order.quantity", "order.price", "order.margin_rate"), low=0),
    FactSpec(
        "duplicates",
        "orders sent within the window with the instrument, side, quantity and price of this one",
        NUMBER,
        (Argument.WINDOW,),
        needs=("order.twins", "order.quantity"),
        low=0,
    ),
    FactSpec(
        "order.twins",
        "quantities sent within the window with instrument, side and price of this order, as text with commas",
        TEXT,
        (Argument.WINDOW,),
    ),
    FactSpec("parent.quantity", "quantity of the order that this one is a part of, else its own", QUANTITY, low=0),
    FactSpec("parent.sent", "quantity sent already for the order that this one is a part of", QUANTITY, low=0),
    # the book as it would be after the order, in the worst case with working orders
    FactSpec("after.exposure", "absolute value held, worst case", None, (Argument.SCOPE,), _SCOPED, low=0),
    FactSpec("after.gross", "sum of absolute values held, worst case", None, needs=_WHOLE, low=0),
    FactSpec(
        "after.net",
        "absolute value of the signed sum held, worst case",
        None,
        needs=("book.net_long", "book.net_short", "order.sign", "order.quantity", "order.price", "order.net_share"),
        low=0,
    ),
    FactSpec(
        "after.open_positions",
        "instruments held or being bought, worst case",
        NUMBER,
        needs=("book.open_positions", "order.opens"),
        low=0,
    ),
    # the book as it is
    FactSpec("exposure", "absolute value held now", None, (Argument.SCOPE,), low=0),
    FactSpec("gross", "sum of absolute values held now", None, low=0),
    FactSpec("net", "absolute value of the signed sum held now", None, low=0),
    FactSpec("open_positions", "instruments held now", NUMBER, low=0),
    FactSpec("equity", "cash and positions at the last price", None),
    FactSpec("equity at day_start", "equity when the trading day began", None),
    FactSpec("cash", "cash", None),
    FactSpec("loss", "equity lost since the window began, 0 in profit", None, (Argument.WINDOW,), low=0),
    FactSpec("drawdown", "fall of equity from its highest close, as a ratio", RATIO, low=0, high=1),
    FactSpec("entries", "entries approved within the window", NUMBER, (Argument.WINDOW,), low=0),
    FactSpec("orders", "orders approved within the window", NUMBER, (Argument.WINDOW,), low=0),
    FactSpec("losses_in_a_row", "closed trades lost since the last that was not", NUMBER, low=0),
    FactSpec("since_last_loss", "time since a trade was last closed at a loss", DURATION, low=0, optional=True),
    FactSpec("committed", "value of the entries approved within the window", None, (Argument.WINDOW,), low=0),
    FactSpec("reserved", "cash that entries on their way will take, with their fees", None, low=0),
    FactSpec("margin_free", "equity less the margin of all that is held and on its way", None),
    FactSpec("working_orders", "entries approved and not filled yet", NUMBER, low=0),
    FactSpec("messages", "orders and cancels sent within the window", NUMBER, (Argument.WINDOW,), low=0),
    FactSpec("proposals", "orders put before the gate within the window, refused ones too", NUMBER, (Argument.WINDOW,), low=0),
    FactSpec("self_match", "own entries on their way on the other side that this order would meet", NUMBER, low=0),
    FactSpec("stops_in_a_row", "trades stopped out since the last that was not", NUMBER, low=0),
    FactSpec("since_last_stop", "time since a trade was last stopped out", DURATION, low=0, optional=True),
    FactSpec("rejects_in_a_row", "orders the venue refused since the last that filled", NUMBER, low=0),
    FactSpec("since_last_reject", "time since the venue last refused an order", DURATION, low=0, optional=True),
    FactSpec("strategy.open_positions", "instruments that the order's strategy holds or is buying", NUMBER, low=0),
    FactSpec("strategy.working_orders", "entries of the order's strategy that have not filled yet", NUMBER, low=0),
    FactSpec("strategy.committed", "value of its strategy's entries within the window", None, (Argument.WINDOW,), low=0),
    FactSpec("strategy.unattended", "its entries filled or on their way since a person lifted a halt", NUMBER, low=0),
    # what whoever is connected to the venue states; unknown where nobody does
    FactSpec("venue.status", "`open`, `limit_only`, `post_only`, `cancel_only` or `halted`: the instrument at the venue", TEXT),
    FactSpec("breaker", "`active`, `reducing`, `draining` or `halted`: the circuit breaker of the runtime", TEXT),
    FactSpec("venue.heartbeat_age", "time since the venue was last heard", DURATION, low=0),
    FactSpec("venue.reconciled_age", "time since the account was last found to agree with the venue", DURATION, low=0),
    FactSpec("venue.unknown_orders", "orders whose fate is not known", NUMBER, low=0),
    FactSpec("venue.clock_skew", "how far the venue's clock is from ours", DURATION, low=0),
    FactSpec("data_age", "time since the newest bar of the instrument closed", DURATION, low=0),
    FactSpec("restricted", "instruments the project restricts", LIST),
    FactSpec("halted_by", "the halt in force", TEXT, optional=True),
    FactSpec("paused_by", "the pause in force", TEXT, optional=True),
    FactSpec("instant", "the instant of the decision: exceptions end at one", TIME),
    # leaves that only derived facts read
    FactSpec("scope.inside", "1 where the order's instrument belongs to the scope", NUMBER, (Argument.SCOPE,)),
    FactSpec("scope.others", "worst-case value of the scope's other instruments", None, (Argument.SCOPE,), low=0),
    FactSpec("book.long", "long side of the order's instrument, working buys filled, shorts closed", None),
    FactSpec("book.short", "short side of the order's instrument, working sells filled, longs closed", None),
    FactSpec("book.gross_others", "worst-case value of all other instruments", None, low=0),
    FactSpec("book.net_long", "long sides of the whole book, worst case", None),
    FactSpec("book.net_short", "short sides of the whole book, worst case", None),
    FactSpec("book.open_positions", "instruments held or being bought", NUMBER, low=0),
    FactSpec("order.net_share", "what all legs of the entry add up to, over this order's signed value; 1 alone", NUMBER),
    FactSpec("order.opens", "1 where the order opens an instrument not held yet", NUMBER),
)

# what is told of the account, and by `FACT of book` of the book that the order's strategy belongs to
OF_BOOK = (
    "after.exposure",
    "after.gross",
    "after.net",
    "after.open_positions",
    "exposure",
    "gross",
    "net",
    "open_positions",
    "equity",
    "equity at day_start",
    "cash",
    "loss",
    "drawdown",
    "entries",
    "orders",
    "losses_in_a_row",
    "since_last_loss",
    "scope.others",
    "order.opens",
    "book.long",
    "book.short",
    "book.gross_others",
    "book.net_long",
    "book.net_short",
    "book.open_positions",
)


def of_book(name: str) -> str:
    """The name of a fact as it is told of a book; facts that no book has keep theirs."""
    return f"{name} of book" if name in OF_BOOK else name


def _told_of_book(spec: FactSpec) -> FactSpec:
    needs = tuple(of_book(need) for need in spec.needs)
    return replace(spec, name=of_book(spec.name), doc=f"{spec.doc}, of the book of the order", needs=needs)


_BOOKS = tuple(_told_of_book(spec) for spec in _SPECS if spec.name in OF_BOOK)
FACTS: Mapping[str, FactSpec] = {spec.name: spec for spec in (*_SPECS, *_BOOKS)}
_UNSAID = (
    "order.opens",
    "order.net_share",
    "order.sign",
    "order.missing",
    "halted_by",
    "paused_by",
    "instant",
    "order.vetoed_by",
    "votes_for",
    "allocation",
    "after.allocated",
)
# of these, a price is an amount of money: it is converted where an instrument may be priced in another currency
IN_MONEY = frozenset(
    of
    for name in (
        "order.notional order.risk order.fee order.margin after.exposure after.gross after.net after.allocated"
    ).split()
    for of in (name, of_book(name))
)
INTERNAL = frozenset(
    {name for name in FACTS if name.startswith(("scope.", "book.", "kelly.", "allocation."))}
    | {*_UNSAID, *(of_book(name) for name in _UNSAID)}
)
# what is counted: whole numbers
COUNTS = frozenset(
    of
    for name in (
        "entries orders open_positions losses_in_a_row stops_in_a_row rejects_in_a_row working_orders messages proposals "
        "self_match strategy.open_positions strategy.working_orders strategy.unattended venue.unknown_orders "
        "book.open_positions order.legs kelly.trades kelly.needed kelly.wins"
    ).split()
    for of in (name, of_book(name))
)


def unit_of(spec: FactSpec, currency: str) -> Unit:
    """The unit of a fact in an account of that currency."""
    return money(currency) if spec.unit is None else spec.unit
