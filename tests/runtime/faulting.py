"""One trading day of a session while things go wrong at the venue, on the wire and on the disk; watched turn by turn.

The day: two entries at market, one that rests and fills in parts, a move of the prices, exits of the session, a last entry. A
fault begins at one of the `MOMENTS`. After every turn `Watch` compares the venue with what must never be, and in the end,
with all faults gone, with what is known here."""

from __future__ import annotations

import errno
import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from fake_exchange import SYMBOLS, rules_for
from gateway_world import LONG, START, Terms, World, world
from small_projects import strategy

from tb.core.records import Fill
from tb.core.time import HOUR
from tb.runtime.drafts import Ready
from tb.runtime.gateway.journal import Journal

D = Decimal
NOTHING = D(0)
TERMS = Terms(protect_within=10_000)
RESTING = strategy(
    name="resting", universe=False, size="10% of equity", stop="10% below entry", target="20% above entry"
).replace("    size", "    order limit at close * 0.99, valid 10h\n    size")
RULES = LONG + "  hold at most 3h\n\n" + RESTING
POLICY = "limit gross  after.gross <= 40% of equity\n"
MOST = D(4000)  # what the policy lets be exposed, in the worst case
MOMENTS = ("before", "after", "exit")
Fault = Callable[[World], None]


def _calls(method: str, *kinds: str) -> Fault:
    return lambda made: made.truth.fault(method, *kinds)


def _down(made: World) -> None:
    made.truth.down_until = made.truth.time + 20_000


def _deaf(made: World) -> None:
    made.truth.is_deaf = True


def _twice(made: World) -> None:
    made.truth.twice = True


def _late(made: World) -> None:
    made.truth.late = True


def _parts(made: World) -> None:
    made.truth.shares.extend([D("0.3"), D("0.5"), D("0.7")])


def _none_at_once(made: World) -> None:
    made.truth.shares.extend([D(0), D(0)])


def _gap(made: World) -> None:
    made.truth.gap()


def _locked(made: World) -> None:
    made.kept.refuses = OSError("database is locked")


