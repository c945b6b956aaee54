"""Passing over what cannot change while something is held: the same records as stepping, and few steps."""

from __future__ import annotations

import math
import random
import zlib
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as st
from small_projects import NAN, START, bars, compiled, market, run, strategy
from stepping import stepped

from tb.core.records import Cancel, Decision, Fill, Latch, Order, Quiet, Trade
from tb.core.time import HOUR
from tb.gate.account import Account
from tb.gate.foresight import Outlook, may_fail
from tb.gate.history import Stretch
from tb.gate.hull import Hull
from tb.replay import skipping
from tb.replay.data import Market
from tb.runtime.policy import Compiled, gates_of
from tb.runtime.session import Session

D = Decimal
TOLD = Decision | Order | Cancel | Fill | Trade | Latch

RULES = """universe both
  tier core BTC-USD, ETH-USD

strategy rising on both every 1h
  enter long when close crosses above mean(close, 20)
    size 30% of equity
    stop 6% below entry
    target 9% above entry
  exit when close < lowest(close, 90)[1]
  hold at most 120h

strategy falling on both every 2h
  enter short when close crosses below mean(close, 12)
    size 10% of equity
    stop 5% above entry
    target 20% below entry
  cool down 6h after loss
"""
POLICIES = {
    "no watched limit": "limit gross after.gross <= 1000% of equity\n",
    "drawdown": "limit deep drawdown <= 4% otherwise halt\n",
    "loss of the day": "limit day loss(today) <= 1% of equity at day_start otherwise halt until tomorrow\n",
    "loss of a window": "limit lately loss(30h) <= 2% of equity otherwise pause for 9h\n",
    "losing streak": "pause streak for 50h after 3 losses in a row\n",
    "two at once": "limit poor equity >= 9_300 USD otherwise pause for 5h\nlimit lately loss(100h) <= 300 USD otherwise halt\n",
    "use": "limit much gross <= 45% of equity otherwise pause for 20h\nlimit few entries(24h) < 9 otherwise pause for 30h\n",
}
BOOKS = """book quick 60% of capital strategies rising
book slow 40% of capital strategies falling
"""
OF_BOOKS = "limit deep drawdown of book <= 3% otherwise halt until tomorrow\nlimit all drawdown <= 5% otherwise halt\n"


def walk(seed: int, hours: int, *, unknown: float = 0.0) -> Market:
    """Two random walks, with holes and with values that are not known."""
    drawn = random.Random(seed)
    series = []
    for symbol in ("BTC-USD", "ETH-USD"):
        price, rows = 100.0, []
        for _ in range(hours):
            before, price = price, round(price * math.exp(drawn.gauss(0, 0.012)), 2)
            high, low = round(max(before, price) * 1.004, 2), round(min(before, price) * 0.996, 2)
            row = [before, high, low, price, 10.0]
            if drawn.random() < unknown:
                row[drawn.randrange(4)] = math.nan
            rows.append(None if drawn.random() < 0.02 else row)
        series.append(bars(symbol, rows))
    return market(*series)


def told(records: list[object]) -> list[object]:
    return [record for record in records if isinstance(record, TOLD)]


def same(project: Compiled, data: Market) -> list[object]:
    fast, slow = run(project, data).records, stepped(project, data, interpreted=False)
    assert told(fast.records) == told(slow.records)
    states = [{(q.strategy, q.instrument): zlib.decompress(q.states) for q in found.of(Quiet)} for found in (fast, slow)]
    assert states[0] == states[1]
    return told(fast.records)


@pytest.mark.parametrize("worth", [1, skipping.WORTH])
@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
@pytest.mark.parametrize("unknown", [0.0, 0.01], ids=["all known", "some unknown"])
def test_a_replay_that_skips_gives_the_records_of_one_that_steps(
    monkeypatch: pytest.MonkeyPatch, policy: str, unknown: float, worth: int
) -> None:
    monkeypatch.setattr(skipping, "WORTH", worth)
    found = same(compiled(RULES, policy, lifted_after="40h"), walk(7, 700, unknown=unknown))
    assert sum(isinstance(record, Fill) for record in found) >= 6


