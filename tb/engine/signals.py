"""What an entry has of the signals that its condition names: how sure they are together, what each said, and the size of it.

The conviction of an entry is the mean conviction of the signals that say its direction; one that is unknown counts as agreeing
with a conviction of 1, so that what is stated is the least that the mean can be. Where no signal is known to agree it is
unknown.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from tb.core.span import Span
from tb.dsl import checked, checked_cases
from tb.engine.build import Builder, Context
from tb.engine.instant import EXACT

if TYPE_CHECKING:
    from tb.engine.plan import Words


@dataclass(frozen=True, slots=True)
class CasePlan:
    """One case of a signal: `node` is true where it is the one that counts."""

    node: int
    because: Words
    span: Span


@dataclass(frozen=True, slots=True)
class SignalPlan:
    """A signal that an entry's condition names. `node` is its conviction, negative where it says short, 0 where neutral."""

    name: str
    node: int
    cases: tuple[CasePlan, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class ConvictionSizePlan:
    """A share of equity that rises from `small` at conviction `low` to `large` at `high`, level beyond them."""

    low: Decimal
    high: Decimal
    small: Decimal
    large: Decimal
    risking: bool
    text: str

    def share(self, conviction: Decimal) -> Decimal:
        """The share at a conviction, exactly."""
        inside = min(max(conviction, self.low), self.high)
        grown = EXACT.multiply(EXACT.subtract(self.large, self.small), EXACT.subtract(inside, self.low))
        return EXACT.add(self.small, EXACT.divide(grown, EXACT.subtract(self.high, self.low)))


def signals_in(program: checked.Program, value: checked.Expr) -> tuple[str, ...]:
    """Names of the signals a condition names, through `let`s and triggers too, in order of appearance."""
    found: dict[str, None] = {}
    followed: set[str] = set()

    def look(item: object) -> None:
        match item:
            case checked.Ref(name=name) if name in program.signals:
                found[name] = None  # and not what this signal is made of
            case checked.Ref(name=name, kind=kind):
                if name not in followed:
                    followed.add(name)
                    look(program.lets[name].value if kind == "let" else program.triggers[name].when)
            case tuple():
                for part in item:
                    look(part)
            case _:
                for field in getattr(item, "__dataclass_fields__", {}):
                    look(None if field in {"unit", "span"} else getattr(item, field))

    look(value)
    return tuple(found)


def signal_plan(builder: Builder, name: str, context: Context, words: Callable[[checked.Template], Words]) -> SignalPlan:
    """The plan of the signal of that name."""
    producer = builder.program.signals[name]
    node = builder.expression(builder.program.lets[producer.name].value, context)
    cases = tuple(
        CasePlan(builder.case_of(node, at, context, span), words(because), span)
        for at, (because, span) in enumerate(zip(producer.because, producer.cases, strict=True))
    )
    return SignalPlan(producer.name, node, cases, producer.span)


def size_of(said: checked_cases.ConvictionSize | None) -> ConvictionSizePlan | None:
    """The plan of a size by conviction."""
    if said is None:
        return None
    small, large = said.small.value, said.large.value
    assert isinstance(small, Decimal)
    assert isinstance(large, Decimal)
    text = f"conviction {said.low}..{said.high} as {'risking ' if said.risking else ''}{said.small.text}..{said.large.text}"
    return ConvictionSizePlan(said.low, said.high, small, large, said.risking, f"{text} of equity")
