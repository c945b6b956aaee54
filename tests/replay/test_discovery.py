"""Universes by discovery: who belongs to which tier at a bar, what follows from it, and that the record gives it again."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from small_projects import NAN, START, Replayed, bars, between, compiled, cut, flat, market, run
from stepping import stepped

from tb.core.records import Decision
from tb.core.time import DAY, HOUR
from tb.engine.plan import bound
from tb.replay.data import Market, load_market
from tb.replay.run import markets_of
from tb.replay.why_not import text, why_not
from tb.runtime.policy import Compiled

REAL = Path(__file__).parents[3] / "shared" / "data"
NEEDS_DATA = pytest.mark.skipif(not REAL.is_dir(), reason="recorded markets are not here (../shared/data)")
RULES = """
universe u on venue
  tier large  where volume_usd(1) >= 10k USD  weight 0%..20%
  tier named  SOL-USD, ETH-USD
  tier small  where volume_usd(1) >= 1k USD  weight 0%..5%, hold at most 2h

strategy s on u every 1h
  enter long when close > close[1]
    size 10% of equity if tier is large
         4% of equity otherwise
    stop 50% below entry
"""


def series(symbol: str, volumes: list[float]) -> object:
    return bars(symbol, [flat(100 + at, volume) for at, volume in enumerate(volumes)])


def entered(done: Replayed) -> dict[str, tuple[int, str | None]]:
    """For each instrument the hour of its first decision to enter, and the tier of its order."""
    found: dict[str, tuple[int, str | None]] = {}
    for decision in done.decisions:
        if decision.kind == "enter" and decision.instrument not in found:
            found[decision.instrument] = ((decision.at - START) // HOUR, tier(done, decision))
    return found


def tier(done: Replayed, decision: Decision) -> str | None:
    policy = done.compiled.plan.policies[HOUR]
    names = [str(done.compiled.plan.graph[leaf].consts[0]) for leaf in policy.leaves]
    return decision.facts[names.index("order.tier")]


def test_an_instrument_belongs_to_the_first_tier_that_takes_it() -> None:
    volumes = {"AAA-USD": 200.0, "BBB-USD": 50.0, "CCC-USD": 5.0, "ETH-USD": 5.0, "SOL-USD": 500.0}
    here = compiled(RULES)
    done = run(here, market(*(series(symbol, [volume] * 4) for symbol, volume in volumes.items())))  # type: ignore[arg-type]
    assert entered(done) == {
        "AAA-USD": (2, "u.large"),
        "BBB-USD": (2, "u.small"),
        "ETH-USD": (2, "u.named"),
        "SOL-USD": (2, "u.large"),  # its volume comes before its name
    }
    assert all(done.explained(decision).reproduced for decision in done.decisions)


def test_an_unknown_condition_of_an_earlier_tier_keeps_out_also_who_is_listed_later() -> None:
    here = compiled(RULES)
    data = market(series("SOL-USD", [NAN, NAN, NAN, 1]), series("AAA-USD", [NAN, NAN, 200, 200]))  # type: ignore[arg-type]
    done = run(here, data)
    assert entered(done) == {"AAA-USD": (3, "u.large"), "SOL-USD": (4, "u.named")}
    found = why_not(here.plan, markets_of(here.plan, data, here.settings), "SOL-USD", START + 2 * HOUR, quiet=done.quiet)
    assert "`volume` is missing in row 2 of SOL-USD.csv" in text(found)
    assert all(answer.agrees for answer in found.answers)


def test_why_not_names_the_tiers_and_how_far_each_is() -> None:
    here = compiled(RULES)
    data = market(series("AAA-USD", [4, 4, 4]))  # type: ignore[arg-type]
    done = run(here, data)
    assert done.decisions == []
    told = text(why_not(here.plan, markets_of(here.plan, data, here.settings), "AAA-USD", START + 2 * HOUR, quiet=done.quiet))
    assert "the instrument is not in the universe" in told
    assert "- large where volume_usd(1) >= 10k USD" in told
    assert "volume_usd(1) is 404.00 USD, against 1k USD at 1,000.00 USD: 596.00 USD away" in told


def test_a_position_stays_in_the_tier_it_was_entered_in_and_there_is_no_new_entry_outside() -> None:
    here = compiled(RULES + "  exit when volume_usd(1) < 200 USD\n")
    # small at 2h, large from 3h on: still held two hours at most; then outside of the universe
    done = run(here, market(series("AAA-USD", [50, 50, 500, 500, 500, 5, 1, 1])))  # type: ignore[arg-type]
    kinds = [((d.at - START) // HOUR, d.kind, tier(done, d)) for d in done.decisions]
    assert kinds == [(2, "enter", "u.small"), (4, "exit", "u.small"), (5, "enter", "u.large"), (7, "exit", "u.large")]
    assert all(done.explained(decision).reproduced for decision in done.decisions)


@pytest.mark.parametrize("leaves", ["tier is small", "tier is not large", "hour > 2 and not tier is named"])
def test_an_exit_that_asks_for_the_tier_is_reproduced_from_its_record(leaves: str) -> None:
    volumes = [200.0, 200.0, 50.0, 5.0, 200.0, 50.0]
    data = market(*(series(symbol, volumes) for symbol in ("AAA-USD", "ETH-USD")))  # type: ignore[arg-type]
    done = run(compiled(RULES + f"  exit when {leaves}\n"), data)
    assert "exit" in {decision.kind for decision in done.decisions}
    assert [done.explained(decision).differences for decision in done.decisions] == [()] * len(done.decisions)


@pytest.mark.parametrize("value", [None, -1.0, 1.0, 2.0])
def test_a_record_with_another_tier_is_not_reproduced(value: float | None) -> None:
    here = compiled(RULES)
    done = run(here, market(series("AAA-USD", [200, 200, 200])))  # type: ignore[arg-type]
    [decision] = done.decisions
    leaves = here.plan.strategies[0].enters[0].leaves
    place = leaves.index(here.plan.strategies[0].tier or -1)
    changed = tuple(value if at == place else old for at, old in enumerate(decision.market))
    assert not done.explained(msgspec.structs.replace(decision, market=changed)).reproduced


def test_the_weight_of_a_tier_holds_for_orders_of_that_tier() -> None:
    here = compiled(RULES.replace("4% of equity", "30% of equity").replace("10% of equity", "30% of equity"))
    done = run(here, market(*(series(s, [v] * 3) for s, v in (("AAA-USD", 200.0), ("BBB-USD", 50.0), ("ETH-USD", 5.0)))))  # type: ignore[arg-type]
    assert {d.instrument: d.deciding for d in done.decisions} == {
        "AAA-USD": ("u.large weight",),
        "BBB-USD": ("u.small weight",),
        "ETH-USD": (),
    }


def test_a_plan_without_data_compiles_and_is_bound_to_the_instruments_of_some() -> None:
    plan = compiled(RULES).plan
    assert plan.instruments() == ("SOL-USD", "ETH-USD")
    assert bound(plan, ["AAA-USD", "ETH-USD"]).instruments() == ("SOL-USD", "ETH-USD", "AAA-USD")


def test_two_strategies_may_discover_the_same_instrument() -> None:
    second = RULES.split("strategy s", 1)[1]
    here = compiled(RULES + "\nstrategy t" + second.replace("close > close[1]", "close > 0 * close"))
    done = run(here, market(series("AAA-USD", [200, 200, 200])))  # type: ignore[arg-type]
    assert {(d.strategy, d.instrument) for d in done.decisions} == {("s", "AAA-USD"), ("t", "AAA-USD")}


# --- recorded markets ----------------------------------------------------------------------------------------------------

FOUND = """
universe liquid on venue
  tier core        BTC-USD                                weight 0%..40%
  tier rotational  where volume_usd(24h) >= {large} USD   weight 0%..20%
  tier event       where volume_usd(24h) >= {small} USD   weight 0%..10%, hold at most 72h
  only when close > sma(close, 50)

