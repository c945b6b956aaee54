"""`tb alerts test`: sends one alert to every address, and says which took it."""

from __future__ import annotations

import time
from pathlib import Path

import click

from tb.cli.opening import settings_of
from tb.cli.options import Command, debug_option, json_option, project_option
from tb.cli.output import put, put_json, say

_EXAMPLE = "`live: {alerts: 'env:TB_ALERTS'}` or `live: {alerts: 'keyring:tb/alerts'}`"


@click.group("alerts")
def tb_alerts() -> None:
    """Who is told of orders, fills, stops, halts and whatever goes wrong."""


@tb_alerts.command("test", cls=Command, examples=("TB_ALERTS='mailto://user:password@example.org' tb alerts test",))
@project_option
@json_option
@debug_option
def tb_alerts_test(project: Path, as_json: bool) -> None:
    """Send one alert to each address now. Exit code 1 where one does not take it.

    The addresses, as apprise writes them and one a line, are kept where `live.alerts` of tb.yaml says. They hold tokens, so
    they are never shown: each is told by its number and the kind of its service.
    """
    from tb.cli.connecting import alert_addresses
    from tb.connectors.alerts import try_addresses
    from tb.runtime.ports.alerts import Alert

    settings = settings_of(project)
    name = settings.live.alerts
    if name is None:
        raise click.UsageError(f"`tb.yaml` does not say where the addresses for alerts are kept; write {_EXAMPLE}")
    text = alert_addresses(name)
    alert = Alert("test", "info", f"a test of the alerts of {settings.name}: nothing happened", int(time.time() * 1000))
    tried = []
    for one in try_addresses(text, str(name), settings.name, alert):
        tried.append(one)
        if not as_json:
            put(f"address {one.name}: {'took it' if one.delivered else 'did not take it'} ({one.seconds:.2f} s)")
    if as_json:
        put_json({"addresses": [{"name": o.name, "delivered": o.delivered, "seconds": round(o.seconds, 3)} for o in tried]})
    if not all(one.delivered for one in tried):
        say("check the address, and that this machine reaches the service: an alert that is not taken is heard by nobody")
        raise click.exceptions.Exit(1)
