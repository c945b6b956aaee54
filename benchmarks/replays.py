"""Bars per second of a whole replay of the default project, and how long the command line takes to start."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tb.core.records import Run
from tb.ledger import open_ledger, policy_hash
from tb.ledger.store import Ledger
from tb.replay.data import Market, load_market
from tb.replay.run import Outcome, replay_market
from tb.replay.sample import write_sample
from tb.runtime.policy import Compiled, compile_project
from tb.runtime.project import load_project

ROOT = Path(__file__).resolve().parent.parent
RECORDED = ROOT.parent / "shared" / "data" / "crypto_1h"


@dataclass(frozen=True)
class Seconds:
    """Of several runs: the middle one and the fastest."""

    middle: float
    best: float


@dataclass(frozen=True)
class Speed:
    """Seconds of each part, and what was replayed. `command` is `tb replay` from start to end, in a process of its own."""

    data: str
    bars: int
    decisions: int
    compile: Seconds
    load: Seconds
    replay: Seconds
    replay_with_ledger: Seconds
    command: Seconds
    help: Seconds


def timed(runs: int, what: Callable[[], object]) -> Seconds:
    found = []
    for _ in range(runs):
        begin = time.perf_counter()
        what()
        found.append(time.perf_counter() - begin)
    return Seconds(median(found), min(found))


def measure(folder: Path, *, runs: int) -> Speed:
    """Everything about replays. `folder` takes ledgers and, where no recorded market is there, the sample."""
    data, name = RECORDED, "recorded hourly bars, ../shared/data/crypto_1h"
    if not data.is_dir():
        data, name = folder / "sample", "the simulated sample market"
        write_sample(data)
    compiled, market = compile_project(load_project(ROOT)), load_market(data)
    outcome = play(compiled, market, None)  # the first run of a machine compiles the kernels
    ledgers = iter(range(1_000_000))
    return Speed(
        data=name,
        bars=market.rows,
        decisions=outcome.counts["decisions"],
        compile=timed(runs, lambda: compile_project(load_project(ROOT))),
        load=timed(runs, lambda: load_market(data)),
        replay=timed(runs, lambda: play(compiled, market, None)),
        replay_with_ledger=timed(runs, lambda: play(compiled, market, folder / f"{next(ledgers)}.sqlite")),
        command=timed(runs, lambda: command(data, folder / f"{next(ledgers)}.sqlite")),
        help=timed(max(runs, 5), lambda: tb("--help")),
    )


def play(compiled: Compiled, market: Market, ledger: Path | None, *, keep: bool = True) -> Outcome:
    """A whole replay. Without a ledger its records are made and hashed and then let go; without `keep` none are made."""

    def replayed(run: str, policy: str, opened: Ledger | None) -> Outcome:
        return replay_market(
            run=run,
            plan=compiled.plan,
            settings=compiled.settings,
            market=market,
            policy_hash=policy,
            ledger=opened,
            keep=keep,
        )

    if ledger is None:
        return replayed("r0", policy_hash(compiled.project.texts), None)
    with open_ledger(ledger) as opened:
        policy = opened.put_policy(compiled.project.texts)
        run = opened.start_run(_run(compiled, market, policy))
        outcome = replayed(run.id, policy, opened)
        opened.finish_run(run.id, {"decision_log_hash": outcome.decision_log_hash})
    return outcome


def _run(compiled: Compiled, market: Market, policy: str) -> Run:
    account = compiled.settings.account
    return Run(
        id="",
        mode="replay",
        started=0,
        policy_hash=policy,
        data=market.folder,
        data_hash=market.hash,
        first=market.first,
        last=market.last,
        instruments=tuple(market.bars),
        period=market.period,
        initial_equity=account.equity,
        currency=account.currency,
        config={},
        version="benchmark",
    )


def command(data: Path, ledger: Path) -> dict[str, object]:
    shown = tb("replay", "--project", str(ROOT), "--data", str(data), "--ledger", str(ledger), "--json")
    found: dict[str, object] = json.loads(shown)
    return found


def tb(*arguments: str) -> str:
    done = subprocess.run([sys.executable, "-m", "tb", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"`tb {' '.join(arguments)}` ended with {done.returncode}:\n{done.stderr}")
    return done.stdout
