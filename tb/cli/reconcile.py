"""`tb reconcile`: what the venue has beside what was sent and filled from here."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tb.cli.opening import compiled_project
from tb.cli.operating import me, now, posts, said
from tb.cli.options import command, json_option, project_option
from tb.cli.output import put, put_json, say
from tb.core.diagnostics import Refused, error
from tb.core.span import whole_file

if TYPE_CHECKING:
    from tb.runtime.policy import Compiled
    from tb.runtime.ports.exchange import Exchange, OrderState, Rules

UNANSWERED = "TB865"
ZERO = Decimal(0)


@command("reconcile", "tb reconcile", 'tb reconcile --adopt --by ana --reason "sold some by hand"')
@click.option("--adopt", is_flag=True, help="Say that the venue is right: a session that runs takes its numbers.")
@click.option("--by", metavar="NAME", default=me, show_default="who is logged in", callback=said, help="Who says so.")
@click.option("--reason", metavar="TEXT", default="", help="With --adopt: why, in a few words.")
@project_option
@json_option
def tb_reconcile(adopt: bool, by: str, reason: str, project: Path, as_json: bool) -> None:
    """Compare balances and working orders at the venue with what was sent from here.

    Nothing is changed. Exit code 1 where they differ. `--adopt` orders the session that runs, or the next one, to take the
    venue's word for it: what it has besides counts as not from here, and is not managed.
    """
    from tb.cli.connecting import venue_of

    if adopt and not reason.strip():
        raise click.UsageError("--adopt needs a --reason")
    compiled = compiled_project(project)
    exchange = venue_of(compiled.settings)
    try:
        found = compared(compiled, exchange)
    finally:
        exchange.close()
    put_json(found) if as_json else _tell(found)
    if adopt:
        _, inbox = posts(project)
        inbox.put("reconcile", at=now(), by=by, reason=reason)
        say("ordered: a session that runs takes the venue's numbers at once, else the next one does")
    elif not found["agrees"]:
        raise click.exceptions.Exit(1)


def compared(compiled: Compiled, exchange: Exchange) -> dict[str, Any]:
    """Each asset here and there, and orders that only the venue knows. Raises Refused TB865 where it does not answer."""
    from tb.runtime.gateway.looking import known_assets, sent_orders
    from tb.runtime.ports.exchange import NoAnswer

    live = compiled.settings.live
    rules, balances, working = exchange.rules(compiled.plan.instruments()), exchange.balances(), exchange.open_orders()
    if isinstance(rules, NoAnswer) or isinstance(balances, NoAnswer) or isinstance(working, NoAnswer):
        none = next(one for one in (rules, balances, working) if isinstance(one, NoAnswer))
        hint = "check network and key, then try again"
        raise Refused([error(UNANSWERED, f"the venue does not answer: {none.why}", whole_file("tb.yaml"), hint)])
    orders, outside = sent_orders(compiled.project.root / live.state)
    here = known_assets(orders, outside, rules)
    there = {one.asset: one.available + one.held for one in balances}
    assets = [_asset(name, here, there, live.tolerance, _lots(rules)) for name in sorted(here)]
    strangers = [_order(one) for one in working if one.client_id not in orders.all]
    agrees = all(one["agrees"] for one in assets) and not strangers
    return {"agrees": agrees, "looked_at": bool(here), "assets": assets, "unknown_orders": strangers}


def _lots(rules: Mapping[str, Rules]) -> dict[str, Decimal]:
    return {one.asset: one.lot for one in rules.values()}


def _asset(
    name: str, here: Mapping[str, Decimal], there: Mapping[str, Decimal], tolerance: Decimal, lots: Mapping[str, Decimal]
) -> dict[str, Any]:
    known, has = here[name], there.get(name, ZERO)
    most = max(tolerance * abs(known), lots.get(name, Decimal("0.01")))
    return {"asset": name, "here": known, "venue": has, "difference": has - known, "agrees": abs(has - known) <= most}


def _order(state: OrderState) -> dict[str, Any]:
    return {"venue_id": state.venue_id, "instrument": state.instrument, "side": state.side, "quantity": state.quantity}


def _tell(found: dict[str, Any]) -> None:
    from tb.core.encode import plain

    if not found["looked_at"]:
        put("no session has traded here yet: what the account has is not from here")
    for one in found["assets"]:
        mark = "ok  " if one["agrees"] else "DIFF"
        put(f"{mark}  {one['asset']:<6}  {plain(one['here'])} known, {plain(one['venue'])} at the venue")
    for one in found["unknown_orders"]:
        put(f"DIFF  order {one['venue_id']}: {one['side']} {plain(one['quantity'])} {one['instrument']} was not sent from here")
