"""How fast one strategy runs over a million bars, here and elsewhere: `python -m benchmarks yardstick`."""
