"""What a process is doing when it dies: the life of orders in its kinds, each as a list of actions."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from crashing import Action, Far, Scenario, turn
from fake_exchange import SYMBOLS, Truth
from gateway_world import LONG, START, World

from tb.core.records import Latch
from tb.core.time import HOUR
from tb.runtime.drafts import Ready

D = Decimal
ALL = ", ".join(SYMBOLS)
RESTING = LONG.replace("    size", "    order limit at close * 0.99, valid 10h\n    size")
HELD = LONG + "  hold at most 2h\n"
TAKES = LONG.replace("    target", "    take 50% at 10% above entry\n    target")


def enter(*symbols: str, hour: int = 1) -> Action:
    def run(made: World, far: Far) -> None:
        far.do("at", START + hour * HOUR + 1000)
        hear(made)
        made.session.step(START + hour * HOUR, [Ready(0, 0, symbol, hour - 1) for symbol in symbols])

    return run


def hear(made: World) -> None:
    made.gateway.hear(made.gateway.exchange.events())
    made.gateway.attend()


def turns(count: int = 2) -> Action:
    def run(made: World, far: Far) -> None:
        for _ in range(count):
            turn(made, far)

    return run


def once(name: str, *args: Any) -> Action:
    """Something at the venue: done again after a crash it changes nothing."""

    def run(made: World, far: Far) -> None:
        far.do(name, *args)
        turn(made, far)

    return run


def part(share: str, of: str = "buy") -> Action:
    """Up to that share of the entry that rests fills."""

    def run(made: World, far: Far) -> None:
        far.do("fill_up_to", of, D(share))
        turn(made, far)

    return run


def breaker(state: str) -> Action:
    def run(made: World, far: Far) -> None:
        made.breaker.open(far.time, "ann", "a look") if state == "open" else made.breaker.drain(far.time, "ann", "a look")
        turn(made, far)

    return run


def flatten(made: World, far: Far) -> None:
    made.gateway.flatten("ann", "enough")
    for _ in range(3):
        turn(made, far)
        made.gateway.flatten("ann", "enough")


def halt(made: World, far: Far) -> None:
    latch = Latch(at=far.time, rule="deep", verdict="halt", until=None, lifted=False, by="policy", reason="x")
    if "deep" not in made.session.latches.active:
        made.gateway.recorder.record([latch])
        made.session.latches.active["deep"] = latch
    turn(made, far)


def cancel_entry(made: World, far: Far) -> None:
    made.session.settling.stop_entries("s", START + 2 * HOUR, "halt deep")
    turn(made, far)


def faulty(method: str, *kinds: str, **also: Any) -> Any:
    def prepare(truth: Truth) -> None:
        truth.fault(method, *kinds)
        for name, value in also.items():
            setattr(truth, name, value)

    return prepare


SCENARIOS = [
    Scenario("bought and stopped", [enter("BTC-USD"), turns(), once("move", "BTC-USD", D(85)), turns()]),
    Scenario("bought and held", [enter("BTC-USD", "ETH-USD"), turns()]),
    Scenario("target", [enter("BTC-USD"), once("move", "BTC-USD", D(125)), turns()]),
    Scenario("reply dropped", [enter("BTC-USD"), turns(3)], prepare=faulty("place", "dropped")),
    Scenario("protection's reply dropped", [enter("BTC-USD"), turns(3)], prepare=faulty("place", "fine", "dropped")),
    Scenario("never arrived", [enter("BTC-USD"), turns(10)], prepare=faulty("place", "lost")),
    Scenario("arrives late", [enter("BTC-USD"), turns(10)], prepare=faulty("place", "delayed")),
    Scenario("entry refused", [enter("BTC-USD"), turns()], prepare=faulty("place", "refused")),
    Scenario("protection refused", [enter("BTC-USD"), turns(4)], prepare=faulty("place", "fine", "refused")),
    Scenario(
        "filled in parts",
        [enter("BTC-USD"), part("0.3"), part("0.6"), part("1"), once("move", "BTC-USD", D(80)), turns()],
        rules=RESTING,
        most=D("10.101"),
    ),
    Scenario("part of it, then taken back", [enter("BTC-USD"), part("0.4"), cancel_entry, turns()], RESTING, most=D("10.101")),
    Scenario(
        "fills after it was taken back",
        [enter("BTC-USD"), part("0.4"), cancel_entry, turns()],
        RESTING,
        prepare=faulty("cancel", late=True),
        most=D("10.101"),
    ),
    Scenario("closed by the session", [enter("BTC-USD"), turns(), enter(hour=4), turns(3)], HELD),
    Scenario(
        "cancel of the protection dropped",
        [enter("BTC-USD"), turns(), enter(hour=4), turns(6)],
        HELD,
        prepare=faulty("cancel", "dropped", "lost"),
    ),
    Scenario(
        "reply to the exit dropped",
        [enter("BTC-USD"), turns(), enter(hour=4), turns(6)],
        HELD,
        prepare=faulty("place", "fine", "fine", "dropped"),
    ),
    Scenario(
        "takes", [enter("BTC-USD"), once("move", "BTC-USD", D(112)), turns(), once("move", "BTC-USD", D(85)), turns()], TAKES
    ),
    Scenario("flattened", [enter("BTC-USD", "SOL-USD"), turns(), flatten, turns()], breaker="draining"),
    Scenario("breaker opens", [enter("BTC-USD"), breaker("open"), enter("ETH-USD", hour=2), turns()], breaker="open"),
    Scenario("halted", [enter("BTC-USD"), halt, enter("ETH-USD", hour=2), turns()], halts=("deep",)),
]
