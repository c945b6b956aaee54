"""What a venue, a clock or a disk may do to a gateway that would have it send twice, believe what cannot be, or fall silent."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from fake_exchange import rules_for
from gateway_world import START, Kept, World, world
from test_gateway_protection import HELD
from test_gateway_steps import RESTING

from tb.core.diagnostics import Refused
from tb.core.records import Handling, Record
from tb.core.time import HOUR
from tb.runtime.gateway import recording
from tb.runtime.gateway.breaker import Breaker, Change
from tb.runtime.gateway.recording import Backlog
from tb.runtime.gateway.terms import Terms
from tb.runtime.ports.exchange import OrderState, Quoted
from tb.runtime.running.live import LiveVenue

D = Decimal
PATIENT = Terms(protect_within=10_000)


def bought(made: World, symbol: str = "BTC-USD") -> OrderState:
    (state,) = [one for one in made.truth.orders.values() if one.side == "buy" and one.instrument == symbol]
    return state


def later(made: World, hour: int) -> None:
    """The hour has come, and the venue has spoken."""
    made.truth.time = START + hour * HOUR + 1000
    made.turn(0)


# --- what was turned away unread --------------------------------------------------------------------------------------


def test_protection_that_was_turned_away_unread_is_placed_again_at_once(tmp_path: Path) -> None:
    made = world(tmp_path, terms=PATIENT)
    made.truth.fault("place", "fine", *["turned away"] * 4)
    made.step(1, "BTC-USD")
    bare = 0
    while made.truth.protected("BTC-USD") != made.truth.holding("BTC-USD"):
        made.turn(250)
        bare += 250
    assert bare <= 3_000
    assert made.held == {"BTC-USD": bought(made).quantity}
    assert len(set(made.truth.ids())) == len(made.truth.ids()) == 2
    assert made.gateway.orders.unknown() == []


def test_an_entry_that_was_turned_away_unread_is_over_and_binds_nothing(tmp_path: Path) -> None:
    made = world(tmp_path)
    made.truth.fault("place", "turned away")
    made.step(1, "BTC-USD")
    made.turn()
    assert made.truth.arrived == []
    assert [one.cause for one in made.cancels] == ["never arrived"]
    assert made.gateway.reservations.bound() == {}
    assert made.gateway.orders.unknown() == []


def test_what_was_turned_away_and_shows_up_all_the_same_is_taken_back_and_held(tmp_path: Path) -> None:
    made = world(tmp_path)
    made.truth.fault("place", "turned away")
    made.step(1, "BTC-USD")
    (client,) = made.gateway.orders.all
    made.truth.do_place(made.gateway.orders.all[client].request)
    made.turns(3)
    assert made.positions == made.held == {"BTC-USD": bought(made).quantity}
    assert made.truth.protected("BTC-USD") == made.truth.holding("BTC-USD")


# --- somebody hears of it ---------------------------------------------------------------------------------------------


def test_that_a_position_stands_without_its_stop_for_too_long_is_an_alert(tmp_path: Path) -> None:
    made = world(tmp_path, terms=PATIENT)
    made.truth.fault("place", "fine", *["lost"] * 30)
    made.step(1, "BTC-USD")
    made.turns(9)
    assert made.alarms == []
    made.turns(3)
    (cry,) = made.alarms
    assert cry.startswith(f"{bought(made).quantity} BTC-USD stand without their stop since 10s")


def test_protection_that_is_refused_is_an_alert_told_once(tmp_path: Path) -> None:
    made = world(tmp_path)
    made.truth.fault("place", "fine", *["refused"] * 12)
    made.step(1, "BTC-USD")
    made.turns(20)
    assert made.alarms == [f"{bought(made).quantity} BTC-USD cannot be protected, and is closed at market"]


def test_that_an_exit_is_not_confirmed_while_nothing_stands_is_an_alert(tmp_path: Path) -> None:
    made = world(tmp_path, rules=HELD, terms=PATIENT)
    made.step(1, "BTC-USD")
    made.truth.fault("place", "dropped", *["lost"] * 30)
    made.truth.shares.append(D(0))
    made.truth.fault("find", "fine", *["lost"] * 60)
    made.step(4)
    made.turns(12)
    assert any("is being closed, and has no stop" in words for words in made.alarms)


def test_the_time_without_a_stop_counts_from_the_exit_that_failed(tmp_path: Path) -> None:
    made = world(tmp_path, rules=HELD, terms=PATIENT)
    made.step(1, "BTC-USD")
    made.truth.time = START + 4 * HOUR + 500
    made.turn()
    made.truth.fault("place", *["lost"] * 30)  # the exit never arrives, and neither does what should protect again
    made.step(4)
    bare = 0
    while not made.alarms and bare < 60_000:
        assert made.truth.protected("BTC-USD") == 0
        made.turn(250)
        bare += 250
    assert bare <= 10_250
    assert "BTC-USD" in made.alarms[0]
    assert made.truth.calls.count("place") > 2  # the exit had failed before, and protection was tried


# --- what cannot be ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "lie", [{"side": "sell"}, {"filled": D(1000), "average": D(100)}, {"filled": D("10.11"), "average": D(100)}]
)
def test_of_an_answer_that_cannot_be_nothing_is_believed_and_the_breaker_opens(tmp_path: Path, lie: dict[str, object]) -> None:
    made = world(tmp_path, rules=RESTING)
    made.step(1, "BTC-USD")
    state = bought(made)
    made.gateway.hear([replace(state, **{"quantity": state.quantity * 2} | lie)])  # type: ignore[arg-type]
    assert made.positions == {}
    assert made.breaker.state == "open"
    assert len(made.alarms) == 1


def test_an_order_that_is_called_filled_before_its_sums_are_is_asked_about_at_once(tmp_path: Path) -> None:
    made = world(tmp_path)
    made.truth.shares.append(D("0.3"))
    made.step(1, "BTC-USD")
    state = bought(made)
    made.gateway.hear([replace(state, status="filled", at=made.truth.time)])
    assert made.session.account.working  # what is left goes on counting
    made.truth.is_deaf = True
    made.truth.finish(state.client_id)
    made.turns(3)
    assert made.positions == made.held == {"BTC-USD": state.quantity}
    assert made.truth.protected("BTC-USD") == state.quantity


def test_an_average_that_goes_back_makes_no_price_below_nought(tmp_path: Path) -> None:
    made = world(tmp_path, rules=RESTING)
    made.step(1, "BTC-USD")
    state = bought(made)
    made.gateway.hear([replace(state, filled=D("1"), average=D(99), status="open")])
    made.gateway.hear([replace(state, filled=D("1.001"), average=D(90), status="open")])
    assert all(fill.price > 0 for fill in made.fills)
    assert sum(fill.quantity for fill in made.fills) == D("1.001")
    assert any("do not add up" in words for words in made.alarms)


def test_an_order_that_was_acknowledged_is_not_given_up_as_soon(tmp_path: Path) -> None:
    made = world(tmp_path)
    made.truth.shares.append(D(0))
    made.step(1, "BTC-USD")
    client = bought(made).client_id
    hidden = made.truth.orders.pop(client)  # the lists of the venue are behind
    made.turns(15)
    assert client in made.gateway.reservations.bound()
    made.truth.orders[client] = hidden
    made.truth.finish(client)
    made.turns(3)
    assert made.positions == made.held == {"BTC-USD": hidden.quantity}
    assert made.truth.ids().count(client) == 1


def test_a_venue_that_does_not_take_cancels_up_is_not_flooded(tmp_path: Path) -> None:
    made = world(tmp_path, rules=RESTING)
    made.step(1, "BTC-USD", "ETH-USD")
    made.truth.fill_up_to("buy", D("0.4"))
    made.turns(3)
    made.truth.fault("cancel", *["refused"] * 500)
    before = len(made.truth.calls)
    for _ in range(50):  # ten seconds, as a loop turns
        made.gateway.flatten("ana", "leaving")
        made.turn(200)
    asked = [call for call in made.truth.calls[before:] if call not in ("events", "clock")]
    assert asked.count("cancel") <= 4 * 21  # two entries, two stops: each twice a second
    assert len(asked) <= 4 * 21 * 6
    made.truth.faults.clear()
    made.turns(5)
    assert made.positions == made.held == {}
    assert made.truth.working() == []


# --- what the market's rules become -----------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["cancel only", "limit only", "post only", "closed"])
def test_a_product_that_stops_trading_takes_no_entry_and_protection_is_tried(tmp_path: Path, status: str) -> None:
    made = world(tmp_path)
    made.step(1, "BTC-USD")
    made.truth.rules_["ETH-USD"] = rules_for("ETH-USD", status=status)
    made.truth.rules_["BTC-USD"] = rules_for("BTC-USD", status=status)
    made.turns(70)
    arrived = len(made.truth.arrived)
    later(made, 2)
    made.step(2, "ETH-USD")
    assert len(made.truth.arrived) == arrived
    (refused,) = [one for one in made.handlings if one.what == "refused"]
    assert refused.words == f"ETH-USD is {status} at the venue"
    made.gateway.flatten("ana", "leaving")  # of what reduces the venue judges itself
    assert made.held == made.positions == {}


def test_what_was_judged_in_one_currency_is_not_sent_in_another(tmp_path: Path) -> None:
    made = world(tmp_path)
    made.truth.rules_["BTC-USD"] = rules_for("BTC-USD", currency="EUR")
    made.truth.totals["EUR"] = D(100_000)
    made.gateway.demands.refresh(["BTC-USD"])
    made.gateway.reservations.see(made.truth.do_balances())
    made.step(1, "BTC-USD")
    assert made.truth.arrived == []
    assert made.said("refused") == [("venue rules", "BTC-USD is priced in EUR at the venue, and was judged in USD")]


def test_a_tick_that_becomes_coarser_moves_the_stop_onto_it(tmp_path: Path) -> None:
    made = world(tmp_path)
    made.truth.prices["BTC-USD"] = D("100.37")
    made.step(1, "BTC-USD")
    made.truth.rules_["BTC-USD"] = rules_for("BTC-USD", tick=D("0.5"))
    made.turns(70)
    (guard,) = made.truth.working()
    assert (guard.stop, guard.target) == (D("90.5"), D("120"))
    assert made.truth.protected("BTC-USD") == made.truth.holding("BTC-USD")


@pytest.mark.parametrize("deaf", [False, True])
def test_a_stop_that_somebody_cancelled_by_hand_is_placed_again_in_time_and_told(tmp_path: Path, deaf: bool) -> None:
    made = world(tmp_path)
    made.step(1, "BTC-USD")
    made.turns(3)
    (guard,) = made.truth.working()
    made.truth.is_deaf = deaf  # the venue tells nothing of it
    made.truth.do_cancel(guard)
    made.turns(11 if deaf else 1)
    assert [words for words in made.alarms if "was ended at the venue (cancelled)" in words]
    assert made.truth.protected("BTC-USD") == made.truth.holding("BTC-USD")
    assert guard.client_id not in [one.client_id for one in made.truth.working()]


# --- disks ------------------------------------------------------------------------------------------------------------


def test_a_ledger_that_keeps_one_waiting_is_not_tried_at_every_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(recording.time, "monotonic", lambda: clock[0])

    class Locked(Kept):
        tries = 0

        def record(self, records: Sequence[Record]) -> None:
            self.tries += 1
            clock[0] += 2  # as long as the ledger queues
            super().record(records)

    kept = Locked()
    kept.refuses = OSError("locked")
    backlog = Backlog(kept)
    backlog.record([Handling(at=1, what="alert", words="one")])
    for _ in range(30):
        clock[0] += 0.1
        backlog.flush()
    assert kept.tries == 1
    clock[0] += 1.1
    kept.refuses = None
    assert backlog.flush()
    assert [one.words for one in kept.of(Handling)] == ["one"]


def test_why_records_wait_is_told_once_for_each_time_that_it_begins() -> None:
    kept, told = Kept(), list[str]()
    backlog = Backlog(kept, told.append)
    for _ in range(2):
        kept.refuses = OSError("locked")
        backlog.record([Handling(at=1, what="alert", words="one")])
        for _ in range(5):
            backlog.flush()
        kept.refuses = None
        assert backlog.flush()
    assert told == ["records cannot be written: locked"] * 2


class Refusing(Breaker):
    """A breaker whose disk is full from some time on."""

    full = False

    def _write(self, change: Change) -> None:
        if self.full:
            raise self._refused("the breaker cannot be written: no space left on device", "free some space")
        super()._write(change)


def test_a_disk_that_does_not_take_a_resume_leaves_the_breaker_and_the_session_as_they_are(tmp_path: Path) -> None:
    made = world(tmp_path)
    made.gateway.breaker = Refusing(tmp_path / "breaker")
    made.gateway.breaker.drain(1, "ana", "looking")
    made.gateway.breaker.full = True
    LiveVenue(made.gateway, made.recovery).resumed(2, "ana", "looked")
    assert made.gateway.breaker.state == "draining"
    assert any("no space left on device" in words for words in made.alarms)
    with pytest.raises(Refused):
        made.gateway.breaker.close(3, "ana", "looked")


def test_a_trial_that_cannot_be_taken_down_leaves_the_breaker_half_open(tmp_path: Path) -> None:
    made = world(tmp_path)
    made.breaker.open(made.truth.time, "gateway", "something")
    made.breaker.close(made.truth.time, "ana", "looked")
    made.gateway.breaker = Refusing(tmp_path / "breaker")
    made.gateway.breaker.full = True
    later(made, 2)
    made.step(2, "BTC-USD")
    made.turns(70)
    assert made.gateway.breaker.state == "half open"
    assert sum("no space left on device" in words for words in made.alarms) == 1
    made.gateway.breaker.full = False
    made.turns(70)
    assert made.gateway.breaker.state == "closed"


def test_fills_for_which_the_disk_has_no_room_are_in_the_journal_once_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = world(tmp_path, rules=RESTING)
    made.step(1, "BTC-USD")
    write, is_full = os.pwrite, [True]

    def full(handle: int, data: bytes, offset: int) -> int:
        if is_full[0]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(handle, data, offset)

    monkeypatch.setattr(os, "pwrite", full)
    made.truth.fill_up_to("buy", D("0.3"))
    made.turns(3)
    assert made.breaker.state == "draining"
    assert sum("no space left on device" in words for words in made.alarms) == 2  # the breaker, and the journal
    is_full[0] = False
    made.truth.fill_up_to("buy", D("0.6"))
    made.turns(3)
    held = dict(made.held)
    assert made.positions == held
    assert made.truth.protected("BTC-USD") == made.truth.holding("BTC-USD")
    again = made.again()
    assert [step.done for step in again.recovered()] == [True] * 6
    assert again.positions == again.held == held
    assert len(set(made.truth.ids())) == len(made.truth.ids())


# --- a stop that is jumped over ---------------------------------------------------------------------------------------


def quoted(made: World, bid: str, ask: str, age: int = 0) -> Quoted:
    return Quoted("BTC-USD", D(bid), D(ask), made.truth.time - age, made.truth.time)


@pytest.mark.parametrize(
    ("bid", "ask", "age", "closes"),
    [
        ("70", "71", 0, True),
        ("70", "91", 0, False),  # a thin book
        ("70", "60", 0, False),  # crossed
        ("70", "71", 60_000, False),  # old
        ("91", "92", 0, False),
    ],
)
def test_a_stop_that_was_passed_and_does_not_fill_closes_the_position(
    tmp_path: Path, bid: str, ask: str, age: int, closes: bool
) -> None:
    made = world(tmp_path, terms=PATIENT)
    made.step(1, "BTC-USD")
    made.truth.prices["BTC-USD"] = D(70)  # jumped over: the venue's order rests at a limit that nobody pays
    for _ in range(9):
        made.truth.time += 1000
        made.gateway.hear([quoted(made, bid, ask, age)])
        made.gateway.attend()
    assert made.held
    for _ in range(4):
        made.truth.time += 1000
        made.gateway.hear([quoted(made, bid, ask, age)])
        made.gateway.attend()
    assert (made.held == made.positions == {}) == closes
    assert any("was passed and does not fill" in words for words in made.alarms) == closes
    if closes:
        assert made.fills[-1].cause == "stop"
