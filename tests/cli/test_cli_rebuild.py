"""`tb rebuild-positions`: what is held, from the venue's fills, beside the records of the account's live runs."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from cli_commands import Answer, Run
from ledger_samples import HOUR, TEXTS, run_of, trade

from tb.core.records import PartialExit, Trade
from tb.ledger import open_ledger
from tb.runtime.ports.exchange import VenueFill

D = Decimal


def part(quantity: str, cause: str) -> PartialExit:
    return PartialExit(at=2 * HOUR, row=2, price=D(60_000), quantity=D(quantity), fee=D(0), cause=cause)


def closed(seq: int, quantity: str, cause: str, *exits: PartialExit) -> Trade:
    gone = {"exit_at": 2 * HOUR, "exit_row": 2, "exit_price": D(60_000), "cause": cause, "profit": D(0)}
    return trade(seq, quantity=D(quantity), exits=exits, **gone)


def filled(side: str, quantity: str, at: int = HOUR) -> VenueFill:
    return VenueFill(f"{side}{quantity}", "c", "v", "BTC-USD", side, D(quantity), D(60_000), D(0), at)  # type: ignore[arg-type]


@pytest.fixture
def desk(tmp_path: Path, run: Run) -> Path:
    folder = tmp_path / "desk"
    assert run("init", folder).code == 0
    return folder


def rebuilt(run: Run, desk: Path, monkeypatch: pytest.MonkeyPatch, *fills: VenueFill, since: int = 0) -> Answer:
    monkeypatch.setattr("tb.cli.rebuild_positions._fills", lambda settings, hours: (since, fills))
    return run("rebuild-positions", "--hours", "5", "--dry-run", "--project", desk, "--json")


def test_what_was_left_over_is_still_there_and_agrees(desk: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_ledger(desk / ".tb" / "ledger.sqlite") as ledger:
        policy = ledger.put_policy(TEXTS)
        earlier, now = (ledger.start_run(run_of(policy, mode="live", config={"venue": "coinbase"})).id for _ in range(2))
        ledger.append(earlier, [closed(1, "0.0004", "crumb")])  # an entry of which only a little filled
        parts = (part("0.0098", "stop"), part("0.0002", "crumb"))
        ledger.append(now, [closed(2, "0.01", "crumb", *parts), trade(3, quantity=D("0.02"))])
    fills = (filled("buy", "0.0004"), filled("buy", "0.01"), filled("sell", "0.0098"), filled("buy", "0.02"))
    answer = rebuilt(run, desk, monkeypatch, *fills)
    assert answer.code == 0, answer.out
    (row,) = answer.json["positions"]
    numbers = {name: D(row[name]) for name in ("rebuilt", "records", "left_over")}
    assert numbers == {"rebuilt": D("0.0206"), "records": D("0.02"), "left_over": D("0.0006")}
    shown = run("rebuild-positions", "--hours", "5", "--dry-run", "--project", desk)
    assert shown.out.endswith("0.02 held, 0.0006 left over\n")


def test_a_crumb_of_before_the_fills_that_are_read_is_in_neither(desk: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_ledger(desk / ".tb" / "ledger.sqlite") as ledger:
        live = ledger.start_run(run_of(ledger.put_policy(TEXTS), mode="live")).id
        ledger.append(live, [closed(1, "0.0004", "crumb")])
    answer = rebuilt(run, desk, monkeypatch, since=2 * HOUR)
    assert (answer.code, answer.json["positions"]) == (0, [])


def test_what_was_sold_by_hand_still_differs(desk: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_ledger(desk / ".tb" / "ledger.sqlite") as ledger:
        live = ledger.start_run(run_of(ledger.put_policy(TEXTS), mode="live")).id
        ledger.append(live, [closed(1, "0.0004", "crumb")])
    answer = rebuilt(run, desk, monkeypatch, filled("buy", "0.0004"), filled("sell", "0.0004"))
    assert (answer.code, answer.json["agrees"]) == (1, False)
