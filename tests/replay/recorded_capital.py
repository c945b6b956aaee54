"""The default project with a policy file about its capital added, over recorded hours of six instruments."""

from __future__ import annotations

from pathlib import Path

from small_projects import Replayed, between, run

from tb.core.time import DAY
from tb.replay.data import Market, load_market
from tb.runtime.policy import compile_project, project_of
from tb.runtime.project import load_project

PLACE = "policy/capital.tb"


def half_a_year(recorded: Path) -> Market:
    """The spring of 2021, in which much was traded and lost."""
    whole = load_market(recorded / "crypto_1h")
    return between(whole, whole.first + 450 * DAY, whole.first + 570 * DAY)


def with_capital(root: Path, data: Market, policy: str) -> Replayed:
    """A run of the default project whose policy says that about its capital too."""
    texts = {**load_project(root).texts, PLACE: policy}
    return run(compile_project(project_of(texts, root)), data)
