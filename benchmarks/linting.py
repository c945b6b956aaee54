"""How long `tb lint` takes on a project of a hundred rules and a hundred constraints, and how much of it is starting.

The project is generated: each rule is a `let`, a trigger and a strategy of two entries and two exits; constraints come in
shapes that read the same few facts with other bounds, which is the hard case for rules that compare them with each other.
"""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.replays import Seconds, timed
from tb.analysis.lint import RULES as LINT_RULES
from tb.analysis.lint import Subject
from tb.dsl.format import format_file
from tb.dsl.parse import parse
from tb.runtime.policy import compile_project
from tb.runtime.project import load_project

RULES, CONSTRAINTS = 100, 100
_MODULES = "tb.cli.lint, tb.analysis.lint, tb.runtime.project, tb.dsl.parse"
SETTINGS = """name: hundred
account: {currency: USD, equity: 10_000 USD}
instruments: {default: {tick: 0.01, lot: 0.0001, minimum: 1 USD, max_quantity: 100}}
venue: {fee: 60bps, slippage: 5bps}
"""
_SHAPES = (
    "limit position_{n} after.exposure(order.instrument) <= {wide}% of equity  otherwise shrink",
    "limit gross_{n} after.gross <= {wider}% of equity  otherwise shrink",
    "limit risk_{n} order.risk <= {n} * 10 USD",
    "forbid thin_{n} when spread > {n}bps or depth(10bps) < {n} * order.notional",
    "limit loss_{n} loss({n}h) <= {wide}% of equity  otherwise pause for {n}m",
    "require calm_{n} spread <= {n}bps and data_age <= {n}h",
    "limit hourly_{n} entries({n}h) < {n} + 3",
    "forbid heated_{n} when order.side is buy and rsi(close, 14) > 70 and volume > {n} * mean(volume, 24)",
    "warn busy_{n} when entries(today) >= {n}",
    "pause streak_{n} for {n}m after {n} losses in a row",
)


@dataclass(frozen=True)
class Linting:
    """`command` is `tb lint` on the large project from start to end, `start` the same on a folder that is no project.

    `loaded` is Python with every module that linting needs. All run in processes of their own; `processor` is what they used of
    it, which counts where the machine is busy. `checks` is the seconds of the slowest rules by code, in this process.
    """

    rules: int
    constraints: int
    findings: int
    command: Seconds
    start: Seconds
    loaded: Seconds
    python: Seconds
    processor: dict[str, float]
    checks: dict[str, float]


def project(folder: Path, *, rules: int = RULES, constraints: int = CONSTRAINTS) -> Path:
    """Writes the project; it has no error, and the warnings that constraints of one shape deserve."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("rules", "policy"):
        (folder / name).mkdir(parents=True)
    (folder / "tb.yaml").write_text(SETTINGS)
    universe = "universe majors\n  tier core BTC-USD, ETH-USD\n  tier rest SOL-USD\n\n"
    (folder / "rules" / "markets.tb").write_text(_laid_out(universe, is_policy=False))
    for first in range(0, rules, 10):
        text = "use markets\n\n" + "\n".join(_rule(n) for n in range(first, min(first + 10, rules)))
        (folder / "rules" / f"rules_{first:03}.tb").write_text(_laid_out(text, is_policy=False))
    lines = [
        "limit collar abs(order.price / mid - 1) <= 2%",
        "limit orders_rate orders(10s) <= 20 on every order",
        "limit drawdown_limit drawdown <= 10% otherwise halt",
    ]
    for at in range(constraints - len(lines)):
        n = at // len(_SHAPES) + 2
        lines.append(_SHAPES[at % len(_SHAPES)].format(n=n, wide=n + 3, wider=10 * n))
    (folder / "policy" / "limits.tb").write_text(_laid_out("\n".join(lines) + "\n", is_policy=True))
    return folder


def _rule(n: int) -> str:
    return f"""let strength_{n} = rsi(close, {n + 5}) - {n % 7}

