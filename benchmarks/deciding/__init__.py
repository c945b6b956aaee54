"""One policy in tb and in four engines, on the same inputs: `python -m benchmarks decisions`."""
