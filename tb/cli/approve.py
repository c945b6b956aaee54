"""`tb approve`: a named person approves the policy as it stands for live trading."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tb.cli.opening import compiled_project
from tb.cli.operating import now
from tb.cli.options import command, json_option, project_option
from tb.cli.output import iso, put, put_json, say
from tb.cli.pin import ask_pin

if TYPE_CHECKING:
    from tb.runtime.approval import Approval


@command("approve", 'tb approve --by "Ann Lee" --reason "reviewed in pull request 12"', "tb approve --show")
@click.option("--show", is_flag=True, help="Only show the approval in force.")
@click.option("--by", metavar="NAME", default="", help="Who approves.")
@click.option("--reason", metavar="TEXT", default="", help="Why, in a few words.")
@project_option
@json_option
def tb_approve(show: bool, by: str, reason: str, project: Path, as_json: bool) -> None:
    """Approve the policy as it stands: settings, rules, limits, each by its exact text.

    Live trading starts with the approved policy alone; after any edit it has to be approved again. Where `live.pin` of tb.yaml
    names the hash of a PIN, the PIN is asked for.
    """
    from tb.ledger import policy_hash
    from tb.runtime.approval import Approval, approve, approved

    compiled = compiled_project(project)
    name, folder = policy_hash(compiled.project.texts), project / compiled.settings.live.state
    before = approved(folder)
    if show:
        _show(before, name, as_json)
        return
    by, reason = " ".join(by.split()), " ".join(reason.split())
    if not by or not reason:
        raise click.UsageError('say who approves, and why: --by NAME --reason "..."')
    if compiled.settings.live.pin is not None:
        ask_pin(compiled.settings.live.pin)
    approve(folder, Approval(policy=name, at=now(), by=by, reason=reason))
    if as_json:
        put_json({"policy": name, "by": by, "reason": reason, "before": None if before is None else before.policy})
        return
    put(f"{name[:12]} approved by {by}: {reason}")
    say(f"before it: {before.policy[:12]} by {before.by}" if before is not None else "it is the first that was approved")


def _show(found: Approval | None, name: str, as_json: bool) -> None:
    """The approval in force; ends the command with 1 where it is not of the policy as it stands."""
    holds = found is not None and found.policy == name
    if as_json:
        told = None if found is None else {"policy": found.policy, "at": iso(found.at), "by": found.by, "reason": found.reason}
        put_json({"policy": name, "approved": holds, "approval": told})
    elif found is None:
        put(f"nobody has approved a policy; this one is {name[:12]}")
    else:
        put(f"{found.policy[:12]} approved by {found.by} at {iso(found.at)}: {found.reason}")
        if not holds:
            put(f"the policy as it stands is another: {name[:12]}")
    if not holds:
        raise click.exceptions.Exit(1)
