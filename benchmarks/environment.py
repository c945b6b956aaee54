"""The environment of the peers, installed from a lock of their own into `.benchmarks` here, so that tb's stays clean.

The folder is named after the lock's content: another lock is another environment, and one that was not finished is made anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
SCRIPTS = HERE / "peers"
LOCK = SCRIPTS / "requirements.lock"
CACHE = HERE.parent / ".benchmarks"


class Failed(Exception):
    """A peer could not be installed or ended with an error; the text says which and how."""


def python() -> Path:
    """The interpreter of the peers' environment, which is installed first where it is missing: a minute or two."""
    name = hashlib.sha256(LOCK.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = CACHE / name
    found = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    if (folder / "installed").is_file():
        return found
    print(f"installing the peers into .benchmarks/{name} (a minute or two the first time)", file=sys.stderr, flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    uv = shutil.which("uv")
    if uv is not None:
        _call(uv, "venv", "--quiet", "--python", sys.executable, str(folder))
        _call(uv, "pip", "install", "--quiet", "--python", str(found), "--require-hashes", "-r", str(LOCK))
    else:
        _call(sys.executable, "-m", "venv", str(folder))
        _call(str(found), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r", str(LOCK))
    (folder / "installed").touch()
    return found


def ask(script: str, request: object, *, interpreter: Path | None = None) -> object:
    """What a script of `benchmarks/peers` answers to a request: JSON in, JSON as the last line out, in a process of its
    own.
    """
    done = subprocess.run(
        [str(interpreter or python()), str(SCRIPTS / script)],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Failed(f"benchmarks/peers/{script} ended with {done.returncode}:\n{done.stderr[-4_000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def versions() -> dict[str, str]:
    """The pinned version of every peer, by name."""
    lines = [line.split(" ")[0] for line in LOCK.read_text().splitlines() if "==" in line]
    return dict(line.split("==", 1) for line in lines)


def _call(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"`{' '.join(command)}` ended with {done.returncode}:\n{done.stdout[-2_000:]}{done.stderr[-4_000:]}")
