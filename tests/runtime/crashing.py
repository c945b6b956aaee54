"""Kills a process with a gateway at a stated point and starts another one over what is left; the venue lives on outside.

1. A scenario is a list of actions. A child process takes them one by one; every crash point it passes is counted: before and
   after each step of the gateway, before, inside and after each write of the journal and the breaker, before and after each
   call of the venue and each write to the ledger.
2. `crashed` lets the child die at the n-th point: by `os._exit`, by SIGKILL, or by a power cut, which takes along what was
   written and not synced. The next child recovers, does the interrupted action again, as a session that decides the same
   instant again would, and all actions after it.
3. `wrongs` compares what the last child says with the truth of the venue.
"""

from __future__ import annotations

import os
import pickle
import signal
import socket
import struct
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from fake_exchange import SYMBOLS, FakeExchange, Truth
from gateway_world import LONG, POLICY, START, Terms, World, gates, view_of

from tb.core.encode import canonical
from tb.core.records import Fill, Latch, Record
from tb.core.time import HOUR
from tb.runtime.gateway.breaker import Breaker
from tb.runtime.gateway.journal import Journal
from tb.runtime.gateway.steps import STEPS
from tb.runtime.latches import Latches

D = Decimal
Action = Callable[[World, "Far"], None]
TEN = D(10)
HOWS = ("exit", "kill", "power")
DIED = 70
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # what is killed leaves files whole; a disk only makes it slower


# --- the child ---------------------------------------------------------------------------------------------------------


@dataclass
class Points:
    """Counts crash points, and dies at one of them. `at` 0 is never."""

    at: int
    how: str
    count: int = 0
    names: list[str] = field(default_factory=list)

    def hit(self, name: str) -> None:
        self.count += 1
        self.names.append(name)
        if self.count == self.at:
            if self.how == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            os._exit(DIED)


class Far:
    """The venue as a child reaches it: over a socket, with the time on every answer."""

    def __init__(self, end: socket.socket, points: Points) -> None:
        self.end, self.points, self.time = end, points, 0
        self.do("tick", 0)

    def ask(self, *message: Any) -> Any:
        _send(self.end, message)
        answer, self.time = _receive(self.end)
        return answer

    def do(self, name: str, *args: Any) -> Any:
        """Something that happens at the venue or to the clock."""
        return self.ask("do", name, args)

    def call(self, method: str, *args: Any) -> Any:
        self.points.hit(f"before {method}")
        answer = self.ask("call", method, args)
        self.points.hit(f"after {method}")
        return answer


class TornJournal(Journal):
    """A journal that may die inside of a write, and says what is synced."""

    points: Points
    far: Far

    def _put(self, line: bytes) -> None:
        self.points.hit("before write")
        half = len(line) // 2
        os.pwrite(self._handle, line[:half], self._end)
        self.points.hit("torn write")
        os.pwrite(self._handle, line[half:], self._end + half)
        self._after = self._end + len(line)
        self.points.hit("written")

    def _sync(self) -> None:
        super()._sync()
        self.far.ask("synced", self._after)
        self.points.hit("synced")


class TornBreaker(Breaker):
    points: Points

    def _write(self, change: Any) -> None:
        self.points.hit("before breaker")
        super()._write(change)
        self.points.hit("after breaker")


class FileLedger:
    """Records in a file, an encoded group at a time, synced: what a ledger promises."""

    def __init__(self, path: Path, points: Points) -> None:
        self.path, self.points = path, points

    def record(self, records: Sequence[Record]) -> None:
        self.points.hit("before record")
        with self.path.open("ab") as file:
            file.write(b"".join(canonical(record) + b"\n" for record in records))
        self.points.hit("after record")


def recorded(path: Path) -> list[Record]:
    lines = path.read_bytes().splitlines() if path.exists() else []
    return [msgspec.json.decode(line, type=Record) for line in lines]


def _steps(points: Points) -> Any:
    def around(name: str, step: Any) -> Any:
        def run(gateway: Any, passage: Any) -> Any:
            points.hit(f"before {name}")
            found = step(gateway, passage)
            points.hit(f"after {name}")
            return found

        return run

    return tuple((name, around(name, step)) for name, step in STEPS)


