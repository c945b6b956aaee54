"""A live session at the sandbox: bars, a decision, a bracket order, its fill, the position, its exit, the explanation."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from live_sessions import BEGIN, MINUTES, RISING, Killed, connected, live, project, recorded, rising_sandbox
from sandbox_client import HOUR
from small_projects import strategy

from tb.cli import tb
from tb.cli.rebuild_positions import held_from
from tb.cli.reconcile import compared
from tb.connectors.coinbase import Coinbase
from tb.connectors.sandbox.server import Sandbox
from tb.core.records import Decision, Fill, Order, Trade
from tb.runtime.ports.exchange import NoAnswer, OrderState, Request, VenueFill
from tb.runtime.running.cycle import Cycle


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with rising_sandbox() as running:
        yield running


@pytest.fixture
def venue(sandbox: Sandbox) -> Iterator[Coinbase]:
    with connected(sandbox) as made:
        yield made


def test_from_a_bar_to_an_exit(tmp_path: Path, sandbox: Sandbox, venue: Coinbase) -> None:
    with live(tmp_path, sandbox, venue) as session:
        session.until(BEGIN + 4 * HOUR)
    (order, *_) = recorded(tmp_path, session.run, Order)
    assert (order.kind, order.at, order.decision) == ("entry", BEGIN + HOUR, 1)
    trade = next(one for one in recorded(tmp_path, session.run, Trade) if one.exit_at is not None)
    assert trade.cause == "hold"
    assert trade.profit is not None
    entry, leaving = recorded(tmp_path, session.run, Fill)[:2]
    assert (entry.side, leaving.side, entry.quantity) == ("buy", "sell", leaving.quantity)
    state = sandbox.state()
    assert len(state["orders"]) >= 3  # the entry, its bracket, the exit
    assert len(state["fills"]) >= 2
    assert set(state["arrivals"].values()) == {1}
    assert session.cycles[0].entries == 1
    assert {alert.what for alert in session.told.alerts} >= {"order", "fill"}
    explained = CliRunner().invoke(
        tb, ["explain", "t1", "--project", str(tmp_path), "--ledger", str(tmp_path / "ledger.sqlite")]
    )
    assert explained.exit_code == 0, explained.output
    assert "explanation reproduced: yes" in explained.stdout


def test_a_session_that_was_killed_holds_what_it_held(tmp_path: Path, sandbox: Sandbox, venue: Coinbase) -> None:
    rules = strategy("close > close[1]", stop="10% below entry", target="30% above entry", more=("hold at most 6h",))

    def kill(cycle: Cycle) -> None:
        if cycle.at == BEGIN + 3 * HOUR:
            raise Killed

    with live(tmp_path, sandbox, venue, rules) as session:
        session.loop.tell = kill
        with pytest.raises(Killed):
            session.until(BEGIN + 9 * HOUR)
    (held,) = session.loop.stepper.session.positions.values()
    bracket = [one for one in sandbox.state()["orders"] if one["status"] == "OPEN"]
    assert len(bracket) == 1
    with live(tmp_path, sandbox, venue, rules, going_on=True) as again:
        assert again.run == session.run
        again.loop.stepper.sending.venue.attend()
        (now,) = again.loop.stepper.session.positions.values()
        assert (now.seq, now.entry, now.stop, now.target) == (held.seq, held.entry, held.stop, held.target)
        assert again.loop.stepper.session.account.cash == session.loop.stepper.session.account.cash
        assert [one for one in sandbox.state()["orders"] if one["status"] == "OPEN"] == bracket
        again.until(BEGIN + 9 * HOUR)
    closed = next(one for one in recorded(tmp_path, session.run, Trade) if one.exit_at is not None)
    assert (closed.seq, closed.cause) == (held.seq, "hold")
    decisions = [one.seq for one in recorded(tmp_path, session.run, Decision)]
    assert decisions == sorted(set(decisions))
    assert set(sandbox.state()["arrivals"].values()) == {1}


def test_a_graceful_stop_leaves_positions_protected(tmp_path: Path, sandbox: Sandbox, venue: Coinbase) -> None:
    with live(tmp_path, sandbox, venue) as session:
        session.until(BEGIN + HOUR)
        session.loop.stepper.sending.venue.attend()
    assert len(session.loop.stepper.session.positions) == 1
    assert [one["status"] for one in sandbox.state()["orders"]].count("OPEN") == 1


def test_a_halt_takes_nothing_new_and_a_resume_goes_on(tmp_path: Path, sandbox: Sandbox, venue: Coinbase) -> None:
    with live(tmp_path, sandbox, venue) as session:
        assert session.loop.inbox is not None
        session.loop.inbox.put("halt", at=0, by="ana", reason="looking")
        session.until(BEGIN + 2 * HOUR)
        assert not sandbox.state()["orders"]
        assert {cycle.no_trade_reason.code for cycle in session.cycles if cycle.no_trade_reason} == {"halted"}
        session.loop.inbox.put("resume", at=0, by="ana", reason="looked")
        session.until(BEGIN + 4 * HOUR)
        assert sandbox.state()["orders"]


def test_flatten_closes_everything_at_once(tmp_path: Path, sandbox: Sandbox, venue: Coinbase) -> None:
    with live(tmp_path, sandbox, venue) as session:
        session.until(BEGIN + HOUR)
        session.loop.stepper.sending.venue.attend()
        assert session.loop.stepper.session.positions
        assert session.loop.inbox is not None
        session.loop.inbox.put("flatten", at=0, by="ana", reason="leaving")
        session.until(BEGIN + 3 * HOUR)
    assert not session.loop.stepper.session.positions
    trade = next(one for one in recorded(tmp_path, session.run, Trade) if one.exit_at is not None)
    assert trade.cause == "flatten"
    assert trade.exit_at is not None
    assert trade.exit_at < BEGIN + 2 * HOUR
    state = sandbox.state()
    assert not [one for one in state["orders"] if one["status"] == "OPEN"]
    assert all(Decimal(size) == 0 for size in state["positions"].values())


def test_what_the_venue_has_is_compared_with_what_was_sent(tmp_path: Path, sandbox: Sandbox, venue: Coinbase) -> None:
    with live(tmp_path, sandbox, venue) as session:
        session.until(BEGIN + HOUR)
        session.loop.stepper.sending.venue.attend()
    found = compared(project(tmp_path), venue)
    assert found["agrees"], found
    assert {one["asset"] for one in found["assets"]} == {"BTC", "USD"}
    stranger = venue.place(Request("by-hand", "BTC-USD", "buy", Decimal("0.5"), "market"))
    assert isinstance(stranger, OrderState)
    found = compared(project(tmp_path), venue)
    assert not found["agrees"]
    assert [one["difference"] for one in found["assets"] if one["asset"] == "BTC"] == [Decimal("0.5")]


def test_positions_follow_from_fills() -> None:
    def fill(side: Any, quantity: str, price: str) -> VenueFill:
        return VenueFill("f", "c", "v", "BTC-USD", side, Decimal(quantity), Decimal(price), Decimal(0), 0)

    def held(*fills: VenueFill) -> tuple[Decimal, Decimal | None]:
        found = held_from(fills)["BTC-USD"]
        return found.quantity, found.average

    bought = (fill("buy", "1", "100"), fill("buy", "3", "200"))
    assert held(*bought) == (Decimal(4), Decimal(175))
    assert held(*bought, fill("sell", "1", "500")) == (Decimal(3), Decimal(175))
    assert held(*bought, fill("sell", "4", "500")) == (Decimal(0), None)
    assert held(*bought, fill("sell", "5", "500")) == (Decimal(-1), Decimal(500))


def test_a_halt_outlives_the_process(tmp_path: Path, sandbox: Sandbox, venue: Coinbase) -> None:
    with live(tmp_path, sandbox, venue) as session:
        assert session.loop.inbox is not None
        session.loop.inbox.put("halt", at=0, by="ana", reason="looking")
        session.until(BEGIN + HOUR)
    with live(tmp_path, sandbox, venue, going_on=True) as again:
        assert again.loop.stepper.session.latches.words("halt") is not None
        again.until(BEGIN + 3 * HOUR)
        assert not sandbox.state()["orders"]
        assert {cycle.no_trade_reason.code for cycle in again.cycles if cycle.no_trade_reason} == {"halted"}


def test_two_entries_of_one_instant_rest_on_one_account(tmp_path: Path, sandbox: Sandbox, venue: Coinbase) -> None:
    more = {"stop": "10% below entry", "target": "30% above entry"}
    both = RISING + "\n" + strategy("close > close[1]", name="second", universe=False, members="", **more)
    with live(tmp_path, sandbox, venue, both) as here:
        here.until(BEGIN + 3 * HOUR)
    made = [one for one in recorded(tmp_path, here.run, Decision) if one.kind == "enter"]
    assert [(one.strategy, one.at) for one in made[:2]] == [("s", made[0].at), ("second", made[0].at)]
    assert made[0].proposed == made[1].proposed  # the first has not filled yet: equity is the same for both
    explained = CliRunner().invoke(
        tb, ["explain", "--all", "--project", str(tmp_path), "--ledger", str(tmp_path / "ledger.sqlite")]
    )
    assert explained.exit_code == 0, explained.output


@pytest.mark.parametrize("turn", [-HOUR, HOUR])
def test_a_clock_that_somebody_turns_makes_no_wait_of_the_gateway_longer_or_shorter(
    tmp_path: Path, sandbox: Sandbox, venue: Coinbase, turn: int
) -> None:
    with live(tmp_path, sandbox, venue) as session:
        session.until(BEGIN + HOUR)
        gateway, clock = session.gateway, session.loop.time.clock
        session.loop.stepper.sending.venue.attend()
        before, was = gateway.now(), gateway.reconciled_at
        clock.turned = turn  # type: ignore[attr-defined]
        assert gateway.now() == before
        sandbox.advance(gateway.terms.reconcile_every + 1)
        session.loop.stepper.sending.venue.attend()
        assert was is not None
        assert gateway.reconciled_at is not None
        assert was < gateway.reconciled_at <= before + gateway.terms.reconcile_every + 1
        assert gateway.skew == HOUR  # of the machine's clock: constraints may ask for it
        assert gateway.standing("BTC-USD", before).clock_skew == HOUR
        venue.clock = lambda: NoAnswer("nobody there")  # type: ignore[method-assign]
        sandbox.advance(gateway.terms.reconcile_every + 1)
        session.loop.stepper.sending.venue.attend()
        assert gateway.standing("BTC-USD", before).clock_skew is None


def test_a_flatten_outlives_the_process_and_ends_with_a_resume(tmp_path: Path, sandbox: Sandbox, venue: Coinbase) -> None:
    with live(tmp_path, sandbox, venue) as session:
        session.until(BEGIN + HOUR)
        session.loop.stepper.sending.venue.attend()
        assert session.loop.stepper.session.positions
        assert session.loop.inbox is not None
        session.loop.inbox.put("flatten", at=0, by="ana", reason="leaving")
        sandbox.fault("server-error", on="cancel", times=50)  # its stop cannot be taken back, so it cannot be closed yet
        session.loop._heed()
        assert session.loop.stepper.session.positions
        assert session.loop.inbox.waiting() == []
    sandbox.clear_faults()
    with live(tmp_path, sandbox, venue, going_on=True) as again:
        attend = again.loop.stepper.sending.venue.attend
        for _ in range(20):
            sandbox.advance(MINUTES)
            attend()
        assert not again.loop.stepper.session.positions
        assert all(Decimal(size) == 0 for size in sandbox.state()["positions"].values())
        assert again.loop.inbox is not None
        again.loop.inbox.put("resume", at=0, by="ana", reason="back")
        again.until(sandbox.now // HOUR * HOUR + 3 * HOUR)
        assert again.loop.stepper.session.positions  # what is entered after a resume is not closed again


def test_a_resume_that_was_ordered_beside_an_unheard_flatten_does_not_end_it(
    tmp_path: Path, sandbox: Sandbox, venue: Coinbase
) -> None:
    with live(tmp_path, sandbox, venue) as session:
        session.until(BEGIN + HOUR)
        session.loop.stepper.sending.venue.attend()
        assert session.loop.stepper.session.positions
        inbox = session.loop.inbox
        assert inbox is not None
        inbox.put("flatten", at=0, by="ana", reason="leaving")
        inbox.put("resume", at=0, by="bob", reason="looked")
        sandbox.fault("server-error", on="cancel", times=50)  # its stop cannot be taken back, so it cannot be closed yet
        session.loop._heed()
        assert session.loop.stepper.session.positions
        assert inbox.waiting() == []
        sandbox.clear_faults()
        for _ in range(20):
            sandbox.advance(MINUTES)
            session.loop._heed()
        assert not session.loop.stepper.session.positions
        assert all(Decimal(size) == 0 for size in sandbox.state()["positions"].values())
        assert session.loop.stepper.session.latches.words("halt") is not None
        told = "bob resumed before the flatten that ana ordered was heard: everything is closed first"
        assert f"{told}, `tb resume` lifts the halt then" in [alert.words for alert in session.told.alerts]
        inbox.put("resume", at=0, by="bob", reason="looked again")
        session.until(sandbox.now // HOUR * HOUR + 3 * HOUR)
        assert session.loop.stepper.session.positions
