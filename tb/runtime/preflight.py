"""preflight: whether it is safe to trade live now, one check after the other, each with what to do where it fails.

Every check asks, and none changes anything. What cannot be found out has failed: no answer is never "all is well".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from tb.core.diagnostics import Refused
from tb.core.settings import Settings
from tb.core.time import DAY, show_duration
from tb.runtime.approval import Approval
from tb.runtime.ports.exchange import Exchange, NoAnswer, Rules

Clock = Callable[[], int]
_RESUME = 'find the cause, then `tb resume --by NAME --reason "..."`'
_TOLD = 5  # orders that are named, of many
_READS = "check that the key may read the account"


@dataclass(frozen=True, slots=True)
class Check:
    """What came of one check: `words` say what was found, `hint` what to do where it did not pass."""

    name: str
    passed: bool
    words: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Books:
    """What the journal says: how much of each asset there has to be at the venue, and the client ids of all orders sent."""

    assets: Mapping[str, Decimal]
    orders: frozenset[str]


@dataclass(frozen=True, slots=True)
class Preflight:
    """What is asked. `now` is this machine's clock in ms; `instruments` with the period of their bars are those that the plan
    trades; `books` tells what the journal says there is of each asset, and which orders are known; `open_gaps` are the findings
    about limits that are missing; `ledger` opens and verifies it, and returns what is wrong.
    """

    settings: Settings
    exchange: Exchange
    now: Clock
    instruments: Mapping[str, int]
    policy_hash: str
    key: Callable[[], str | None]  # why the venue's key is not there
    approval: Callable[[], Approval | None]
    breaker: Callable[[], str | None]  # why it is not closed
    stopped: Callable[[], str | None]  # the kill file or a halt in force, in words
    ledger: Callable[[], str | None]
    alerts: Callable[[], str | None]  # why none can be sent
    books: Callable[[Mapping[str, Rules]], Books | NoAnswer]
    pin: Callable[[], str | None]  # why nobody can be asked for it
    resumed: Callable[[], str | None]  # who ordered to resume, as far as no session has heard of it
    held: Callable[[], Sequence[str]]  # halts and pauses of the account's runs that are still in force
    account: Callable[[], Sequence[str]]  # what else is taken over from them
    open_gaps: Sequence[str]
    by_venue: bool = False  # whether `now` is the venue's clock already


def _failed(name: str, words: str, hint: str) -> Check:
    return Check(name, False, words, hint)


def _judged(name: str, wrong: str | None, right: str, hint: str) -> Check:
    """Passed where nothing is wrong."""
    return Check(name, True, right) if not wrong else _failed(name, wrong, hint)


def preflight(asked: Preflight) -> list[Check]:
    """All checks, in the order in which they are told."""
    return [_made(name, check, asked) for name, check in CHECKS.items()]


def _made(name: str, check: Callable[[Preflight], Check], asked: Preflight) -> Check:
    """One that cannot be made has failed, and keeps no other from being made."""
    try:
        return check(asked)
    except Refused as refused:
        return _failed(name, refused.findings[0].message, refused.findings[0].hint)


def _breaker(asked: Preflight) -> Check:
    """Only a session closes it: where a person has resumed and none has heard of it yet, one has to be able to begin."""
    wrong, by = _told(asked.breaker), asked.resumed()
    if wrong and by is not None:
        return Check("breaker", True, f"{wrong}; {by} resumed it: it closes when the session begins")
    return _judged("breaker", wrong, "closed", _RESUME)


def _halts(asked: Preflight) -> Check:
    """What a constraint has halted does not keep a session from looking after what is held: it begins halted."""
    stopped = _told(asked.stopped)
    if stopped:
        return _failed("halts", stopped, _RESUME)
    try:
        held = asked.held()
    except Refused as refused:
        return _failed("halts", refused.findings[0].message, refused.findings[0].hint)
    if not held:
        return Check("halts", True, "none in force")
    return Check("halts", True, f"in force, nothing is entered: {'; '.join(held)}", _RESUME)


def _account(asked: Preflight) -> Check:
    try:
        found = asked.account()
    except Refused as refused:
        return _failed("account", refused.findings[0].message, refused.findings[0].hint)
    return Check("account", True, "; ".join(found) or "it had no live run yet")


def _connectivity(asked: Preflight) -> Check:
    name, rules, venue = "connectivity", asked.exchange.rules(list(asked.instruments)), asked.exchange.name
    if isinstance(rules, NoAnswer):
        return _failed(name, f"{venue} does not answer: {rules.why}", "check network, key and address")
    missing = [symbol for symbol in asked.instruments if symbol not in rules]
    if missing:
        return _failed(name, f"{venue} does not trade {', '.join(missing)}", "take them out of the universe")
    closed = [f"{symbol} is {rules[symbol].status}" for symbol in asked.instruments if rules[symbol].status != "open"]
    if closed:
        return _failed(name, ", ".join(closed), "wait until the venue opens them, or take them out of the universe")
    differing = [words for symbol in asked.instruments for words in _differing(asked.settings, symbol, rules[symbol])]
    right = f"{venue} answers and trades all {len(rules)} instruments"
    return _judged(name, "; ".join(differing), right, "write the venue's numbers into `instruments` of tb.yaml")


def _differing(settings: Settings, symbol: str, rules: Rules) -> list[str]:
    """Where the settings allow what the venue would refuse."""
    spec = settings.instrument(symbol)
    if spec is None:
        return [f"{symbol} has no tick and lot in the settings"]
    found = []
    if spec.tick % rules.tick:
        found.append(f"the tick of {symbol} is {rules.tick} there, {spec.tick} here")
    if spec.lot % rules.lot:
        found.append(f"the lot of {symbol} is {rules.lot} there, {spec.lot} here")
    if rules.min_notional is not None and spec.minimum_notional < rules.min_notional:
        found.append(f"the minimum of {symbol} is {rules.min_notional} there, {spec.minimum_notional} here")
    return found


def _clock(asked: Preflight) -> Check:
    begun = asked.now()
    theirs = asked.exchange.clock()
    ended = asked.now()
    if isinstance(theirs, NoAnswer):
        return _failed("clock", f"the venue's clock is not known: {theirs.why}", "check network and address")
    unsure = abs(ended - begun) // 2 + 1
    apart, most = abs(theirs - (begun + ended) // 2) + unsure, asked.settings.live.clock_skew
    words = f"at most {_span(apart)} from the venue's"
    if ended < begun or apart > most:
        hint = "synchronise this machine's clock (NTP), or raise `live.clock_skew`"
        return _failed("clock", f"{words}, allowed are {_span(most)}", _at_sandbox(asked, hint))
    return Check("clock", True, words)


def _span(span: int) -> str:
    """A length of time in ms, in seconds and more where it is long."""
    if span >= 2 * DAY:
        return f"{span // DAY} days"
    return f"{span} ms" if span < 10_000 else show_duration(span // 1000 * 1000)


def _at_sandbox(asked: Preflight, hint: str) -> str:
    """A sandbox has a clock of its own, which the operator may have forgotten to name."""
    has_its_own = asked.settings.live.url is not None and not asked.by_venue
    return f"{hint}; at a sandbox: `--clock venue`" if has_its_own else hint


def _balances(asked: Preflight) -> Check:
    found, currency = asked.exchange.balances(), asked.settings.account.currency
    if isinstance(found, NoAnswer):
        return _failed("balances", f"no answer: {found.why}", _READS)
    own = next((one for one in found if one.asset == currency), None)
    if own is None or own.available + own.held <= 0:
        has = ", ".join(one.asset for one in found if one.available + one.held > 0) or "nothing"
        return _failed("balances", f"the account has no {currency} (it has {has})", "fund it, or set `account.currency`")
    return Check("balances", True, f"{own.available} {currency} available, {own.held} held by orders")


def _reconciled(asked: Preflight) -> Check:
    found, rules = asked.exchange.balances(), asked.exchange.rules(list(asked.instruments))
    if isinstance(found, NoAnswer) or isinstance(rules, NoAnswer):
        why = next(one.why for one in (found, rules) if isinstance(one, NoAnswer))
        return _failed("reconciliation", f"what is held is not known: {why}", _READS)
    try:
        books = asked.books(rules)
    except Refused as refused:
        return _failed("reconciliation", refused.findings[0].message, refused.findings[0].hint)
    if isinstance(books, NoAnswer):
        return _failed("reconciliation", f"what our orders filled is not known: {books.why}", _READS)
    there = {one.asset: one.available + one.held for one in found}
    off = []
    for asset, known in books.assets.items():
        real, lots = there.get(asset, Decimal(0)), [one.lot for one in rules.values() if one.asset == asset]
        if abs(known - real) > max([asked.settings.live.tolerance * abs(known), *lots]):
            off.append(f"{asset}: {known} by the journal, {real} at the venue")
    right = "journal and venue agree" if books.assets else "nothing was sent from here yet"
    hint = "look with `tb reconcile`; `tb rebuild-positions` makes the records anew from the venue's fills"
    return _judged("reconciliation", "; ".join(off), right, hint)


def _orphans(asked: Preflight) -> Check:
    found = asked.exchange.open_orders()
    if isinstance(found, NoAnswer):
        return _failed("orders", f"open orders are not known: {found.why}", _READS)
    try:
        books = asked.books({})
    except Refused as refused:
        return _failed("orders", refused.findings[0].message, refused.findings[0].hint)
    if isinstance(books, NoAnswer):
        return _failed("orders", f"what became of our orders is not known: {books.why}", _READS)
    strangers = [one for one in found if one.client_id not in books.orders]
    words = ", ".join(f"{one.side} {one.quantity} {one.instrument} ({one.venue_id})" for one in strangers[:_TOLD])
    words += f" and {len(strangers) - _TOLD} more" if len(strangers) > _TOLD else ""
    wrong = f"orders that tb did not send: {words}" if strangers else None
    return _judged("orders", wrong, f"{len(found)} open, all known", "cancel them at the venue")


def _fresh(asked: Preflight) -> Check:
    old = []
    for symbol, period in asked.instruments.items():
        now = asked.now()
        last = now - now % period
        found = asked.exchange.candles(symbol, period, last - 3 * period, last)
        if isinstance(found, NoAnswer):
            old.append(f"{symbol}: {found.why}")
        elif not found:
            old.append(f"{symbol}: none of the last three bars is there")
        elif found[-1].start + period < last - period:
            old.append(f"{symbol}: the newest bar is {_span(now - found[-1].start - period)} old")
    hint = "wait for the venue's data, or take the instrument out of the universe"
    return _judged("data", "; ".join(old), "the newest bars are there", _at_sandbox(asked, hint))


def _permission(asked: Preflight) -> Check:
    if asked.settings.live.read_only:
        hint = "set `live.read_only: false` in tb.yaml once it may trade"
        return _failed("permission", "`live.read_only` keeps every order from the venue", hint)
    hint = "add `pin: 'env:TB_PIN_HASH'` to `live` in tb.yaml, then `tb pin set`"
    return _outside("permission", asked.pin, "orders may go out, once the PIN was given", hint)


def _key(asked: Preflight) -> Check:
    hint = "add `credentials: 'env:COINBASE_KEY'` to `live` in tb.yaml, and set that to the path of the venue's key file"
    return _outside("key", asked.key, "the venue's key is there", hint)


def _limits(asked: Preflight) -> Check:
    return _judged("limits", "; ".join(asked.open_gaps), "no limit is missing", "`tb lint` names the limit to write")


def _policy(asked: Preflight) -> Check:
    try:
        found = asked.approval()
    except Refused as refused:
        return _failed("policy", refused.findings[0].message, refused.findings[0].hint)
    hint = 'review it (`tb lint`, `tb test`), then `tb approve --by NAME --reason "..."`'
    if found is None:
        return _failed("policy", f"nobody has approved the policy {asked.policy_hash[:12]}", hint)
    if found.policy != asked.policy_hash:
        return _failed("policy", f"{found.by} approved {found.policy[:12]}, and this is {asked.policy_hash[:12]}", hint)
    return Check("policy", True, f"{asked.policy_hash[:12]}, as approved by {found.by}: {found.reason}")


def _ledger(asked: Preflight) -> Check:
    right = "writable, and every entry as it was written"
    return _judged("ledger", _told(asked.ledger), right, "`tb ledger verify` says more")


def _alerts(asked: Preflight) -> Check:
    hint = "set `live.alerts` in tb.yaml to where the addresses are, then `tb alerts test`"
    return _outside("alerts", asked.alerts, "somebody is told", hint)


def _outside(name: str, ask: Callable[[], str | None], right: str, hint: str) -> Check:
    """What an outside part says; where it refuses, its refusal, with what that says to do."""
    try:
        return _judged(name, ask(), right, hint)
    except Refused as refused:
        return _failed(name, refused.findings[0].message, refused.findings[0].hint)


def _told(ask: Callable[[], str | None]) -> str | None:
    """What an outside part says is wrong; where it refuses, its refusal."""
    try:
        return ask()
    except Refused as refused:
        return refused.findings[0].message


CHECKS: dict[str, Callable[[Preflight], Check]] = {
    "breaker": _breaker,
    "halts": _halts,
    "account": _account,
    "policy": _policy,
    "permission": _permission,
    "limits": _limits,
    "ledger": _ledger,
    "alerts": _alerts,
    "key": _key,
    "connectivity": _connectivity,
    "clock": _clock,
    "balances": _balances,
    "reconciliation": _reconciled,
    "orders": _orphans,
    "data": _fresh,
}