def child(end: socket.socket, folder: Path, scenario: Scenario, begin: int, at: int, how: str) -> None:
    """One process: recovers, takes the actions from one on, and reports."""
    points = Points(at, how)
    far = Far(end, points)

    def journal_of(journal: Journal) -> Journal:
        journal.close()
        torn = TornJournal(folder / "journal")
        torn.points, torn.far = points, far
        return torn

    known = recorded(folder / "ledger")
    made = World(
        folder,
        Truth(0),
        rules=scenario.rules,
        policy=scenario.policy,
        terms=scenario.terms,
        steps=_steps(points),
        call=far.call,
        wrap_journal=journal_of,
        now=lambda: far.time,
        recorder=FileLedger(folder / "ledger", points),
    ).start()
    made.gateway.breaker = TornBreaker(folder / "breaker", told=made.breaker.told)
    made.gateway.breaker.points = points
    made.breaker = made.gateway.breaker
    made.session.latches.active.update(Latches.restore(one for one in known if isinstance(one, Latch)).active)
    made.recovered(known)
    for _ in range(40):
        if made.gateway.is_recovered:
            break
        far.do("tick", 1000)
        made.gateway.hear(made.gateway.exchange.events())
        made.recovery.run()
    for number, action in enumerate(scenario.actions[begin:], begin):
        far.ask("begin", number)
        action(made, far)
    far.ask("begin", len(scenario.actions))
    for _ in range(scenario.turns):
        turn(made, far)
    far.ask("report", report(made, points, folder))


def turn(made: World, far: Far, after: int = 1000) -> None:
    far.do("tick", after)
    made.gateway.hear(made.gateway.exchange.events())
    made.gateway.attend()


def report(made: World, points: Points, folder: Path) -> dict[str, Any]:
    fills = [one for one in recorded(folder / "ledger") if isinstance(one, Fill)]
    sums: Counter[tuple[str, str]] = Counter()
    for fill in fills:
        sums[fill.instrument, fill.side] += fill.quantity  # type: ignore[assignment]
    account = made.session.account
    return {
        "names": points.names,
        "positions": made.positions,
        "cash": account.cash,
        "holdings": {one.instrument: one.quantity for one in account.holdings.values()},
        "working": sorted(one.client for one in made.gateway.orders.working()),
        "bound": sorted(made.gateway.reservations.bound()),
        "unsettled": sorted(made.gateway.orders.unsettled),
        "waiting": len(made.session.settling.waiting),
        "account working": len(account.working),
        "fills": dict(sums),
        "breaker": made.breaker.state,
        "recovered": made.gateway.is_recovered,
        "halts": sorted(made.session.latches.active),
        "exiting": [key for key, position in made.session.positions.items() if position.exiting],
        "reconciled": made.gateway.reconciled_at,
    }


# --- the parent --------------------------------------------------------------------------------------------------------


@dataclass
class Scenario:
    name: str
    actions: list[Action]
    rules: str = LONG
    policy: str = POLICY
    terms: Terms = field(default_factory=Terms)
    turns: int = 10
    prepare: Callable[[Truth], None] = lambda truth: None
    breaker: str = "closed"
    halts: tuple[str, ...] = ()
    most: Decimal = TEN  # that may ever be bought of an instrument


@dataclass
class Outcome:
    truth: Truth
    report: dict[str, Any] | None
    began: int  # the action that was interrupted
    synced: int = 0


def _send(end: socket.socket, message: Any) -> None:
    data = pickle.dumps(message)
    end.sendall(struct.pack(">I", len(data)) + data)


def _receive(end: socket.socket) -> Any:
    head = _exactly(end, 4)
    return pickle.loads(_exactly(end, struct.unpack(">I", head)[0]))


