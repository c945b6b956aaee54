"""Questions about whole expressions: what they read, and whether a mistake in them was reported already."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from tb.core.units import ANY
from tb.dsl import checked, checked_cases


def parts_of(value: checked.Expr) -> Iterator[checked.Expr]:
    """The expression and everything inside it; names are not followed."""
    yield value
    match value:
        case (
            checked.Apply(series=inner)
            | checked.Pointwise(arguments=inner)
            | checked.Logic(items=inner)
            | checked.Score(conditions=inner)
            | checked.Agree(signals=inner)
        ):
            for item in inner:
                yield from parts_of(item)
        case checked_cases.Table(rows=rows):
            for row in rows:
                yield from parts_of(row.outcome)
                if row.condition is not None:
                    yield from parts_of(row.condition)
        case checked.Signal(conditions=conditions, convictions=convictions):
            for item in (*conditions, *convictions):
                yield from parts_of(item)
        case checked.Comparison(left=left, right=right):
            yield from parts_of(left)
            yield from parts_of(right)
        case (
            checked.Shift(value=one)
            | checked.OfInstrument(value=one)
            | checked.OfLeg(value=one)
            | checked.OnPeriod(value=one)
            | checked.Not(value=one)
            | checked.Lasting(condition=one)
            | checked.IsSet(value=one)
            | checked.OneOf(value=one)
            | checked.SignalIs(signal=one)
            | checked.Conviction(signal=one)
        ):
            yield from parts_of(one)
        case _:
            pass


def is_excused(value: checked.Expr, broken: Collection[str]) -> bool:
    """Whether a mistake inside was reported already, so that nothing more should be said about the whole."""
    for part in parts_of(value):
        if isinstance(part, checked.Const) and part.unit == ANY and isinstance(part.value, str):
            return True
        if isinstance(part, checked.Ref) and part.name in broken:
            return True
    return False


def expand(
    value: checked.Expr, lets: Mapping[str, checked.Let], triggers: Mapping[str, checked.Trigger]
) -> Iterator[checked.Expr]:
    """Like `parts_of`, and everything inside the definitions named, each once."""
    seen: set[str] = set()
    waiting = [value]
    while waiting:
        for part in parts_of(waiting.pop()):
            yield part
            if isinstance(part, checked.Ref) and part.name not in seen:
                seen.add(part.name)
                if part.name in lets:
                    waiting.append(lets[part.name].value)
                elif part.name in triggers:
                    waiting.append(triggers[part.name].when)
