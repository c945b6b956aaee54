"""Replays every recorded market with the default project on several Pythons, hash seeds and chunk sizes.

    python tests/soak/recorded.py [--pythons python3.11 python3.12 python3.13] [--data ../shared/data] [--keep FOLDER]

For each Python an environment is made from requirements.lock (kept in FOLDER where given). In each, every folder of bars
is replayed three times: with another seed of hashes and another chunk size. The decision log must be the same in all of
them, and each decision of the first replay must be given again by its explanation. Ends with 1 where anything differs.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
ROUNDS = ((0, 16_384, True), (1, 1_000, False), (4_242, 777, False))  # seed of hashes, chunk, whether decisions are explained


def replayed(folder: Path, chunk: int, *, explains: bool) -> dict[str, object]:
    """In the environment under test: one replay, and how many of its decisions are reproduced."""
    sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "replay")]
    from small_projects import run

    from tb.core.diagnostics import Refused
    from tb.replay.data import load_market
    from tb.runtime.policy import compile_project
    from tb.runtime.project import load_project

    try:
        market = load_market(folder)
    except Refused as refused:
        return {"refused": str(refused)}
    done = run(compile_project(load_project(ROOT)), market, chunk=chunk)
    told: dict[str, object] = {"hash": done.outcome.decision_log_hash, "bars": done.outcome.bars, **done.outcome.counts}
    if explains:
        told["reproduced"] = sum(done.explained(decision, deep=False).reproduced for decision in done.decisions)
    return told


def environment(python: str, folder: Path) -> str:
    """The interpreter of an environment with what the lock names."""
    made = folder / python.replace("/", "_")
    inside = made / "bin" / "python"
    if not inside.exists():
        subprocess.run([python, "-m", "venv", str(made)], check=True)
        wanted = [str(inside), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(ROOT / "requirements.lock")]
        subprocess.run(wanted, check=True)
    return str(inside)


def asked(inside: str, folder: Path, seed: int, chunk: int, *, explains: bool) -> dict[str, object]:
    given = [inside, __file__, "--inside", str(folder), "--chunk", str(chunk), *(["--explain"] if explains else [])]
    done = subprocess.run(given, env={**os.environ, "PYTHONHASHSEED": str(seed)}, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"failed": done.stderr.strip().splitlines()[-1:]}
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return found


def compared(pythons: list[str], data: Path, environments: Path) -> int:
    folders = sorted({path.parent for path in data.glob("*/*.parquet") if path.parent.name != "series"})
    wrong = 0
    for folder in folders:
        hashes: dict[str, list[str]] = {}
        for python in pythons:
            inside = environment(python, environments)
            for seed, chunk, explains in ROUNDS:
                begin = time.monotonic()
                found = asked(inside, folder, seed, chunk, explains=explains)
                told = str(found.get("hash") or found)
                hashes.setdefault(told, []).append(f"{python}, seed {seed}, chunk {chunk}")
                lost = int(str(found.get("decisions", 0))) - int(str(found["reproduced"])) if "reproduced" in found else 0
                wrong += lost != 0 or "failed" in found
                numbers = ", ".join(
                    f"{found[name]:,} {name}" for name in ("bars", "decisions", "trades", "reproduced") if name in found
                )
                took = f"{time.monotonic() - begin:.0f} s"
                print(f"{folder.name}: {python}, seed {seed}, chunk {chunk}: {told[:70]} {numbers}; {took}", flush=True)
        if len(hashes) > 1:
            wrong += 1
            print(f"{folder.name}: NOT the same everywhere: {hashes}")
    print(f"{len(folders)} folders, {len(pythons)} Pythons: " + (f"{wrong} differences" if wrong else "all the same"))
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pythons", nargs="+", default=["python3.11", "python3.12", "python3.13"])
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--chunk", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--explain", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.inside is not None:
        print(json.dumps(replayed(chosen.inside, chosen.chunk, explains=chosen.explain)))
        return 0
    with tempfile.TemporaryDirectory() as name:
        return 1 if compared(chosen.pythons, chosen.data, chosen.keep or Path(name)) else 0


if __name__ == "__main__":
    sys.exit(main())