def _exactly(end: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = end.recv(count - len(data))
        if not more:
            raise EOFError
        data += more
    return data


@cache
def _warm(rules: str, policy: str) -> None:
    """Compiles and loads what a session needs once, before the processes part."""
    view_of(rules, policy), gates(rules, policy)
    with tempfile.TemporaryDirectory(prefix="warm", dir=MEMORY) as folder:
        made = World(Path(folder), Truth(START + HOUR), rules=rules, policy=policy).start()
        made.recovered()
        made.step(1, "BTC-USD")
        made.journal.close()


def process(truth: Truth, folder: Path, scenario: Scenario, begin: int, at: int, how: str) -> Outcome:
    """Lets one child live, or die at a point, and serves it as its venue."""
    _warm(scenario.rules, scenario.policy)
    here, there = socket.socketpair()
    pid = os.fork()
    if not pid:
        here.close()
        status = 1
        try:
            child(there, folder, scenario, begin, at, how)
            status = 0
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            os._exit(status)
    there.close()
    outcome = Outcome(truth, None, begin)
    try:
        while True:
            _serve(truth, outcome, here)
    except EOFError:
        pass
    finally:
        here.close()
    _, status = os.waitpid(pid, 0)
    died = os.waitstatus_to_exitcode(status)
    if died not in (0, DIED, -signal.SIGKILL):
        raise RuntimeError(f"{scenario.name}: the process failed by itself at point {at}")
    return outcome


def _serve(truth: Truth, outcome: Outcome, end: socket.socket) -> None:
    kind, *rest = _receive(end)
    answer: Any = None
    match kind:
        case "call":
            answer = truth.call(rest[0], *rest[1])
        case "do" if rest[0] == "tick":
            truth.time += rest[1][0]
            truth.settle_delayed()
        case "do" if rest[0] == "at":
            truth.time = max(truth.time, rest[1][0])
        case "do":
            answer = getattr(truth, rest[0])(*rest[1])
        case "synced":
            outcome.synced = rest[0]
        case "begin":
            outcome.began = rest[0]
        case "report":
            outcome.report = rest[0]
    _send(end, (answer, truth.time))


def crashed(scenario: Scenario, at: int, how: str = "exit", again: int = 0) -> tuple[Outcome, Outcome | None, int]:
    """A run that dies at a point, and the next one; with `again` that one dies too, at that point of its own, and a third one
    follows. The second of the pair is None where the point was not reached."""
    truth = Truth(START + HOUR)
    scenario.prepare(truth)
    with tempfile.TemporaryDirectory(prefix="crash", dir=MEMORY) as name:
        folder = Path(name)
        first = process(truth, folder, scenario, 0, at, how)
        if first.report is not None:
            return first, None, 0
        _power(folder, first, how)
        if again:
            second = process(truth, folder, scenario, first.began, again, how)
            if second.report is not None:
                return first, second, 1
            _power(folder, second, how)
            return first, process(truth, folder, scenario, second.began, 0, how), 2
        return first, process(truth, folder, scenario, first.began, 0, how), 1


def _power(folder: Path, outcome: Outcome, how: str) -> None:
    """A power cut takes along what was not synced."""
    path = folder / "journal"
    if how == "power" and path.exists() and outcome.synced:
        data = path.read_bytes()
        path.write_bytes(data[: outcome.synced] + b"\0" * (len(data) - outcome.synced))


def wrongs(scenario: Scenario, outcome: Outcome) -> Iterator[str]:
    """What does not hold after a crash, in words; nothing where all does."""
    truth, found = outcome.truth, outcome.report
    if found is None:
        yield "the process after the crash did not come to its end"
        return
    repeated = [client for client, count in Counter(truth.ids()).items() if count > 1]
    if repeated or truth.duplicates:
        yield f"sent twice: {repeated or truth.duplicates}"
    entries = Counter((one.instrument, one.quantity) for one in truth.arrived if not one.reducing)
    held = {symbol: truth.holding(symbol) for symbol in SYMBOLS if truth.holding(symbol)}
    if found["positions"] != held or found["holdings"] != held:
        yield f"held at the venue {held}, here {found['positions']} and {found['holdings']}"
    if found["cash"] != truth.totals["USD"]:
        yield f"cash is {truth.totals['USD']} at the venue, {found['cash']} here"
    real: Counter[tuple[str, str]] = Counter()
    for one in truth.executions:
        real[one.instrument, one.side] += one.quantity  # type: ignore[assignment]
    if dict(real) != found["fills"]:
        yield f"filled {dict(real)}, recorded {found['fills']}"
    for symbol, count in Counter(symbol for symbol, _ in entries.elements()).items():
        bought = real[symbol, "buy"]
        if bought > scenario.most:
            yield f"{bought} {symbol} were bought in {count} orders, {scenario.most} were wanted"
    for symbol, quantity in held.items():
        if truth.protected(symbol) != quantity:
            yield f"{quantity} {symbol} are held and {truth.protected(symbol)} protected"
    working = sorted(one.client_id for one in truth.working())
    if found["working"] != working:
        yield f"the venue works {working}, here {found['working']}"
    if found["breaker"] != scenario.breaker:
        yield f"the breaker is {found['breaker']}"
    if tuple(found["halts"]) != scenario.halts:
        yield f"halts are {found['halts']}"
    if not found["recovered"] or found["reconciled"] is None:
        yield "recovery has not finished"
    if set(found["bound"]) - set(found["unsettled"]):
        yield f"bound for nothing: {found['bound']}, {found['unsettled']}"
    if found["account working"] != found["waiting"] or found["waiting"] != sum(
        1 for one in truth.working() if one.side == "buy" and one.form != "bracket"
    ):
        yield f"{found['waiting']} entries wait here, {found['account working']} count"


def exchange_of(call: Any) -> FakeExchange:
    return FakeExchange(call)
