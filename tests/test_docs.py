"""The documentation is true: examples parse, check and are formatted, generated parts are current, commands exist."""

from __future__ import annotations

import re
import runpy
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tb.analysis.levels import COMMENTS
from tb.analysis.lint import RULES
from tb.analysis.pages import examples
from tb.core.diagnostics import Diagnostic
from tb.dsl.check import check
from tb.dsl.format import format_file
from tb.dsl.parse import parse
from tb.dsl.syntax import File
from tb.gate.limits import Limit, parse_limits

ROOT = Path(__file__).resolve().parent.parent
PAGES = (
    "README.md",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "docs/language.md",
    "docs/decisions.md",
    "docs/controls.md",
    "docs/explain.md",
    "docs/replay.md",
    "docs/metrics.md",
    "docs/comparing.md",
    "docs/deploy.md",
    "docs/lint/README.md",
)
LANGUAGE = "docs/language.md"

_FENCE = re.compile(r"^```(?P<info>[^\n]*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page. `words` is what stands behind its fence: `tb`, `tb policy`, `tb refused TB101`."""

    page: str
    line: int
    words: tuple[str, ...]
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(page: str) -> Iterator[Block]:
    text = (ROOT / page).read_text(encoding="utf-8")
    for found in _FENCE.finditer(text):
        yield Block(page, text.count("\n", 0, found.start()) + 1, tuple(found["info"].split()), found["text"])


def rule_blocks(*kinds: tuple[str, ...]) -> list[Block]:
    every = [block for page in PAGES for block in blocks(page) if block.words[:1] == ("tb",)]
    return [block for block in every if block.words[1:2] in kinds]


CONTEXT = next(block for block in rule_blocks(("context",)) if block.page == LANGUAGE)
WHOLE = rule_blocks((), ("file",), ("policy",), ("context",))
REFUSED = rule_blocks(("refused",))


def test_there_are_examples() -> None:
    assert len(WHOLE) >= 6
    assert len(REFUSED) >= 3


def limits() -> dict[str, Limit]:
    """The numbers of the default project, which examples may read."""
    found, problems = parse_limits("policy/limits.yaml", (ROOT / "policy" / "limits.yaml").read_text(encoding="utf-8"))
    assert problems == []
    return {limit.name: limit for limit in found}


def checked(block: Block) -> tuple[File, list[Diagnostic]]:
    """The block as a file of its own beside the context, and everything that is wrong with it."""
    is_policy = block.words[1:2] == ("policy",)
    text = block.text if is_policy or block.words[1:2] in {("file",), ("context",)} else f"use context\n\n{block.text}"
    path = "rules/context.tb" if block == CONTEXT else "policy/example.tb" if is_policy else "rules/example.tb"
    file, found = parse(path, text, is_policy=is_policy)
    files = [file]
    if block != CONTEXT:
        context, _ = parse("rules/context.tb", CONTEXT.text, is_policy=False)
        files.append(context)
    _, problems = check(files, limits=limits())
    return file, [*found, *problems]


@pytest.mark.parametrize("block", WHOLE, ids=str)
def test_an_example_holds(block: Block) -> None:
    _, problems = checked(block)
    assert [str(problem) for problem in problems] == []


@pytest.mark.parametrize("block", [*WHOLE, *rule_blocks(("tests",))], ids=str)
def test_an_example_is_formatted(block: Block) -> None:
    file, problems = parse("example.tb", block.text, is_policy=block.words[1:2] == ("policy",))
    assert problems == []
    assert block.text == format_file(file)


@pytest.mark.parametrize("block", REFUSED, ids=str)
def test_a_refused_example_is_refused_as_it_says(block: Block) -> None:
    _, problems = checked(block)
    assert [problem.code for problem in problems] == [block.words[2]]


def test_written_tests_pass() -> None:
    """The tests in the language that a page shows, run beside its example of a rule file and its longest one of policy."""
    from tb.analysis.testing import Bench, run_tests
    from tb.analysis.testing.text import text
    from tb.replay.testing import TestHistory
    from tb.runtime.policy import compile_tests, project_of

    (rules,), policy = rule_blocks(("file",)), max(rule_blocks(("policy",)), key=lambda block: len(block.text))
    shown = rule_blocks(("tests",))
    assert shown
    texts = {name: (ROOT / name).read_text(encoding="utf-8") for name in ("tb.yaml", "policy/limits.yaml")}
    strength = rules.text.replace("group layer1: BTC-USD, ETH-USD\n\n", "")  # the policy's own is of that name
    texts |= {"rules/context.tb": CONTEXT.text, "rules/strength.tb": strength, "policy/limits.tb": policy.text}
    tested = compile_tests(project_of(texts, ROOT), {f"{block}": block.text for block in shown})
    plan = tested.compiled.plan
    bench = Bench.of(
        tested.builder, plan, tested.compiled.settings, TestHistory(plan, tested.compiled.settings, ROOT), tested.tests
    )
    report = run_tests(bench, tested.tests)
    assert report.passed, text(report)


def test_generated_parts_are_current() -> None:
    for name, page in runpy.run_path(str(ROOT / "docs" / "generate.py"))["pages"]().items():
        assert (ROOT / "docs" / name).read_text(encoding="utf-8") == page, "run python docs/generate.py"


def test_there_is_a_page_for_each_lint_rule_and_no_other() -> None:
    wanted = {
        *(rule.code for rule in RULES),
        *COMMENTS,
        "TB101",
        "TB102",
        "TB118",
        "TB120",
        "TB201",
        "TB202",
        "TB203",
        "TB209",
        "TB401",
        "TB406",
    }
    assert {path.stem for path in (ROOT / "docs" / "lint").glob("*.md")} == {*wanted, "README"}
    assert wanted == set(examples())


def test_the_package_carries_the_programs_of_the_pages() -> None:
    text = runpy.run_path(str(ROOT / "docs" / "generate.py"))["examples_text"]()
    kept = ROOT / "tb" / "analysis" / "lint" / "examples.json"
    assert kept.read_text(encoding="utf-8") == text, "run python docs/generate.py"


def test_the_grammar_is_copied_whole() -> None:
    grammar = (ROOT / "tb" / "dsl" / "grammar.lark").read_text(encoding="utf-8")
    assert f"```text\n{grammar.rstrip()}\n```" in (ROOT / LANGUAGE).read_text(encoding="utf-8")


# README


def excerpts() -> list[Block]:
    return [block for page in PAGES for block in blocks(page) if block.words[:2] == ("tb", "excerpt")]


def written_by_init(folder: Path) -> Path:
    """A project as `tb init` writes it, with the simulated market."""
    from tb.cli.init import write_project

    write_project(folder, sample=True)
    return folder


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project of the README's example, the limit tightened as it says."""
    folder = written_by_init(tmp_path_factory.mktemp("readme") / "my-project")
    numbers = folder / "policy" / "limits.yaml"
    text = numbers.read_text(encoding="utf-8")
    assert "max_gross_pct: 20%" in text
    numbers.write_text(text.replace("max_gross_pct: 20%", "max_gross_pct: 6%"), encoding="utf-8")
    return folder


def test_excerpts_stand_in_their_files(project: Path) -> None:
    shown = excerpts()
    assert len(shown) >= 2
    for block in shown:
        assert block.text in (project / block.words[2]).read_text(encoding="utf-8"), str(block)


def sessions() -> Iterator[tuple[str, list[str]]]:
    """Every `$ tb` command of the README with the lines shown below it."""
    for block in blocks("README.md"):
        if block.words != ("console",):
            continue
        command: str | None = None
        shown: list[str] = []
        for line in [*block.text.splitlines(), "$ end"]:
            if line.startswith("$ "):
                if command is not None and command.startswith("tb "):
                    yield command, shown
                command, shown = line[2:], []
            else:
                shown.append(line)


def test_commands_print_what_the_readme_shows(project: Path) -> None:
    commands = list(sessions())
    assert len(commands) >= 3
    for command, shown in commands:
        done = subprocess.run(
            [sys.executable, "-m", *shlex.split(command)], cwd=project, capture_output=True, text=True, check=False
        )
        printed = done.stdout.splitlines()
        assert done.returncode == 0, done.stderr
        assert [line for line in shown if line not in printed] == [], command
        places = [printed.index(line) for line in shown]
        assert places == sorted(places), command


def test_the_table_of_commands_is_complete() -> None:
    from tb.cli.group import COMMANDS

    text = (ROOT / "README.md").read_text(encoding="utf-8")
    table = text[text.index("## Commands") :].split("\n\n")[1]
    assert set(re.findall(r"`tb ([a-z-]+)", table)) == set(COMMANDS)


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        found = (ROOT / page).parent / path if path else ROOT / page
        assert found.exists(), f"{page}: {target}"
        if anchor:
            heads = re.findall(r"^#+ (.+)$", found.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w\- ]", "", head).strip().lower().replace(" ", "-") for head in heads}, (
                f"{page}: {target}"
            )


@pytest.mark.parametrize("page", PAGES)
def test_named_files_exist(page: str) -> None:
    """Paths of the source that a page names in backticks."""
    text = (ROOT / page).read_text(encoding="utf-8")
    named = re.findall(r"`((?:tb|docs|tests|benchmarks)/[\w./]+)`", text)
    assert [name for name in named if not (ROOT / name).exists()] == []
