"""How long a call takes and what memory its process needs, measured alike for everybody. Knows no library but Python's
own.
"""

import os
import resource
import sys
import time


def peak():
    """The most memory this process ever had, in MB: of the program itself, not of what started it, where the system tells these
    apart."""
    if os.path.exists("/proc/self/status"):
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) / 1_024 for line in status if line.startswith("VmHWM:"))
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1_048_576 if sys.platform == "darwin" else 1_024)


def processor():
    """Seconds of processor time of this process and those it waited for, in all threads: user and system."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def each_takes(decide, count, runs, clock, before=None):
    """Microseconds by that clock (in ns) of `decide(0)` to `decide(count - 1)`, each by itself, so many times over.

    `before` is called before each with its number, outside of the clock."""
    took = []
    for _ in range(runs):
        for at in range(count):
            if before is not None:
                before(at)
            begin = clock()
            decide(at)
            took.append((clock() - begin) / 1_000)
    return took


def measure(run, runs):
    """Calls `run` once and then `runs` times; it returns the number of trades and the final equity.

    `first` is the first call, with whatever it compiles; `wall` and `cpu` are the seconds of each call after it; `loaded` is
    the peak memory before the first call (the libraries and the data), `peak` at the end, both in MB."""
    loaded, walls, used, found = peak(), [], [], None
    for _ in range(runs + 1):
        begin, before = time.perf_counter(), processor()
        found = run()
        walls.append(time.perf_counter() - begin)
        used.append(processor() - before)
    trades, equity = found
    return {
        "first": walls[0],
        "wall": walls[1:] or walls,
        "cpu": used[1:] or used,
        "loaded": loaded,
        "peak": peak(),
        "trades": int(trades),
        "equity": float(equity),
    }
