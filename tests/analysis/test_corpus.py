"""What is found of seeded defects: all of types, graph and text, 95 of 100 of intervals; no error in sound programs."""

from __future__ import annotations

import corpus
import pytest
from corpus import CHECKER, Seed, clean, gets, programs, recall, seeds, technique

from tb.analysis.lint import RULES
from tb.core.diagnostics import Severity

SEEDED = {path: seed for path, seed in seeds().items() if not seed.near}
NEAR = {path: seed for path, seed in seeds().items() if seed.near}
INTERVALS = "intervals"
UNDECIDED = {"seeded/TB110_01_stop_entries.tb"}  # both sides read prices of one bar in several ways


def test_the_corpus_is_large_enough() -> None:
    assert len(programs("seeded")) >= 200
    assert len(corpus.of_clean()) >= 100
    assert min(recall().seeded.values()) >= 3


def test_the_programs_are_those_of_the_seeds() -> None:
    assert {**programs("seeded"), **programs("near")} == {path: seed.text() for path, seed in seeds().items()}


def test_every_defect_of_types_graph_text_and_data_is_found() -> None:
    assert {path for path in recall().missed if technique(path.split("/")[1].split("_")[0]) != INTERVALS} == set()


def test_most_defects_of_intervals_are_found() -> None:
    put_in, found = recall().of(lambda code: technique(code) == INTERVALS)
    assert found / put_in >= 0.95
    assert set(recall().missed) <= UNDECIDED


@pytest.mark.parametrize("pair", sorted({(seed.program, seed.code) for seed in SEEDED.values()}), ids="-".join)
def test_without_the_seed_there_is_no_such_finding(pair: tuple[str, str]) -> None:
    program, code = pair
    assert not gets(clean(program), code)


@pytest.mark.parametrize("seed", NEAR.values(), ids=list(NEAR))
def test_what_only_comes_near_does_not_get_the_code(seed: Seed) -> None:
    assert not gets(seed.text(), seed.code)


def test_nothing_sound_gets_an_error() -> None:
    assert {
        path: found for path, found in corpus.of_clean().items() if any(level == str(Severity.ERROR) for _, level in found)
    } == {}


def test_the_table_names_every_code() -> None:
    said = "\n".join(corpus.table())
    assert all(code in said for code in recall().seeded)
    assert CHECKER in said


def test_every_rule_has_defects() -> None:
    assert {rule.code for rule in RULES} <= recall().seeded.keys()
