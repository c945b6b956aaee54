"""Each check of the preflight passes where all is well, and fails, with what to do, where something is not or is not known."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from small_projects import START, compiled, strategy
from venues import SILENT, Answers, rules_of

from tb.core.diagnostics import Refused, error
from tb.core.settings import Settings
from tb.core.span import whole_file
from tb.core.time import DAY, HOUR
from tb.runtime.approval import Approval, approve, approved
from tb.runtime.ports.exchange import Balance, Candle, OrderState
from tb.runtime.preflight import CHECKS, Books, Check, Preflight, preflight
from tb.runtime.unreached import Unreached

D = Decimal
NOW = START + 100 * HOUR + 60_000
BTC = "BTC-USD"


def candle(start: int) -> Candle:
    return Candle(start, D(1), D(1), D(1), D(1), D(1))


def order(client_id: str) -> OrderState:
    return OrderState(client_id, "v1", BTC, "buy", D("0.5"), D(0), None, D(0), "open", NOW)


def live_settings(**changed: object) -> Settings:
    settings = compiled(strategy()).settings
    return replace(settings, live=replace(settings.live, **changed))  # type: ignore[arg-type]


def well() -> Preflight:
    """Everything as it should be."""
    venue = Answers(
        NOW,
        known={BTC: rules_of(BTC)},
        has=(Balance("USD", D(9_000), D(1_000)), Balance("BTC", D("0.25"), D(0))),
        open=(order("c1"),),
        bars=tuple(candle(START + hour * HOUR) for hour in range(100)),
    )
    return Preflight(
        settings=live_settings(read_only=False),
        exchange=venue,
        now=lambda: NOW,
        instruments={BTC: HOUR},
        policy_hash="ab" * 32,
        key=lambda: None,
        approval=lambda: Approval(policy="ab" * 32, at=NOW, by="ann", reason="reviewed"),
        breaker=lambda: None,
        stopped=lambda: None,
        ledger=lambda: None,
        alerts=lambda: None,
        books=lambda rules: Books({"BTC": D("0.25"), "USD": D(10_000)}, frozenset({"c1"})),
        pin=lambda: None,
        resumed=lambda: None,
        held=lambda: (),
        account=lambda: (),
        open_gaps=(),
    )


def answers(**changed: object) -> Preflight:
    return replace(well(), exchange=replace(well().exchange, **changed))


def check(asked: Preflight, name: str) -> Check:
    return next(one for one in preflight(asked) if one.name == name)


def test_where_all_is_well_every_check_passes() -> None:
    found = preflight(well())
    assert [one for one in found if not one.passed] == []
    assert [one.name for one in found] == [
        "breaker",
        "halts",
        "account",
        "policy",
        "permission",
        "limits",
        "ledger",
        "alerts",
        "key",
        "connectivity",
        "clock",
        "balances",
        "reconciliation",
        "orders",
        "data",
    ]
    assert len(found) == len(CHECKS)


def holding(quantity: str) -> Preflight:
    """As if so many coins had been bought from here."""
    return replace(well(), books=lambda rules: Books({"BTC": D(quantity)}, frozenset({"c1"})))


def silent() -> Preflight:
    """As if the venue said nothing of the orders that were sent from here."""
    return replace(well(), books=lambda rules: SILENT)


def refuses(*_: object) -> str:
    raise Refused([error("TB853", "the breaker cannot be read", whole_file("breaker"), "mend it")])


def one_day_late() -> Approval:
    return Approval(policy="cd" * 32, at=NOW, by="ann", reason="the one before")


@pytest.mark.parametrize(
    ("asked", "name", "words"),
    [
        (replace(well(), breaker=lambda: "open since noon: lost fills"), "breaker", "open since noon: lost fills"),
        (replace(well(), breaker=refuses), "breaker", "the breaker cannot be read"),
        (replace(well(), stopped=lambda: "halt daily_loss"), "halts", "halt daily_loss"),
        (replace(well(), approval=lambda: None), "policy", "nobody has approved the policy abababababab"),
        (replace(well(), approval=one_day_late), "policy", "ann approved cdcdcdcdcdcd, and this is abababababab"),
        (
            replace(well(), settings=live_settings(read_only=True)),
            "permission",
            "`live.read_only` keeps every order from the venue",
        ),
        (replace(well(), pin=lambda: "no PIN can be asked for"), "permission", "no PIN can be asked for"),
        (replace(well(), pin=refuses), "permission", "the breaker cannot be read"),
        (replace(well(), open_gaps=("no limit on loss",)), "limits", "no limit on loss"),
        (replace(well(), ledger=lambda: "entry 12 was altered"), "ledger", "entry 12 was altered"),
        (replace(well(), alerts=lambda: "no address"), "alerts", "no address"),
        (answers(known=SILENT), "connectivity", "venue does not answer: the connection timed out"),
        (answers(known={}), "connectivity", "venue does not trade BTC-USD"),
        (answers(known={BTC: rules_of(BTC, status="post only")}), "connectivity", "BTC-USD is post only"),
        (answers(known={BTC: rules_of(BTC, tick="0.1")}), "connectivity", "the tick of BTC-USD is 0.1 there, 0.01 here"),
        (answers(known={BTC: rules_of(BTC, least="10")}), "connectivity", "the minimum of BTC-USD is 10 there, 1 here"),
        (answers(time=SILENT), "clock", "the venue's clock is not known: the connection timed out"),
        (answers(time=NOW + 1_000), "clock", "at most 1001 ms from the venue's, allowed are 1000 ms"),
        (answers(time=NOW - 5_000), "clock", "at most 5001 ms from the venue's, allowed are 1000 ms"),
        (answers(time=NOW + 90_000), "clock", "at most 90s from the venue's, allowed are 1000 ms"),
        (answers(time=NOW + 500 * DAY), "clock", "at most 500 days from the venue's, allowed are 1000 ms"),
        (answers(has=SILENT), "balances", "no answer: the connection timed out"),
        (answers(has=()), "balances", "the account has no USD (it has nothing)"),
        (answers(has=(Balance("EUR", D(5), D(0)),)), "balances", "the account has no USD (it has EUR)"),
        (answers(has=SILENT), "reconciliation", "what is held is not known: the connection timed out"),
        (holding("0"), "reconciliation", "BTC: 0 by the journal, 0.25 at the venue"),
        (holding("0.251"), "reconciliation", "BTC: 0.251 by the journal, 0.25 at the venue"),
        (replace(well(), books=refuses), "reconciliation", "the breaker cannot be read"),
        (
            replace(well(), books=lambda rules: SILENT),
            "reconciliation",
            "what our orders filled is not known: the connection timed out",
        ),
        (
            replace(well(), books=lambda rules: SILENT),
            "orders",
            "what became of our orders is not known: the connection timed out",
        ),
        (replace(well(), books=refuses), "orders", "the breaker cannot be read"),
        (answers(open=SILENT), "orders", "open orders are not known: the connection timed out"),
        (answers(open=(order("c2"),)), "orders", "orders that tb did not send: buy 0.5 BTC-USD (v1)"),
        (answers(bars=SILENT), "data", "BTC-USD: the connection timed out"),
        (answers(bars=()), "data", "BTC-USD: none of the last three bars is there"),
        (answers(bars=(candle(START + 97 * HOUR),)), "data", "BTC-USD: the newest bar is 121m old"),
    ],
)
def test_what_is_not_well_or_not_known_fails_with_what_to_do(asked: Preflight, name: str, words: str) -> None:
    found = check(asked, name)
    assert (found.passed, found.words) == (False, words)
    assert found.hint


def test_what_an_outside_part_refuses_is_told_with_its_own_hint() -> None:
    assert check(replace(well(), alerts=refuses), "alerts").hint == "mend it"


def test_a_check_that_cannot_be_made_fails_and_all_others_are_made() -> None:
    found = preflight(replace(well(), breaker=lambda: "open", resumed=refuses, key=refuses))
    assert [(one.name, one.hint) for one in found if not one.passed] == [("breaker", "mend it"), ("key", "mend it")]
    assert len(found) == len(CHECKS)


def test_a_venue_that_nobody_can_ask_fails_every_check_that_asks_it() -> None:
    found = preflight(replace(well(), exchange=Unreached("no venue is named")))
    names = ["connectivity", "clock", "balances", "reconciliation", "orders", "data"]
    assert [one.name for one in found if not one.passed] == names
    assert all("no venue is named" in one.words and one.hint for one in found if not one.passed)


def test_at_a_sandbox_its_clock_is_thought_of() -> None:
    there = replace(answers(time=NOW + 90_000, bars=()), settings=live_settings(url="http://127.0.0.1:8899"))
    assert check(there, "clock").hint.endswith("; at a sandbox: `--clock venue`")
    given = replace(there, by_venue=True)
    assert [check(given, name).passed for name in ("clock", "data")] == [False, False]
    assert "--clock" not in check(given, "clock").hint + check(given, "data").hint
    assert "sandbox" not in check(answers(time=NOW + 90_000), "clock").hint


def test_a_difference_within_the_tolerance_passes() -> None:
    assert check(holding("0.25025"), "reconciliation").passed


def test_a_clock_that_jumps_while_it_is_compared_fails() -> None:
    times = iter((NOW, NOW - 60_000))
    assert not check(replace(well(), now=lambda: next(times, NOW)), "clock").passed


def test_an_approval_is_kept_and_one_that_is_torn_approves_nothing(tmp_path: Path) -> None:
    assert approved(tmp_path) is None
    given = Approval(policy="ab" * 32, at=NOW, by="ann", reason="reviewed")
    approve(tmp_path, given)
    assert approved(tmp_path) == given
    (tmp_path / "approved.json").write_text("{")
    with pytest.raises(Refused):
        approved(tmp_path)
    assert not check(replace(well(), approval=lambda: approved(tmp_path)), "policy").passed
