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
    from tb.core.records import Decision, Quiet, Run
    from tb.ledger import Place
    from tb.replay.data import Market
    from tb.replay.why_not import WhyNot
    from tb.runtime.policy import Compiled

NO_DATA = "TB656"
NOTHING_LEFT = "TB657"


@command(
    "why-not",
    "tb why-not BTC-USD --at 2024-02-28T14:00",
    "tb why-not --since tuesday                  # every strategy and instrument, up to the end of the latest run",
    "tb why-not ETH-USD --strategy momentum --since 30d --html why.html",
    "tb why-not --from 2024-01-01 --to 2024-02-01 --run r2 --json",
    "tb why-not BTC-USD --at 2024-02-28T14:00 --data ../data/crypto_1h   # the rules as they are now",
)
@click.argument("instrument", required=False)
@click.option("--at", type=instant, metavar="TIME", help="One instant (UTC): the clauses at its bar, with their values.")
@click.option("--since", metavar="WHEN", help="A span: from a time, a weekday, `yesterday`, or 7d or 12h before its end.")
@click.option("--from", "first", type=instant, metavar="TIME", help="A span: leave out bars that start before this.")
@click.option("--to", "last", type=instant, metavar="TIME", help="A span: leave out bars that close after this.")
@click.option("--strategy", metavar="NAME", help="Only this strategy.")
@click.option("--html", "picture", type=click.Path(path_type=Path), metavar="FILE", help="Write the span as a picture, too.")
@click.option("--run", type=run_name, metavar="RUN", help="The run that is meant (default: the latest).")
@click.option("--data", type=click.Path(path_type=Path), metavar="PATH", help="No run: today's rules over this data.")
@ledger_option
@project_option
@json_option
def tb_why_not(
    instrument: str | None,
    at: int | None,
    since: str | None,
    first: int | None,
    last: int | None,
    strategy: str | None,
    picture: Path | None,
    run: str | None,
    data: Path | None,
    ledger: Place | None,
    project: Path,
    as_json: bool,
) -> None:
    """Say why there was no trade, at an instant or over a span.

    At an instant (`--at`) it names the clauses that failed, their values, and how far away they were. Over a span it counts for
    each clause how often it stopped each strategy, how often it alone did, its longest time in a row and the closest it came.
    Without either it tells the whole run. With a run, its own rules and data answer, and what it recorded is compared with what
    is found now.
    """
    from tb.cli.why_not_over import Asked, tell_span
    from tb.replay.why_not import text

    if data is not None and (run is not None or ledger is not None):
        raise click.UsageError("--data asks the rules as they are now; --run and --ledger ask a run")
    if at is None:
        asked = Asked(instrument, strategy, since, first, last, picture)
        tell_span(asked, data, run, ledger, project, as_json=as_json)
        return
    if instrument is None:
        raise click.UsageError("--at asks about one instrument: name it, as in `tb why-not BTC-USD --at TIME`")
    if since or first is not None or last is not None or picture or strategy:
        raise click.UsageError("--at is one instant; --since, --from, --to, --strategy and --html go with a span")
    answer = _of_data(instrument, at, data, project) if data is not None else _of_run(instrument, at, run, ledger, project)
    put_json(answer) if as_json else sys.stdout.write(text(answer))


def _of_data(instrument: str, at: int, data: Path, project: Path) -> WhyNot:
    from tb.cli.replay import market_for

    compiled = compiled_project(project)
    return _answer(compiled, market_for(compiled, data, None, None, None), instrument, at, [], [])


def _of_run(instrument: str, at: int, run: str | None, ledger: Place | None, project: Path) -> WhyNot:
    import msgspec

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
    answer = _answer(compiled, market_of(info.run, compiled), instrument, at, quiet, decisions)
    stopped = ", ".join(
        f"the {latch.verdict} of {held_as(latch.rule, latch.book)} since {show_instant(latch.at)}" for latch in active
    )
    return msgspec.structs.replace(answer, stopped_by=stopped)


def market_of(run: Run, compiled: Compiled) -> Market:
    """The market that a run was made of. Raises Refused where it cannot be read any more; says where it has changed."""
    from tb.cli.recorded import bars_of, feeds_of

    recorded = feeds_of(run, bars_of(run), compiled)
    if recorded.market is None:
        place = whole_file(run.config.get("data_path", run.data))
        hint = "put the data back, or ask today's rules with `--data PATH`"
        raise Refused([error(NO_DATA, recorded.remark, place, hint)])
    if recorded.remark:
        say(f"note: {recorded.remark}")
    return recorded.market


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

    check_covered(compiled, market, instrument)
    place = whole_file(market.folder)
    bars = market.bars[instrument]
    first, last = int(bars.closes[0]), int(bars.closes[-1])
    if not first <= at < last + market.period:
        message = f"no bar of `{instrument}` had closed just before {show_instant(at)}"
        hint = f"its bars close from {show_instant(first)} to {show_instant(last)}"
        raise Refused([error(NOTHING_LEFT, message, place, hint)])


def check_covered(compiled: Compiled, market: Market, instrument: str) -> None:
    """Raises Refused where no strategy covers an instrument, or there is no data of it."""
    from tb.engine.plan import bound

    covered = bound(compiled.plan, market.bars).instruments()
    place = whole_file(market.folder)
    if instrument not in covered:
        near = did_you_mean(instrument, covered) or f"covered are {', '.join(f'`{symbol}`' for symbol in covered)}"
        raise Refused([error(NO_DATA, f"no strategy covers `{instrument}`", place, near)])
    if instrument not in market.bars:
        have = ", ".join(f"`{symbol}`" for symbol in market.bars)
        raise Refused([error(NO_DATA, f"`{market.folder}` has no data of `{instrument}`", place, f"it has {have}")])
