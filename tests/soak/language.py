"""Formats many generated programs and parses many mutated texts: nothing is lost, nothing raises, every mistake has its place.

    python tests/soak/language.py [--programs 100000] [--inputs 1000000] [--workers 2] [--seed 1]

Programs: declarations drawn by the tests' generator, recombined by exchanging sub-expressions of one kind, written in the one
layout, strewn with comments, read back and formatted again. Inputs: pieces of the programs of tests/language, of the default
project and of generated programs, with random insertions, cuts and joints. The same seed and workers give the same inputs.
Takes some 20 minutes on two cores; `make test` does a few hundred of each.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "dsl")]

from answers import INSERTED, answered, formatted_and_read, with_comments  # noqa: E402
from generate import declarations, programs  # noqa: E402
from hypothesis import HealthCheck, Phase, given, seed, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from hypothesis.errors import HypothesisWarning  # noqa: E402

from tb.core.span import Span  # noqa: E402
from tb.dsl import syntax  # noqa: E402
from tb.dsl.format import format_file  # noqa: E402
from tb.dsl.parse import parse  # noqa: E402

SLICE = 4_000  # programs or inputs between two lines of progress
# a lone number, name or instrument is often held to a narrower form than its type says
EXCHANGED = frozenset(syntax.Expr.__args__) - {syntax.Number, syntax.Name, syntax.Symbol}  # type: ignore[attr-defined]
FIXED = {"bars", "what"}


def drawn(strategy: st.SearchStrategy[Any], count: int, of: int) -> list[Any]:
    """So many examples of a strategy, the same for the same seed."""
    found: list[Any] = []
    warnings.simplefilter("ignore", HypothesisWarning)  # it says that its own description of the grammar is long

    @seed(of)
    @settings(
        max_examples=count, database=None, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate]
    )
    @given(strategy)
    def collect(value: object) -> None:
        found.append(value)

    collect()
    return found


class Recombined:
    """New declarations from drawn ones: sub-expressions are exchanged for others of the same kind."""

    def __init__(self, of: int, pool: int) -> None:
        self.chance = random.Random(of)
        self.pools = {flag: drawn(declarations(is_policy=flag), pool, of + flag) for flag in (False, True)}
        self.parts: dict[type, list[Any]] = {}
        for known in self.pools.values():
            for declaration in known:
                for part in _expressions(declaration):
                    self.parts.setdefault(type(part), []).append(part)

    def program(self) -> syntax.File:
        is_policy = self.chance.random() < 0.5
        chosen = self.chance.choices(self.pools[is_policy], k=self.chance.randint(0, 5))
        return syntax.File("generated.tb", is_policy, None, tuple(self._renewed(one) for one in chosen), (), "")

    def _renewed(self, value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(self._renewed(item) for item in value)
        if not is_dataclass(value) or isinstance(value, type | Span):
            return value
        if type(value) in EXCHANGED and self.chance.random() < 0.15:
            return self.chance.choice(self.parts[type(value)])
        changed = {
            field.name: self._renewed(getattr(value, field.name))
            for field in fields(value)
            if field.name not in FIXED and field.name != "span"
        }
        return replace(value, **changed)


def _expressions(value: Any) -> Iterator[Any]:
    if isinstance(value, tuple):
        for item in value:
            yield from _expressions(item)
    elif is_dataclass(value) and not isinstance(value, type | Span):
        if type(value) in EXCHANGED:
            yield value
        for field in fields(value):
            yield from _expressions(getattr(value, field.name))


def format_many(of: int, count: int) -> dict[str, int]:
    """Formats so many generated programs, with comments too. Returns counts for the table."""
    made, chance = Recombined(of, pool=1_500), random.Random(of)
    counts = {"programs": 0, "declarations": 0, "characters": 0}
    for _ in range(count):
        file = made.program()
        try:
            text = formatted_and_read(file)
        except AssertionError:
            print(f"--- program\n{format_file(file)}", flush=True)
            raise
        read, mistakes = parse(file.path, with_comments(text, chance), is_policy=file.is_policy)
        assert mistakes == []
        assert read == file
        formatted_and_read(read)
        counts["programs"] += 1
        counts["declarations"] += len(file.declarations)
        counts["characters"] += len(text)
    return counts


def parse_many(of: int, count: int) -> dict[str, int]:
    """Parses so many mutated texts. Returns how many had a mistake, and how many mistakes were told."""
    chance = random.Random(of)
    files = [*(ROOT / "tests" / "language").rglob("*.tb"), *ROOT.glob("rules/*.tb"), *ROOT.glob("policy/*.tb")]
    texts = [path.read_text(encoding="utf-8") for path in sorted(files)]
    texts += [format_file(file) for file in drawn(programs(), 300, of)]
    counts = {"inputs": 0, "with a mistake": 0, "mistakes": 0}
    for _ in range(count):
        text = _mutated(chance, texts)
        try:
            mistakes = answered(text, is_policy=chance.random() < 0.5)
        except Exception:
            print(f"--- input\n{text!r}", flush=True)
            raise
        counts["inputs"] += 1
        counts["with a mistake"] += mistakes > 0
        counts["mistakes"] += mistakes
    return counts


def _mutated(chance: random.Random, texts: list[str]) -> str:
    text = chance.choice(texts)
    start = chance.randrange(max(1, len(text)))
    text = text[start : start + 600]
    for _ in range(chance.randint(1, 5)):
        at, cut = chance.randint(0, len(text)), chance.choice([0, 0, 1, 3, 20])
        if chance.random() < 0.1:
            other = chance.choice(texts)
            begin = chance.randrange(max(1, len(other)))
            new = other[begin : begin + chance.randint(1, 80)]
        elif chance.random() < 0.15:
            new = "".join(chr(chance.randint(1, 0x2FF)) for _ in range(chance.randint(1, 3)))
        else:
            new = chance.choice(INSERTED)
        text = text[:at] + new + text[at + cut :]
    return text


def run(work: Callable[[int, int], dict[str, int]], count: int, workers: int, seed_: int) -> bool:
    """Spreads the work over processes and prints progress and the totals; False where a promise was broken."""
    slices = [(seed_ * 1_000_003 + at, min(SLICE, count - at)) for at in range(0, count, SLICE)]
    totals: dict[str, int] = {}
    began = time.monotonic()
    with ProcessPoolExecutor(workers) as pool:
        for done, future in enumerate([pool.submit(work, *one) for one in slices], start=1):
            try:
                counts = future.result()
            except Exception:
                traceback.print_exc()
                pool.shutdown(cancel_futures=True)
                return False
            for name, number in counts.items():
                totals[name] = totals.get(name, 0) + number
            if done % 10 == 0 or done == len(slices):
                words = ", ".join(f"{number:,} {name}" for name, number in totals.items())
                print(f"{words}, {time.monotonic() - began:,.0f} s", flush=True)
    return True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--programs", type=int, default=100_000)
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    works = ((format_many, wanted.programs), (parse_many, wanted.inputs))
    held = all(run(work, count, wanted.workers, wanted.seed) for work, count in works if count)
    print("every promise was kept" if held else "a promise was broken: see above")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
