"""`tb halt`: nothing new from this moment on."""

from __future__ import annotations

from pathlib import Path

import click

from tb.cli.operating import me, now, posts, reason_option, said
from tb.cli.options import command, json_option, project_option
from tb.cli.output import put, put_json, say


@command("halt", 'tb halt --reason "prices look wrong"')
@reason_option
@click.option("--by", metavar="NAME", default=me, show_default="who is logged in", callback=said, help="Who says so.")
@project_option
@json_option
def tb_halt(reason: str, by: str, project: Path, as_json: bool) -> None:
    """Enter nothing new, at once and until `tb resume`.

    Entries on their way are cancelled. Positions keep their stops and targets; `tb flatten` closes them. It takes effect
    through a file, so it works whether or not a session runs; the next one begins halted. Deleting the file does not end it.
    """
    kill, inbox = posts(project)
    has_words = kill.put(now(), by, reason)
    if not has_words:
        say("the disk takes no words: the file that stops stands, without the reason in it")
    else:
        inbox.put("halt", at=now(), by=by, reason=reason)
    if as_json:
        put_json({"halted": True, "by": by, "reason": reason, "file": str(kill.path)})
        return
    put(f"halted by {by}: {reason}")
    say('`tb resume --by NAME --reason "..."` lifts it, `tb flatten` closes what is held')
