"""Writes the signals of strategies for markets, so that the plain reading of conventions works from them as well.

In: {"jobs": [{"market": NPZ, "signals": KIND, "out": NPZ}]}; beside each side, `exact_` and its name hold the signal from
exact averages."""

import json
import sys

import numpy as np
from signals import load, of

for job in json.load(sys.stdin)["jobs"]:
    market = load(job["market"])
    exact = of(job["signals"], market, exactly=True)
    np.savez(job["out"], **of(job["signals"], market), **{f"exact_{side}": values for side, values in exact.items()})
print(json.dumps(None))
