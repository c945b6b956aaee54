"""A new live run on an account that had one: halts, pauses, counts, high water and levels are those of the account."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner
from live_sessions import BEGIN, MINUTES, POLICY, Killed, Live, connected, live, project, recorded, rising_sandbox
from sandbox_client import HOUR
from small_projects import strategy

from tb.cli import tb
from tb.cli.live import live_capital
from tb.cli.running import account_of, taken_over
from tb.connectors.coinbase import Coinbase
from tb.connectors.sandbox.server import Sandbox
from tb.core.diagnostics import Refused
from tb.core.records import Decision, Handling, Latch, Order, Record, Trade
from tb.ledger import open_ledger
from tb.runtime.gateway.passage import Denied
from tb.runtime.latches import Latches
from tb.runtime.ports.exchange import Balance, NoAnswer
from tb.runtime.running.cycle import Cycle
from tb.runtime.session import Session

D = Decimal
LOOSER = "limit gross  after.gross <= 90% of equity\n"
LASTING = strategy("close > close[1]", stop="10% below entry", target="90% above entry", more=("hold at most 40h",))


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with rising_sandbox() as running:
        yield running


@pytest.fixture
def venue(sandbox: Sandbox) -> Iterator[Coinbase]:
    with connected(sandbox) as made:
        yield made


def latch(rule: str, *, at: int = BEGIN, verdict: str = "halt", until: int | None = None, book: str = "") -> Latch:
    return Latch(at=at, rule=rule, verdict=verdict, until=until, lifted=False, by="policy", reason="deep", book=book)  # type: ignore[arg-type]


def add(folder: Path, run: str, *records: Record) -> None:
    with open_ledger(folder / "ledger.sqlite") as ledger:
        ledger.append(run, records)


def session_of(made: Live) -> Session:
    made.loop.stepper.sending.venue.attend()
    return made.loop.stepper.session


def known(session: Session) -> dict[str, object]:
    """What limits read of an account besides what it holds."""
    account = session.account
    return {
        "cash": account.cash,
        "high water": account.high_water,
        "day": (account.day_starts, account.day_ends, account.equity_at_day_start),
        "history": (account.history._starts, account.history._parts),
        "entries": account.entry_times,
        "orders": account.order_times,
        "sent": account.activity.sent,
        "messages": account.activity.messages,
        "proposed": account.activity.proposed,
        "unattended": account.activity.unattended,
        "losses": (account.losses_in_a_row, account.last_loss),
        "returns": account.returns,
        "cooling": session.cooling,
    }


def killed_at(made: Live, last: int) -> None:
    def kill(cycle: Cycle) -> None:
        if cycle.at == last:
            raise Killed

    made.loop.tell = kill
    with pytest.raises(Killed):
        made.until(last + HOUR)


def test_a_new_run_under_another_policy_takes_over_halts_and_running_pauses(
    tmp_path: Path, sandbox: Sandbox, venue: Coinbase
) -> None:
    with live(tmp_path, sandbox, venue) as first:
        first.until(BEGIN)
    now = sandbox.now
    over, running = latch("old", verdict="pause", until=now - 1), latch("streak", verdict="pause", until=now + 90 * HOUR)
    add(tmp_path, first.run, latch("deep"), over, running)  # of constraints that no policy here has
    with live(tmp_path, sandbox, venue, policy=LOOSER) as second:
        session = session_of(second)
        assert list(session.latches.active) == ["deep", "streak"]
        second.until(sandbox.now + 3 * HOUR)
        assert not sandbox.state()["orders"]
        assert {cycle.no_trade_reason.code for cycle in second.cycles if cycle.no_trade_reason} == {"halted"}
        assert second.run == "r2"
        own = Latches.restore(recorded(tmp_path, "r2", Latch)).active
        assert {name: (one.at, one.reason) for name, one in own.items()} == dict.fromkeys(own, (BEGIN, "deep"))
        assert list(own) == ["deep", "streak"]
        (told,) = [one for one in recorded(tmp_path, "r2", Handling) if one.status == "taken over"]
        assert told.words == "the account as run r1 left it"
        assert second.loop.inbox is not None
        second.loop.inbox.put("resume", at=0, by="ana", reason="looked")
        second.until(sandbox.now + HOUR)
        assert list(session.latches.active) == ["streak"]
    with live(tmp_path, sandbox, venue, policy=LOOSER, going_on=True) as third:
        assert list(third.loop.stepper.session.latches.active) == ["streak"]
    with live(tmp_path, sandbox, venue) as fourth:
        assert list(fourth.loop.stepper.session.latches.active) == ["streak"]


def test_a_halt_of_a_book_that_is_gone_holds_for_everything(tmp_path: Path, sandbox: Sandbox, venue: Coinbase) -> None:
    with live(tmp_path, sandbox, venue) as first:
        first.until(BEGIN)
    add(tmp_path, first.run, latch("deep", book="slow"))
    with live(tmp_path, sandbox, venue) as second:
        session = second.loop.stepper.session
        assert session.latches.in_force() == "halt deep of slow"
        assert second.loop.inbox is not None
        second.loop.inbox.put("resume", at=0, by="ana", reason="looked")
        second.until(sandbox.now + HOUR)
    with live(tmp_path, sandbox, venue) as third:
        assert third.loop.stepper.session.latches.in_force() is None


def test_a_resume_from_before_does_not_accept_what_the_session_finds_when_it_begins(
    tmp_path: Path, sandbox: Sandbox, venue: Coinbase, monkeypatch: pytest.MonkeyPatch
) -> None:
    with live(tmp_path, sandbox, venue, LASTING) as first:
        first.until(BEGIN + HOUR)
        held = {key: one.remaining for key, one in session_of(first).positions.items()}
        assert held
        assert first.loop.inbox is not None
        first.loop.inbox.put("resume", at=0, by="ana", reason="all was well when I looked")
    asked = venue.balances

    def less() -> tuple[Balance, ...] | NoAnswer:
        found = asked()
        assert isinstance(found, tuple)
        return tuple(replace(one, available=D(0), held=D(0)) if one.asset == "BTC" else one for one in found)

    monkeypatch.setattr(venue, "balances", less)
    with live(tmp_path, sandbox, venue, LASTING, going_on=True) as second:
        for _ in range(4):
            second.loop._heed()
            sandbox.advance(MINUTES)
        assert second.gateway.breaker.state == "open"
        assert {key: one.remaining for key, one in second.loop.stepper.session.positions.items()} == held
        assert second.loop.inbox is not None
        assert second.loop.inbox.waiting() == []


@pytest.mark.parametrize("again", ["goes on", "new policy"])
def test_what_limits_read_is_the_same_after_a_kill(tmp_path: Path, sandbox: Sandbox, venue: Coinbase, again: str) -> None:
    with live(tmp_path, sandbox, venue) as first:
        killed_at(first, BEGIN + 8 * HOUR)
    before = known(first.loop.stepper.session)
    assert before["high water"] > D(10_000)  # type: ignore[operator]
    assert len(before["proposed"]) > 2  # type: ignore[arg-type]
    policy = LOOSER if again == "new policy" else POLICY
    with live(tmp_path, sandbox, venue, policy=policy, going_on=again == "goes on") as second:
        session = session_of(second)
        assert known(session) == before
        assert session.positions.keys() == first.loop.stepper.session.positions.keys()
        second.until(sandbox.now + 2 * HOUR)
        numbers = [one.seq for one in recorded(tmp_path, second.run, Trade)]
        assert len({one.seq for one in recorded(tmp_path, "r1", Trade)} | set(numbers)) == session.counts["trades"]
    with open_ledger(tmp_path / "ledger.sqlite") as ledger:
        assert ledger.verify() == []


def test_the_drawdown_is_measured_from_where_a_person_let_it_go_on(tmp_path: Path, sandbox: Sandbox, venue: Coinbase) -> None:
    with live(tmp_path, sandbox, venue, LASTING) as first:
        first.until(BEGIN + 3 * HOUR)
        account = session_of(first).account
        account.high_water = D(20_000)  # it was deep
        assert first.loop.inbox is not None
        first.loop.inbox.put("halt", at=0, by="ana", reason="deep")
        first.loop.inbox.put("resume", at=0, by="ana", reason="looked")
        first.loop._heed()
        assert account.high_water == account.equity()
        assert account.activity.unattended == {}
        before = known(first.loop.stepper.session)
    with live(tmp_path, sandbox, venue, LASTING, going_on=True) as second:
        assert known(session_of(second)) == before


def test_a_flatten_that_was_cut_short_goes_on_under_another_policy(tmp_path: Path, sandbox: Sandbox, venue: Coinbase) -> None:
    with live(tmp_path, sandbox, venue, LASTING) as first:
        first.until(BEGIN + HOUR)
        assert session_of(first).positions
        assert first.loop.inbox is not None
        first.loop.inbox.put("flatten", at=0, by="ana", reason="leaving")
        sandbox.fault("server-error", on="cancel", times=50)  # its stop cannot be taken back, so it cannot be closed yet
        first.loop._heed()
        assert first.loop.stepper.session.positions
        assert first.loop.inbox.waiting() == []
    sandbox.clear_faults()
    with live(tmp_path, sandbox, venue, LASTING, LOOSER) as second:
        for _ in range(20):
            sandbox.advance(MINUTES)
            session_of(second)
        assert not second.loop.stepper.session.positions
        assert second.loop.stepper.session.latches.in_force() == "halt operator"


@pytest.mark.parametrize("left", ["orders and breaker", "orders", "breaker"])
def test_a_flatten_is_not_forgotten_where_the_inputs_are_gone(
    tmp_path: Path, sandbox: Sandbox, venue: Coinbase, left: str
) -> None:
    with live(tmp_path, sandbox, venue, LASTING) as first:
        first.until(BEGIN + HOUR)
        assert session_of(first).positions
        assert first.loop.inbox is not None
        first.loop.inbox.put("halt", at=0, by="bob", reason="first")
        first.loop.inbox.put("flatten", at=0, by="ana", reason="leaving")
        sandbox.fault("server-error", on="cancel", times=50)
        first.loop._heed()
        assert first.loop.inbox.waiting() == []
    sandbox.clear_faults()
    (path,) = tmp_path.rglob("inputs.jsonl")
    path.unlink()
    state = tmp_path / ".tb" / "live"
    if left == "breaker":
        shutil.rmtree(state / "orders")
    elif left == "orders":
        (state / "breaker").write_bytes(b"")  # that is open: nothing passes but what a flatten closes
    with open_ledger(tmp_path / "ledger.sqlite") as ledger:
        taken = taken_over(project(tmp_path), ledger, account_of(project(tmp_path), ledger, None), sandbox.now)
    assert taken is not None
    assert taken.numbers[0].startswith("the inputs of run r1 are gone: the flatten that ana ordered at ")
    with live(tmp_path, sandbox, venue, LASTING, LOOSER) as second:
        assert [one.severity for one in second.told.alerts if one.words == taken.numbers[0]] == ["critical"]
        for _ in range(20):
            sandbox.advance(MINUTES)
            session_of(second)
        assert not second.loop.stepper.session.positions


def test_where_no_flatten_was_ordered_or_it_was_ended_missing_inputs_are_told_and_close_nothing(
    tmp_path: Path, sandbox: Sandbox, venue: Coinbase
) -> None:
    with live(tmp_path, sandbox, venue, LASTING) as first:
        assert first.loop.inbox is not None
        for kind in ("flatten", "resume"):
            first.loop.inbox.put(kind, at=0, by="ana", reason="a try")  # type: ignore[arg-type]
        first.until(BEGIN + 2 * HOUR)
        assert session_of(first).positions
    (path,) = tmp_path.rglob("inputs.jsonl")
    path.unlink()
    with live(tmp_path, sandbox, venue, LASTING, LOOSER) as second:
        told = [one for one in second.told.alerts if one.words.startswith("the inputs of run r1 are gone")]
        assert [one.severity for one in told] == ["warning"]
        for _ in range(20):
            sandbox.advance(MINUTES)
            session_of(second)
        assert second.loop.stepper.session.positions


def test_a_new_run_does_not_begin_over_damaged_inputs_of_the_one_before(
    tmp_path: Path, sandbox: Sandbox, venue: Coinbase
) -> None:
    with live(tmp_path, sandbox, venue, LASTING) as first:
        first.until(BEGIN + HOUR)
    (path,) = tmp_path.rglob("inputs.jsonl")
    opening, *others = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(opening + b"{}\n" + b"".join(others))  # somebody may have ordered a flatten there
    with pytest.raises(Refused) as refused, live(tmp_path, sandbox, venue, LASTING, LOOSER):
        pass
    assert refused.value.findings[0].code == "TB860"


def test_a_changed_stop_moves_none_of_what_is_held(tmp_path: Path, sandbox: Sandbox, venue: Coinbase) -> None:
    with live(tmp_path, sandbox, venue, LASTING) as first:
        first.until(BEGIN + 2 * HOUR)
        (held,) = session_of(first).positions.values()
    bracket = [one for one in sandbox.state()["orders"] if one["status"] == "OPEN"]
    wider = strategy("close < close[1]", stop="40% below entry", target="95% above entry", more=("hold at most 40h",))
    with live(tmp_path, sandbox, venue, wider) as second:
        (now,) = session_of(second).positions.values()
        assert (now.stop, now.initial_stop, now.target) == (held.stop, held.initial_stop, held.target)
        second.until(sandbox.now + 2 * HOUR)
        assert [one for one in sandbox.state()["orders"] if one["status"] == "OPEN"] == bracket
        (trade,) = recorded(tmp_path, "r2", Trade)
        assert (trade.seq, trade.stop, trade.exit_at) == (held.seq, held.stop, None)


def test_a_trade_that_was_taken_over_is_explained_by_the_run_that_decided_it(
    tmp_path: Path, sandbox: Sandbox, venue: Coinbase
) -> None:
    with live(tmp_path, sandbox, venue, LASTING) as first:
        first.until(BEGIN + 2 * HOUR)
        session_of(first)
    with live(tmp_path, sandbox, venue, LASTING, LOOSER) as second:
        session_of(second)
        assert second.loop.inbox is not None
        second.loop.inbox.put("flatten", at=0, by="ana", reason="leaving")
        second.until(sandbox.now + 2 * HOUR)
    (trade,) = {one.seq: one for one in recorded(tmp_path, "r2", Trade)}.values()
    asked = ["--ledger", str(tmp_path / "ledger.sqlite"), "--project", str(tmp_path), "--json"]
    names = ("t1", "r2.t1", "r1.t1", f"d{trade.decision}", f"r1.d{trade.decision}")
    done = [CliRunner().invoke(tb, ["explain", name, *asked]) for name in names]
    assert [one.exit_code for one in done] == [0] * 5
    told = [json.loads(one.stdout) for one in done]
    assert {one["id"] for one in told} == {f"r1.d{trade.decision}"}
    assert {one["reproduced"] for one in told} == {True}
    for one in told:  # the position was closed in the later run
        assert one["outcome"][0].startswith("trade r2.t1: long ")
        assert "by flatten" in one["outcome"][-1]
    missing = CliRunner().invoke(tb, ["explain", "t9", *asked])
    assert (missing.exit_code, json.loads(missing.stdout)["findings"][0]["message"]) == (3, "run `r2` has no trade `t9`")


def test_a_strategy_may_go_once_nothing_of_it_is_open(tmp_path: Path, sandbox: Sandbox, venue: Coinbase) -> None:
    with live(tmp_path, sandbox, venue) as first:
        first.until(BEGIN + HOUR)
        session_of(first)
    other = strategy("close < close[1]", name="other", stop="10% below entry", target="30% above entry")
    with live(tmp_path, sandbox, venue, other) as second:
        session = session_of(second)
        assert not second.gateway.is_recovered
        assert "put it back until that is closed" in second.loop.stepper.sending.venue.trouble()
        second.until(sandbox.now + 2 * HOUR)  # nothing is decided on an account that is not known
        assert not session.latches.active
        assert session.account.high_water == D(10_000)
    with live(tmp_path, sandbox, venue) as third:
        assert third.loop.inbox is not None
        third.loop.inbox.put("flatten", at=0, by="ana", reason="leaving")
        third.until(sandbox.now + HOUR)
        third.loop.inbox.put("resume", at=0, by="ana", reason="left")
        third.loop._heed()
        session_of(third)
        third.until(sandbox.now)
        assert not third.loop.stepper.session.positions
        cash = third.loop.stepper.session.account.cash
    with live(tmp_path, sandbox, venue, other) as fourth:
        session = session_of(fourth)
        assert fourth.gateway.is_recovered, fourth.loop.stepper.sending.venue.trouble()
        assert session.account.cash == cash != D(10_000)
        assert len(session.account.entry_times) == 1


def test_another_currency_or_zone_or_a_ledger_that_knows_nothing_is_refused(
    tmp_path: Path, sandbox: Sandbox, venue: Coinbase
) -> None:
    with live(tmp_path, sandbox, venue) as first:
        first.until(BEGIN + HOUR)
        session_of(first)
    with open_ledger(tmp_path / "ledger.sqlite") as ledger:
        compiled = project(tmp_path, timezone="Europe/London")
        with pytest.raises(Refused, match=r"`account.timezone: UTC` since run r1, and it is to be `Europe/London`"):
            account_of(compiled, ledger, None)
        taken = taken_over(project(tmp_path), ledger, account_of(project(tmp_path), ledger, None), sandbox.now)
        assert taken is not None
        assert taken.lines()[0] == "the account goes on as run r1 left it:"
        assert taken.numbers[-1] == "entries today 1, trades closed today 0, of them at a loss 0"
    with open_ledger(tmp_path / "other.sqlite") as ledger, pytest.raises(Refused, match="its halts are not known"):
        account_of(project(tmp_path), ledger, None)


def test_the_capital_moves_by_what_a_person_changed(tmp_path: Path, sandbox: Sandbox, venue: Coinbase) -> None:
    with live(tmp_path, sandbox, venue, LASTING) as first:
        first.until(BEGIN + 3 * HOUR)
        account = session_of(first).account
        high, equity = account.high_water, account.equity()
        assert high is not None
        assert equity is not None
    with open_ledger(tmp_path / "ledger.sqlite") as ledger:
        run = ledger.run("r1").run
    less = live_capital(project(tmp_path, LASTING, equity="6_000 USD"), venue, run)
    assert (less.began, less.moved) == (D(6_000), D(-4_000))
    more = live_capital(project(tmp_path, LASTING, equity="60_000 USD"), venue, run)
    assert more.moved == 0  # the venue has no more
    same = live_capital(project(tmp_path, LASTING), venue, run)
    assert (same.began, same.moved) == (D(10_000), D(0))


def test_orders_that_the_gateway_denied_count_after_a_restart(tmp_path: Path, sandbox: Sandbox, venue: Coinbase) -> None:
    with live(tmp_path, sandbox, venue) as first:
        first.gateway.steps = (("breaker", lambda _, passage: Denied("breaker", "not now")), *first.gateway.steps)
        first.until(BEGIN + 2 * HOUR)
        assert recorded(tmp_path, "r1", Order)
        assert not sandbox.state()["orders"]
        before = known(session_of(first))
    with live(tmp_path, sandbox, venue, going_on=True) as second:
        assert known(session_of(second)) == before


def test_calls_of_advisors_count_over_a_restart(tmp_path: Path, sandbox: Sandbox, venue: Coinbase) -> None:
    advised = POLICY + "\nadvisor news\n  may veto\n  at most 2 calls per day, answer within 5s otherwise veto\n"
    (tmp_path / "advice").mkdir()
    (tmp_path / "advice" / "news.csv").write_text("time,instrument,strategy,adjust,veto,note,latency,cost\n")

    def whys(run: str) -> list[str]:
        return [said.why for one in recorded(tmp_path, run, Decision) for said in one.advice]

    with live(tmp_path, sandbox, venue, policy=advised) as first:
        first.until(BEGIN + HOUR)
    assert whys("r1") == ["no answer"]
    with live(tmp_path, sandbox, venue, policy=advised, going_on=True) as again:
        again.until(sandbox.now // HOUR * HOUR + 3 * HOUR)
    assert whys("r1") == ["no answer", "no answer", "over its budget of calls", "over its budget of calls"]
    with live(tmp_path, sandbox, venue, policy=advised + "\n" + LOOSER.replace("gross", "looser", 1)) as other:
        other.until(sandbox.now // HOUR * HOUR + 2 * HOUR)
    assert whys("r2") == ["over its budget of calls"] * 2
