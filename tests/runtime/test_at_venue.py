"""Stops and targets at the venue are known from the records of the runs that sent them, whichever run looks after them now."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from gateway_world import World, world
from ledger_samples import TEXTS, run_of, trade
from msgspec import structs

from tb.core.records import Handling
from tb.ledger import open_ledger
from tb.runtime.at_venue import Guard, bare, protection
from tb.runtime.overview import overview

D = Decimal


def seen(made: World) -> tuple[Guard, ...]:
    opened = {one.seq: one for one in made.trades}
    return protection(made.handlings, made.orders, [one for one in opened.values() if one.exit_at is None])


def held(made: World) -> None:
    """What is held stands in the records, as a session writes it down when it stops."""
    made.session.settling.record_open()


def test_a_bracket_shows_with_its_levels_and_what_of_it_is_left(tmp_path: Path) -> None:
    made = world(tmp_path)
    made.step(1, "BTC-USD")
    held(made)
    (there,) = made.truth.working()
    (guard,) = seen(made)
    assert (guard.client, guard.instrument, guard.strategy, guard.side) == (there.client_id, "BTC-USD", "s", "sell")
    assert (guard.quantity, guard.stop, guard.target) == (there.quantity, there.stop, there.target)
    assert (guard.status, guard.trade) == ("open", made.trades[-1].seq)
    made.truth.fill(there.client_id, there.quantity / 4, D(120))
    made.truth.tell(there.client_id)
    made.turn()
    assert [one.quantity for one in seen(made)] == [there.quantity * D("0.75")]
    made.truth.move("BTC-USD", 121)
    made.turn()
    assert seen(made) == ()


def test_an_answer_that_never_came_shows_as_unknown_and_a_refusal_not_at_all(tmp_path: Path) -> None:
    made = world(tmp_path)
    made.truth.fault("place", "fine", "lost")
    made.truth.fault("find", *["lost"] * 5)
    made.step(1, "BTC-USD")
    assert [guard.status for guard in seen(made)] == ["unknown"]
    refused = world(tmp_path / "other")
    refused.truth.fault("place", "fine", "refused")
    refused.step(1, "BTC-USD")
    assert seen(refused) == ()


def sent(client: str, **details: str) -> Handling:
    told = {"purpose": "protection", "side": "sell", "quantity": "0.01", **details}
    return Handling(at=5, what="sent", instrument="BTC-USD", order="o1", client=client, status="sent", details=told)


def test_what_should_be_protected_and_is_not_is_told(tmp_path: Path) -> None:
    (guard,) = protection([sent("c1", quantity="0.004", form="stop", price="55000")], [], [])
    assert (guard.stop, guard.target, guard.trade) == (D(55000), None, None)
    guard_of = protection([sent("c1", quantity="0.004", form="limit", price="70000")], [], [])[0]
    assert (guard_of.stop, guard_of.target) == (None, D(70000))
    one = trade(3)
    assert [found.quantity for found in bare([one], [])] == [one.quantity]
    assert bare([structs.replace(one, stop=None)], []) == ()


def test_a_live_run_shows_what_an_earlier_run_of_its_account_sent(tmp_path: Path) -> None:
    from ledger_samples import order

    with open_ledger(tmp_path / "ledger.sqlite") as ledger:
        policy = ledger.put_policy(TEXTS)
        earlier, now = (ledger.start_run(run_of(policy, mode="live", config={"venue": "coinbase"})).id for _ in range(2))
        other = ledger.start_run(run_of(policy, mode="live", config={"venue": "other"})).id
        ledger.append(earlier, [order("o1"), sent("c1", form="bracket", stop="55200.09", target="70000")])
        ledger.append(now, [trade(1)])
        found = overview(ledger, ledger.run(now))
        assert [(one.client, one.strategy, one.trade) for one in found.guards] == [("c1", "momentum", 1)]
        assert found.bare == ()
        ended = Handling(at=6, what="answer", instrument="BTC-USD", order="o1", client="c1", status="cancelled")
        ledger.append(now, [ended])
        found = overview(ledger, ledger.run(now))
        assert (found.guards, [one.trade.seq for one in found.bare]) == ((), [1])
        assert overview(ledger, ledger.run(other)).guards == ()