trigger surge_{n}
  when strength_{n} > {40 + n % 20} and (volume > mean(volume, {n + 2}) or hour in 8..20) and close > ema(close, {n + 3})
  confidence 0.5..0.9 as volume / mean(volume, {n + 2}) goes 1.5..4
  because "{{strength_{n}:.0f}}"

strategy s_{n} on majors every {1 + n % 2}h
  enter long when surge_{n} and change(close, {n + 1}) > {n % 5}%
    size 5% of equity if tier is core
         2% of equity otherwise
    stop 8% below entry
    target 16% above entry
  enter short when strength_{n} < {30 - n % 20} and change(close, {n + 1}) < -{1 + n % 5}%
    size 3% of equity
    stop 8% above entry
    target 16% below entry
  exit when rsi(close, {n + 5}) crosses above 80
  exit when close < lowest(low, {n + 2})[1] and volume > volume[1]
  hold at most {24 + n}h
"""


def _laid_out(text: str, *, is_policy: bool) -> str:
    file, mistakes = parse("generated", text, is_policy=is_policy)
    if mistakes:
        raise AssertionError(mistakes)
    return format_file(file)


def measure(folder: Path, *, runs: int) -> Linting:
    large = project(folder / "hundred")
    answer = tb("lint", "--project", str(large), "--json")
    if answer.returncode:
        wrong = [f"{f['code']} {f['message']}" for f in json.loads(answer.stdout)["findings"] if f["severity"] == "error"]
        raise SystemExit(f"the project has errors: {'; '.join(wrong)}")
    nothing = folder / "nothing"
    return Linting(
        rules=RULES,
        constraints=CONSTRAINTS,
        findings=len(json.loads(answer.stdout)["findings"]),
        command=timed(max(runs, 5), lambda: tb("lint", "--project", str(large))),
        start=timed(max(runs, 5), lambda: tb("lint", "--project", str(nothing))),
        loaded=timed(max(runs, 5), lambda: subprocess.run([sys.executable, "-c", f"import {_MODULES}"], check=True)),
        python=timed(max(runs, 5), lambda: subprocess.run([sys.executable, "-c", "pass"], check=True)),
        processor={"command": _used(runs, large), "start": _used(runs, nothing)},
        checks=_checks(large),
    )


def _used(runs: int, folder: Path) -> float:
    """Seconds of processor that `tb lint` uses, the least of several runs."""
    least = []
    for _ in range(max(runs, 5)):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        tb("lint", "--project", str(folder))
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        least.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(least)


def tb(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "tb", *arguments], check=False, capture_output=True, text=True)


def _checks(folder: Path, most: int = 6) -> dict[str, float]:
    """Seconds of the slowest rules. What several of them need is worked out by the first that asks."""
    compiled = compile_project(load_project(folder))
    texts = compiled.project
    files = [parse(path, text, is_policy=False)[0] for path, text in texts.rules.items()]
    files += [parse(path, text, is_policy=True)[0] for path, text in texts.policy.items()]
    subject = Subject(tuple(files), compiled.plan.program, compiled.plan, {})
    took = {}
    for rule in LINT_RULES:
        begin = time.perf_counter()
        list(rule.check(subject))
        took[f"{rule.code} {rule.name}"] = time.perf_counter() - begin
    return dict(sorted(took.items(), key=lambda item: -item[1])[:most])


def show(found: Linting) -> None:
    print(f"\n`tb lint` on {found.rules} rules and {found.constraints} constraints: {found.findings} findings")
    print(f"  {'':<28}{'middle':>10}{'best':>10}")
    for name, seconds in (
        ("start to end", found.command),
        ("start-up: no project there", found.start),
        ("its modules loaded", found.loaded),
        ("bare Python", found.python),
    ):
        print(f"  {name:<28}{seconds.middle:8.3f} s{seconds.best:8.3f} s")
    used = found.processor
    print(f"  of the processor, at least: {used['command']:.3f} s, {used['start']:.3f} s of it start-up")
    print("  slowest checks: " + ", ".join(f"{name} {seconds:.3f} s" for name, seconds in found.checks.items()))
