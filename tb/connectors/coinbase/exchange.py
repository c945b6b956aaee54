"""The adapter: Coinbase Advanced Trade as an `Exchange`. One method for each question, safe to use from several threads.

    requests    sent and sorted; `_answers`, `_changes` make `NoAnswer` and `Refusal` of what went wrong    (transport)
    reading     orders, products, account, candles, quotes: what cannot be read is named
    lists       read to their end                                                                           (paging)
    messages    two connections fill what `events` hands out                                                (streams)

INVARIANT: no method raises for what the venue or the network does; what changes something is sent once.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, Concatenate, ParamSpec, TypeVar
from urllib.parse import quote, urlsplit

from tb.connectors.coinbase.account import Execution, balances_of, execution_of
from tb.connectors.coinbase.book import Book
from tb.connectors.coinbase.candles import GRANULARITIES, candles_of, page_query, pages
from tb.connectors.coinbase.credentials import Credentials
from tb.connectors.coinbase.orders import Unsendable, order_body, order_of, parent_of, refusal_of
from tb.connectors.coinbase.paging import listed
from tb.connectors.coinbase.products import other_names, quoted_as, rules_of
from tb.connectors.coinbase.quotes import quote_of
from tb.connectors.coinbase.streams import PAUSE, SILENCE, Streams
from tb.connectors.coinbase.transport import (
    CANCELLING,
    CLOSING,
    ORDINARY,
    Declined,
    Query,
    Transport,
    Unanswered,
    checked_address,
    open_client,
    trusted,
)
from tb.connectors.coinbase.venue_time import VenueTime
from tb.connectors.coinbase.wire import Fields, Unreadable, optional_text, part, rows, show_number, show_time, text, truth
from tb.core.time import MINUTE, show_duration
from tb.runtime.ports.exchange import (
    Balance,
    Candle,
    Event,
    NoAnswer,
    OrderState,
    Quoted,
    Refusal,
    Request,
    Rules,
    VenueFill,
)

REST = "https://api.coinbase.com"
MARKET = "wss://advanced-trade-ws.coinbase.com"
USER = "wss://advanced-trade-ws-user.coinbase.com"

EARLIER = 5 * MINUTE  # how much further back lists are read: the venue's clock is not ours
AT_ONCE = 50  # names in one request
UNKNOWN_NAME = frozenset({400, 404})
# refusals that say that the order is there already, so that "nothing was done" would be wrong
_THERE_ALREADY = ("DUPLICATE", "ALREADY")
# codes that say that the venue failed, and not that it decided: what it had done by then is not known
_FAILED = frozenset({"INTERNAL", "INTERNAL_ERROR", "UNAVAILABLE", "DEADLINE_EXCEEDED", "TIMEOUT", "ABORTED", "CANCELLED"})

P = ParamSpec("P")
R = TypeVar("R")


def _answers(method: Callable[Concatenate[Coinbase, P], R]) -> Callable[Concatenate[Coinbase, P], R | NoAnswer]:
    """A method that reads: whatever is not a whole answer is none."""

    @functools.wraps(method)
    def asked(self: Coinbase, /, *args: P.args, **kwargs: P.kwargs) -> R | NoAnswer:
        try:
            return method(self, *args, **kwargs)
        except Unanswered as none:
            return none.answer
        except Declined as no:
            return NoAnswer(f"the venue does not answer this: {no.refusal.code}, {no.refusal.words}")
        except Unreadable as problem:
            return NoAnswer(f"{method.__name__}: {problem}")

    return asked


def _changes(method: Callable[Concatenate[Coinbase, P], R]) -> Callable[Concatenate[Coinbase, P], R | Refusal | NoAnswer]:
    """A method that changes something: the venue's "no" is a refusal, and what cannot be read is no answer."""

    @functools.wraps(method)
    def done(self: Coinbase, /, *args: P.args, **kwargs: P.kwargs) -> R | Refusal | NoAnswer:
        try:
            return method(self, *args, **kwargs)
        except Unanswered as none:
            return none.answer
        except Declined as no:
            return _outcome(no.refusal)
        except Unsendable as problem:
            return Refusal("NOT_SENT", str(problem))
        except Unreadable as problem:
            return NoAnswer(f"{method.__name__}: {problem}")

    return done