def test_books_are_watched_each_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(skipping, "WORTH", 1)
    found = same(compiled(RULES, BOOKS + OF_BOOKS, lifted_after="40h"), walk(11, 900))
    assert {record.book for record in found if isinstance(record, Latch)} >= {"quick", "slow"}


@how(max_examples=25)
@given(st.integers(0, 10_000), st.sampled_from(sorted(POLICIES)), st.sampled_from([0.0, 0.02]))
def test_skipping_changes_nothing_on_drawn_markets(seed: int, policy: str, unknown: float) -> None:
    same(compiled(RULES, POLICIES[policy], lifted_after="30h"), walk(seed, 150, unknown=unknown))


def test_few_instants_are_stepped(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = []
    step = Session.step

    def counted(session: Session, at: int, *given: object) -> object:
        steps.append(at)
        return step(session, at, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(Session, "step", counted)
    rules = RULES.split("strategy falling", maxsplit=1)[0]
    found = run(compiled(rules, POLICIES["drawdown"], lifted_after="40h"), walk(3, 3000))
    held = sum((fill.exit_at or fill.entry_at) - fill.entry_at for fill in found.trades) // HOUR
    assert held > 1000
    assert len(steps) < held / 2


# --- foresight ---------------------------------------------------------------------------------------------------------

prices = st.lists(st.floats(10.0, 1000.0), min_size=1, max_size=30)
LIMITS = (
    "limit a drawdown <= {} otherwise halt\n",
    "limit a loss(3h) <= {} of equity otherwise halt\n",
    "limit a loss(today) <= {} of equity at day_start otherwise halt\n",
    "limit a gross <= {} of equity otherwise halt\n",
    "limit a loss(5h) / equity + drawdown <= {} otherwise halt\n",
    "limit a loss(today) / equity + drawdown * 2 <= {} otherwise halt\n",
    "require a drawdown <= {} and loss(today) <= 5% of equity otherwise halt\n",
    "limit a max(loss(today), 9_900 USD - equity) <= {} of equity otherwise halt\n",
    "forbid a when drawdown > {} or loss(today) > 5% of equity otherwise halt\n",
)


def test_what_is_far_from_a_limit_is_seen_without_looking_at_each_instant() -> None:
    """Of each limit that can be bounded: far from it is sure, beyond it and right at it is not."""
    closes = [100.0, 101.0, 99.0, 100.0]
    for limit in (LIMITS[0], LIMITS[2], *LIMITS[5:]):
        told = []
        for bound in ("25%", "0.01%"):
            built = compiled(RULES, limit.format(bound))
            gate = min(gates_of(built.plan).items())[1]
            account = Account("USD", D(10_000), high_water=D(10_000), equity_at_day_start=D(10_000))
            account.fill("rising", "BTC-USD", D(20), D(100), D(0))
            stretch = Stretch(START + HOUR * np.arange(4, dtype=np.int64), {"BTC-USD": np.array(closes)})
            outlook = Outlook.of(account, stretch)
            told.append(Hull.of(gate.graph, gate.watched.constraints[0].node).surely_passes(outlook))
        assert told == [True, False], limit


@how(max_examples=200)
@given(
    prices,
    st.sampled_from(LIMITS),
    st.sampled_from(["0%", "1%", "5%", "25%", "100%"]),
    st.decimals(-50, 50, places=3),
    st.data(),
)
def test_an_instant_is_calm_only_where_the_exact_evaluation_passes(
    closes: list[float], limit: str, bound: str, quantity: Decimal, data: st.DataObject
) -> None:
    built = compiled(RULES, limit.format(bound))
    gate = min(gates_of(built.plan).items())[1]
    account = Account("USD", D(10_000))
    account.begin_day(0, 10**15)
    for at in range(data.draw(st.integers(0, 4))):
        account.cash += data.draw(st.sampled_from([D(0), D(-300), D("17.35")]))
        account.observe(START + at * HOUR)
    first = 10
    if quantity:
        account.fill("rising", "BTC-USD", quantity, D(str(closes[0])), D(0))
    stretch = Stretch(
        START + HOUR * np.arange(first, first + len(closes), dtype=np.int64), {"BTC-USD": np.array(closes)} if quantity else {}
    )
    outlook = Outlook.of(account, stretch)
    foreseen = may_fail(gate.graph, gate.watched.constraints, outlook).tolist()
    surely = all(Hull.of(gate.graph, one.node).surely_passes(outlook) for one in gate.watched.constraints)
    session = _session(built, account)
    for at, close, may in zip(stretch.times.tolist(), closes, foreseen, strict=True):
        if quantity:
            account.mark("BTC-USD", D(repr(close)))
        account.observe(at)
        broken = gate.watch(session(at))
        assert may or not broken
        assert not (surely and broken)


def _session(built: Compiled, account: Account):  # type: ignore[no-untyped-def]
    from tb.gate.facts import Moment
    from tb.gate.proposal import Proposal

    nobody = Proposal("", "", 1, D(0), None, None, None, None, None, None, True)

    def moment(at: int) -> Moment:
        return Moment(at, nobody, account, {}, (), None, None, None, None, None, None, built.settings)

    return moment


@pytest.mark.parametrize("enters_again", [False, True])
def test_an_order_that_outlives_its_position_ends_at_the_next_open_that_is_known(enters_again: bool) -> None:
    """The stop closes in a bar whose open is not known, so that the order to leave has met no open yet."""
    quiet, enters, leaves = (100.0, 101.0, 99.0, 100.0), (100.0, 106.0, 99.0, 105.0), (100.0, 101.0, 94.0, 95.0)
    rows = [quiet, enters, quiet, leaves, (NAN, 101.0, 80.0, 100.0), *[quiet] * 20]
    rows[15] = enters if enters_again else quiet
    project = compiled(strategy("close > 1.04 * open", more=("exit when close < 0.96 * open",)))
    data = market(bars("BTC-USD", rows))
    kept = [[r for r in found.records if isinstance(r, TOLD)] for found in (run(project, data).records, stepped(project, data))]
    assert kept[0] == kept[1]
    assert [one.cause for one in kept[0] if isinstance(one, Cancel)] == ["position closed"]


@pytest.mark.parametrize("limit", ["poor equity >= 10_001 USD", "funds cash of book >= 7_000 USD"])
@pytest.mark.parametrize("otherwise", ["pause for 3h", "halt until tomorrow", "halt"])
def test_a_watched_limit_that_is_broken_before_anything_happened_counts_from_the_first_bar(limit: str, otherwise: str) -> None:
    policy = f"limit {limit} otherwise {otherwise}\nbook calm 60% of capital strategies s\n"
    data = market(bars("BTC-USD", [(100, 101, 99, 100, float(hour == 30)) for hour in range(60)]))
    found = same(compiled(strategy(), policy), data)
    assert [record.at for record in found if isinstance(record, Latch)][:1] == [START + HOUR]


LEGS = """universe both
  tier core BTC-USD, ETH-USD

strategy pair on both every 2h
  enter when close of BTC-USD crosses above mean(close of BTC-USD, 8)
    leg buy  BTC-USD 10% of equity
    leg sell ETH-USD same money
  exit when close of BTC-USD < lowest(close of BTC-USD, 6)[1]
  hold at most 60h

strategy rising on both every 1h
  enter long when close crosses above mean(close, 20)
    size 20% of equity
    stop 3% below entry
    target 5% above entry

strategy moving on both every 1h
  enter long when close crosses above mean(close, 30)
    size 5% of equity
    stop 3% below entry
    stop trailing 2%
"""


def test_what_moves_at_every_bar_is_looked_at_beside_what_does_not() -> None:
    """Legs, and stops that move, held in the same instruments as positions of which all is known ahead."""
    found = same(compiled(LEGS), walk(2, 300, unknown=0.01))
    assert {record.strategy for record in found if isinstance(record, Trade)} == {"pair", "rising", "moving"}


@pytest.mark.parametrize("when", ["equity < 9_980 USD", "gross > 3_010 USD"])
def test_a_fact_that_is_not_set_is_foreseen(when: str) -> None:
    """Whether something is set is known where the thing itself is not."""
    project = compiled(RULES, f"pause untried for 3h when since_last_loss is not set and {when}\n")
    data = walk(4, 120)
    latches = [
        [repr(record) for record in records if isinstance(record, Latch)]
        for records in (run(project, data).records.records, stepped(project, data, interpreted=False).records)
    ]
    assert latches[1]
    assert latches[0] == latches[1]
