"""Replays of whole projects, drawn with all that people write in them, come to the same in every other way of running them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as st
from whole_runs import Played

SEEDS = st.integers(0, 1 << 40)


@how(max_examples=40, deadline=None)
@given(SEEDS)
def test_a_replay_leaves_the_records_of_stepping(seed: int) -> None:
    Played(seed, 90).steps_alike()


@how(max_examples=12, deadline=None)
@given(SEEDS)
def test_what_it_reads_is_what_the_reference_interpreter_computes(seed: int) -> None:
    Played(seed, 40).steps_alike(interpreted=True)


@how(max_examples=40, deadline=None)
@given(SEEDS)
def test_passing_over_whole_trades_changes_no_record(seed: int) -> None:
    Played(seed, 500, tame=True).courses_change_nothing()


@how(max_examples=20, deadline=None)
@given(SEEDS)
def test_chunks_cuts_sessions_and_explanations_agree(seed: int) -> None:
    played = Played(seed, 70)
    played.chunks_change_nothing()
    played.a_cut_changes_nothing_before_it(1)
    played.a_session_decides_alike()
    played.explanations_reproduce(3)