class Coinbase:
    """The adapter; `connect` makes one. Without credentials it answers what is public: rules, bars, quotes, the clock."""

    name = "coinbase"

    def __init__(self, transport: Transport, streams: Callable[[Book], Streams]) -> None:
        self._transport = transport
        self._is_public = transport.credentials is None
        self._book = Book()
        self._streams = streams(self._book)
        self._time = VenueTime(transport)
        self._rules: dict[str, Rules] = {}
        self._other_names: dict[str, tuple[str, ...]] = {}  # of the same book
        self._quoted_as: dict[str, str] = {}  # the one of them that quotes are told of

    @property
    def address(self) -> str:
        """The host and port that requests go to."""
        return self._transport.host

    # orders

    @_changes
    def place(self, request: Request) -> OrderState | Refusal:
        """Sends the order, once. `NOT_SENT` is the code of what the venue has no words for.

        An entry with both stop and target takes a bracket along, which the venue arms when the entry fills.
        """
        body = order_body(request, self._tick(request))
        answer = self._transport.post("/orders", body, CLOSING if request.reducing else ORDINARY)
        if not truth(answer, "success"):
            return _refused(part(answer, "error_response"))
        sent = part(answer, "success_response")
        if text(sent, "client_order_id") != request.client_id:
            raise Unreadable("`client_order_id` is that of another order")
        order = OrderState(
            client_id=request.client_id,
            venue_id=text(sent, "order_id"),
            instrument=request.instrument,
            side=request.side,
            quantity=request.quantity,
            filled=Decimal(0),
            average=None,
            fees=Decimal(0),
            status="pending",
            at=self._transport.clock(),
            form=request.form,
            price=request.price,
            stop=request.stop if request.form == "bracket" else None,
            target=request.target if request.form == "bracket" else None,
        )
        self._book.keep([order])
        return order

    @_changes
    def amend(self, order: OrderState, quantity: Decimal, price: Decimal) -> OrderState | Refusal:
        """Changes quantity, with what is filled already, and price of a limit order, once."""
        if order.form != "limit" or not order.venue_id:
            raise Unsendable("only a limit order that the venue has given an id can be changed")
        if not all(value.is_finite() and value > 0 for value in (quantity, price)):
            raise Unsendable("quantity and price have to be numbers greater than 0")
        body = {"order_id": order.venue_id, "size": show_number(quantity), "price": show_number(price)}
        answer = self._transport.post("/orders/edit", body)
        if not truth(answer, "success"):
            failures = rows(answer, "errors") if "errors" in answer else [part(answer, "error_response")]
            return _refused(failures[0] if failures else {})
        changed = replace(order, quantity=quantity, price=price, at=self._transport.clock())
        self._book.keep([changed])
        return changed

    @_changes
    def cancel(self, order: OrderState) -> Refusal | None:
        """Asks to cancel it, once, before all that waits. An order that is being cancelled already is taken up, too."""
        if not order.venue_id:
            raise Unsendable("the venue's id of the order is not known: find it first")
        answer = self._transport.post("/orders/batch_cancel", {"order_ids": [order.venue_id]}, CANCELLING)
        for result in rows(answer, "results"):
            if text(result, "order_id") != order.venue_id:
                continue
            if truth(result, "success"):
                return None
            reason = optional_text(result, "failure_reason") or "UNKNOWN_CANCEL_FAILURE_REASON"
            return None if reason == "DUPLICATE_CANCEL_REQUEST" else Refusal(reason, "the venue did not take up the cancel")
        raise Unreadable("`results` does not tell of the order")

    @_answers
    def find(self, client_id: str, instrument: str, since: int) -> OrderState | None:
        """The order of this id. Where the venue's own id is known it is asked for that; else the list of the instrument's
        orders is read to its end, since the venue has no question for our id.

        Its clock may be behind ours: the list begins five minutes earlier than asked.
        """
        found = self._known(client_id)
        if found is None:
            names = (instrument, *self._other_names.get(instrument, ()))
            query = [*(("product_ids", name) for name in names), ("start_date", show_time(since - EARLIER))]
            for order in self._orders(query):
                if order.get("client_order_id") is None:
                    raise Unreadable("`client_order_id` is missing")
                if order["client_order_id"] == client_id:
                    if found is not None and found.venue_id != text(order, "order_id"):
                        raise Unreadable("`client_order_id` is that of two orders")
                    found = self._state(order)
        if found is not None:
            self._book.keep([found])
        return found

    @_answers
    def open_orders(self) -> tuple[OrderState, ...]:
        """All that work. Those on their way come first: one that opens between the two lists is in the second."""
        found: dict[str, OrderState] = {}
        for statuses in (("PENDING", "QUEUED", "CANCEL_QUEUED", "EDIT_QUEUED"), ("OPEN",)):
            for order in self._orders([("order_status", status) for status in statuses]):
                state = self._state(order)
                found[state.venue_id] = state
        self._book.keep(found.values())
        return tuple(sorted(found.values(), key=lambda state: (state.at, state.venue_id)))

    # the account

    @_answers
    def fills(self, since: int) -> tuple[VenueFill, ...]:
        """Executions at or after an instant, oldest first. Our id is empty where the venue does not know the order any more."""
        query = [("start_sequence_timestamp", show_time(since - EARLIER))]
        found = {fill.id: fill for fill in map(execution_of, self._listed("/orders/historical/fills", query, "fills"))}
        wanted = sorted((fill for fill in found.values() if fill.at >= since), key=lambda fill: (fill.at, fill.id))
        ours = self._client_ids(wanted)
        return tuple(fill.of(ours.get(fill.venue_id, "")) for fill in wanted)

    @_answers
    def balances(self) -> tuple[Balance, ...]:
        return balances_of(list(self._listed("/accounts", [("limit", "250")], "accounts")))

    # the market

    @_answers
    def rules(self, instruments: Sequence[str]) -> Mapping[str, Rules]:
        found: dict[str, Rules] = {}
        for names in _parts(instruments):
            for product in self._products(names):
                if optional_text(product, "product_id") in names:
                    found[text(product, "product_id")] = rules_of(product)
                    self._other_names[text(product, "product_id")] = other_names(product)
                    self._quoted_as[text(product, "product_id")] = quoted_as(product)
        self._rules |= found
        self.watch(list(found))
        return found

    @_answers
    def clock(self) -> int:
        return self._time.ask()

    @_answers
    def candles(self, instrument: str, period: int, first: int, last: int) -> tuple[Candle, ...]:
        """Closed by the venue's clock. Periods are those of `GRANULARITIES`."""
        if period not in GRANULARITIES:
            known = ", ".join(show_duration(known) for known in GRANULARITIES)
            raise Unreadable(f"the venue has no bars of {show_duration(period)}, but of {known}")
        # the end of the last bar that can be meant: a later bar has not begun, or was not asked for
        closed = self._time.passed(-(-last // period) * period) // period * period
        found: list[Candle] = []
        for start, end in pages(period, first, min(last, closed)):
            answer = self._get(f"/products/{quote(instrument, safe='')}/candles", page_query(period, start, end))
            found += candles_of(rows(answer, "candles"), period, start, end)
        return tuple(found)

    @_answers
    def quotes(self, instruments: Sequence[str]) -> tuple[Quoted, ...]:
        """Best bid and ask; an instrument with an empty side is left out."""
        found: dict[str, Quoted] = {}
        for book in self._price_books(instruments):
            if (quote := quote_of(book, self._transport.clock())) is not None:
                found[quote.instrument] = quote
        named = ((name, (name, *self._other_names.get(name, ()))) for name in dict.fromkeys(instruments))
        pairs = ((name, next((other for other in names if other in found), None)) for name, names in named)
        return tuple(replace(found[other], instrument=name) for name, other in pairs if other is not None)

    # messages

    def watch(self, instruments: Sequence[str]) -> None:
        """Quotes of these among the events. Instruments whose rules were asked for are watched already."""
        self._streams.watch({name: self._product(name) for name in instruments})

    def events(self) -> tuple[Event, ...]:
        """What came; the first call begins to listen. A gap, silence, or an end of the connection is told as `Lost`."""
        return self._streams.take()

    def close(self) -> None:
        self._streams.stop()
        self._transport.close()

    # asking

    def _tick(self, request: Request) -> Decimal | None:
        """The tick, where the request needs one: the limit of a stop that closes is made here."""
        if request.form != "stop" or not request.reducing:
            return None
        if request.instrument not in self._rules and isinstance(none := self.rules([request.instrument]), NoAnswer):
            raise Unanswered(
                f"the order was not sent, since the tick of its instrument is not known: {none.why}", none.wait, undone=True
            )
        known = self._rules.get(request.instrument)
        return None if known is None else known.tick

    def _product(self, instrument: str) -> str:
        return self._quoted_as.get(instrument, instrument)

    def _get(self, path: str, query: Query) -> Mapping[str, Any]:
        """What is public goes to the public twin of a question where there is no key."""
        return self._transport.get(f"/market{path}" if self._is_public else path, query, public=self._is_public)

    def _price_books(self, instruments: Sequence[str]) -> Iterable[Fields]:
        if self._is_public:
            for name in dict.fromkeys(instruments):
                yield part(self._get("/product_book", [("product_id", name), ("limit", "1")]), "pricebook")
        else:
            for names in _parts(instruments):
                yield from rows(self._get("/best_bid_ask", [("product_ids", name) for name in names]), "pricebooks")

    def _products(self, names: Sequence[str]) -> Iterable[Fields]:
        """One question for all of them; where the venue refuses it because of some, one for each."""
        # without it the mark `view_only` says nothing about whoever asks
        more = () if self._is_public else (("get_tradability_status", "true"),)
        try:
            yield from rows(self._get("/products", [*(("product_ids", name) for name in names), *more]), "products")
        except Declined as no:
            if no.status not in UNKNOWN_NAME:
                raise
            for name in names:
                try:
                    yield self._get(f"/products/{quote(name, safe='')}", more)
                except Declined as unknown:
                    if unknown.status not in UNKNOWN_NAME:
                        raise

    def _listed(self, path: str, query: Query, name: str) -> Iterable[Fields]:
        return listed(lambda more: self._transport.get(path, [*query, *more]), name)

    def _orders(self, query: Query) -> Iterable[Fields]:
        return self._listed("/orders/historical/batch", query, "orders")

    def _known(self, client_id: str) -> OrderState | None:
        """The order, where its venue's id is remembered and the venue still has it under that."""
        venue_id = self._book.venue_id(client_id)
        if venue_id is None:
            return None
        try:
            order = part(self._transport.get(f"/orders/historical/{quote(venue_id, safe='')}"), "order")
        except Declined as no:
            if no.status not in UNKNOWN_NAME:
                raise
            return None
        if text(order, "client_order_id") != client_id:
            raise Unreadable("`client_order_id` is that of another order")
        return self._state(order)

    def _state(self, order: Fields) -> OrderState:
        """An order; a bracket that came along with an entry has the size of that, and the venue may not repeat it."""
        name = parent_of(order)
        if not name:
            return order_of(order)
        parent = self._book.of(name)
        if parent is None:
            parent = next((order_of(row) for row in self._orders([("order_ids", name)])), None)
        return order_of(order, parent)

    def _client_ids(self, fills: Sequence[Execution]) -> dict[str, str]:
        """Our ids of the orders of these executions: those remembered, and the others asked for."""
        names = list(dict.fromkeys(fill.venue_id for fill in fills))
        known = {name: order.client_id for name in names if (order := self._book.of(name)) is not None}
        for part_of in _parts([name for name in names if name not in known]):
            for row in self._orders([("order_ids", name) for name in part_of]):
                known[text(row, "order_id")] = optional_text(row, "client_order_id")
        return known


def _refused(failure: Fields) -> Refusal:
    """The venue's "no" in an answer of status 200; raises Unanswered where that does not say that nothing was done."""
    outcome = _outcome(Refusal(*refusal_of(failure)))
    if isinstance(outcome, NoAnswer):
        raise Unanswered(outcome.why)
    return outcome


def _outcome(refusal: Refusal) -> Refusal | NoAnswer:
    """The venue's "no", or no answer where its code does not say that nothing was done: the order is there already, the venue
    failed, or it names no reason at all. Then whoever asked looks it up."""
    code = refusal.code.upper()
    if any(word in code for word in _THERE_ALREADY):
        return NoAnswer(f"the venue has that already, or did it: {refusal.code}")
    if code in _FAILED or code.startswith("UNKNOWN"):
        words = f": {refusal.words}" if refusal.words else ""
        return NoAnswer(f"the venue says no without a reason ({refusal.code}){words}")
    return refusal


def _parts(names: Sequence[str]) -> Iterable[Sequence[str]]:
    unique = list(dict.fromkeys(names))
    return (unique[start : start + AT_ONCE] for start in range(0, len(unique), AT_ONCE))


def connect(
    credentials: Credentials | None,
    *,
    base_url: str = REST,
    market_url: str = MARKET,
    user_url: str = USER,
    timeout: float = 10.0,
    authorities: str | None = None,
    silence: float = SILENCE,
    pause: float = PAUSE,
    clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
) -> Coinbase:
    """The adapter, without a request yet. Without credentials it answers what is public.

    `timeout` is in s, for each request; `authorities` is a file of certificates to trust in place of the system's. After
    `silence` s without a message a connection counts as lost; `pause` s are before the first attempt to connect again. `clock`
    is in ms. Raises Refused (TB801) for an address that a key must not go to.
    """
    with_key = credentials is not None
    address = checked_address(base_url, ("http", "https"), with_key=with_key)
    market, user = (checked_address(url, ("ws", "wss"), with_key=with_key) for url in (market_url, user_url))
    tls = trusted(authorities)
    transport = Transport(credentials, open_client(address, timeout, tls), urlsplit(address).netloc, timeout, clock)

    def streams(book: Book) -> Streams:
        return Streams(
            credentials, market, user, book=book, clock=clock, tls=tls, timeout=timeout, silence=silence, pause=pause
        )

    return Coinbase(transport, streams)
