"""The first `tb replay` of a fresh clone, whose kernels are not compiled yet, against the second."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers.timing import processor
from benchmarks.replays import RECORDED, ROOT
from tb.replay.sample import write_sample

# runs the command line as it is, and says at the end how long numba compiled
TIMED = """
import json, sys
from numba.core import event
from tb.cli import main
with event.install_timer("numba:compile", lambda seconds: None) as compiling:
    try:
        main()
    except SystemExit as ended:
        if ended.code:
            raise
print(json.dumps(compiling.duration if compiling.done else 0.0), file=sys.stderr)
"""


@dataclass(frozen=True)
class Start:
    """Seconds of the first and the second run; `compiling` is what numba took of the first, for so many `kernels`."""

    data: str
    first: float
    second: float
    first_cpu: float
    second_cpu: float
    compiling: float
    kernels: int


def measure() -> Start:
    """Clones what is committed here, and replays its default project twice."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = RECORDED
        if not data.is_dir():
            data = folder / "sample"
            write_sample(data)
        clone = folder / "clone"
        subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(clone)], check=True)
        (first, first_cpu, compiling), (second, second_cpu, _) = (_replay(clone, data) for _ in range(2))
        kernels = len(list(clone.rglob("*.nbi")))
    shown = "recorded hourly bars" if data == RECORDED else "the simulated sample market"
    return Start(shown, first, second, first_cpu, second_cpu, compiling, kernels)


def _replay(clone: Path, data: Path) -> tuple[float, float, float]:
    hidden = ("NUMBA_CACHE_DIR", "PYTHONPYCACHEPREFIX", "PYTHONDONTWRITEBYTECODE")
    environment = {key: value for key, value in os.environ.items() if key not in hidden} | {"PYTHONPATH": str(clone)}
    begin, before = time.perf_counter(), processor()
    command = [sys.executable, "-c", TIMED, "replay", "--data", str(data)]
    done = subprocess.run(command, cwd=clone, env=environment, capture_output=True, text=True, check=False)
    took, used = time.perf_counter() - begin, processor() - before
    if done.returncode:
        raise RuntimeError(f"`tb replay` ended with {done.returncode}:\n{done.stderr[-4_000:]}")
    return took, used, float(done.stderr.strip().splitlines()[-1])
