"""`tb parity`: whether two runs decided the same, and where and why they first did not."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tb.cli.options import command, json_option, project_option, run_name
from tb.cli.output import progress, put_json, width
from tb.cli.several import Opened, compiled_of, ended, ledgers_option, opened_runs, side_of, texts_of
from tb.core.diagnostics import Refused, error
from tb.core.span import whole_file

if TYPE_CHECKING:
    from tb.ledger import Place
    from tb.replay.parity import Divergence, Names, Parity, Tally
    from tb.runtime.policy import Compiled

NOTHING_SHARED = "TB680"
DIFFERS = 1


@command(
    "parity",
    "tb parity r1 r2",
    "tb parity r1 r2 --common         # only the time that both cover",
    "tb parity r1 r7 --ledger here.sqlite --ledger there.sqlite --json",
)
@click.argument("run_a", type=run_name, metavar="RUN_A")
@click.argument("run_b", type=run_name, metavar="RUN_B")
@click.option("--common", is_flag=True, help="Compare only the time that both runs cover.")
@ledgers_option
@project_option
@json_option
def tb_parity(run_a: str, run_b: str, common: bool, ledgers: tuple[Place, ...], project: Path, as_json: bool) -> None:
    """Compare the decisions of two runs.

    Decisions face each other by instant, strategy, instrument and kind. The score is the share that agrees in everything:
    verdict, size and every value read. Names the first decision that differs and the input that made it. Exit code 1 where
    anything differs.
    """
    from tb.replay.parity import text

    with opened_runs((run_a, run_b), ledgers, project) as runs:
        found = _parity(runs[0], runs[1], common, project)
    put_json(found) if as_json else sys.stdout.write(text(found, width()))
    if not found.same:
        raise click.exceptions.Exit(DIFFERS)


def _parity(a: Opened, b: Opened, common: bool, project: Path) -> Parity:
    from tb.replay.parity import Names, origins, parity

    same_policy = a.run.policy_hash == b.run.policy_hash
    compiled = compiled_of(a, project)
    policies = (compiled, compiled if same_policy else compiled_of(b, project))
    names = None if same_policy else (Names(policies[0].plan), Names(policies[1].plan))
    span = _span(a, b) if common else None
    tally = _aligned(a, b, names, span)
    first, notes = _first(tally, a, b, policies)
    if not tally.decisions.all:
        notes = ("neither run decided anything" if span is None else "neither run decided anything in that time", *notes)
    is_whole = not (common or a.info.unfinished or b.info.unfinished)
    hashes = [(opened.info.summary or {}).get("decision_log_hash") for opened in (a, b)]
    return parity(
        (a.label, b.label),
        tally,
        origins(a.run, b.run, texts_of(a), texts_of(b)),
        first,
        same_log=hashes[0] == hashes[1] if is_whole else None,
        notes=notes,
    )


def _span(a: Opened, b: Opened) -> tuple[int, int]:
    """The instants that both runs cover; one that was stopped covers none after it."""
    ends = [opened.run.last if (end := ended(opened)) is None else end for opened in (a, b)]
    first, last = max(a.run.first, b.run.first), min(ends)
    if first > last:
        message = f"runs {a.label} and {b.label} have no time in common"
        place = whole_file(str(a.ledger.path))
        raise Refused([error(NOTHING_SHARED, message, place, "`tb runs` shows from when to when each run goes")])
    return first, last


def _aligned(a: Opened, b: Opened, names: tuple[Names, Names] | None, span: tuple[int, int] | None) -> Tally:
    from tb.core.records import Latch, Quiet
    from tb.replay.parity import Likeness, align

    first, until = (None, None) if span is None else (span[0], span[1] + 1)

    def latches(opened: Opened) -> list[Latch]:
        found = opened.ledger.latches(opened.run.id)
        return found if span is None else [latch for latch in found if span[0] <= latch.at <= span[1]]

    def quiet(opened: Opened) -> list[Quiet]:
        if span is not None:  # stretches are of a whole run
            return []
        return [q for symbol in opened.run.instruments for q in opened.ledger.quiet(opened.run.id, symbol)]

    decisions = tuple(o.ledger.decisions(o.run.id, since=first, until=until) for o in (a, b))
    total = (a.info.summary or {}).get("decisions")
    with progress("parity") as told:
        step: Callable[[int], None] | None = None
        if told is not None and isinstance(total, int):
            bar = told

            def step(done: int) -> None:
                bar(done, total)

        return align(
            (decisions[0], decisions[1]),
            (latches(a), latches(b)),
            (quiet(a), quiet(b)),
            Likeness(names, rows=a.run.data_hash == b.run.data_hash),
            step,
        )


def _first(
    tally: Tally, a: Opened, b: Opened, policies: tuple[Compiled, Compiled]
) -> tuple[Divergence | None, tuple[str, ...]]:
    """The first divergence, and what there is to say of the data that tells it."""
    from tb.core.records import Latch
    from tb.replay.parity import diverge

    if tally.first is None:
        return None, ()
    record = tally.first.a if tally.first.a is not None else tally.first.b
    assert record is not None
    instrument = "" if isinstance(record, Latch) else record.instrument
    sides = [side_of(opened, compiled, instrument) for opened, compiled in zip((a, b), policies, strict=True)]
    notes = tuple(dict.fromkeys(remark for _, remark in sides if remark)) if None in {tally.first.a, tally.first.b} else ()
    return diverge(tally.first, sides[0][0], sides[1][0]), notes
