"""What happened, as records. The ledger stores them, the explainer reads them, the report draws them.

Times are milliseconds since 1970 UTC. Money, prices and quantities are Decimal. Market values are float64 with None for
unknown. Records are immutable and carry no wall-clock time except where a field says so; such fields are outside every
decision hash. They hold no cycles, so the garbage collector need not look at them (`gc=False`): a run makes tens of thousands.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import msgspec

Side = Literal["buy", "sell"]
Verdict = Literal["approve", "warn", "shrink", "reject", "pause", "halt"]
# strictness of verdicts, least first; the strictest wins
LATTICE: tuple[Verdict, ...] = ("approve", "warn", "shrink", "reject", "pause", "halt")
Fact = str | None  # what a constraint reads, as text: an exact number or a name (its unit tells which), or nothing


class Run(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One replay or session. `config` holds whatever decided the result besides rules and data, as text by name."""

    id: str  # r1, r2, ...
    mode: str  # "replay"
    started: int  # wall clock, for people; in no hash of decisions
    policy_hash: str
    data: str  # where the bars came from, as the user gave it
    data_hash: str  # of the bars actually used
    first: int  # close of the first bar
    last: int  # close of the last bar
    instruments: tuple[str, ...]
    period: int  # of the data, in ms
    initial_equity: Decimal
    currency: str
    config: dict[str, str]
    version: str


