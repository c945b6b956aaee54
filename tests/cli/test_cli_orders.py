"""What the commands say of orders that rested and of positions that were managed."""

from __future__ import annotations

from pathlib import Path

from cli_commands import Run

LADDER = """use momentum

strategy ladder on majors every 1h
  enter long when rsi(close, 14) < 30
    size   3% of equity
    order  limit at low - 0.2 * atr(14), valid 4h
    stop   2 * atr(14) below entry
    stop   to entry after 1R
    stop   trailing 3 * atr(14) after 1R
    take   50% at 1R
    target 3R
"""


def test_a_managed_trade_and_a_cancelled_order_are_told(run: Run, project: Path, tmp_path: Path) -> None:
    (project / "rules" / "ladder.tb").write_text(LADDER, encoding="utf-8")
    assert run("replay", "--project", project, "--data", project / "data").code == 0
    trades = run("trades", "--project", project, "--json").json
    managed = next(trade for trade in trades if len(trade["exits"]) > 1 and trade["moved_by"])
    told = run("explain", managed["id"], "--project", project)
    assert told.code == 0
    for part in managed["exits"]:
        assert f"{part['at']} {part['quantity']} left at {part['price']} by {part['cause']}" in told.out
    assert f"the stop moved to {managed['last_stop']}, at last by {managed['moved_by']}" in told.out
    assert "order      limit at " in told.out
    assert "managed    stop trails the close by 3 * atr(14) after 1R" in told.out
    assert f"{managed['cause']}, 1 taken" in run("trades", "--project", project).out

    of_trades = {trade["decision"] for trade in trades}
    decisions = run("decisions", "--project", project, "--json").json
    lost = next(
        d
        for d in decisions
        if d["strategy"] == "ladder" and d["kind"] == "enter" and d["verdict"] == "approve" and d["id"] not in of_trades
    )
    assert ": expired" in run("explain", lost["id"], "--project", project).out
    page = tmp_path / "page.html"
    assert run("explain", managed["id"], "--project", project, "--format", "html", "-o", page).code == 0
    assert "take 50% at " in page.read_text(encoding="utf-8")


UNIVERSE = """universe majors on coinbase
  tier core  BTC-USD, ETH-USD  weight 2%..10%

"""
SHORT_LIVED = LADDER.replace("strategy ladder", "strategy mine").replace("valid 4h", "valid 30m")


def test_entries_that_expired_are_the_reason_for_no_trades(run: Run, project: Path) -> None:
    (project / "rules" / "momentum.tb").unlink()
    (project / "rules" / "mine.tb").write_text(SHORT_LIVED.replace("use momentum\n\n", UNIVERSE), encoding="utf-8")
    replay = ("replay", "--project", project, "--data", project / "data")
    said, told = run(*replay, "--json").json, run(*replay).out
    sent = said["approved"] + said["shrunk"]
    assert sent > 0
    assert (said["trades"], said["not_filled"]) == (0, {"expired": sent})
    assert said["no_trade_reason"].startswith(f"{sent} entries were approved and none of them filled: expired {sent}")
    assert f"  not filled    {sent}: expired {sent}\n" in told
    assert "  tb decisions r2\n" in told


def test_no_trades_of_what_was_asked_for(run: Run, project: Path) -> None:
    (project / "rules" / "mine.tb").write_text(SHORT_LIVED, encoding="utf-8")
    assert run("replay", "--project", project, "--data", project / "data").code == 0
    for asked, said in (
        (("--strategy", "mine"), "no trades of `mine` in r1; `tb decisions r1 --strategy mine` shows"),
        (("--instrument", "XRP-USD"), "no trades in XRP-USD in run r1; `tb decisions r1 --instrument XRP-USD` shows"),
    ):
        answer = run("trades", "--project", project, *asked)
        assert answer.code == 0
        assert said in answer.out + answer.err


LOSER = """use momentum

strategy loser on majors every 1h
  enter long when close > open
    size   3% of equity
    stop   0.2% below entry
    target 20% above entry
  hold at most 2h
"""


def test_a_strategy_that_its_trades_shut_out_is_told(run: Run, project: Path) -> None:
    (project / "rules" / "loser.tb").write_text(LOSER, encoding="utf-8")
    with (project / "policy" / "limits.tb").open("a", encoding="utf-8") as file:
        file.write("\nallocate kelly fraction 0.5 over 5 trades, at most 25% each\n")
    answer = run("replay", "--project", project, "--data", project / "data", "--json")
    out = answer.json["shut_out"]["loser"]
    decisions = run("decisions", "--project", project, "--strategy", "loser", "--json").json
    later = [d for d in decisions if d["kind"] == "enter" and d["at"] >= out["since"]]
    assert {d["approved"] for d in later} == {"0"}
    assert sum("allocate" in d["deciding"] for d in later) == out["entries"] > 10
    assert out["trades"] == 5
    told = run("replay", "--project", project, "--data", project / "data", "--no-ledger").out
    assert (
        f"  shut out      loser since {out['since']}, {out['entries']:,} entries: its last 5 trades leave it no share" in told
    )
