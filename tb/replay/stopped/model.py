"""What kept strategies from trading over a span, as records: the text, JSON and HTML forms show these and nothing else.

A clause is counted at a bar where it is not as it would have to be for the entry to hold. It stopped the entry *alone* where
the entry would have held with this clause, and nothing else, as wanted.
"""

from __future__ import annotations

import msgspec

CELLS = 240  # stretches of a timeline, at most


class Closest(msgspec.Struct, frozen=True, kw_only=True):
    """The bar, or the decision, at which a clause came nearest to what it should have been while it was not."""

    instrument: str
    at: str
    value: str
    threshold: str
    distance: str


class Streak(msgspec.Struct, frozen=True, kw_only=True):
    """The longest run of bars one after the other at which a clause was not as wanted; of a constraint, of proposals."""

    instrument: str
    length: int
    first: str
    last: str


class Stopper(msgspec.Struct, frozen=True, kw_only=True):
    """One clause of an entry, or one constraint.

    `times` counts where it was not as wanted, `unknown` those among them at which it could not be known. `timeline`
    cuts the span into equal stretches: the share of the bars of each at which it was not as wanted, in percent, rounded up;
    None for a stretch without bars. `closest` is None of what has no distance.
    """

    clause: str
    name: str
    place: str
    wanted: str
    times: int
    alone: int
    unknown: int
    streak: Streak | None
    closest: Closest | None
    timeline: tuple[int | None, ...]


class States(msgspec.Struct, frozen=True, kw_only=True):
    """How many bars there were of each kind. `busy` and `cooling` are bars at which the entry held and the run noted that
    nothing could be proposed; `held` are the others at which it held. `differing` bars are those of which the run noted
    something else than is found now."""

    bars: int = 0
    held: int = 0
    busy: int = 0
    cooling: int = 0
    false: int = 0
    unknown: int = 0
    outside: int = 0
    differing: int = 0


class OfInstrument(msgspec.Struct, frozen=True, kw_only=True):
    """One entry in one instrument. `timeline` is the share of bars at which the entry held."""

    instrument: str
    states: States
    clauses: tuple[Stopper, ...]
    timeline: tuple[int | None, ...]


class OfEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of one strategy over all instruments asked for; `clauses` are the most frequent first.

    `proposals` counts decisions of the run by verdict, `refused_by` are the constraints that did not pass in those of which
    nothing was approved. `remark` says why there is nothing to count, where that is so.
    """

    strategy: str
    direction: str
    place: str
    states: States
    clauses: tuple[Stopper, ...]
    instruments: tuple[OfInstrument, ...]
    proposals: dict[str, int]
    refused_by: tuple[Stopper, ...]
    timeline: tuple[int | None, ...] = ()
    remark: str = ""


class Stop(msgspec.Struct, frozen=True, kw_only=True):
    """A pause or halt in force during the span. `to` is empty where it was still in force at the end."""

    rule: str
    verdict: str
    first: str
    to: str
    reason: str


class StoppedSpan(msgspec.Struct, frozen=True, kw_only=True):
    """The answer: bars that closed after `first` and not after `last`. `run` is empty where none was asked."""

    run: str
    first: str
    last: str
    instruments: tuple[str, ...]
    entries: tuple[OfEntry, ...]
    stops: tuple[Stop, ...] = ()
    first_ms: int = 0
    last_ms: int = 0
