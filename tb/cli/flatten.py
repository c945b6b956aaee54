"""`tb flatten`: closes everything that is held."""

from __future__ import annotations

from pathlib import Path

import click

from tb.cli.operating import me, now, posts, reason_option, said
from tb.cli.options import command, json_option, project_option
from tb.cli.output import put, put_json, say


@command("flatten", 'tb flatten --reason "leaving for the weekend"')
@reason_option
@click.option("--by", metavar="NAME", default=me, show_default="who is logged in", callback=said, help="Who says so.")
@project_option
@json_option
def tb_flatten(reason: str, by: str, project: Path, as_json: bool) -> None:
    """Close everything that is held, and enter nothing until `tb resume`.

    A live session that runs takes entries back and sells at market at once, reducing only; on paper it is done at the next
    close. Where none runs, the next one does it first.
    """
    _, inbox = posts(project)
    word = inbox.put("flatten", at=now(), by=by, reason=reason)
    if as_json:
        put_json({"flatten": True, "by": by, "reason": reason, "order": word.number})
        return
    put(f"everything is to be closed, by {by}: {reason}")
    say("a session that runs hears it at once, else the next one does; `tb status --watch` shows what is left")