def _full(made: World) -> None:
    def refuses(handle: int, offset: int, size: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    made.journal._allocate = refuses
    made.journal._space = min(made.journal._space, made.journal._end + 200_000)


def _clock(made: World) -> None:
    made.truth.time += 10 * 60_000


def _no_rules(made: World) -> None:
    made.truth.rules_["ETH-USD"] = rules_for("ETH-USD", status="cancel only")
    made.gateway.demands.refresh(list(SYMBOLS))


FAULTS: dict[str, Fault] = {
    "reply dropped": _calls("place", "dropped"),
    "second reply dropped": _calls("place", "fine", "dropped"),
    "never arrives": _calls("place", "lost"),
    "arrives late": _calls("place", "delayed"),
    "second arrives late": _calls("place", "fine", "delayed"),
    "refused": _calls("place", "refused"),
    "second refused": _calls("place", "fine", "refused"),
    "third refused": _calls("place", "fine", "fine", "refused"),
    "401 burst": _calls("place", *["unauthorised"] * 4),
    "429 burst": _calls("place", *["busy"] * 4),
    "429 everywhere": lambda made: [_calls(one, *["busy"] * 5)(made) for one in ("find", "cancel", "balances")] and None,
    "cancel dropped": _calls("cancel", "dropped", "dropped"),
    "cancel lost": _calls("cancel", "lost", "lost"),
    "cancel refused": _calls("cancel", "refused", "refused"),
    "lookups lost": _calls("find", *["lost"] * 8),
    "slow": lambda made: [_calls(one, "slow", "slow")(made) for one in ("place", "cancel", "find")] and None,
    "balances lost": _calls("balances", *["lost"] * 6),
    "disconnected": _down,
    "deaf": _deaf,
    "told twice": _twice,
    "fills after cancel": _late,
    "fills in parts": _parts,
    "fills nothing at once": _none_at_once,
    "gap": _gap,
    "ledger locked": _locked,
    "disk full": _full,
    "clock jumps": _clock,
    "product halted": _no_rules,
}


@dataclass
class Watch:
    """What must never be, checked after every turn."""

    made: World
    most: Decimal = MOST
    bare_since: dict[str, int] = field(default_factory=dict)
    longest_bare: int = 0
    most_exposed: Decimal = NOTHING
    wrong: list[str] = field(default_factory=list)

    def look(self) -> None:
        truth = self.made.truth
        if truth.time < truth.down_until:
            self.bare_since = dict.fromkeys(self.bare_since, truth.time)  # nothing can be done while it cannot be reached
        worst = D(0)
        for symbol in self.made.symbols:
            price, held = truth.prices[symbol], truth.holding(symbol)
            buys = [one for one in truth.working() if one.instrument == symbol and one.side == "buy"]
            worst += held * price + sum(((one.quantity - one.filled) * (one.price or price) for one in buys), D(0))
            self._protected(symbol, held)
        self.most_exposed = max(self.most_exposed, worst)
        if worst > self.most * D("1.05"):  # prices move after the decision
            self.wrong.append(f"{worst} USD are exposed at the venue")
        repeated = [client for client, count in Counter(truth.ids()).items() if count > 1]
        if repeated:
            self.wrong.append(f"sent twice: {repeated}")

    def _protected(self, symbol: str, held: Decimal) -> None:
        truth = self.made.truth
        leaving = sum(
            (one.quantity - one.filled for one in truth.working() if one.instrument == symbol and one.side == "sell"), D(0)
        )
        if held > leaving:
            since = max(self.bare_since.setdefault(symbol, truth.time), truth.failed_at)
            self.longest_bare = max(self.longest_bare, truth.time - since)
            if truth.time - since > TERMS.protect_within + 10_000:
                self.wrong.append(f"{held} {symbol} were without protection for {truth.time - since} ms")
        else:
            self.bare_since.pop(symbol, None)

    def end(self) -> Iterator[str]:
        """With everything well again: what is here is what is there, and all of it is recorded."""
        made, truth = self.made, self.made.truth
        yield from dict.fromkeys(self.wrong)
        if made.positions_by_symbol != made.held:
            yield f"held at the venue {made.held}, here {made.positions_by_symbol}"
        real: Counter[tuple[str, str]] = Counter()
        for one in truth.executions:
            real[one.instrument, one.side] += one.quantity  # type: ignore[assignment]
        here: Counter[tuple[str, str]] = Counter()
        for fill in made.kept.of(Fill):
            here[fill.instrument, fill.side] += fill.quantity
        if real != here:
            yield f"filled {dict(real)}, recorded {dict(here)}"
        if made.session.account.cash != truth.totals["USD"]:
            yield f"cash is {truth.totals['USD']} at the venue, {made.session.account.cash} here"
        sent = {one.client for one in made.handlings if one.what == "sent"}
        if set(truth.ids()) - sent:
            yield f"not recorded: {set(truth.ids()) - sent}"
        for symbol, held in made.held.items():
            if truth.protected(symbol) != held:
                yield f"{held} {symbol} are held and {truth.protected(symbol)} protected"
        if made.gateway.orders.unknown():
            yield "an order is still unknown"
        if set(made.gateway.reservations.bound()) - set(made.gateway.orders.unsettled):
            yield "something is bound for nothing"


def day(folder: Path, faults: dict[str, list[Fault]]) -> Watch:
    """Lives the day with faults at its moments."""
    made = world(folder, rules=RULES, policy=POLICY, terms=TERMS, wrap_journal=_roomy)
    watch = Watch(made)

    def begin(moment: str) -> None:
        for fault in faults.get(moment, ()):
            fault(made)

    def turns(count: int) -> None:
        for _ in range(count):
            made.turn(1000)
            watch.look()

    def enter(hour: int, number: int, *symbols: str) -> None:
        later = max(0, START + hour * HOUR + 1000 - made.truth.time)
        made.truth.time += later  # nobody lived through this hour: it is not waiting time
        watch.bare_since = {symbol: since + later for symbol, since in watch.bare_since.items()}
        made.turn(0)
        made.session.step(START + hour * HOUR, [Ready(number, 0, symbol, hour - 1) for symbol in symbols])
        watch.look()

    begin("before")
    enter(1, 0, "BTC-USD", "ETH-USD")
    turns(3)
    begin("after")
    enter(2, 1, "BTC-USD")
    turns(2)
    made.truth.fill_up_to("buy", D("0.4"))
    turns(3)
    made.truth.move("ETH-USD", 85)
    turns(5)
    begin("exit")
    enter(5, 0)  # held long enough
    made.session.settling.stop_entries("resting", START + 5 * HOUR, "halt deep")
    turns(25)
    heal(made)
    turns(12)
    enter(7, 0, "SOL-USD")
    turns(30)
    return watch


def heal(made: World) -> None:
    """The faults are over."""
    truth = made.truth
    truth.faults.clear()
    truth.shares.clear()
    truth.late = truth.twice = truth.is_deaf = False
    truth.rules_["ETH-USD"] = rules_for("ETH-USD")
    made.kept.refuses = None
    for state in truth.working():  # what a halted market left lying fills
        if state.form == "market":
            truth.finish(state.client_id)


def _roomy(journal: Journal) -> Journal:
    return journal
