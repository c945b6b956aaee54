"""heed: what the operator ordered becomes part of a session, once a cycle and before anything is decided.

1. Where the kill file stands, or an order says `halt`, the session halts: a latch that only `tb resume` lifts.
2. `resume` lifts every halt in force, each with a record of who did and why; the drawdown is measured anew from there.
3. Other orders are handed to whoever can carry them out.
4. An order is put aside only after what came of it has been recorded.

INVARIANT: where the orders cannot be read, the session halts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tb.core.diagnostics import Refused
from tb.core.records import Latch
from tb.runtime.operator import Inbox, KillFile, Kind, Word
from tb.runtime.session import Session

KILL_FILE = "kill file"  # who halts where it stands
OPERATOR = "operator"  # the rule that a halt of the operator is held under
Act = Callable[[Word, int], None]


@dataclass(slots=True)
class Operating:
    """The operator's side of one session. `acts` carry out kinds of orders besides the halts: on `resume`, after they were
    lifted. Each may raise: then the order waits for the next cycle."""

    session: Session
    inbox: Inbox
    kill: KillFile
    acts: Mapping[Kind, Act] = field(default_factory=dict)

    def heed(self, at: int) -> tuple[Word, ...]:
        """Takes what was ordered until now; returns the orders that were carried out."""
        if self.kill.stands():
            self._halt(at, self.kill.words())
        try:
            words = self.inbox.waiting()
        except Refused as refused:
            self._halt(at, refused.findings[0].message)
            return ()
        for word in words:
            self._carry_out(word, at)
            self.inbox.taken(word)
        return tuple(words)

    def _carry_out(self, word: Word, at: int) -> None:
        match word.kind:
            case "halt":
                self._halt(at, word.reason, word.by)
            case "resume" if not self.kill.stands():
                self._lift(word, at)
            case _:
                pass
        if word.kind in self.acts:
            self.acts[word.kind](word, at)

    def _halt(self, at: int, reason: str, by: str = KILL_FILE) -> None:
        halt(self.session, at, reason, by)

    def _lift(self, word: Word, at: int) -> None:
        lift_halts(self.session, at, word.by, word.reason)


def halt(session: Session, at: int, reason: str, by: str) -> None:
    """A person halts the session, or the file that stands for one; nothing changes where that was done already."""
    active = session.latches.active
    if OPERATOR in active:
        return
    latch = Latch(at=at, rule=OPERATOR, verdict="halt", until=None, lifted=False, by=by, reason=reason)
    session.recorder.record([latch])
    active[OPERATOR] = latch
    session.stop_entries(at)


def lift_halts(session: Session, at: int, by: str, reason: str) -> None:
    """A person lets the session go on: every halt ends, and the drawdown is measured anew."""
    account = session.account
    for held, latch in list(session.latches.active.items()):
        if latch.verdict == "halt":
            session.recorder.record([session.latches.lift(held, at, by, reason)])
            (account.books[latch.book].account if latch.book else account).rebase()
    if session.remember is not None:
        session.remember(at, "lifted")
