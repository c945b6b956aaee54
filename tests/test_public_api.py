"""The public names: pinned here, importable, and cheap until used."""

from __future__ import annotations

import subprocess
import sys

import pytest

import tb

PUBLIC = [
    "Approved", "Compiled", "Decision", "Diagnostic", "Explanation", "Fill", "Gate", "Judgement", "Latch", "Ledger", "Mark",
    "Market", "Order", "Outcome", "Plan", "Project", "Proposal", "Quiet", "Refused", "Run", "Settings", "Severity", "Trade",
    "WhyNot", "__version__", "check", "compile_project", "explain", "format_file", "load_market", "load_project", "open_ledger",
    "parse", "plan", "policy_hash", "replay_market", "sample_market", "why_not",
]  # fmt: skip


def test_public_names_are_these_and_no_others() -> None:
    assert sorted(tb.__all__) == PUBLIC


def test_every_public_name_is_there() -> None:
    assert [name for name in PUBLIC if getattr(tb, name, None) is None] == []


def test_a_name_that_is_not_public_is_refused() -> None:
    with pytest.raises(AttributeError, match="nothing_of_the_kind"):
        getattr(tb, "nothing_of_the_kind")  # noqa: B009


def test_importing_tb_imports_nothing_heavy() -> None:
    code = "import sys, tb; print(sorted({'numpy', 'numba', 'polars', 'sqlmodel', 'lark', 'rich'} & set(sys.modules)))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "[]"
