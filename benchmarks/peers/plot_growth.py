"""Draws the growth of the yardstick: processor time over bars and over trades, both scales logarithmic, and peak memory over
bars.

In: {"growth": {"bars": [...], "trades": [...]}, "to": SVG or PNG}.
"""

import json
import sys

import matplotlib as mpl

mpl.use("Agg")
mpl.rcParams["svg.hashsalt"] = "growth"
import matplotlib.pyplot as plt  # noqa: E402 - the backend is chosen first


def draw(axis, rows, x, y, label):
    for name in dict.fromkeys(row["name"] for row in rows):
        mine = sorted((row for row in rows if row["name"] == name), key=lambda row: row[x])
        style = (
            {"linewidth": 2.2, "marker": "o"} if name.startswith("tb") else {"linewidth": 1.2, "marker": ".", "linestyle": "--"}
        )
        axis.plot([row[x] for row in mine], [row[y] for row in mine], label=name, **style)
    axis.set(xlabel=x, ylabel=label, xscale="log", yscale="log")
    axis.grid(True, which="both", alpha=0.25)


asked = json.load(sys.stdin)
figure, axes = plt.subplots(1, 3, figsize=(14, 4.5))
draw(axes[0], asked["growth"]["bars"], "bars", "cpu", "processor seconds")
draw(axes[1], asked["growth"]["trades"], "trades", "cpu", "processor seconds")
draw(axes[2], asked["growth"]["bars"], "bars", "peak", "peak memory, MB")
axes[0].legend(fontsize=8)
figure.tight_layout()
figure.savefig(asked["to"], metadata={"Date": None} if asked["to"].endswith(".svg") else None)
print(json.dumps(None))
