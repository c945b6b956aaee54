"""What makes a finding the same one tomorrow: its code, file and words, not its line.

A line moves with every edit above it, the words only with what the finding is about. Findings that agree in all three are
numbered in order of place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tb.core.diagnostics import Diagnostic
from tb.core.encode import canonical, digest
from tb.core.render.excerpt import visible


def fingerprints(findings: Sequence[Diagnostic]) -> list[str]:
    """A fingerprint for each finding, in the order given: 32 hexadecimal digits, all different."""
    met: Counter[tuple[str, str, str]] = Counter()
    prints = []
    for finding in findings:
        key = (finding.code, visible(finding.span.file), visible(finding.message))
        prints.append(digest(canonical([*key, met[key]]))[:32])
        met[key] += 1
    return prints
