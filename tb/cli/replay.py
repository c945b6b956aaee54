"""`tb replay`: the rules and limits of a project over history, everything into the ledger."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tb.cli.opening import compiled_project
from tb.cli.options import command, instant, json_option, ledger_option, names, project_option
from tb.cli.output import encode, put, put_json, show_findings

if TYPE_CHECKING:
    from tb.cli.following import Following
    from tb.cli.summary import Played
    from tb.core.records import Run
    from tb.ledger import Place
    from tb.ledger.store import Ledger
    from tb.replay.advice import RecordedAdvice
    from tb.replay.data import Market
    from tb.replay.feeds import FeedPlaces
    from tb.runtime.policy import Compiled


@command(
    "replay",
    "tb replay --data ../data/crypto_1h",
    "tb replay --data data --from 2023-01-01 --to 2024-01-01 --instruments BTC-USD,ETH-USD",
    "tb replay --data data --json | jq .final_equity",
    "tb replay --inputs r3      # a session of `tb run`, taken again: `tb parity` compares the two",
    "tb replay --data data --follow --speed 1000x     # as if live: space pauses, n steps to the next decision, q stops",
)
@click.option("--data", type=click.Path(path_type=Path), metavar="PATH", help="Folder of SYMBOL.parquet or SYMBOL.csv.")
@click.option(
    "--inputs", metavar="RUN", help="Take a session of `tb run` again, from what came to it (its run, or its folder)."
)
@click.option("--feeds", type=click.Path(path_type=Path), metavar="DIR", help="Folder of recorded feeds, NAME.parquet or .csv.")
@click.option("--from", "first", type=instant, metavar="TIME", help="Leave out bars that start before this.")
@click.option("--to", "last", type=instant, metavar="TIME", help="Leave out bars that close after this.")
@click.option("--instruments", type=names, metavar="A,B", help="Use the data of these alone.")
@ledger_option
@click.option("--no-ledger", is_flag=True, help="Record nothing: faster, and nothing can be explained afterwards.")
@click.option("--follow", is_flag=True, help="Tell decisions, fills and refusals as they happen; `--json`: JSON lines.")
@click.option("--speed", metavar="N", help="With --follow: the simulated clock at N times real time (`1000x`), or `max`.")
@click.option("--chunk", type=click.IntRange(min=1), hidden=True, help="Bars computed at a time; never changes a result.")
@project_option
@json_option
def tb_replay(
    data: Path | None,
    inputs: str | None,
    feeds: Path | None,
    first: int | None,
    last: int | None,
    instruments: tuple[str, ...] | None,
    ledger: Place | None,
    no_ledger: bool,
    follow: bool,
    speed: str | None,
    chunk: int | None,
    project: Path,
    as_json: bool,
) -> None:
    """Run the project's rules and limits over recorded bars.

    A decision at a bar's close fills at the next open, with the fee and slippage of `tb.yaml`; stops and targets are watched
    inside each bar, the stop first. Ctrl-C ends a run where it is: what was decided until then is kept, and the run is marked
    as interrupted.
    """
    from tb.cli.failing import INTERRUPTED
    from tb.cli.following import Following
    from tb.cli.summary import as_text, facts_of
    from tb.replay.recordings import config_of, feed_places

    started = time.perf_counter()
    if first is not None and last is not None and first >= last:
        raise click.UsageError("--from has to be earlier than --to")
    if inputs is not None:
        if data is not None or feeds is not None or instruments is not None or first is not None or last is not None:
            raise click.UsageError("--inputs has bars, feeds and times of its own; leave out the other options about data")
        from tb.cli.retaken import retake

        retake(inputs, project, ledger, as_json=as_json)
        return
    if speed is not None and not follow:
        raise click.UsageError("--speed is how fast to follow a run: add --follow")
    following = Following.of(speed or "max", as_json=as_json) if follow else Following()
    if ledger is not None and no_ledger:
        raise click.UsageError("--ledger and --no-ledger exclude each other")
    compiled = compiled_project(project)
    folder = _data_folder(compiled, project, data)
    places = feed_places(compiled.settings, folder, project, feeds)
    market = market_for(compiled, folder, instruments, first, last, places)
    path = None if no_ledger else ledger or compiled.project.ledger
    adviser = adviser_of(compiled)
    config = {**_config(folder, instruments, first, last), **config_of(market, places), **_advised(adviser)}
    played = play(compiled, market, path, config, chunk=chunk, adviser=adviser, following=following)
    played.elapsed = time.perf_counter() - started
    if as_json and follow:
        put(encode({"type": "summary", **facts_of(played)}).decode())
    else:
        put_json(facts_of(played)) if as_json else put(as_text(played))
    if following.was_killed:
        raise click.exceptions.Exit(INTERRUPTED)


def _data_folder(compiled: Compiled, project: Path, data: Path | None) -> Path:
    if data is not None:
        return data
    if compiled.settings.data is not None:
        return project / compiled.settings.data
    raise click.UsageError("say which data to replay: `--data PATH`, or `data:` under `replay:` in `tb.yaml`")


def _config(folder: Path, instruments: tuple[str, ...] | None, first: int | None, last: int | None) -> dict[str, str]:
    """What decided the result besides rules and data, so that the same bars can be found again."""
    from tb.core.time import show_instant

    config = {"data_path": str(folder.resolve())}
    if instruments is not None:
        config["instruments"] = ",".join(instruments)
    if first is not None:
        config["from"] = show_instant(first)
    if last is not None:
        config["to"] = show_instant(last)
    return config


def market_for(
    compiled: Compiled,
    folder: Path,
    instruments: tuple[str, ...] | None,
    first: int | None,
    last: int | None,
    places: FeedPlaces | None = None,
) -> Market:
    """The market that fits the plan, with the feeds it reads; what is odd about either is shown."""
    from tb.cli.fit import check_fit
    from tb.replay.data import load_market
    from tb.replay.recordings import feed_places, with_recordings

    market = load_market(folder, instruments=instruments, first=first, last=last)
    places = places or feed_places(compiled.settings, folder, compiled.project.root)
    market = with_recordings(market, compiled.plan, places)
    show_findings(market.warnings, compiled.project.root, {})
    show_findings(check_fit(compiled, market, left_out=instruments is not None), compiled.project.root, compiled.project.texts)
    return market


def adviser_of(compiled: Compiled) -> RecordedAdvice | None:
    """The recorded answers of the advisors; None where there are none."""
    from tb.replay.advice import advice_places, load_advice

    advisors = compiled.plan.program.capital.advisors
    places = advice_places(advisors, compiled.settings.advice_files, compiled.project.root)
    return load_advice(places) if advisors else None


def _advised(adviser: RecordedAdvice | None) -> dict[str, str]:
    """The hash of each file of answers, by advisor: answers decide the result too."""
    return {} if adviser is None else {f"advice.{name}": hash_ for name, hash_ in adviser.hashes.items()}


def play(
    compiled: Compiled,
    market: Market,
    path: Place | None,
    config: dict[str, str],
    *,
    chunk: int | None = None,
    adviser: RecordedAdvice | None = None,
    following: Following | None = None,
) -> Played:
    """One replay, recorded in the ledger at `path` unless that is None."""
    from tb.ledger import open_ledger, policy_hash

    if path is None:
        return _played(
            compiled,
            market,
            None,
            _run(compiled, market, policy_hash(compiled.project.texts), config),
            chunk,
            adviser,
            following,
        )
    with open_ledger(path) as ledger:
        run = ledger.start_run(_run(compiled, market, ledger.put_policy(compiled.project.texts), config))
        played = _played(compiled, market, ledger, run, chunk, adviser, following)
        ledger.finish_run(run.id, played.record())
        played.ledger = path
    return played


def _run(compiled: Compiled, market: Market, policy: str, config: dict[str, str]) -> Run:
    from tb.cli.version import installed
    from tb.core.records import Run

    account = compiled.settings.account
    return Run(
        id="r0",
        mode="replay",
        started=time.time_ns() // 1_000_000,
        policy_hash=policy,
        data=market.folder,
        data_hash=market.hash,
        first=market.first,
        last=market.last,
        instruments=tuple(market.bars),
        period=market.period,
        initial_equity=account.equity,
        currency=account.currency,
        config=config,
        version=installed(),
    )


def _played(
    compiled: Compiled,
    market: Market,
    ledger: Ledger | None,
    run: Run,
    chunk: int | None,
    adviser: RecordedAdvice | None,
    following: Following | None,
) -> Played:
    from tb.cli.following import Following
    from tb.cli.summary import Played
    from tb.cli.watching import WatchedLedger, places_of_facts
    from tb.engine.plan import bound
    from tb.replay.run import replay_market

    watching = WatchedLedger(ledger, places_of_facts(compiled.plan))
    more: dict[str, Any] = {} if chunk is None else {"chunk": chunk}
    with (following or Following()).of_run(run) as (pace, told):
        outcome = replay_market(
            run=run.id,
            plan=compiled.plan,
            settings=compiled.settings,
            market=market,
            policy_hash=run.policy_hash,
            ledger=watching,
            adviser=adviser,
            progress=told,
            pace=pace,
            **more,
        )
    return Played(run, outcome, watching.watched, market.warnings, covered=bound(compiled.plan, market.bars).instruments())
