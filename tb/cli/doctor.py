"""`tb doctor`: whether it is safe to trade live now, check by check."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tb.cli.opening import compiled_project
from tb.cli.operating import clock_of, clock_option, now
from tb.cli.options import command, json_option, project_option
from tb.cli.output import put, put_json, say
from tb.core.diagnostics import Refused

if TYPE_CHECKING:
    from tb.cli.running import Account, Taken
    from tb.ledger import Place
    from tb.ledger.holding import Holder
    from tb.ledger.store import Ledger
    from tb.runtime.operator import Inbox, KillFile
    from tb.runtime.policy import Compiled
    from tb.runtime.ports.exchange import Exchange, NoAnswer, Rules
    from tb.runtime.preflight import Books, Check

COMPLETENESS = frozenset(f"TB30{number}" for number in range(1, 9))  # findings about limits that are missing


@command("doctor", "tb doctor", "tb doctor --json | jq '.checks[] | select(.passed | not)'")
@clock_option
@project_option
@json_option
def tb_doctor(clock: str, project: Path, as_json: bool) -> None:
    """Check what has to hold before live trading starts, and say what to do where it does not.

    `tb run --mode live` makes the same checks and does not start unless all pass. Nothing is changed, and no order is sent.
    Exit code 1 where a check fails.
    """
    compiled = compiled_project(project)
    exchange = _reached(compiled)
    try:
        theirs = clock_of(clock, compiled.settings, exchange)
        found = checks_of(compiled, project, exchange, _or_ours(theirs), by_venue=clock == "venue")
    finally:
        exchange.close()
    if as_json:
        put_json({"passed": all(one.passed for one in found), "checks": [_as_object(one) for one in found]})
    else:
        tell(found)
        say(_outcome(found, clock, _session_now(compiled)))
    if not all(one.passed for one in found):
        raise click.exceptions.Exit(1)


def _reached(compiled: Compiled) -> Exchange:
    """The venue as far as it can be asked: without its key what is public, and nothing at all where none is named."""
    from tb.cli.connecting import venue_of
    from tb.runtime.guarded import Guarded
    from tb.runtime.unreached import Unreached

    try:
        found: Exchange = venue_of(compiled.settings)
    except Refused:  # the check of the key says so
        try:
            found = venue_of(compiled.settings, with_key=False)
        except Refused as refused:
            found = Unreached(refused.findings[0].message)
    return Guarded(found, now=now, told=say)


def _or_ours(clock: Callable[[], int]) -> Callable[[], int]:
    """Where the venue does not say what time it is, the check of the clock fails, and the others are made by this machine's."""

    def told() -> int:
        try:
            return clock()
        except Refused:
            return now()

    return told


def tell(found: list[Check]) -> None:
    """A line for each check, and the edit to make under those that failed."""
    wide = max(len(one.name) for one in found)
    for one in found:
        put(f"{'ok  ' if one.passed else 'FAIL'}  {one.name:<{wide}}  {one.words}")
        if one.hint:
            put(f"      {'':<{wide}}  -> {one.hint}")


def _outcome(found: list[Check], clock: str, holder: Holder | None = None) -> str:
    """What follows from the checks; an account that a session trades already takes no second one."""
    failed = sum(not one.passed for one in found)
    if failed:
        return f"{failed} of {len(found)} checks fail: live trading does not start"
    if holder is not None:
        return f"all checks pass; a session trades already ({holder}), and no second one starts beside it"
    return f"all checks pass: `tb run --mode live{' --clock venue' if clock == 'venue' else ''}` may start"


def _session_now(compiled: Compiled) -> Holder | None:
    """Who trades the account live now, as far as that can be seen; a ledger that cannot be read is told by its check."""
    from tb.cli.session_now import running
    from tb.ledger import open_ledger

    try:
        with open_ledger(compiled.project.ledger) as ledger:
            newest = next((one for one in reversed(ledger.runs()) if one.run.mode == "live"), None)
            return None if newest is None else running(newest, ledger, compiled.settings)
    except Refused:
        return None


def _as_object(one: Check) -> dict[str, object]:
    return {"name": one.name, "passed": one.passed, "words": one.words, "hint": one.hint}


