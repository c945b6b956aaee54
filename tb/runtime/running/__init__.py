"""Running: the loop around the session step, for dry-run, paper and live.

    1. `loop`       waits for the close of a bar, gathers what came, and lets the session take its step
    2. `inputs`     everything that came, written down before anything follows from it
    3. `stepper`    what follows from one input: the market moves on, the venue tells, the session decides
    4. `market`     bars that grow, as a session sees them
    5. `recording`  where records go, and what is held back while they cannot be kept
    6. `cycle`      what a cycle came to, in words: with the reason where nothing was traded

INVARIANT: a session follows from its inputs alone. Taking them again, in their order, gives the same records byte for byte:
that is how a session that was killed goes on, and how a replay of it agrees with it.
"""
