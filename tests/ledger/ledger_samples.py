"""Records for the tests of the ledger, also imported by the writer processes that the tests start."""

from __future__ import annotations

import zlib
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from tb.core.records import Decision, Fill, Latch, Mark, Order, Quiet, Record, Run, Trade
from tb.ledger import Database, DecisionLog, Group, Grouping, Place, open_ledger

WHERE = {"Path": Path, "Database": Database}  # what the calls of writer processes say their ledger with
HOUR = 3_600_000
TEXTS = {"rules/momentum.tb": "# grüße 市场\n", "policy/limits.tb": "limit gross after.gross <= 100% of equity\n"}


def run_of(policy: str, **changes: Any) -> Run:
    run = Run(
        id="",
        mode="replay",
        started=1_760_000_000_000,
        policy_hash=policy,
        data="data",
        data_hash="d" * 64,
        first=HOUR,
        last=9 * HOUR,
        instruments=("BTC-USD", "ETH-USD"),
        period=HOUR,
        initial_equity=Decimal("10000.00"),
        currency="USD",
        config={"venue.fee": "0.0060"},
        version="0.1.0",
    )
    return msgspec.structs.replace(run, **changes)


def decision(seq: int, **changes: Any) -> Decision:
    made = Decision(
        seq=seq,
        at=seq * HOUR,
        kind="enter",
        strategy="momentum",
        enter=0,
        instrument="BTC-USD",
        side="buy",
        row=seq,
        verdict="approve",
        deciding=(),
        proposed=Decimal("0.010"),
        approved=Decimal("0.010"),
        price=Decimal("60000.10"),
        stop=Decimal("55200.09"),
        target=None,
        confidence=0.7,
        reason="volume 1.9x its 24-bar mean",
        failed=0,
        unknown=0,
        facts=("1E+3", "BTC-USD", None),
        market=(1.5, None, 1e16),
        ages=(0, 0, HOUR),
        rows=(7, None, 6),
    )
    return msgspec.structs.replace(made, **changes)


def refusal(seq: int, **changes: Any) -> Decision:
    changed = {"verdict": "reject", "deciding": ("daily_loss", "gross"), "approved": Decimal(0), "failed": 1 << 90} | changes
    return decision(seq, **changed)


def quiet(first: int, last: int, **changes: Any) -> Quiet:
    made = Quiet(
        strategy="momentum",
        instrument="BTC-USD",
        first=first * HOUR,
        last=last * HOUR,
        rows=last - first + 1,
        states=zlib.compress(b"\x00\x01"),
    )
    return msgspec.structs.replace(made, **changes)


def trade(seq: int, **changes: Any) -> Trade:
    made = Trade(
        seq=seq,
        strategy="momentum",
        instrument="BTC-USD",
        side="long",
        decision=1,
        entry_at=HOUR,
        entry_row=1,
        entry_price=Decimal("60000.1"),
        quantity=Decimal("0.01"),
        stop=Decimal("55200.09"),
        target=None,
        exit_at=None,
        exit_row=None,
        exit_price=None,
        cause=None,
        fees=Decimal("3.6"),
        profit=None,
        r=None,
        best=0.0,
        worst=0.0,
    )
    return msgspec.structs.replace(made, **changes)


def closed(seq: int) -> Trade:
    return trade(
        seq, exit_at=4 * HOUR, exit_row=4, exit_price=Decimal("61000"), cause="target", profit=Decimal("2.8"), best=0.02
    )


def order(name: str, **changes: Any) -> Order:
    made = Order(
        id=name,
        decision=1,
        at=HOUR,
        strategy="momentum",
        instrument="BTC-USD",
        side="buy",
        quantity=Decimal("0.01"),
        kind="entry",
        stop=None,
        target=None,
    )
    return msgspec.structs.replace(made, **changes)


def fill(of: str, **changes: Any) -> Fill:
    made = Fill(
        order=of,
        at=2 * HOUR,
        row=2,
        instrument="BTC-USD",
        side="buy",
        quantity=Decimal("0.01"),
        price=Decimal("60003.1"),
        fee=Decimal("3.6"),
        slippage=Decimal("3.0"),
        cause="entry",
    )
    return msgspec.structs.replace(made, **changes)


def latch(at: int, **changes: Any) -> Latch:
    made = Latch(
        at=at * HOUR, rule="drawdown", verdict="halt", until=None, lifted=False, by="drawdown", reason="drawdown 11% over 10%"
    )
    return msgspec.structs.replace(made, **changes)


def mark(at: int) -> Mark:
    return Mark(at=at * HOUR, equity=Decimal("10000.5"), exposure=Decimal("600.001"), usage={"gross": 0.06, "daily_loss": None})


def one_of_each() -> list[Record]:
    """Nine records of all seven kinds."""
    made: list[Record] = [quiet(1, 3), decision(1), order("o1"), fill("o1"), trade(1)]
    return [*made, refusal(2), latch(3), closed(1), mark(4)]


def sample_ledger(path: Place) -> None:
    """Run r1 finished (entries 1 to 11), run r2 cut short (entries 12 to 21)."""
    with open_ledger(path) as ledger:
        policy = ledger.put_policy(TEXTS)
        first = ledger.start_run(run_of(policy))
        log = DecisionLog()
        ledger.append(first.id, one_of_each(), log=log)
        ledger.finish_run(first.id, {"decision_log_hash": log.hexdigest(), "final_equity": Decimal("10002.80")})
        second = ledger.start_run(run_of(policy))
        ledger.append(second.id, one_of_each())


def write_groups(path: Place, groups: int, size: int) -> None:
    """A writer process: one run of so many groups, the number of each printed once it is on disk."""
    with open_ledger(path, wait=30.0) as ledger:
        run = ledger.start_run(run_of(ledger.put_policy(TEXTS)))
        print(run.id, flush=True)
        for group in range(groups):
            ledger.append(run.id, [decision(group * size + i + 1) for i in range(size)])
            print(group + 1, flush=True)
        ledger.finish_run(run.id, {})


def write_columns(path: Place, records: int) -> None:
    """A writer process: one run in columns, the number of the last record of each group printed once it is on disk."""
    with open_ledger(path, wait=30.0) as ledger:
        run = ledger.start_run(run_of(ledger.put_policy(TEXTS)))
        print(run.id, flush=True)

        def keep(group: Group) -> None:
            ledger.append_group(run.id, group)
            print(group.first + len(group.kept) - 1, flush=True)

        grouping = Grouping(keep)
        for seq in range(1, records // 2 + 1):
            grouping.take([decision(seq), order(f"o{seq}", decision=seq)])
        grouping.close()
        ledger.finish_run(run.id, {})
