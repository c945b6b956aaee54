"""`tb replay --inputs`: a running session taken again from what came to it, as a run of its own."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tb.cli.opening import compiled_project, policy_of
from tb.cli.output import put, put_json, say
from tb.core.time import show_instant

if TYPE_CHECKING:
    from tb.core.records import Run
    from tb.ledger import Place
    from tb.ledger.store import Ledger
    from tb.runtime.policy import Compiled
    from tb.runtime.running.inputs import Opening
    from tb.runtime.running.stepper import Stepper


@dataclass(frozen=True, slots=True)
class _Source:
    """The session to take again; `run` is None where only its folder is known."""

    folder: Path
    compiled: Compiled
    run: Run | None


def retake(inputs: str, project: Path, ledger: Place | None, *, as_json: bool) -> None:
    """Takes the session again: `inputs` is the id of its run in the ledger, or its folder."""
    from tb.cli.opening import ledger_path
    from tb.ledger import open_ledger
    from tb.runtime.running.taking_over import AFTER

    with open_ledger(ledger_path(project, ledger)) as opened:
        source = _source(opened, inputs, project)
        run, stepper = _taken(opened, source)
        summary = summary_of(stepper)
        opened.finish_run(run.id, summary)
    if as_json:
        put_json({"run": run.id, "of": inputs, **summary})
        return
    equity = stepper.session.account.equity()
    shown = "unknown" if equity is None else f"{equity:,.2f} {run.currency}"
    counts = stepper.session.counts
    put(f"run {run.id}: {inputs} taken again, {counts['decisions']} decisions, {counts['trades']} trades, equity {shown}")
    if source.run is not None:
        put(f"`tb parity {source.run.id} {run.id}` compares them")
    if source.run is not None and source.run.mode == "live":
        say("orders of a live session are filled on the simulated venue here: decisions may differ once one was filled")
        if AFTER in source.run.config:
            say(f"it took over the account of run {source.run.config[AFTER]}; here it begins with nothing held or counted")


def _source(ledger: Ledger, inputs: str, project: Path) -> _Source:
    from tb.cli.live import with_capital
    from tb.runtime.running.sessions import folder_of

    if Path(inputs).is_dir():
        return _Source(Path(inputs), compiled_project(project), None)
    run = ledger.run(inputs).run
    return _Source(folder_of(run), with_capital(policy_of(ledger, run, project), run.initial_equity), run)


def _taken(ledger: Ledger, source: _Source) -> tuple[Run, Stepper]:
    from tb.cli.replay import adviser_of
    from tb.cli.running import taken, venue_of
    from tb.runtime.running.building import build
    from tb.runtime.running.recording import LiveRecorder
    from tb.runtime.running.sessions import opened, same_policy

    opening, inputs = opened(source.folder)
    policy = ledger.put_policy(source.compiled.project.texts)
    same_policy(opening, policy, source.folder)
    run = ledger.start_run(_run(source, opening, policy))
    recorder = LiveRecorder(run.id, ledger)
    stepper = build(
        opening,
        source.compiled.plan,
        source.compiled.settings,
        venue_of=venue_of(opening.mode, source.compiled),
        recorder=recorder,
        adviser=adviser_of(source.compiled),
        run=run.id,
    )
    for _ in taken(stepper, inputs):
        recorder.take_told()
    return run, stepper


def _run(source: _Source, opening: Opening, policy: str) -> Run:
    import msgspec

    from tb.cli.version import installed
    from tb.core.records import Run
    from tb.runtime.running.inputs import NAME, Close, read_inputs

    config = {"inputs": str(source.folder.resolve()), "data_path": str(source.folder.resolve())}
    closes = [given.at for given in read_inputs(source.folder / NAME) if isinstance(given, Close)] or [0]
    account, now = source.compiled.settings.account, time.time_ns() // 1_000_000
    if source.run is not None:
        return msgspec.structs.replace(
            source.run, mode="replay", started=now, last=closes[-1], config=config, version=installed()
        )
    return Run(
        id="r0",
        mode="replay",
        started=now,
        policy_hash=policy,
        data=opening.source,
        data_hash="",
        first=closes[0],
        last=closes[-1],
        instruments=opening.instruments,
        period=opening.period,
        initial_equity=account.equity,
        currency=account.currency,
        config=config,
        version=installed(),
    )


def summary_of(stepper: Stepper, *, interrupted: int | None = None) -> dict[str, Any]:
    """What the ledger keeps as the summary of a session."""
    session, market = stepper.session, stepper.market
    return {
        **session.counts,
        "bars": sum(len(bars) for bars in market.bars.values()),
        "instruments": list(market.bars),
        "open_positions": len(session.positions),
        "final_equity": session.account.equity(),
        "halted_by": session.latches.words("halt"),
        **({} if interrupted is None else {"interrupted": show_instant(interrupted)}),
        "decision_log_hash": stepper.recorder.log.hexdigest(),
    }
