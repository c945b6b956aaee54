"""How patient the gateway is, how fast it may send, and what it takes for agreement. Times are in ms."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Terms:
    """`orders_per_window` bounds messages to the venue; `kept_back` of them are for cancels and orders that reduce risk.

    `look_after` is how long an order's state is taken from what the venue tells before it is asked for, `prove_after` how long
    after it was sent a venue that does not know it has proved that it never came. `protect_within` is the longest that a
    position may stand without its stop; then it is closed. `silence` is how long the venue may say nothing before resting
    entries are cancelled. `reconcile_every` and `tolerance` are those of reconciliation: differences up to that share of what
    is held, or one lot, are adopted; an account that was compared last longer ago than `reconcile_stale` takes no new risk.
    `buffer` is what a market order may cost beyond the price expected, `fee` beyond that.
    """

    orders_per_window: int = 20
    window: int = 1_000
    kept_back: int = 8
    look_after: int = 2_000
    look_resting: int = 10_000  # of protection that rests: what the venue tells of it, and the comparison, come first
    look_unknown: int = 500
    longest_pause: int = 60_000  # between two tries at what a venue refuses
    prove_after: int = 5_000
    protect_within: int = 15_000
    silence: int = 30_000
    reconcile_every: int = 60_000
    reconcile_stale: int = 600_000
    tolerance: Decimal = Decimal("0.001")
    buffer: Decimal = Decimal("0.02")
    fee: Decimal = Decimal("0.01")
    skew: int = 60_000  # how far back before it was sent an order is looked for
    rules_every: int = 60_000
    rules_stale: int = 600_000
    cancel_on_disconnect: bool = True  # whether resting entries are cancelled once the venue was silent for so long
    confirm_tries: int = 3  # looks at a cancelled order before what waits for it is left for later
