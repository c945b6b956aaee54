"""What a strategy asks for, before the gate has judged it."""

from __future__ import annotations

from dataclasses import dataclass

from tb.core.records import Advice, Ballot, Likeness
from tb.engine.plan import StrategyPlan
from tb.gate.proposal import Proposal
from tb.runtime.positions import Position

Key = tuple[str, str]  # a strategy and an instrument


@dataclass(frozen=True, slots=True)
class Ready:
    """A strategy's entry whose condition holds for an instrument at a bar."""

    strategy: int
    enter: int
    symbol: str
    row: int


@dataclass(frozen=True, slots=True)
class Draft:
    """A proposal with what its decision record needs besides the judgement.

    The draft of a first leg has all `legs`, itself included; they are judged together.
    """

    proposal: Proposal
    strategy: StrategyPlan
    kind: str
    enter: int
    row: int
    leaves: tuple[int, ...]
    reason: str
    position: Position | None
    legs: tuple[Draft, ...] = ()
    advice: tuple[Advice, ...] = ()  # of the advisors
    votes: tuple[Ballot, ...] = ()  # of the council
    likeness: tuple[Likeness, ...] = ()  # of the strategy's other instruments
