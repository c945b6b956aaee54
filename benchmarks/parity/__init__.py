"""Whether tb makes the trades that backtesting.py and vectorbt make: `python -m benchmarks parity`."""
