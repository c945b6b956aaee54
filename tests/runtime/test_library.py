"""The standard library in a project: part of its policy, of its hash, and of what explains old decisions."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_projects import bars, market, run, settings_text

from tb.core.diagnostics import Refused
from tb.ledger.chain import policy_hash
from tb.runtime.policy import Compiled, compile_project, project_of
from tb.runtime.project import load_project, standard_texts
from tb.vocabulary.std import CONTROLS, TRIGGERS, VENUE

RULES = """\
universe u
  tier core BTC-USD

strategy s on u every 1h
  enter long when close > open
    size 50% of equity
    stop 10% below entry
"""
POLICY = "use std.controls: position, gross_exposure\n"
LIMITS = "max_position_pct: 20%\nmax_gross_pct: 100%\n"


def project(policy: str = POLICY, limits: str = LIMITS, **more: str) -> Compiled:
    texts = {"tb.yaml": settings_text(), "rules/rules.tb": RULES, "policy/policy.tb": policy, "policy/limits.yaml": limits}
    return compile_project(project_of({**texts, **more}, Path()))


def test_what_a_project_uses_of_the_library_is_part_of_its_texts(tmp_path: Path) -> None:
    for name, text in {
        "tb.yaml": settings_text(),
        "rules/rules.tb": "use std.triggers: volume_spike\n# use std.controls\n" + RULES,
        "policy/policy.tb": "limit gross  after.gross <= 100% of equity\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert load_project(tmp_path).library == {VENUE.path: VENUE.text, TRIGGERS.path: TRIGGERS.text}
    (tmp_path / "policy/policy.tb").write_text(POLICY)
    found = load_project(tmp_path).texts
    assert found[CONTROLS.path] == CONTROLS.text
    assert policy_hash(found) != policy_hash({**found, CONTROLS.path: CONTROLS.text + "\n"})


def test_a_control_binds_and_is_explained_with_its_place_in_the_library() -> None:
    played = run(project(), market(bars("BTC-USD", [(100, 101, 99, 100.5)] * 3)))
    decision = played.decisions[0]
    line = next(n for n, text in enumerate(CONTROLS.text.splitlines(), 1) if text.startswith("limit position "))
    said = played.explained(decision)
    assert (decision.verdict, decision.deciding) == ("shrink", ("position",))
    assert said.reproduced
    rule = next(rule for rule in said.rules if rule.name == "position")
    assert rule.place == f"std/controls.tb:{line}"
    assert "after.exposure(order.instrument) <= limits.max_position_pct of equity" in rule.condition.text


def test_an_old_decision_is_explained_under_the_text_that_made_it() -> None:
    old = CONTROLS.text.replace("limits.max_position_pct of equity ", "2 * limits.max_position_pct of equity ")
    assert old != CONTROLS.text
    before = project(**{CONTROLS.path: old})
    played = run(before, market(bars("BTC-USD", [(100, 101, 99, 100.5)] * 3)))
    again = compile_project(project_of(before.project.texts, Path()))
    assert again.plan == before.plan
    assert (
        played.decisions[0].approved
        != run(project(), market(bars("BTC-USD", [(100, 101, 99, 100.5)] * 3))).decisions[0].approved
    )


def test_policies_kept_before_the_library_had_texts_read_the_packaged_ones() -> None:
    assert project().project.library == {}
    assert standard_texts(["use std.controls: x", "use\tstd.triggers"]).keys() == {VENUE.path, CONTROLS.path, TRIGGERS.path}


def test_a_control_without_its_limit_is_refused_where_it_is_used() -> None:
    with pytest.raises(Refused) as refused:
        project(limits="max_gross_pct: 100%\n")
    assert [(f.code, str(f.span)) for f in refused.value.findings] == [("TB097", "policy/policy.tb:1:19")]
