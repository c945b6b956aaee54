"""`tb trades`: the trades of a run as a table, or as a JSON array."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tb.cli.opening import reading, run_of
from tb.cli.options import command, json_option, ledger_option, project_option, run_argument
from tb.cli.output import coloured, iso, put, put_json_array, say, shown_price, width

if TYPE_CHECKING:
    from tb.core.records import Trade
    from tb.ledger import Place


@command("trades", "tb trades", "tb trades r2 --instrument BTC-USD", "tb trades --json | jq '.[].profit'")
@run_argument
@click.option("--instrument", metavar="SYMBOL", help="Only trades in this instrument.")
@click.option("--strategy", metavar="NAME", help="Only trades of this strategy.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most so many, the first ones.")
@ledger_option
@project_option
@json_option
def tb_trades(
    run: str | None,
    instrument: str | None,
    strategy: str | None,
    limit: int | None,
    ledger: Place | None,
    project: Path,
    as_json: bool,
) -> None:
    """List the trades of a run.

    RUN defaults to the latest one.
    """
    with reading(project, ledger) as opened:
        name = run_of(opened, run).run.id
        trades = list(itertools.islice(opened.trades(name, instrument=instrument, strategy=strategy), limit))
    if as_json:
        put_json_array(map(as_object, trades))
    elif trades:
        _show(trades)
        say(f"`tb explain {name}.t{trades[0].seq}` says why the first of them was made")
    else:
        say(_none(name, instrument, strategy))


def _none(run: str, instrument: str | None, strategy: str | None) -> str:
    """No trades of what was asked for, and where its decisions are: not all are refused: approved ones may not have filled."""
    of = f" of `{strategy}`" if strategy is not None else ""
    about = f" in {instrument}" if instrument is not None else ""
    narrowed = (
        f"{'' if instrument is None else f' --instrument {instrument}'}{'' if strategy is None else f' --strategy {strategy}'}"
    )
    where = f"{about} in run {run}" if about else f" in {run}"
    return f"no trades{of}{where}; `tb decisions {run}{narrowed}` shows what was proposed"


def as_object(trade: Trade) -> dict[str, Any]:
    """A trade for programs; the keys are stable."""
    return {
        "id": f"t{trade.seq}",
        "strategy": trade.strategy,
        "instrument": trade.instrument,
        "side": trade.side,
        "decision": f"d{trade.decision}",
        "quantity": trade.quantity,
        "entry_at": iso(trade.entry_at),
        "entry_price": trade.entry_price,
        "entry_row": trade.entry_row,
        "stop": trade.stop,
        "target": trade.target,
        "exit_at": iso(trade.exit_at),
        "exit_price": trade.exit_price,
        "exit_row": trade.exit_row,
        "cause": trade.cause,
        "fees": trade.fees,
        "profit": trade.profit,
        "r": trade.r,
        "best": trade.best,
        "worst": trade.worst,
        "funding": trade.funding,
        "unfunded": trade.unfunded,
        "together": None if trade.together is None else f"d{trade.together}",
        "exits": [
            {
                "at": iso(part.at),
                "price": part.price,
                "quantity": part.quantity,
                "fee": part.fee,
                "cause": part.cause,
                "row": part.row,
            }
            for part in trade.exits
        ],
        "last_stop": trade.last_stop,
        "moved_by": trade.moved_by or None,
    }


def _show(trades: list[Trade]) -> None:
    import sys

    from tb.cli.table import Column, table

    columns = (
        Column("id"),
        Column("opened"),
        Column("held", right=True, drop=2),
        Column("instrument"),
        Column("strategy"),
        Column("side", drop=5),
        Column("quantity", right=True, drop=6),
        Column("entry", right=True, drop=3),
        Column("exit", right=True, drop=4),
        Column("cause"),
        Column("R", right=True, drop=1),
        Column("profit", right=True),
    )
    paint = _painted if coloured(sys.stdout) else None
    for line in table(columns, map(_cells, trades), width(), paint, say):
        put(line)
    for line in _combined(trades):
        put(line)


def _combined(trades: list[Trade]) -> list[str]:
    """What legs that entered together earned together, a line for each group that has left."""
    groups: dict[int, list[Trade]] = {}
    for trade in trades:
        if trade.together is not None:
            groups.setdefault(trade.together, []).append(trade)
    lines = []
    for legs in groups.values():
        profits = [leg.profit for leg in legs if leg.profit is not None]
        if len(profits) == len(legs):
            named = " + ".join(f"t{leg.seq}" for leg in legs)
            lines.append(f"{named}  {legs[0].strategy}, together {sum(profits):+z,.2f}")
    return lines


def _cells(trade: Trade) -> list[str]:
    from tb.core.encode import plain
    from tb.core.time import show_instant

    return [
        f"t{trade.seq}",
        show_instant(trade.entry_at),
        "" if trade.exit_at is None else held(trade.exit_at - trade.entry_at),
        trade.instrument,
        trade.strategy,
        trade.side,
        plain(trade.quantity),
        shown_price(trade.entry_price),
        "" if trade.exit_price is None else shown_price(trade.exit_price),
        cause_of(trade),
        "" if trade.r is None else f"{trade.r:+z.2f}",
        "" if trade.profit is None else f"{trade.profit:+z,.2f}",
    ]


def cause_of(trade: Trade) -> str:
    """What ended it, and how many parts left before: `target, 2 taken`."""
    parts = sum(part.cause == "take" for part in trade.exits[: -1 if trade.cause else None])
    return f"{trade.cause or 'open'}{f', {parts} taken' if parts else ''}"


def held(length: int) -> str:
    """`3d 4h`, `5h 30m`, `12m`: the two largest units."""
    minutes = length // 60_000
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days}d {hours}h" if hours else f"{days}d"
    if hours:
        return f"{hours}h {rest}m" if rest else f"{hours}h"
    return f"{rest}m"


def _painted(head: str, cell: str) -> str:
    value = cell.strip()
    if head in {"profit", "R"} and value[:1] in {"+", "-"}:
        return click.style(cell, fg="green" if value[0] == "+" else "red")
    return cell
