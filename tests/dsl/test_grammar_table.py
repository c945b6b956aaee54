"""The table kept beside the grammar: it is the one that the grammar gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from tb.dsl import grammar as module
from tb.dsl.grammar import GRAMMAR, fingerprint, grammar, kept_table, work_out


def test_the_table_belongs_to_the_grammar() -> None:
    kept = kept_table()
    assert kept is not None, "write it anew: python docs/generate.py"
    assert kept["fingerprint"] == fingerprint()


def test_both_parsers_read_the_same(root: Path) -> None:
    worked_out = work_out()
    texts = [path.read_text(encoding="utf-8") for path in sorted((root / "rules").glob("*.tb"))]
    assert texts
    for text in texts:
        assert grammar().parse(text, start="rules_file") == worked_out.parse(text, start="rules_file")


def test_a_table_of_another_grammar_is_left_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GRAMMAR", GRAMMAR + "\n// changed\n")
    assert kept_table() is None
