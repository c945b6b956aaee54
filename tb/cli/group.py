"""`tb` itself: the list of commands, each loaded when it is asked for, and what happens when one of them fails."""

from __future__ import annotations

import importlib
import os
from typing import Any

import click

from tb.cli.failing import failures_told
from tb.cli.options import debug_option
from tb.core.diagnostics import did_you_mean

# in the order in which they are used
COMMANDS = (
    "init",
    "data",
    "lint",
    "fmt",
    "graph",
    "compile",
    "test",
    "replay",
    "run",
    "trades",
    "decisions",
    "explain",
    "why-not",
    "report",
    "runs",
    "parity",
    "compare",
    "ledger",
    "approve",
    "doctor",
    "status",
    "halt",
    "resume",
    "flatten",
    "reconcile",
    "rebuild-positions",
    "pin",
    "sandbox",
    "alerts",
    "demo",
    "schema",
    "version",
)


class Commands(click.Group):
    """Finds the command `NAME` as `tb_NAME` in `tb.cli.NAME`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        name = cmd_name.replace("-", "_")
        command: click.Command = getattr(importlib.import_module(f"tb.cli.{name}"), f"tb_{name}")
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            near = did_you_mean(name, COMMANDS)
            ctx.fail(f"there is no command `{name}`; {near or '`tb --help` lists them'}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        with failures_told(ctx):
            return super().invoke(ctx)


def _version(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted:
        from tb.cli.version import installed

        click.echo(f"tb {installed()}")
        ctx.exit()


@click.command(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="`tb COMMAND --help` shows what a command takes, with an example. Exit codes: 0 ok, 1 findings, 2 usage, "
    "3 refused input or an error, 4 undecided, 5 no test or too little covered.",
)
@click.option("--version", is_flag=True, expose_value=False, is_eager=True, callback=_version, help="Show the version.")
@debug_option
@click.pass_context
def tb(ctx: click.Context) -> None:
    """A policy engine for automated trading: rules, hard limits, and an explanation for every decision."""
    if os.environ.get("TB_DEBUG", "") not in {"", "0"}:
        ctx.meta["tb.debug"] = True
