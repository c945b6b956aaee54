"""Trades the default project live at the sandbox, and compares with what Coinbase's own library sees of that very run.

    python tests/soak/sdk_live.py [--data FOLDER] [--from TIME] [--hours N] [--speed N]      # or `make sdk-live`

What an operator does, with an operator's commands: `tb sandbox coinbase` over TLS, `tb pin set`, `tb approve`, `tb run --mode
live` at a terminal of its own. Once something is held the session is killed (-9) and started again. Then the library (in
`.sdk`, see `tests/soak/sdk.py`) lists orders, fills and accounts, and they are compared with the journal and the ledger:

    1. every order: client order id, instrument, side, form, quantity, levels, status, what filled of it, average, fees
    2. every fill, as it was booked to its order: quantity, value, fee; and every trade by the fills that made it
    3. every balance by what `tb reconcile` knows
    4. every decision, evaluated again from its record (`tb explain --all`); the ledger's chain (`tb ledger verify`)

Ends with 1 where anything differs, and where there was too little to compare (`FEWEST`).
"""

from __future__ import annotations

import argparse
import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "soak")]

from operator_terminal import Terminal  # noqa: E402
from sdk import interpreter  # noqa: E402

from tb.core.records import Fill, Trade  # noqa: E402
from tb.core.time import HOUR, parse_instant, show_instant  # noqa: E402
from tb.ledger import open_ledger  # noqa: E402
from tb.runtime.gateway.entries import Booked, decode  # noqa: E402
from tb.runtime.gateway.journal import Journal  # noqa: E402
from tb.runtime.gateway.looking import JOURNAL, sent_orders  # noqa: E402
from tb.runtime.gateway.tracked import NEVER_ARRIVED, Tracked  # noqa: E402

D = Decimal
TB = (sys.executable, "-m", "tb")
FEWEST = {"entries": 4, "exits": 3}
STATUSES = {"filled": "FILLED", "cancelled": "CANCELLED", "open": "OPEN", "rejected": "FAILED", "expired": "EXPIRED"}
FORMS = {"market": "market_market_ioc", "bracket": "trigger_bracket_gtc", "limit": "limit_limit_gtc"}
LIVE = """
live:
  venue: coinbase
  url: {url}
  market_url: {stream}
  user_url: {stream}
  read_only: false
  credentials: env:COINBASE_KEY
  pin: env:TB_PIN_HASH
  alerts: env:TB_ALERTS
  clock_skew: {skew}s
"""


@dataclass
class Desk:
    """A project with its sandbox, and the environment of everything that is started for them."""

    project: Path
    facts: dict[str, Any]
    environment: dict[str, str]
    pin: str
    kills: int = 0
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)

    def tb(self, *words: str, fine: Sequence[int] = (0,)) -> str:
        """What a command of tb prints. Ends everything where it ends with another code than it may."""
        done = subprocess.run(
            [*TB, *words], cwd=self.project, env=self.environment, capture_output=True, text=True, check=False, timeout=300
        )
        if done.returncode not in fine:
            raise SystemExit(f"`tb {' '.join(words)}` ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def told(self, *words: str, fine: Sequence[int] = (0,)) -> Any:
        return json.loads(self.tb(*words, "--json", fine=fine), parse_float=Decimal)

    def sandbox(self, *words: str) -> Any:
        return self.told("sandbox", *words, "--ca", str(self.project / "sandbox.pem"))

    def at_terminal(self, *words: str, answers: Sequence[str]) -> Terminal:
        return Terminal([*TB, *words], self.project, self.environment, answers)

    def library(self) -> Any:
        """The account as the library sees it."""
        given = {
            "host": self.facts["url"].removeprefix("https://"),
            "key_file": str(self.project / "key.json"),
            "certificate": str(self.project / "sandbox.pem"),
        }
        script = Path(__file__).with_name("sdk_orders.py")
        command = [str(interpreter()), str(script)]
        done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, check=False, timeout=300)
        if done.returncode:
            raise SystemExit(f"the library ended with {done.returncode}:\n{done.stderr[-4_000:]}")
        return json.loads(done.stdout)


# --- the run ---------------------------------------------------------------------------------------------------------


