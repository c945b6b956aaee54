"""`tb why-not`: the clauses that kept each strategy from trading an instrument at an instant."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tb.cli.opening import compiled_project, policy_of, reading, run_of
from tb.cli.options import command, instant, json_option, ledger_option, project_option, run_name
from tb.cli.output import put_json, say
from tb.core.diagnostics import Refused, did_you_mean, error
from tb.core.span import whole_file

if TYPE_CHECKING:
    from tb.core.records import Decision, Quiet
    from tb.replay.data import Market
    from tb.replay.why_not import WhyNot
    from tb.runtime.policy import Compiled

NO_DATA = "TB656"
NOTHING_LEFT = "TB657"


@command(
    "why-not",
    "tb why-not BTC-USD --at 2024-02-28T14:00",
    "tb why-not BTC-USD --at 2024-02-28T14:00 --run r2",
    "tb why-not BTC-USD --at 2024-02-28T14:00 --data ../data/crypto_1h   # the rules as they are now",
)
@click.argument("instrument")
@click.option("--at", type=instant, required=True, metavar="TIME", help="The instant that is meant (UTC).")
@click.option("--run", type=run_name, metavar="RUN", help="The run that is meant (default: the latest).")
@click.option("--data", type=click.Path(path_type=Path), metavar="PATH", help="No run: today's rules over this data.")
@ledger_option
@project_option
@json_option
def tb_why_not(
    instrument: str, at: int, run: str | None, data: Path | None, ledger: Path | None, project: Path, as_json: bool
) -> None:
    """Say why there was no trade in an instrument.

    Names the clauses that failed, their values, and how far away they were. With a run, its own rules and data answer, and
    what it recorded is compared with what is found now.
    """
    from tb.replay.why_not import text

    if data is not None and (run is not None or ledger is not None):
        raise click.UsageError("--data asks the rules as they are now; --run and --ledger ask a run")
    answer = _of_data(instrument, at, data, project) if data is not None else _of_run(instrument, at, run, ledger, project)
    put_json(answer) if as_json else sys.stdout.write(text(answer))


def _of_data(instrument: str, at: int, data: Path, project: Path) -> WhyNot:
    from tb.cli.replay import market_for

    compiled = compiled_project(project)
    return _answer(compiled, market_for(compiled, data, None, None, None), instrument, at, [], [])


def _of_run(instrument: str, at: int, run: str | None, ledger: Path | None, project: Path) -> WhyNot:
    import msgspec

    from tb.cli.recorded import bars_of, feeds_of
    from tb.core.time import show_instant
    from tb.runtime.latches import place as held_as

    with reading(project, ledger) as opened:
        info = run_of(opened, run)
        compiled = policy_of(opened, info.run, project)
        quiet = opened.quiet(info.run.id, instrument)
        # a strategy of long bars decided at the close before, so the decisions of a while back count, too
        longest = max((strategy.period for strategy in compiled.plan.strategies), default=0)
        decisions = list(opened.decisions(info.run.id, instrument=instrument, since=at - longest, until=at + 1))
        active = opened.active_latches(info.run.id, at)
    recorded = feeds_of(info.run, bars_of(info.run), compiled)
    if recorded.market is None:
        place = whole_file(info.run.config.get("data_path", info.run.data))
        hint = "put the data back, or ask today's rules with `--data PATH`"
        raise Refused([error(NO_DATA, recorded.remark, place, hint)])
    if recorded.remark:
        say(f"note: {recorded.remark}")
    answer = _answer(compiled, recorded.market, instrument, at, quiet, decisions)
    stopped = ", ".join(
        f"the {latch.verdict} of {held_as(latch.rule, latch.book)} since {show_instant(latch.at)}" for latch in active
    )
    return msgspec.structs.replace(answer, stopped_by=stopped)


def _answer(
    compiled: Compiled, market: Market, instrument: str, at: int, quiet: list[Quiet], decisions: list[Decision]
) -> WhyNot:
    from tb.replay.run import markets_of
    from tb.replay.why_not import why_not

    _check(compiled, market, instrument, at)
    markets = markets_of(compiled.plan, market, compiled.settings)
    return why_not(compiled.plan, markets, instrument, at, quiet=quiet, decisions=decisions)


def _check(compiled: Compiled, market: Market, instrument: str, at: int) -> None:
    """An instrument that nobody covers, or an instant outside the data, has no answer worth giving."""
    from tb.core.time import show_instant
    from tb.engine.plan import bound

    covered = bound(compiled.plan, market.bars).instruments()
    place = whole_file(market.folder)
    if instrument not in covered:
        near = did_you_mean(instrument, covered) or f"covered are {', '.join(f'`{symbol}`' for symbol in covered)}"
        raise Refused([error(NO_DATA, f"no strategy covers `{instrument}`", place, near)])
    if instrument not in market.bars:
        have = ", ".join(f"`{symbol}`" for symbol in market.bars)
        raise Refused([error(NO_DATA, f"`{market.folder}` has no data of `{instrument}`", place, f"it has {have}")])
    bars = market.bars[instrument]
    first, last = int(bars.closes[0]), int(bars.closes[-1])
    if not first <= at < last + market.period:
        message = f"no bar of `{instrument}` had closed just before {show_instant(at)}"
        hint = f"its bars close from {show_instant(first)} to {show_instant(last)}"
        raise Refused([error(NOTHING_LEFT, message, place, hint)])
