"""Weaknesses that other linters look for and this one does not yet, and why there is nothing to look at so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Later:
    """A number that is kept for a rule to come. `why` says what is missing, and what to do until then."""

    code: str
    title: str
    why: str


_ROWS = (
    Later(
        "TB505",
        "a changed rule breaks no test",
        "Tests are not run against changed rules yet. `tb test --coverage` names the rules, outcomes and thresholds that no "
        "test reaches.",
    ),
    Later("TB507", "written in a way that is given up", "Nothing of the language has been given up yet."),
    Later(
        "TB512",
        "policy changed under the same revision",
        "A policy has no revision yet. It is known by the hash of its texts, which every run keeps and `tb ledger verify` "
        "compares.",
    ),
    Later(
        "TB513",
        "bundle without a signature",
        "Policies are read from the folder of a project and not from a bundle, so there is nothing yet that could be signed.",
    ),
)

LATER: Mapping[str, Later] = MappingProxyType({row.code: row for row in _ROWS})