class Ballot(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a member of the council says to a proposal. `how`: it `proposes` or `holds` that direction; empty for nothing."""

    strategy: str
    says: Literal["for", "against", "nothing"]
    how: str


class Round(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The legs of one entry or exit before the gate, all at these quantities, each in the light of those before it.

    `allowed` is what the gate would let pass of each alone. `facts` are what it read for the leg whose record this is; in the
    first round they are those of the decision.
    """

    quantities: tuple[Decimal, ...]
    verdicts: tuple[Verdict, ...]
    deciding: tuple[tuple[str, ...], ...]
    allowed: tuple[Decimal, ...]
    facts: tuple[Fact, ...] = ()


class LegOrder(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One leg: `price` is the one expected, `approved` 0 where all were refused."""

    instrument: str
    side: Side
    price: Decimal | None
    approved: Decimal
    rate: Decimal | None = None  # of its currency; None where it is not known, or where the account's is its currency


class Together(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a leg's decision was made with: all legs in order, this one at `place` from 0, and how they came to their size.

    `looked_at` is the instrument whose values the condition read.
    """

    place: int
    asset: str
    looked_at: str
    legs: tuple[LegOrder, ...]
    rounds: tuple[Round, ...]


class Likeness(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How the returns of another instrument correlate with those of the order's, -1 to 1; None where it is not known."""

    instrument: str
    correlation: float | None


class Advice(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What came of asking an advisor. `adjust` is what was applied, as a part of the scale; `why` says what was wrong or cut.

    `latency` in ms and `cost` in the account's currency, None where they are not known.
    """

    advisor: str
    outcome: Literal["agree", "adjust", "veto", "abstain"]
    why: str
    adjust: Decimal
    note: str
    latency: int | None
    cost: Decimal | None


class Decision(msgspec.Struct, frozen=True, tag=True, omit_defaults=True, gc=False):
    """One proposal and what the gate said to it, or one exit order.

    `facts` are the inputs of the generated decision function in its stated order; `market` the leaf values of the strategy's
    rules in the order of its plan, each with its age in ms in `ages` and the row of its data file in `rows` (None where it is
    computed from nothing recorded); both orders belong to the policy hash. `failed` and `unknown` are bitmasks over the
    constraints in policy order. `shadowed` names the `shadow` constraints that did not pass; they are in no mask. `feeds` are
    age and row of the feeds among the facts, in their order.
    """

    seq: int  # 1.. within the run
    at: int
    kind: Literal["enter", "exit"]
    strategy: str
    enter: int  # which `enter` (or `exit when`) of the strategy, from 0; -1: held as long as allowed
    instrument: str
    side: Side
    row: int  # row of the data file, from 0, of the bar that closed
    verdict: Verdict
    deciding: tuple[str, ...]  # names of the constraints that decided
    proposed: Decimal  # quantity
    approved: Decimal  # quantity; 0 when refused
    price: Decimal | None  # the price expected at the decision; None where none was known
    stop: Decimal | None
    target: Decimal | None
    confidence: float | None
    reason: str
    failed: int
    unknown: int
    facts: tuple[Fact, ...]
    market: tuple[float | None, ...]
    ages: tuple[int, ...]
    rows: tuple[int | None, ...]
    shadowed: tuple[str, ...] = ()
    takes: tuple[Decimal, ...] = ()  # levels at which parts of the position are to leave
    conviction: float | None = None  # of the signals that agree with an entry, 1 to 10
    feeds: tuple[tuple[int, int | None], ...] = ()
    votes: tuple[Ballot, ...] = ()  # of the council, in its order; empty where its strategy is not in it
    inventory: Decimal | None = None  # of a quote: what is held, from -1 to 1 of the size quoted
    crossing: Decimal | None = None  # the market's price, where an order that would fill at once is judged at that
    together: Together | None = None  # of a leg; verdict, deciding and approved are then those of all legs
    rate: Decimal | None = None  # of the currency it is priced in; None for the account's own, and where it is not known
    likeness: tuple[Likeness, ...] = ()  # of the strategy's other instruments, where some may count as one
    advice: tuple[Advice, ...] = ()  # in the order in which advisors were asked


class Quiet(msgspec.Struct, frozen=True, kw_only=True, tag=True, gc=False):
    """What a strategy's entry conditions were for an instrument at every bar of a stretch, compactly.

    `states` is zlib-compressed: one byte a bar for each `enter`, one entry's bars after the other's. 0: false, 1: true and
    proposed, 2: unknown, 3: not in the universe, 4: true, but a position, an order or another entry of the strategy stood
    already, 5: true, but cooling down.
    `rows` is the number of bars.
    """

    strategy: str
    instrument: str
    first: int  # close of the first bar
    last: int
    rows: int
    states: bytes


Style = Literal["market", "limit", "stop"]  # how an order asks to be filled: at once, at a price or better, beyond a price


class Order(msgspec.Struct, frozen=True, kw_only=True, tag=True, omit_defaults=True, gc=False):
    """An order on its way. `price` is the limit of a limit order and the trigger of a stop entry, None at market.

    A limit or stop order rests from `at` until `expires` (at that instant it is over); at market it waits for an open.
    """

    id: str  # hash of (run, policy, strategy, instrument, instant, leg)
    decision: int  # seq of its decision
    at: int
    strategy: str
    instrument: str
    side: Side
    quantity: Decimal
    kind: Literal["entry", "exit"]
    stop: Decimal | None
    target: Decimal | None
    style: Style = "market"
    price: Decimal | None = None
    expires: int | None = None
    post_only: bool = False
    is_quote: bool = False  # fills only where the market trades through its price, and at its price
    takes: tuple[Decimal, ...] = ()  # levels at which parts leave


class Cancel(msgspec.Struct, frozen=True, kw_only=True, tag=True, gc=False):
    """An order that ended without a fill, or what was left of it. `cause`: `expired`, `would cross`, `position closed`, the
    pause or halt that ended it, as `halt daily_loss`, or why the gateway or the venue did not take it."""

    order: str
    at: int
    strategy: str
    instrument: str
    side: Side
    quantity: Decimal
    cause: str


class Fill(msgspec.Struct, frozen=True, kw_only=True, tag=True, omit_defaults=True, gc=False):
    """`price` is what was paid, slippage included; `fee` in account currency; `row` the data row it filled in.

    `rate` is what one unit of the price's currency was worth in the account's; None where it is the account's.
    """

    order: str
    at: int
    row: int
    instrument: str
    side: Side
    quantity: Decimal
    price: Decimal
    fee: Decimal
    slippage: Decimal  # price - undisturbed price, in price units, positive when it cost
    cause: str  # "entry", "quote", "stop", "trailing stop", "take", "target", "exit when", "hold", "leg gone", "end of data",
    # "unprotected", "flatten", "gone", "crumb"
    rate: Decimal | None = None


class PartialExit(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One of several fills that closed a position."""

    at: int
    row: int
    price: Decimal
    quantity: Decimal
    fee: Decimal
    cause: str
    rate: Decimal | None = None


class Trade(msgspec.Struct, frozen=True, kw_only=True, tag=True, omit_defaults=True, gc=False):
    """A position from its entry to its exit (`exit_*` None while open).

    `exits` lists the fills that closed it where these are several, or some while it is open; `exit_price` and `cause` are
    those of the last. `last_stop` is where the stop stood in the end and `moved_by` what moved it last: `break-even` or
    `trailing`. Legs of one entry have the same number `together`.
    """

    seq: int
    strategy: str
    instrument: str
    side: Literal["long", "short"]
    decision: int  # seq of the decision that opened it
    entry_at: int
    entry_row: int
    entry_price: Decimal
    quantity: Decimal
    stop: Decimal | None
    target: Decimal | None
    exit_at: int | None
    exit_row: int | None
    exit_price: Decimal | None
    cause: str | None
    fees: Decimal
    profit: Decimal | None  # in account currency, after fees
    r: Decimal | None  # profit in multiples of the initial risk; None without a stop
    best: float  # highest favourable excursion as a ratio of the entry price (MFE)
    worst: float  # highest adverse excursion as a ratio of the entry price (MAE), positive
    together: int | None = None  # seq of the decision about the first leg; None of a position alone
    funding: Decimal = Decimal(0)  # got at funding instants, negative where paid; in `profit`
    unfunded: int = 0  # funding instants held through at which rate or price was not known: nothing is counted for them
    exits: tuple[PartialExit, ...] = ()
    last_stop: Decimal | None = None
    moved_by: str = ""
    rate: Decimal | None = None  # of the entry, as in its fill
    exit_rate: Decimal | None = None  # of the last exit


class Latch(msgspec.Struct, frozen=True, kw_only=True, tag=True, omit_defaults=True, gc=False):
    """A pause or halt that a constraint set (`lifted` False), or its lifting. `book` is the one it holds for, empty for all."""

    at: int
    rule: str
    verdict: Literal["pause", "halt"]
    until: int | None  # None: until a person lifts it
    lifted: bool
    by: str
    reason: str
    book: str = ""


class Mark(msgspec.Struct, frozen=True, kw_only=True, tag=True, gc=False):
    """Equity at a bar's close, sampled for the report; `usage` is the used share of each measured limit, None where unknown."""

    at: int
    equity: Decimal
    exposure: Decimal  # gross, in account currency
    usage: dict[str, float | None]


class Curve(msgspec.Struct, frozen=True, kw_only=True, tag=True, gc=False):
    """Equity and gross exposure at every close at which something was held, compactly (`tb.core.curve` packs and unpacks).

    `points`, all little-endian: the number of bytes of the next part (7 bytes) and its form (1 byte); the instants, compressed
    by zlib; equity, then exposure, as float64. The instants are differences of 64 bits, the first from 0: one for each point
    (form 0), or those of runs of the same difference, then how long each run is, in 64 bits (form 1). In form 2 equity and
    exposure follow from stretches in which the same is held: how many there are, the decimals of prices (-1: they are float64),
    in 64 bits each; the cash of each stretch and its quantity as float64, its points in 32 bits; then the price of each point,
    in 32 bits where it has decimals. Equity is cash + quantity * price, exposure the second summand without its sign.
    """

    first: int
    last: int
    rows: int
    points: bytes


What = Literal[
    "refused",
    "sent",
    "answer",
    "lookup",
    "cancel",
    "amend",
    "protection",
    "breaker",
    "recovery",
    "agreement",
    "alert",
    "account",
]


class Handling(msgspec.Struct, frozen=True, kw_only=True, tag=True, omit_defaults=True, gc=False):
    """What the gateway did with an order, or learnt from the venue. `at` is the wall clock, outside of every decision hash.

    `order` is the id of the order that it is about, a protection's that of its entry; `client` the id that the venue knows.
    `status` is that of the order at the venue, of the breaker, or of a step. `words` are for people, `details` by name.
    """

    at: int
    what: What
    instrument: str = ""
    order: str = ""
    client: str = ""
    status: str = ""
    words: str = ""
    details: dict[str, str] = {}


Record = Decision | Quiet | Order | Cancel | Fill | Trade | Latch | Mark | Curve | Handling
