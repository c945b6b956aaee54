"""The loop: at each close it gathers what came, writes it down, and lets the session take its step.

1. It waits for the close, by a steady clock (`tb.runtime.running.timekeeping`), and heeds the operator meanwhile.
2. It asks for the bars of that close until all are there or their time is over; a bar that is not there is none.
3. It says why no new risk may be taken, where that is so: the time is in doubt, no bar came or too late, inputs or records
   cannot be kept.
4. The input is on the disk, then the session takes its step; entries that could not be recorded are taken back.
5. A cycle that was missed, because nobody was running or the machine was slow, is no cycle: its bars are history.

INVARIANT: nothing but the inputs that are written down comes to the session.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

import msgspec

from tb.core.diagnostics import Refused, error
from tb.core.records import Record
from tb.core.span import whole_file
from tb.core.time import show_duration, show_instant
from tb.engine.bars import bucket_start
from tb.runtime.noticing import Noticing
from tb.runtime.operating import KILL_FILE, OPERATOR
from tb.runtime.operator import SAFER, Inbox, KillFile, Word
from tb.runtime.ports.alerts import Alert, Alerts, Severity, Unheard, What
from tb.runtime.ports.exchange import NoAnswer
from tb.runtime.ports.feed import Bar, BarFeed, FeedRow
from tb.runtime.ports.measures import Measures, Uncounted
from tb.runtime.running.cycle import Cycle, cycle_of
from tb.runtime.running.inputs import Close, History, Input, Journal, Said, Stop
from tb.runtime.running.reading import Reading
from tb.runtime.running.sessions import BarFiles
from tb.runtime.running.stepper import Stepper
from tb.runtime.running.timekeeping import Timekeeping

NO_HISTORY = "TB867"
LONGEST_PAUSE = 30  # times as long as the first pause between two questions for history


class _Kept:
    """What is told of is kept already."""

    def record(self, records: Sequence[Record]) -> None: ...


@dataclass(frozen=True, slots=True)
class Waits:
    """How long, in ms: bars are waited for after their close (`grace`), between two questions for them (`poll`), between two
    looks at the operator while nothing is due (`look`); a step later than `late` after its close takes no new risk."""

    grace: int = 20_000
    poll: int = 1_000
    look: int = 200
    late: int = 60_000


class Loop:
    """One session that runs. `warm_up` is how much history it asks for, in ms; `ends` the last close, None: for ever."""

    def __init__(
        self,
        stepper: Stepper,
        feed: BarFeed,
        journal: Journal,
        time: Timekeeping,
        *,
        warm_up: int,
        ends: int | None = None,
        waits: Waits | None = None,
        inbox: Inbox | None = None,
        kill: KillFile | None = None,
        alerts: Alerts | None = None,
        measures: Measures | None = None,
        files: BarFiles | None = None,
        tell: Callable[[Cycle], None] = lambda _: None,
    ) -> None:
        self.stepper = stepper
        self.market = stepper.market
        self.feed = feed
        self.journal = journal
        self.time = time
        self.warm_up = warm_up
        self.ends = ends
        self.waits = waits or Waits()
        self.inbox = inbox
        self.kill = kill
        self.alerts = alerts or Unheard()
        self.measures = measures or Uncounted()
        self.tell = tell
        self._reading = Reading(stepper, self.measures)
        self.files = files
        self.stopping = ""  # why it is to stop
        self._troubles: dict[What, str] = {}
        self._rows_until = 0
        self._noticing = Noticing(_Kept(), self.alerts, self.measures)
        self._noticed = 0
        self._heeded = time.clock.steady()
        stepper.sending.stopped = self._stopped_meanwhile
        self._unseen = ""  # why the bars before the next close are not known
        self._carried_out: dict[int, Word] = {}  # orders of the operator that could not be put aside

    @property
    def period(self) -> int:
        return self.market.period

    @property
    def is_stopping(self) -> bool:
        return bool(self.stopping)

    def stop(self, cause: str) -> None:
        """Ends the loop before its next close."""
        self.stopping = cause

    # --- from close to close -----------------------------------------------------------------------------------------

    def run(self, *, once: bool = False) -> None:
        """Runs until it is stopped or its end; with `once`, decides on the newest close if nobody did."""
        newest = bucket_start(self.time.now(), self.period)
        due = newest if once else self._not_before(newest + self.period)
        self._catch_up(due, once=once)
        while not self.stopping and (self.ends is None or due <= self.ends):
            if once and self.stepper.last is not None and due <= self.stepper.last:
                break  # it was decided on
            self._await(due + self.feed.settles)
            while not self.stopping and (newest := bucket_start(self.time.now(), self.period)) > due:
                due = newest
                self._catch_up(due, once=once)
            if self.is_stopping:
                break
            self._cycle(due, once=once)
            if once:
                break
            due += self.period
        if not once:
            self._end(due - self.period)

    def _not_before(self, due: int) -> int:
        """The close, or the first after all that were seen: a clock that was put back while nobody ran decides none twice."""
        seen = max(self.stepper.last or 0, self.market.last or 0)
        if due <= seen:
            words = f"a close at {show_instant(seen)} was seen already, and the clock says {show_instant(self.time.now())}"
            self.alerts.send(Alert("clock", "critical", f"{words}: nothing is decided until after that", self.time.now()))
        return max(due, seen + self.period)

    def _await(self, until: int) -> None:
        while not self.stopping and (left := until - self.time.now()) > 0:
            self._heed()
            self.time.clock.wait(min(left, self.waits.look))
        self._heed()

    def _end(self, at: int) -> None:
        """In good order: entries are taken back, positions stay protected, all is recorded."""
        at = max(at, self.stepper.last or 0)
        self._enter(Stop(at=at, cause=self.stopping or "end of session"))
        venue, until = self.stepper.sending.venue, self.time.now() + self.waits.grace
        while (left := venue.unfinished()) and self.time.now() < until:
            self.time.clock.wait(self.waits.look)
            venue.attend()
        if left:
            self.alerts.send(Alert("session", "critical", f"the session ends, and {left}", self.time.now()))
        self._keep_records()

    # --- what comes --------------------------------------------------------------------------------------------------

    def _catch_up(self, due: int, *, once: bool) -> None:
        """The bars before the one that closes when it is due, as far as they are not there; nothing is decided on them."""
        last = self.market.last
        first = due - self.period - self.warm_up if last is None else last
        found = self._history(bucket_start(first, self.period), due - self.period, once=once)
        if found is None:
            return
        rows = self._rows(due - self.period)
        bars = self._sifted(found, due - self.period)
        if any(bars.values()) or rows:
            self._enter(History(bars=bars, rows=tuple(rows)))

    def _history(self, first: int, last: int, *, once: bool) -> Mapping[str, Sequence[Bar]] | None:
        """Asked for until it comes: a bar that is not there when a later one is decided on is a gap for good. A session that
        has bars waits for the close alone, since positions have to leave; one that decides once raises Refused TB867."""
        pause = self.waits.poll
        until = max(self.time.now(), last + self.period + self.feed.settles) + self.waits.grace
        while True:
            found = self.feed.history(list(self.market.series), self.period, first, last, self._meanwhile)
            if not isinstance(found, NoAnswer):
                self._unseen = ""
                return found
            if self.stopping:
                return None
            is_over = self.time.now() >= until
            self._trouble("data", f"no history: {found.why}" + ("" if is_over else ": nothing is decided until it is there"))
            if is_over and once:
                message, place = f"nothing was decided, since there is no history: {found.why}", whole_file(self.feed.name)
                raise Refused([error(NO_HISTORY, message, place, "try it again later")])
            if is_over and self.market.last is not None:
                self._unseen = f"no history: {found.why}"
                return {}
            self._await(self.time.now() + pause)
            if self.stopping or (self.ends is not None and self.time.now() > self.ends + self.waits.grace):
                return None
            pause = min(2 * pause, LONGEST_PAUSE * self.waits.poll)

    def _sifted(self, found: Mapping[str, Sequence[Bar]], before: int) -> dict[str, tuple[Bar, ...]]:
        kept = {}
        for symbol in self.market.series:
            taken, _ = self.market.sift(symbol, [bar for bar in found.get(symbol, ()) if bar.start < before])
            if taken:
                kept[symbol] = tuple(taken)
        return kept

    def _rows(self, until: int) -> Sequence[FeedRow]:
        found = self.feed.rows(self._rows_until, until)
        if isinstance(found, NoAnswer):
            self._trouble("session", f"feeds do not answer: {found.why}")
            return ()
        self._trouble("session", "")
        self._rows_until = until
        return found

    def _gather(self, due: int) -> tuple[dict[str, Bar], dict[str, str]]:
        """The bars of a close by instrument, and why it is not known whether others have one."""
        found, until = dict[str, Bar](), due + self.feed.settles + self.waits.grace
        while True:
            wanted = [symbol for symbol in self.market.series if symbol not in found]
            answer = self.feed.closed(wanted, self.period, due - self.period, self._meanwhile)
            unanswered: dict[str, str] = {}
            for symbol in wanted:
                told = answer if isinstance(answer, NoAnswer) else answer.get(symbol)
                if isinstance(told, NoAnswer):
                    unanswered[symbol] = told.why
                elif told is not None and told.start == due - self.period:
                    for bar in self.market.sift(symbol, [told])[0]:
                        found[symbol] = bar
            if len(found) == len(self.market.series) or self.time.now() >= until or self.stopping:
                return found, unanswered
            self._heed()
            self.time.clock.wait(min(self.waits.poll, max(until - self.time.now(), 1)))

    def _meanwhile(self) -> bool:
        """Between two questions to the feed: whoever is to be heard does not wait for all of them. Whether to go on asking."""
        if self.time.clock.steady() - self._heeded >= self.waits.look:
            self._heed()
        return not self.stopping

    # --- one cycle ---------------------------------------------------------------------------------------------------

    def _cycle(self, due: int, *, once: bool) -> None:
        begun = self.time.clock.steady()
        bars, unanswered = self._gather(due)
        if self.stopping and len(bars) < len(self.market.series):
            return  # what was not waited for is no gap: the next start asks for it
        self._heed()  # what was ordered meanwhile is older than what is decided now
        came = self.time.now()
        rows = self._rows(due)
        self._keep_records()
        close = Close(
            at=due,
            bars=bars,
            rows=tuple(rows),
            held=self._held(bars, unanswered, due, came, once=once),
            standing=self.stepper.sending.venue.said(list(self.market.series), due),
            came=came,
        )
        if not self.journal.write(close):
            close = msgspec.structs.replace(close, held=self._trouble("disk", self.journal.trouble))
            self.journal.replace_last(close)
        self._follow(close)
        withheld = self.stepper.withheld()
        if withheld is not None:
            self._enter(withheld)
        self._keep_records()
        trouble = self.stepper.recorder.trouble
        words = "" if withheld is None else f"{withheld.cause}: {trouble}" if trouble else withheld.cause
        self._notice()
        self._noticed = 0
        told = self.stepper.recorder.take_told()
        cycle = cycle_of(close, self.stepper, told, withheld=words)
        self._reading.closed(due, told)
        self._report(cycle, (self.time.clock.steady() - begun) / 1000)

    def _held(self, bars: Mapping[str, Bar], unanswered: Mapping[str, str], due: int, came: int, *, once: bool) -> str:
        """Why no new risk may be taken now, empty where it may. A bar that nobody told of is no word that nobody traded."""
        theirs = self.feed.time()
        clock = self._trouble("clock", self.time.trouble(theirs if isinstance(theirs, int) else None))
        disk = self._trouble("disk", self.journal.trouble or self.stepper.recorder.trouble)
        missing = [symbol for symbol in self.market.series if symbol not in bars]
        told = f" ({next(iter(unanswered.values()))})" if unanswered else ""
        lost = f"no bar of {', '.join(missing)} at {show_instant(due)}{told}" if missing else ""
        late = came - due > self.feed.settles + self.waits.late and not once
        behind = f"bars came {show_duration((came - due) // 1000 * 1000)} late" if late else ""
        is_blind = len(missing) == len(self.market.series)
        unseen, self._unseen = self._unseen, ""
        stops = unseen or (lost if is_blind or unanswered else behind)
        self._trouble("data", stops or lost or self._unquoted(bars), is_blind=bool(stops))
        venue = self._trouble("breaker", self.stepper.sending.venue.trouble())
        return clock or disk or venue or stops

    def _unquoted(self, bars: Mapping[str, Bar]) -> str:
        """Whose quote is missing or old: what reads the spread is unknown for them."""
        series = self.market.series
        names = [symbol for symbol, bar in bars.items() if series[symbol].has_quotes and (bar.bid is None or bar.ask is None)]
        return f"no fresh quote of {', '.join(sorted(names))}" if names else ""

    def _report(self, cycle: Cycle, seconds: float) -> None:
        if self.files is not None:
            self._trouble("session", self.files.write())
        self.measures.cycled(seconds)
        self.tell(cycle)

    def _notice(self) -> None:
        """Tells people, and those who count, what was recorded since."""
        told = self.stepper.recorder.told
        self._noticing.record(told[self._noticed :])
        self._noticed = len(told)

    # --- what people say ----------------------------------------------------------------------------------------------

    def _heed(self) -> None:
        """At once: halts, resumes, a clock that was turned. A resume is of what stood when it was ordered: the venue hears it
        before it is asked what it has to say, so that what it finds wrong now stays."""
        self._heeded = self.time.clock.steady()
        self._trouble("clock", self.time.trouble())
        words = self._ordered()
        early = self._resumed_early(words if isinstance(words, list) else [])
        self.stepper.sending.venue.attend()
        self._notice()
        self._reading.turned()
        self.measures.turned()
        now, halted = self.time.now(), OPERATOR in self.stepper.session.latches.active
        if self.kill is not None and self._kill_stands() and not halted:
            self._enter(Said(kind="halt", at=now, by=KILL_FILE, reason=self.kill.words()))
        if isinstance(words, Refused):
            if OPERATOR not in self.stepper.session.latches.active:
                self._enter(Said(kind="halt", at=now, by=OPERATOR, reason=words.findings[0].message))
            return
        news = next((one for one in words if one.kind == "flatten" and one.number not in self._carried_out), None)
        for word in words:
            if word.kind == "resume" and news is not None and word.number > news.number and self.stepper.is_flattening:
                self._too_early(word, news, now)
            elif word.number not in self._carried_out:
                self._carry_out(word, now, is_resumed=word.number in early)
                self._carried_out[word.number] = word
            self._put_aside(word)

    def _ordered(self) -> list[Word] | Refused:
        """What people ordered, or why that cannot be read."""
        try:
            return [] if self.inbox is None else self.inbox.waiting()
        except Refused as refused:
            return refused

    def _kill_stands(self) -> bool:
        return self.kill is not None and self.kill.stands()

    def _stopped_meanwhile(self) -> str:
        """What keeps entries of the step that is being sent from going out: a halt or a flatten that nobody has heard yet."""
        words = self._ordered()
        if self._kill_stands() or isinstance(words, Refused):
            return "halted"
        news = (one.kind for one in words if one.kind in SAFER and one.number not in self._carried_out)
        return next(news, "")

    def _resumed_early(self, words: Sequence[Word]) -> frozenset[int]:
        """The resumes that the venue has heard of: those before which nothing is to be closed first."""
        early = []
        for word in takewhile(lambda one: one.kind != "flatten", words):
            if word.kind == "resume" and word.number not in self._carried_out and not self._kill_stands():
                self.stepper.sending.venue.resumed(self.time.now(), word.by, word.reason)
                early.append(word.number)
        return frozenset(early)

    def _carry_out(self, word: Word, now: int, *, is_resumed: bool) -> None:
        if word.kind == "reconcile":
            outcome = self.stepper.sending.venue.reconcile(word.by)
            words = f"{word.by} says that the venue is right: {outcome}"
            self.alerts.send(Alert("position", "warning", words, now))
        if word.kind in ("halt", "flatten") or (word.kind == "resume" and (is_resumed or not self._kill_stands())):
            self._enter(Said(kind=word.kind, at=now, by=word.by, reason=word.reason))
            if word.kind == "resume" and not is_resumed:
                self.stepper.sending.venue.resumed(now, word.by, word.reason)

    def _too_early(self, word: Word, flatten: Word, now: int) -> None:
        """Who resumes beside a flatten that nobody had heard of may not know of it; kept, it would lift what comes until it is
        done."""
        words = f"{word.by} resumed before the flatten that {flatten.by} ordered was heard"
        words += ": everything is closed first, `tb resume` lifts the halt then"
        self.alerts.send(Alert("session", "critical", words, now))

    def _put_aside(self, word: Word) -> None:
        """Once what came of it is kept, tried again until then; a resume at once: heard again it would lift what came later."""
        assert self.inbox is not None
        if word.kind != "resume" and (self.journal.trouble or self.stepper.recorder.trouble):
            return
        try:
            self.inbox.taken(word)
        except Refused as refused:
            self._trouble("session", refused.findings[0].message)
        else:
            self._carried_out.pop(word.number, None)

    # --- what is kept ------------------------------------------------------------------------------------------------

    def _enter(self, given: Input) -> None:
        """Writes an input down, as far as the disk takes it, and lets it follow."""
        self.journal.write(given)
        self._follow(given)

    def _follow(self, given: Input) -> None:
        self.stepper.recorder.blocked = self.journal.trouble
        self.stepper.take(given)
        if self.files is not None:
            self.files.take(given)

    def _keep_records(self) -> None:
        """What could not be kept before is tried again."""
        self.journal.retry()
        self.stepper.recorder.blocked = self.journal.trouble
        self.stepper.recorder.flush()
        self._trouble("disk", self.journal.trouble or self.stepper.recorder.trouble)
        for word in list(self._carried_out.values()):
            self._put_aside(word)

    def _trouble(self, what: What, words: str, *, is_blind: bool = True) -> str:
        """Tells once that something is wrong, and once that it is over; where only some data is missing, less loudly."""
        before = self._troubles.get(what, "")
        if words != before:
            self._troubles[what] = words
            if words:
                severity: Severity = "critical" if is_blind else "warning"
                self.alerts.send(Alert(what, severity, f"{words}: no new risk" if what != "data" else words, self.time.now()))
            else:
                self.alerts.send(Alert(what, "info", f"over: {before}", self.time.now()))
        return words