strategy momentum on liquid every 1h
  enter long when close > highest(close, 48)[1]
    size 5% of equity if tier is core
         3% of equity if tier is rotational
         1% of equity otherwise
    stop 8% below entry
    because "a two-day high"
  exit when close < lowest(close, 24)[1]
"""


@NEEDS_DATA
@pytest.mark.parametrize(
    ("folder", "large", "small", "first", "days"),
    [("crypto_1h", "2B", "500M", -800, 90), ("crypto_5m", "2B", "500M", 460, 12)],
)
def test_discovery_on_recorded_markets(folder: str, large: str, small: str, first: int, days: int) -> None:
    here = compiled(FOUND.format(large=large, small=small))
    data = between(load_market(REAL / folder), START + first * DAY, START + (first + days) * DAY)
    done = run(here, data)
    tiers = {tier(done, decision) for decision in done.decisions if decision.kind == "enter"}
    assert len(tiers) >= 2, tiers
    assert all(done.explained(decision, deep=False).reproduced for decision in done.decisions)
    for instant in (done.decisions[3].at, done.decisions[len(done.decisions) // 2].at):
        assert run(here, cut(data, instant)).decisions == [d for d in done.decisions if d.at <= instant]
    assert run(here, data, chunk=500).outcome.decision_log_hash == done.outcome.decision_log_hash


def test_skipping_gives_what_stepping_every_bar_gives() -> None:
    here: Compiled = compiled(RULES + "  exit when volume_usd(1) < 200 USD\n")
    volumes = {"AAA-USD": [50, 50, 500, 1, 5, 50, 200, 1], "BBB-USD": [200, 5, 50, 50, 1, NAN, 200, 200]}
    data: Market = market(*(series(symbol, found) for symbol, found in volumes.items()))  # type: ignore[arg-type]
    slow = [record for record in stepped(here, data).records if isinstance(record, Decision)]
    assert run(here, data).decisions == slow
    assert len(slow) >= 4
