"""`tb why-not` over a span: which clauses stopped each strategy how often, as a table, a picture or JSON."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tb.cli.opening import compiled_project, policy_of, reading, run_of
from tb.cli.output import progress, put_json, say, write_file
from tb.core.diagnostics import Refused, did_you_mean, error
from tb.core.span import whole_file

if TYPE_CHECKING:
    from tb.ledger import Place
    from tb.replay.data import Market
    from tb.replay.stopped.model import StoppedSpan
    from tb.runtime.policy import Compiled

NOTHING_LEFT = "TB657"


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for: `since` as written, `first` and `last` in ms."""

    instrument: str | None
    strategy: str | None
    since: str | None
    first: int | None
    last: int | None
    picture: Path | None


def tell_span(asked: Asked, data: Path | None, run: str | None, ledger: Place | None, project: Path, *, as_json: bool) -> None:
    """Prints the answer, and writes the picture where one is asked for."""
    from tb.cli.stopped_text import as_text

    if asked.since is not None and asked.first is not None:
        raise click.UsageError("--since and --from both say where the span begins: name one")
    if asked.first is not None and asked.last is not None and asked.first >= asked.last:
        raise click.UsageError("--from has to be earlier than --to")
    span = _of_data(asked, data, project) if data is not None else _of_run(asked, run, ledger, project)
    if asked.picture is not None:
        from tb.replay.stopped.page import page

        write_file(asked.picture, page(span))
        if str(asked.picture) == "-":
            return
        say(f"written: {asked.picture}")
    put_json(span) if as_json else sys.stdout.write(as_text(span))


def _of_data(asked: Asked, data: Path, project: Path) -> StoppedSpan:
    from tb.cli.replay import market_for
    from tb.replay.run import markets_of
    from tb.replay.stopped.span import why_not_over

    compiled = compiled_project(project)
    market = market_for(compiled, data, None, None, None)
    first, last = _checked(asked, compiled, market, market.last)
    with progress("why-not") as told:
        return why_not_over(
            compiled.plan,
            markets_of(compiled.plan, market, compiled.settings),
            first,
            last,
            instruments=_instruments(asked),
            strategy=asked.strategy,
            progress=told,
        )


def _of_run(asked: Asked, run: str | None, ledger: Place | None, project: Path) -> StoppedSpan:
    from tb.cli.why_not import market_of
    from tb.core.time import parse_instant
    from tb.replay.run import markets_of
    from tb.replay.stopped.span import why_not_over

    with reading(project, ledger) as opened:
        info = run_of(opened, run)
        compiled = policy_of(opened, info.run, project)
        market = market_of(info.run, compiled)
        end = market.last if info.interrupted is None else parse_instant(info.interrupted) or market.last
        first, last = _checked(asked, compiled, market, end)
        name = info.run.id
        with progress("why-not") as told:
            return why_not_over(
                compiled.plan,
                markets_of(compiled.plan, market, compiled.settings),
                first,
                last,
                run=name,
                settings=compiled.settings,
                instruments=_instruments(asked),
                strategy=asked.strategy,
                quiet=[record for symbol in market.bars for record in opened.quiet(name, symbol)],
                decisions=opened.decisions(name, strategy=asked.strategy, since=first + 1, until=last + 1),
                latches=opened.latches(name),
                progress=told,
            )


def _instruments(asked: Asked) -> tuple[str, ...]:
    return () if asked.instrument is None else (asked.instrument,)


def _checked(asked: Asked, compiled: Compiled, market: Market, end: int) -> tuple[int, int]:
    """The span in ms, with at least a bar in it."""
    from tb.cli.why_not import check_covered
    from tb.core.time import parse_since, show_instant

    if asked.instrument is not None:
        check_covered(compiled, market, asked.instrument)
    names = [strategy.name for strategy in compiled.plan.strategies]
    if asked.strategy is not None and asked.strategy not in names:
        have = did_you_mean(asked.strategy, names) or f"there are {', '.join(f'`{name}`' for name in names)}"
        raise click.UsageError(f"there is no strategy `{asked.strategy}`; {have}")
    last = end if asked.last is None else asked.last
    first = market.first - market.period if asked.first is None else asked.first
    if asked.since is not None:
        since = parse_since(asked.since, last, compiled.settings.account.timezone)
        if since is None:
            raise click.UsageError(
                f"--since: `{asked.since}` is none of 2024-01-31, 2024-01-31T05:00, tuesday, yesterday, 7d, 12h"
            )
        first = since
    closes = [bars.closes for symbol, bars in market.bars.items() if asked.instrument in {None, symbol}]
    if not any(((at > first) & (at <= last)).any() for at in closes):
        message = f"no bar closed after {show_instant(first)} and not after {show_instant(last)}"
        earliest, latest = (show_instant(int(pick(at[place] for at in closes))) for pick, place in ((min, 0), (max, -1)))
        hint = f"its bars close from {earliest} to {latest}"
        raise Refused([error(NOTHING_LEFT, message, whole_file(market.folder), hint)])
    return first, last
