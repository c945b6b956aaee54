"""`python -m benchmarks [COMMAND]`: an overview of tb alone, or one of the commands that set it beside others."""

from __future__ import annotations

import sys
from importlib import import_module

COMMANDS = {
    "parity": "benchmarks.parity.command",
    "yardstick": "benchmarks.yardstick.command",
    "decisions": "benchmarks.deciding.command",
    "live": "benchmarks.live.command",
    "gateway": "benchmarks.gateway.command",
    "ledger": "benchmarks.recording.command",
}


def main() -> int:
    arguments = sys.argv[1:]
    if arguments and arguments[0] in COMMANDS:
        status: int = import_module(COMMANDS[arguments[0]]).main(arguments[1:])
        return status
    return int(import_module("benchmarks.overview").main(arguments))


if __name__ == "__main__":
    sys.exit(main())
