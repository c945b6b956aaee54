"""What only shows in a process of its own, and what holds for every command: help, examples, failures, quick start."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from cli_commands import Run

from tb.cli import tb
from tb.cli.group import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
HEAVY = "lark msgspec numba numpy polars pydantic rich sqlalchemy sqlmodel yaml jsonschema".split()


def process(*args: str | Path, **more: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tb", *(str(arg) for arg in args)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, **more)  # type: ignore[call-overload,no-any-return]


def test_help_loads_nothing_heavy() -> None:
    script = (
        "import sys\nfrom tb.cli import main\nsys.argv = ['tb', '--help']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"print('loaded', *sorted({set(HEAVY)!r} & set(sys.modules)), file=sys.stderr)"
    )
    result = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stderr.split() == ["loaded"]
    assert all(f"  {name} " in result.stdout for name in COMMANDS)


def test_the_command_as_a_process(recorded: Path) -> None:
    environment = {**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": "", "PYTHONUTF8": "0"}
    result = process("trades", "--project", recorded, "--json", env=environment)
    assert (result.returncode, result.stderr) == (0, "")
    refused = process("trades", "r9", "--project", recorded)
    assert (refused.returncode, refused.stdout) == (3, "")
    assert "TB707" in refused.stderr


def test_text_is_utf_8_whatever_the_locale_says(project: Path) -> None:
    rules = project / "rules" / "triggers.tb"
    rules.write_text(rules.read_text(encoding="utf-8") + "\nlet größe = close\n", encoding="utf-8")
    command = [sys.executable, "-m", "tb", "lint", "--project", str(project), "--format", "human"]
    environment = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    result = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, env=environment)
    assert result.returncode == 1
    assert "größe" in result.stdout.decode("utf-8")


def test_a_reader_that_goes_away_is_no_failure_of_ours(recorded: Path) -> None:
    reader, writer = os.pipe()
    command = [sys.executable, "-m", "tb", "decisions", "--project", str(recorded)]
    os.close(reader)
    try:
        child = subprocess.Popen(command, cwd=ROOT, stdout=writer, stderr=subprocess.PIPE)
    finally:
        os.close(writer)
    _, said = child.communicate()
    assert (child.returncode, said) == (141, b"")


def test_nor_where_there_are_findings(project: Path) -> None:
    (project / "rules" / "more.tb").write_text("let = 3\n")
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "tb", "lint", "--project", str(project), "--json"]
    try:
        child = subprocess.Popen(command, cwd=ROOT, stdout=writer, stderr=subprocess.PIPE)
    finally:
        os.close(writer)
    _, said = child.communicate()
    assert (child.returncode, said) == (141, b"")


def _interrupted(project: Path, times: int) -> subprocess.CompletedProcess[str]:
    """A replay that gets so many signals at its first step, so that they always meet it at work."""
    script = (
        "import signal, sys\nfrom tb.replay.skipping import Skipper\nstep = Skipper.advance\n"
        "def stopped(*args):\n"
        "    Skipper.advance = step\n"
        f"    for _ in range({times}): signal.raise_signal(signal.SIGINT)\n"
        "    return step(*args)\n"
        "Skipper.advance = stopped\nfrom tb.cli import main\nmain()"
    )
    command = [sys.executable, "-c", script, "replay", "--project", str(project), "--data", str(project / "data")]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, preexec_fn=_heed_control_c)


def test_control_c_ends_a_replay_where_it_is(project: Path) -> None:
    result = _interrupted(project, 1)
    assert (result.returncode, result.stderr) == (130, "")
    assert "simulation on recorded bars, interrupted at 2024-01-" in result.stdout
    assert "interrupted" in process("runs", "--project", project).stdout


def test_control_c_twice_ends_a_replay_with_a_clean_message(project: Path) -> None:
    result = _interrupted(project, 2)
    assert (result.returncode, result.stdout) == (130, "")
    assert result.stderr == "stopped; a run that was being recorded stays in the ledger as unfinished\n"
    assert "unfinished" in process("runs", "--project", project).stdout


def _heed_control_c() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.mark.parametrize("how", ["plain", "--debug", "TB_DEBUG"])
def test_a_bug_is_called_a_bug(run: Run, recorded: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    from tb.cli import trades

    def broken(*args: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(trades, "run_of", broken)
    if how == "TB_DEBUG":
        monkeypatch.setenv("TB_DEBUG", "1")
    more = ["--debug"] if how == "--debug" else []
    answer = run("trades", "--project", recorded, *more)
    assert (answer.code, answer.out) == (3, "")
    assert "this is a bug in tb, not in your files (ZeroDivisionError: division by zero)" in answer.err
    assert ("Traceback" in answer.err) == (how != "plain")
    assert ("--debug" in answer.err.splitlines()[-1]) == (how == "plain")


def test_a_word_that_is_no_command(run: Run) -> None:
    answer = run("trade")
    assert (answer.code, answer.out) == (2, "")
    assert "there is no command `trade`; did you mean `trades`?" in answer.err
    assert "`tb --help` lists them" in run("xyzzy").err


def commands() -> Iterator[tuple[str, click.Command]]:
    context = click.Context(tb)
    for name in COMMANDS:
        command = tb.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from ((f"{name} {inner}", found) for inner, found in command.commands.items())
        else:
            yield name, command


@pytest.mark.parametrize(("name", "command"), list(commands()), ids=lambda value: value if isinstance(value, str) else "")
def test_help_has_an_example_that_parses(name: str, command: click.Command) -> None:
    context = click.Context(command, info_name=name)
    shown = command.get_help(context)
    examples = [line.strip() for line in shown.partition("Example")[2].splitlines()[1:] if line.strip()]
    assert examples
    for example in examples:
        words = shlex.split(example.partition(" | ")[0].partition(" < ")[0], comments=True)
        while "=" in words[0]:
            del words[0]  # a variable of the environment
        assert words[0] == "tb"
        assert " ".join(words[1:]).startswith(name)
        rest = [word.replace("9f3c...", "9f3c" * 16) for word in words[1 + len(name.split()) :]]
        with contextlib.suppress(click.exceptions.Exit):  # an option that answers by itself, as --explain does
            assert command.make_context(name, rest).params is not None


@pytest.mark.parametrize(("name", "command"), list(commands()), ids=lambda value: value if isinstance(value, str) else "")
def test_options_mean_the_same_everywhere(name: str, command: click.Command) -> None:
    options = {option: p for p in command.params if isinstance(p, click.Option) for option in p.opts}
    if name not in {"init", "schema", "version", "data fetch"}:
        assert options["--project"].default == Path()
    if name not in {"schema", "pin set", "pin check"}:
        assert "--json" in options
    assert "--debug" in options
    assert all(p.help for p in options.values())
