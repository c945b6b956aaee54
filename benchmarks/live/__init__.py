"""What a live session waits for: one step of many instruments, and the first start: `python -m benchmarks live`."""
