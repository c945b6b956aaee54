"""What a session records, made up: decisions of about 1.5 KB of canonical JSON, or the mix of a session that trades."""

from __future__ import annotations

import random
from collections.abc import Iterator
from decimal import Decimal
from functools import cache

import msgspec

from tb.core.encode import canonical
from tb.core.records import Decision, Fill, Mark, Order, Record, Run, Trade

TEXTS = {"policy/limits.tb": "limit gross after.gross <= 100% of equity\n"}
MINUTE = 60_000
# of a hundred records of the default project over recorded hours: decisions, orders, fills, trades, marks
SHARES = {"D": 24, "O": 15, "F": 21, "T": 11, "M": 29}


def spread(shares: dict[str, int]) -> str:
    """A letter for each record, those of a kind as far from each other as they can be."""
    return "".join(
        kind for _, kind in sorted(((at + 0.5) / count, kind) for kind, count in shares.items() for at in range(count))
    )


SESSION = spread(SHARES)
MIXES = {"decisions": "D", "session": SESSION}

INSTRUMENTS = ("BTC-USD", "ETH-USD", "SOL-USD", "XRP-USD", "LTC-USD", "ADA-USD")
DIFFERENT = 1_024  # decisions of which no two read the same numbers: more than a block of the decision log has
_ORDER = Order(
    id="",
    decision=1,
    at=0,
    strategy="continuation",
    instrument="ETH-USD",
    side="buy",
    quantity=Decimal("3.50287235"),
    kind="entry",
    stop=Decimal("131.33"),
    target=Decimal("164.15"),
)
_FILL = Fill(
    order="",
    at=0,
    row=0,
    instrument="ETH-USD",
    side="buy",
    quantity=Decimal("3.50287235"),
    price=Decimal("142.81"),
    fee=Decimal("2.00"),
    slippage=Decimal("0.07"),
    cause="entry",
)
_TRADE = Trade(
    seq=0,
    strategy="continuation",
    instrument="ETH-USD",
    side="long",
    decision=1,
    entry_at=0,
    entry_row=0,
    entry_price=Decimal("142.81"),
    quantity=Decimal("3.50287235"),
    stop=Decimal("131.33"),
    target=Decimal("164.15"),
    exit_at=MINUTE,
    exit_row=1,
    exit_price=Decimal("164.15"),
    cause="target",
    fees=Decimal("4.30"),
    profit=Decimal("70.45"),
    r=Decimal("1.76"),
    best=0.1494,
    worst=0.0021,
)
_MARK = Mark(
    at=0, equity=Decimal("10070.45"), exposure=Decimal("500.25"), usage={"gross": 0.05, "daily_loss": 0.0, "spread": None}
)


@cache
def _decisions() -> list[Decision]:
    """Proposals at prices that wander, one after the other for each instrument; they lack number and instant."""
    chance, made = random.Random(7), []
    prices = {name: 142.0 + 10 * place for place, name in enumerate(INSTRUMENTS)}
    for number in range(DIFFERENT):
        name = INSTRUMENTS[number % len(INSTRUMENTS)]
        prices[name] *= 1 + chance.uniform(-0.004, 0.004)
        price, row = prices[name], 234 + number // len(INSTRUMENTS)
        at, stop, target = (Decimal(f"{price * level:.2f}") for level in (1.001, 0.92, 1.15))
        quantity = Decimal(f"{500 / price:.8f}")
        read = (price, price * chance.uniform(400, 600), chance.uniform(1e8, 2e8), 0.001, chance.uniform(2e4, 6e4))
        facts = ("0.001", str(quantity), str(at), str(stop), str(10_000 + number), str(price), "250000.0", name, "core", None)
        made.append(
            Decision(
                seq=0,
                at=0,
                kind="enter",
                strategy="continuation",
                enter=0,
                instrument=name,
                side="buy",
                row=row,
                verdict="approve" if number % 5 else "reject",
                deciding=() if number % 5 else ("gross_exposure", "daily_loss"),
                proposed=quantity,
                approved=quantity if number % 5 else Decimal(0),
                price=at,
                stop=stop,
                target=target,
                confidence=chance.random(),
                reason=f"volume {chance.uniform(1, 3):.1f}x its 24-hour mean, +{chance.uniform(0, 9):.1f}% in 24 hours",
                failed=0 if number % 5 else 1 << 17,
                unknown=0,
                facts=facts * 5,
                market=(*read, chance.random(), 1.0, chance.uniform(5e3, 9e3)) * 4,
                ages=(0, 0, 0, 3_600_000) * 8,
                rows=(row, row, None, row - 1) * 8,
            )
        )
    return made


def run_of(policy: str) -> Run:
    return Run(
        id="",
        mode="paper",
        started=0,
        policy_hash=policy,
        data="made up",
        data_hash="0" * 64,
        first=0,
        last=0,
        instruments=INSTRUMENTS,
        period=MINUTE,
        initial_equity=Decimal("10000"),
        currency="USD",
        config={},
        version="0",
    )


def events(mix: str, first: int = 0) -> Iterator[Record]:
    """Records without end, numbered on from `first`."""
    kinds, number, decisions = MIXES[mix], first, _decisions()
    while True:
        kind = kinds[number % len(kinds)]
        number += 1
        at = number * MINUTE
        match kind:
            case "D":
                yield msgspec.structs.replace(decisions[number % DIFFERENT], seq=number, at=at)
            case "O":
                yield msgspec.structs.replace(_ORDER, id=f"{number:020x}", decision=number, at=at)
            case "F":
                yield msgspec.structs.replace(_FILL, order=f"{number:020x}", at=at, row=number)
            case "T":
                yield msgspec.structs.replace(_TRADE, seq=number, decision=number, entry_at=at)
            case _:
                yield msgspec.structs.replace(_MARK, at=at)


def size(mix: str) -> float:
    """Bytes of canonical JSON of a record, on the average."""
    found = [len(canonical(record)) for record, _ in zip(events(mix), range(1_000), strict=False)]
    return sum(found) / len(found)
