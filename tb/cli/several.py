"""Several runs at once, of one ledger or of as many as there are runs, with their policies and bars."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tb.cli.opening import ledger_path, policy_of, reading, run_of
from tb.cli.options import Decorator, LedgerPlace

if TYPE_CHECKING:
    from tb.core.records import Run
    from tb.ledger import Place, RunInfo
    from tb.ledger.store import Ledger
    from tb.replay.parity import Side
    from tb.runtime.policy import Compiled

ledgers_option: Decorator = click.option(
    "--ledger",
    "ledgers",
    type=LedgerPlace(),
    metavar="PATH",
    multiple=True,
    help="Ledger file, or `env:NAME` of a database (default: what `tb.yaml` names); once, or once for each run in their order.",
)


@dataclass(frozen=True, slots=True)
class Opened:
    """A run in its ledger. `label` tells it from the others: its id, with the ledger's place in front where ids repeat."""

    label: str
    ledger: Ledger
    info: RunInfo

    @property
    def run(self) -> Run:
        return self.info.run


@contextmanager
def opened_runs(names: Sequence[str], ledgers: Sequence[Place], project: Path) -> Iterator[list[Opened]]:
    """The runs named, each from its ledger. Raises UsageError where the ledgers are neither one nor as many as the runs."""
    if len(ledgers) not in {0, 1, len(names)}:
        raise click.UsageError(f"name one ledger, or {len(names)}: one for each run in their order")
    paths = list(ledgers) if len(ledgers) == len(names) else [ledger_path(project, next(iter(ledgers), None))] * len(names)
    with ExitStack() as stack:
        found: dict[Place, Ledger] = {}
        for path in paths:
            if path not in found:
                found[path] = stack.enter_context(reading(project, path))
        infos = [run_of(found[path], name) for path, name in zip(paths, names, strict=True)]
        is_clear = len(found) == 1 or len({info.run.id for info in infos}) == len(infos)
        order = {path: "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[at % 26] * (at // 26 + 1) for at, path in enumerate(found)}
        yield [
            Opened(info.run.id if is_clear else f"{order[path]}:{info.run.id}", found[path], info)
            for path, info in zip(paths, infos, strict=True)
        ]


def texts_of(opened: Opened) -> dict[str, str]:
    """The files of the policy of a run, by path."""
    return opened.ledger.policy(opened.run.policy_hash)


def compiled_of(opened: Opened, project: Path) -> Compiled:
    return policy_of(opened.ledger, opened.run, project)


def side_of(opened: Opened, compiled: Compiled, instrument: str) -> tuple[Side, str]:
    """A run as a divergence in one instrument is told from it, and what there is to say of its data."""
    from tb.cli.recorded import bars_of, feeds_of
    from tb.replay.parity import Names, Side
    from tb.replay.run import markets_of

    run = opened.run
    recorded = feeds_of(run, bars_of(run), compiled)
    markets = None
    if recorded.market is not None:
        markets = markets_of(compiled.plan, recorded.market, compiled.settings)
    side = Side(
        label=opened.label,
        run=run,
        compiled=compiled,
        names=Names(compiled.plan),
        trades=opened.ledger.trades(run.id, instrument=instrument),
        fills=opened.ledger.fills(run.id),
        quiet=opened.ledger.quiet(run.id, instrument),
        markets=markets,
        ended=ended(opened),
    )
    return side, recorded.remark


def ended(opened: Opened) -> int | None:
    """The instant that the records end with, of a run that was stopped or is still going on."""
    from collections import deque

    from tb.core.time import parse_instant

    if opened.info.interrupted is not None:
        return parse_instant(opened.info.interrupted)
    if not opened.info.unfinished:
        return None
    last = deque(opened.ledger.decisions(opened.run.id), maxlen=1)
    return last[0].at if last else opened.run.first
