"""`tb resume`: a named person lifts the halts, and says why."""

from __future__ import annotations

from pathlib import Path

from tb.cli.opening import settings_of
from tb.cli.operating import by_option, now, posts, reason_option, waiting_flatten
from tb.cli.options import command, json_option, project_option
from tb.cli.output import put, put_json, say
from tb.cli.pin import ask_pin


@command("resume", 'tb resume --by "Ann Lee" --reason "feed repaired, positions checked"')
@by_option
@reason_option
@project_option
@json_option
def tb_resume(by: str, reason: str, project: Path, as_json: bool) -> None:
    """Lift every halt: the kill file, the halts of limits, and an open breaker.

    Where `live.pin` of tb.yaml names the hash of a PIN, the PIN is asked for. Who lifted what, and why, is recorded. A session
    that runs takes it up at its next cycle, else the next one does when it begins; its preflight still has to pass. A flatten
    that no session has heard of yet is not ended by it.
    """
    live = settings_of(project).live
    if live.pin is not None:
        ask_pin(live.pin)
    kill, inbox = posts(project)
    flatten = waiting_flatten(inbox)
    was_there = kill.remove()  # first: a session that hears the order while the file stands stays halted
    inbox.put("resume", at=now(), by=by, reason=reason)
    if as_json:
        told = {"resumed": True, "by": by, "reason": reason, "kill_file_removed": was_there, "flatten_ordered": flatten}
        put_json(told)
        return
    put(f"resumed by {by}: {reason}")
    if flatten is not None:
        say(f"{flatten}; what is held is closed all the same, and halts stay until you resume after that")
    say("the session takes it up at its next cycle, or when it begins; `tb status` shows the halts in force")
