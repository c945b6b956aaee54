"""What setting two runs side by side came to, as one record: the text and JSON forms show this and nothing else."""

from __future__ import annotations

import math

import msgspec

from tb.replay.parity.align import Counts, Tally
from tb.replay.parity.divergence import Divergence
from tb.replay.parity.origin import Aspect


class Bars(msgspec.Struct, frozen=True, kw_only=True):
    """Bars without a proposal: how many both runs recorded, at how many of them their conditions differ, and how many stretches
    (of a strategy in an instrument) do not face each other."""

    compared: int
    differing: int
    apart: int


class Parity(msgspec.Struct, frozen=True, kw_only=True):
    """`score` is 0..1, and 1 only where `same`; `verdict_score` asks for the same verdicts alone. `same_log` tells whether the
    hashes of both decision logs are equal; None where a run is unfinished or a part of it was compared. `origins` are in the
    order: mode, policy, settings, data, code.
    """

    a: str
    b: str
    score: float
    verdict_score: float
    same: bool
    same_log: bool | None
    decisions: Counts
    latches: Counts
    bars: Bars
    origins: tuple[Aspect, ...]
    first: Divergence | None
    notes: tuple[str, ...] = ()


def parity(
    labels: tuple[str, str],
    tally: Tally,
    origins: tuple[Aspect, ...],
    first: Divergence | None,
    *,
    same_log: bool | None,
    notes: tuple[str, ...],
) -> Parity:
    return Parity(
        a=labels[0],
        b=labels[1],
        score=tally.score,
        verdict_score=tally.verdict_score,
        same=tally.same,
        same_log=same_log,
        decisions=tally.decisions,
        latches=tally.latches,
        bars=Bars(compared=tally.quiet_bars, differing=tally.quiet_differing, apart=tally.quiet_apart),
        origins=origins,
        first=first,
        notes=notes,
    )


def percent(score: float) -> str:
    """`97.53%`, rounded down: what is not the same never reads 100%."""
    return "100%" if score >= 1.0 else f"{math.floor(score * 10_000) / 100:.2f}%"
