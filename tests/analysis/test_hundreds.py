"""The project that `python -m benchmarks` lints: constraints that read the same facts are compared, and told apart."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2]))

from benchmarks.linting import project
from tb.analysis.lint import lint
from tb.core.diagnostics import has_errors
from tb.dsl.parse import parse
from tb.runtime.project import load_project


def test_constraints_of_one_shape_are_in_the_shadow_of_the_tightest(tmp_path: Path) -> None:
    loaded = load_project(project(tmp_path / "p", rules=10, constraints=43))
    files = [parse(path, text, is_policy=False)[0] for path, text in loaded.rules.items()]
    files += [parse(path, text, is_policy=True)[0] for path, text in loaded.policy.items()]
    found = lint(files)
    assert not has_errors(finding for finding in found if finding.code != "TB303")
    # four of each of ten shapes: a window or a verdict that differs keeps two of these shapes apart
    shadowed = Counter(finding.message.split("`")[1].split("_")[0] for finding in found if finding.code == "TB108")
    assert shadowed["position"] == shadowed["gross"] == shadowed["risk"] == shadowed["heated"] == 3
    assert "loss" not in shadowed
    assert "hourly" not in shadowed


def test_the_linter_starts_without_arrays() -> None:
    asked = (
        "import sys, tb.analysis.lint, tb.runtime.project; print([m for m in ('numpy', 'numba', 'polars') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
