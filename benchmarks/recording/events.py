"""What a session records, made up: decisions of about 1.5 KB of canonical JSON, or the mix of a session that trades."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

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

_DECISION = Decision(
    seq=0,
    at=0,
    kind="enter",
    strategy="continuation",
    enter=0,
    instrument="ETH-USD",
    side="buy",
    row=0,
    verdict="reject",
    deciding=("gross_exposure", "daily_loss"),
    proposed=Decimal("3.50287235"),
    approved=Decimal(0),
    price=Decimal("142.74"),
    stop=Decimal("131.33"),
    target=Decimal("164.15"),
    confidence=0.5864846299158513,
    reason="volume 1.8x its 24-hour mean, +4.9% in 24 hours",
    failed=1 << 17,
    unknown=0,
    facts=("0.001", "3.50287235", "142.74", "131.33", "10000", "142.59", "250000.0", "ETH-USD", "majors.core", None) * 5,
    market=(142.59, 73678.024, 139703021.40251, 0.001, 41967.31516666667, 0.04945904173106652, 1.0, 8026.36) * 4,
    ages=(0, 0, 0, 3_600_000) * 8,
    rows=(234, 234, None, 233) * 8,
)
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
        instruments=("ETH-USD",),
        period=MINUTE,
        initial_equity=Decimal("10000"),
        currency="USD",
        config={},
        version="0",
    )


def events(mix: str, first: int = 0) -> Iterator[Record]:
    """Records without end, numbered on from `first`."""
    kinds, number = MIXES[mix], first
    while True:
        kind = kinds[number % len(kinds)]
        number += 1
        at = number * MINUTE
        match kind:
            case "D":
                yield msgspec.structs.replace(_DECISION, seq=number, at=at, row=number)
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
