"""Random orders and accounts, seeded: as tb's gate takes them, and as the plain facts that the others take.

Price, size, age and market change from order to order; the account stays as it is, or is another one for each.

The facts are computed here from what was drawn, not read from tb: a verdict that differs is then a mistake on one side.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from decimal import Decimal

from benchmarks.policies import INSTRUMENTS
from tb.gate.account import Account, Working
from tb.gate.facts import Moment
from tb.gate.proposal import Proposal

HOUR = 3_600_000
NOW = 473_364 * HOUR  # noon
MIDNIGHT = NOW - NOW % (24 * HOUR)
MILLIONTHS = 1_000_000
RESTRICTED = ("LUNA-USD", "FTT-USD", "DOGE-USD")
CASH, HELD, WAITING = Decimal(160_000), Decimal(10), (Decimal(2), Decimal(500))
MID, MINIMUM, MAXIMUM = Decimal(1_000), Decimal(1), Decimal(1_000)
GROUPS: dict[str, tuple[str, ...]] = {}
RARE = 0.015  # how often each fact is one that refuses; most orders pass


@dataclass(frozen=True)
class Input:
    """One order. `market` has the values of tb's market leaves by name, `facts` what the others read."""

    moment: Moment
    market: dict[str, float]
    facts: dict[str, object]


def draw(count: int, seed: int = 11, *, of_one_account: bool = True) -> list[Input]:
    drawn = _Drawn.of(random.Random(seed * 7_919))
    found: list[Input] = []
    for at in range(count):
        if not of_one_account:
            drawn = _Drawn.of(random.Random(seed * 7_919 + at))
        found.append(_one(random.Random(seed * 1_000_003 + at), drawn))
    return found


def _pick(source: random.Random, usual: tuple[float, float], odd: tuple[float, float]) -> Decimal:
    """A number with four decimals, rarely an odd one."""
    low, high = odd if source.random() < RARE else usual
    return Decimal(f"{source.uniform(low, high):.4f}")


@dataclass(frozen=True)
class _Drawn:
    """An account, with what was drawn for it."""

    lost: Decimal
    entries: int
    account: Account

    @classmethod
    def of(cls, source: random.Random) -> _Drawn:
        lost, entries = _pick(source, (-1_000, 3_000), (90_000, 110_000)), int(_pick(source, (0, 20), (50, 70)))
        return cls(lost, entries, _account(lost, entries))


def _one(source: random.Random, drawn: _Drawn) -> Input:
    def pick(usual: tuple[float, float], odd: tuple[float, float]) -> Decimal:
        return _pick(source, usual, odd)

    symbol = source.choice(INSTRUMENTS) if source.random() < 2 * RARE else INSTRUMENTS[0]
    price = pick((990, 1_010), (1_550, 1_700))
    stop, target = price - pick((60, 100), (-50, -10)), price + pick((100, 200), (0.1, 2))
    quantity = pick((0.5, 4), (5.5, 90))
    lost, entries, account = drawn.lost, drawn.entries, drawn.account
    age, spread = int(pick((0, 3), (50, 70))) * HOUR, pick((0.0001, 0.01), (0.55, 0.7))
    depth, rsi = pick((20_000, 90_000), (10, 20)), pick((20, 49), (60, 99))

    proposal = Proposal(
        "buyer", symbol, 1, quantity, price, stop, target, Decimal(2_000), None, "majors.core", True
    )  # fmt: skip
    moment = Moment(NOW, proposal, account, GROUPS, RESTRICTED, MINIMUM, MAXIMUM, age, None, None)
    market = {"mid": float(MID), "spread": float(spread), "depth": float(depth), "rsi": float(rsi)}

    notional = quantity * price
    positions = dict.fromkeys(INSTRUMENTS[:4], HELD * _mark()) | dict.fromkeys(INSTRUMENTS[4:], WAITING[0] * WAITING[1])
    day_start = CASH - 4 * (HELD * 1_000 + 4) + 4 * HELD * 1_000
    equity = CASH - 4 * (HELD * 1_000 + 4) - lost + 4 * HELD * _mark()
    high_water = max(CASH, equity)
    money = {
        "quantity": quantity,
        "notional": notional,
        "minimum": MINIMUM,
        "maximum": MAXIMUM,
        "stop_gap": price - stop,
        "target_gap": target - price,
        "exposure": positions[symbol] + notional,
        "gross": sum(positions.values()) + notional,
        "equity": equity,
        "loss": max(day_start - equity, Decimal(0)),
        "day_start": day_start,
        "fallen": high_water - equity,
        "high_water": high_water,
        "mid": MID,
        "above_mid": price - MID,
        "below_mid": MID - price,
        "spread": spread,
        "depth": depth,
        "risk": quantity * (price - stop),
        "rsi": rsi,
    }
    facts: dict[str, object] = {name: int(value * MILLIONTHS) for name, value in money.items()}
    facts |= {"halted": 0, "paused": 0, "missing": 0, "entries": entries, "data_age": age}
    facts |= {"instrument": symbol, "restricted": list(RESTRICTED)}
    return Input(moment, market, facts)


def _mark() -> Decimal:
    return Decimal(1_010)


def _account(lost: Decimal, entries: int) -> Account:
    """Four positions, two orders on their way; since midnight the prices moved and money was lost."""
    found = Account("USD", CASH)
    found.high_water = CASH
    for symbol in INSTRUMENTS[:4]:
        found.fill("buyer", symbol, HELD, Decimal(1_000), Decimal(4))
    found.begin_day(MIDNIGHT, MIDNIGHT + 24 * HOUR)
    for symbol in INSTRUMENTS[:4]:
        found.mark(symbol, _mark())
    found.receive("buyer", -lost)
    for at, symbol in enumerate(INSTRUMENTS[4:]):
        found.working[f"w{at}"] = Working(f"w{at}", symbol, 1, *WAITING, "buyer")
    for at in range(entries):
        found.count_order(NOW - HOUR + at, is_entry=True, strategy="buyer")
    found.observe(NOW)
    return found