@contextmanager
def desk(folder: Path, chosen: argparse.Namespace) -> Iterator[Desk]:
    """The default project in a folder, and its sandbox while this lasts."""
    project = folder / "project"
    project.mkdir()
    for name in ("rules", "policy"):
        shutil.copytree(ROOT / name, project / name)
    shutil.copy(ROOT / "tb.yaml", project / "tb.yaml")
    command = [*TB, "sandbox", "coinbase", "--data", str(chosen.data.resolve()), "--start", chosen.start, "--json"]
    command += ["--speed", "step", "--tls", "sandbox.pem", "--key-file", "key.json", "--port", "0"]
    running = subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, text=True)
    try:
        assert running.stdout is not None
        line = running.stdout.readline()
        if not line:
            raise SystemExit(f"the sandbox ended with {running.wait()}")
        facts = json.loads(line)
        with (project / "tb.yaml").open("a") as file:
            file.write(LIVE.format(url=facts["url"], stream=facts["stream"], skew=max(1, chosen.speed // 2)))
        # alerts go nowhere: the address is one that nobody listens at, which a session has to stand
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "SSL_CERT_FILE": "sandbox.pem"}
        environment |= {"COINBASE_KEY": "key.json", "TB_ALERTS": "json://127.0.0.1:9"}
        yield Desk(project, facts, environment, secrets.token_hex(6))
    finally:
        running.send_signal(signal.SIGINT)
        running.wait(30)


def prepare(here: Desk) -> None:
    """The operator's PIN, and the approval of the policy."""
    terminal = here.at_terminal("pin", "set", answers=[here.pin, here.pin])
    printed = terminal.ended()
    found = re.search(r"TB_PIN_HASH='([^']+)'", printed)
    if found is None:
        raise SystemExit(f"`tb pin set` printed no hash:\n{printed}")
    here.environment["TB_PIN_HASH"] = found.group(1)
    here.at_terminal("approve", "--by", "Ann Lee", "--reason", "to be tried", answers=[here.pin]).ended()


def start(here: Desk) -> Terminal:
    session = here.at_terminal("run", "--mode", "live", "--clock", "venue", answers=[here.pin, "YES"])
    session.wait_for("run r1: live on coinbase", 60)
    return session


def trades_of(here: Desk) -> list[Trade]:
    with open_ledger(here.project / ".tb" / "ledger.sqlite") as ledger:
        return list(ledger.trades("r1"))


def live(here: Desk, chosen: argparse.Namespace) -> list[str]:
    """From the first close to the last; what the sessions told."""
    here.sandbox("clock", "--speed", f"{chosen.speed}x")
    begun, until = time.monotonic(), parse_instant(chosen.start) + chosen.hours * HOUR  # type: ignore[operator]
    session = start(here)
    told = []
    while here.sandbox("clock")["now"] < until:
        time.sleep(0.5)
        session.must_run()
        if not here.kills and any(trade.exit_at is None for trade in trades_of(here)):
            session.kill()
            here.kills += 1
            told.append(session.text)
            session = start(here)
    here.sandbox("clock", "--speed", "step")  # nothing fills any more: both sides can come to rest
    quiet(here, session)
    session.interrupt()
    told.append(session.ended())
    here.seconds = time.monotonic() - begun
    return told


def quiet(here: Desk, session: Terminal) -> None:
    """Until the session has heard of all that filled."""
    for _ in range(60):
        time.sleep(1.0)
        session.must_run()
        booked = sum((fill.quantity for fill in fills_of(here)), D(0))
        if booked == sum((D(one["size"]) for one in here.sandbox("state")["fills"]), D(0)):
            return


def fills_of(here: Desk) -> list[Fill]:
    with open_ledger(here.project / ".tb" / "ledger.sqlite") as ledger:
        return list(ledger.fills("r1"))


# --- what is compared ------------------------------------------------------------------------------------------------


def unlike(name: str, seen: Any, kept: Any) -> list[str]:
    return [] if seen == kept else [f"{name}: the library sees {seen!r}, and tb has {kept!r}"]


def orders_of(here: Desk) -> dict[str, Tracked]:
    """What went out, by the id that the venue has. What never arrived is no order there."""
    sent, _ = sent_orders(here.project / ".tb" / "live")
    return {one.client: one for one in sent.all.values() if one.is_sent and one.reason != NEVER_ARRIVED}


def as_kept(one: Tracked) -> dict[str, Any]:
    wanted = one.request
    sizes = {"base_size": wanted.quantity, "limit_price": wanted.target or wanted.price, "stop_trigger_price": wanted.stop}
    return {
        "order_id": one.venue_id,
        "product_id": one.instrument,
        "side": wanted.side.upper(),
        "form": FORMS[wanted.form],
        "sizes": {name: value for name, value in sizes.items() if value is not None},
        "status": STATUSES[one.status],
        "filled_size": one.filled,
        "average_filled_price": one.average or D(0),
        "total_fees": one.fees,
    }


def as_seen(one: dict[str, Any]) -> dict[str, Any]:
    ((form, sizes),) = one["order_configuration"].items()
    return {
        **{name: one[name] for name in ("order_id", "product_id", "side")},
        "form": form,
        "sizes": {name: D(sizes[name]) for name in ("base_size", "limit_price", "stop_trigger_price") if name in sizes},
        "status": one["status"],
        **{name: D(one[name] or 0) for name in ("filled_size", "average_filled_price", "total_fees")},
    }


def compare_orders(seen: Any, kept: dict[str, Tracked]) -> Iterator[str]:
    listed = {one["client_order_id"]: as_seen(one) for one in seen["orders"]}
    yield from unlike("client order ids", sorted(listed), sorted(kept))
    yield from unlike("how many orders", len(seen["orders"]), len(kept))
    singly = {one["client_order_id"]: as_seen(one) for one in seen["singly"]}
    yield from unlike("orders asked for one by one", singly, listed)
    for client in sorted(set(listed) & set(kept)):
        here = as_kept(kept[client])
        for name, value in listed[client].items():
            yield from unlike(f"{name} of {client}", value, here[name])


def booked_of(here: Desk) -> dict[str, list[Fill]]:
    """Fills as they were booked, by client order id."""
    found: dict[str, list[Fill]] = {}
    for payload in Journal.payloads(here.project / ".tb" / "live" / JOURNAL):
        entry = decode(payload)
        if isinstance(entry, Booked):
            found.setdefault(entry.client, []).append(entry.fill)
    return found


def compare_fills(seen: Any, kept: dict[str, Tracked], booked: dict[str, list[Fill]]) -> Iterator[str]:
    """A fill of tb is what an order's sums grew by, so the venue's fills of an order are summed."""
    theirs: dict[str, list[dict[str, Any]]] = {}
    clients = {one["order_id"]: one["client_order_id"] for one in seen["orders"]}
    for fill in seen["fills"]:
        theirs.setdefault(clients[fill["order_id"]], []).append(fill)
    yield from unlike("orders that filled", sorted(theirs), sorted(booked))
    for client in sorted(set(theirs) & set(booked)):
        there = [(D(one["size"]), D(one["price"]), D(one["commission"])) for one in theirs[client]]
        here = [(one.quantity, one.price, one.fee) for one in booked[client]]
        for name, of in SUMS.items():
            yield from unlike(f"{name} of the fills of {client}", of(there), of(here))
        told = {(one["product_id"], one["side"]) for one in theirs[client]}
        yield from unlike(f"what filled of {client}", told, {(one.instrument, one.side.upper()) for one in booked[client]})


Amounts = list[tuple[Decimal, Decimal, Decimal]]
SUMS: dict[str, Callable[[Amounts], Decimal]] = {
    "quantity": lambda fills: sum((quantity for quantity, _, _ in fills), D(0)),
    "value": lambda fills: sum((quantity * price for quantity, price, _ in fills), D(0)),
    "fee": lambda fills: sum((fee for _, _, fee in fills), D(0)),
}


def compare_trades(seen: Any, trades: Sequence[Trade], kept: dict[str, Tracked]) -> Iterator[str]:
    """What a trade says that it cost and brought is what the library's fills come to."""
    paid = sum((D(one["commission"]) for one in seen["fills"]), D(0))
    yield from unlike("fees of all trades", paid, sum((trade.fees for trade in trades), D(0)))
    closed = [trade for trade in trades if trade.exit_at is not None]
    if len(closed) == len(trades):
        flow = sum((D(one["size"]) * D(one["price"]) * (1 if one["side"] == "SELL" else -1) for one in seen["fills"]), D(0))
        yield from unlike("profit of all trades", flow - paid, sum((trade.profit or D(0) for trade in closed), D(0)))
    entries = sum(one.purpose == "entry" and one.filled > 0 for one in kept.values())
    yield from unlike("entries that filled", entries, len(trades))


def compare_money(seen: Any, reconciled: Any) -> Iterator[str]:
    there = {
        one["currency"]: D(one["available_balance"]["value"]) + D(one["hold"]["value"])
        for one in seen["accounts"]
        if D(one["available_balance"]["value"]) + D(one["hold"]["value"])
    }
    here = {one["asset"]: D(one["here"]) for one in reconciled["assets"] if D(one["here"])}
    yield from unlike("balances", there, here)
    yield from unlike("orders that nobody here knows", reconciled["unknown_orders"], [])


def compare_state(state: Any) -> Iterator[str]:
    if twice := sorted(name for name, often in state["arrivals"].items() if often > 1):
        yield f"sent twice: {twice}"
    if bare := [one for one in state["unprotected"] if one["to"] is None]:
        yield f"held without a stop: {bare}"


def compared(here: Desk) -> dict[str, Any]:
    """Everything that is compared, and the figures to tell."""
    seen, kept, booked, trades = here.library(), orders_of(here), booked_of(here), trades_of(here)
    here.wrong += compare_orders(seen, kept)
    here.wrong += compare_fills(seen, kept, booked)
    here.wrong += unlike(
        "fills of the ledger and of the journal",
        *(sorted(map(str, fills)) for fills in (fills_of(here), [fill for fills in booked.values() for fill in fills])),
    )
    here.wrong += compare_trades(seen, trades, kept)
    here.wrong += compare_money(seen, here.told("reconcile", fine=(0, 1)))
    here.wrong += compare_state(here.sandbox("state"))
    explained = here.told("explain", "--all", "--run", "r1", fine=(0, 1))
    if not explained["all_reproduced"]:
        here.wrong.append(f"decisions that are not reproduced: {explained['differences']}")
    verified = here.tb("ledger", "verify", fine=(0, 1)).splitlines()[0]
    if not verified.startswith("the ledger holds"):
        here.wrong.append(verified)
    closed = [trade for trade in trades if trade.exit_at is not None]
    figures = {"entries": len(trades), "exits": len(closed)}
    here.wrong += [f"{count} {name}: too few to say anything" for name, count in figures.items() if count < FEWEST[name]]
    purposes = [one.purpose for one in kept.values()]
    return {
        **figures,
        "orders": len(kept),
        "purposes": {name: purposes.count(name) for name in dict.fromkeys(purposes)},
        "fills": len(seen["fills"]),
        "causes": {cause: sum(one.cause == cause for one in closed) for cause in dict.fromkeys(one.cause for one in closed)},
        "explained": explained,
        "verified": verified,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data" / "crypto_1h")
    parser.add_argument("--from", dest="start", default="2021-04-15T18:30", metavar="TIME")
    parser.add_argument("--hours", type=int, default=11)
    parser.add_argument("--speed", type=int, default=120)
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the project there")
    chosen = parser.parse_args()
    if not chosen.data.is_dir():
        print(f"no recorded prices in {chosen.data}: name a folder with --data")
        return 2
    interpreter()
    with tempfile.TemporaryDirectory(prefix="sdk-live") as folder, desk(Path(folder), chosen) as here:
        prepare(here)
        told = live(here, chosen)
        for line in "".join(told).splitlines():
            print(f"  {line}")
        tell(compared(here), here, chosen)
        if chosen.keep is not None:
            shutil.copytree(here.project, chosen.keep)
    for line in here.wrong:
        print(f"WRONG {line}")
    return 1 if here.wrong else 0


def tell(found: dict[str, Any], here: Desk, chosen: argparse.Namespace) -> None:
    ended = show_instant(parse_instant(chosen.start) + chosen.hours * HOUR)  # type: ignore[operator]
    print(f"{chosen.start} to {ended} at {chosen.speed}x, {here.seconds:,.0f} s, killed {here.kills} times")
    orders = ", ".join(f"{count} {name}" for name, count in found["purposes"].items())
    causes = ", ".join(f"{count} {cause}" for cause, count in found["causes"].items())
    print(f"{found['entries']} entries, {found['exits']} exits ({causes})")
    print(f"the library sees {found['orders']} orders ({orders}) and {found['fills']} fills; {len(here.wrong)} unlike tb's")
    explained = found["explained"]
    print(f"{explained['reproduced']} of {explained['decisions']} decisions reproduced; {found['verified']}")


if __name__ == "__main__":
    sys.exit(main())