def checks_of(
    compiled: Compiled, project: Path, exchange: Exchange, clock: Callable[[], int], *, by_venue: bool
) -> list[Check]:
    """The preflight of a project at its venue; `by_venue` says that the clock is the venue's."""
    from tb.cli.running import account_of, live_account
    from tb.ledger import policy_hash
    from tb.runtime.approval import approved
    from tb.runtime.operator import Inbox, KillFile
    from tb.runtime.preflight import Preflight, preflight

    live = compiled.settings.live
    folder = project / live.state
    periods = {symbol: strategy.period for strategy in reversed(compiled.plan.strategies) for symbol in strategy.members}
    return preflight(
        Preflight(
            settings=compiled.settings,
            exchange=exchange,
            now=clock,
            instruments=dict(sorted(periods.items())),
            policy_hash=policy_hash(compiled.project.texts),
            key=lambda: _key(compiled),
            approval=lambda: approved(folder),
            breaker=lambda: _breaker(folder),
            stopped=lambda: _stopped(KillFile(project / live.kill_file), Inbox(folder)),
            ledger=lambda: _ledger(compiled.project.ledger),
            alerts=lambda: _alerts(compiled),
            pin=lambda: _pin(compiled),
            books=lambda rules: _books(folder, rules, exchange),
            open_gaps=_gaps(compiled),
            resumed=lambda: _resumed(Inbox(folder)),
            held=lambda: () if (taken := _taken(compiled, clock(), live_account)) is None else taken.halts,
            account=lambda: () if (taken := _taken(compiled, clock(), account_of)) is None else taken.numbers,
            by_venue=by_venue,
        )
    )


def _taken(compiled: Compiled, now: int, known: Callable[[Compiled, Ledger, None], Account]) -> Taken | None:
    """What a session would take over now. Raises Refused as `known` does."""
    from tb.cli.running import taken_over
    from tb.ledger import open_ledger

    with open_ledger(compiled.project.ledger) as ledger:
        return taken_over(compiled, ledger, known(compiled, ledger, None), now)


def _breaker(folder: Path) -> str | None:
    """Why the breaker is not closed. An account from which nothing was ever sent has none yet."""
    from tb.runtime.gateway.breaker import Breaker
    from tb.runtime.gateway.looking import BREAKER, JOURNAL

    if not (folder / BREAKER).exists() and not (folder / JOURNAL).exists():
        return None
    found = Breaker(folder / BREAKER).now()
    return None if found.state == "closed" else f"{found.state}, by {found.by}: {found.reason}"


def _resumed(inbox: Inbox) -> str | None:
    """Who ordered last to resume, where no halt came after that and no session has heard of it."""
    by = None
    for word in inbox.waiting():
        if word.kind in ("halt", "flatten", "resume"):
            by = word.by if word.kind == "resume" else None
    return by


def _stopped(kill: KillFile, inbox: Inbox) -> str | None:
    """Why nothing new may be entered: the kill file, or a halt that no session has heard of yet."""
    if kill.stands():
        return kill.words()
    halted = None
    for word in inbox.waiting():
        if word.kind == "halt":
            halted = f"{word.by} ordered a halt: {word.reason}"
        elif word.kind == "resume":
            halted = None
    return halted


def _ledger(path: Place) -> str | None:
    from tb.ledger import open_ledger

    with open_ledger(path) as ledger:
        found = ledger.verify()
    return None if not found else found[0].message


def _alerts(compiled: Compiled) -> str | None:
    from tb.cli.connecting import alert_addresses
    from tb.connectors.alerts import addresses_of

    name = compiled.settings.live.alerts
    if name is None:
        return "`live.alerts` is not set: nobody would hear of anything"
    addresses_of(alert_addresses(name), str(name))
    return None


def _key(compiled: Compiled) -> None:
    """Reads the venue's key. Raises Refused where it is not there, or is none, and where no venue is named."""
    from tb.cli.connecting import key_of

    key_of(compiled.settings)


def _pin(compiled: Compiled) -> str | None:
    from tb.cli.pin import kept_pin
    from tb.runtime.secrets import is_pin

    name = compiled.settings.live.pin
    if name is None:
        return "`live.pin` is not set, and live trading asks for a PIN"
    is_pin("", kept_pin(name))  # whether it is a hash at all
    return None


def _books(folder: Path, rules: Mapping[str, Rules], exchange: Exchange) -> Books | NoAnswer:
    """By the journal, and by what the venue filled of its orders since: stops work while nobody runs."""
    from tb.runtime.gateway.looking import catch_up, known_assets, sent_orders
    from tb.runtime.preflight import Books

    orders, outside = sent_orders(folder)
    if (silent := catch_up(orders, exchange)) is not None:
        return silent
    return Books(known_assets(orders, outside, rules), frozenset(orders.all))


def _gaps(compiled: Compiled) -> tuple[str, ...]:
    """What the linter says is missing among the limits, hints aside."""
    from tb.analysis.lint import lint
    from tb.core.diagnostics import Severity

    settings = compiled.settings
    found = lint(
        compiled.files,
        currency=settings.account.currency,
        rates=tuple(settings.rates),
        limits={limit.name: limit for limit in compiled.project.limits},
        overrides={name: override.text for name, override in settings.parameters.items()},
        levels={name: level.severity for name, level in settings.lint_levels.items()},
        instruments=settings.instrument,
        costs=settings.venue_for,
        zone=settings.account.timezone,
        library=compiled.project.library,
    )
    return tuple(one.message for one in found if one.code in COMPLETENESS and one.severity >= Severity.WARNING)
