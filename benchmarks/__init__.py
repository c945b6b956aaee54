"""How fast tb is on this machine: `python -m benchmarks`. Nothing here is asserted; numbers are read by people."""
