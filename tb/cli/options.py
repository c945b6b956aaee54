"""What commands have in common: the options that mean the same everywhere, and help that shows an example."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from tb.core.time import parse_instant

AnyFunction = Callable[..., Any]
Decorator = Callable[[AnyFunction], AnyFunction]


class Command(click.Command):
    """Shows its examples as they were written, one a line."""

    def __init__(self, *args: Any, examples: tuple[str, ...] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = examples

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if self.examples:
            with formatter.section("Examples" if len(self.examples) > 1 else "Example"):
                formatter.write("".join(f"{' ' * formatter.current_indent}{line}\n" for line in self.examples))


def command(name: str, *examples: str) -> Callable[[AnyFunction], click.Command]:
    """Makes a function the command `name`, whose help ends with these examples."""

    def made(function: AnyFunction) -> click.Command:
        return click.command(name, cls=Command, examples=examples)(debug_option(function))

    return made


def _note(key: str) -> Callable[[click.Context, click.Parameter, Any], Any]:
    """Keeps the value where `tb.cli.failing` finds it, should the command fail."""

    def keep(ctx: click.Context, _parameter: click.Parameter, value: Any) -> Any:
        if value:
            ctx.meta[key] = value
        return value

    return keep


project_option: Decorator = click.option(
    "--project",
    type=click.Path(path_type=Path),
    default=Path(),
    metavar="DIR",
    callback=_note("tb.project"),
    is_eager=True,
    help="Folder with `tb.yaml` (default: here).",
)
json_option: Decorator = click.option(
    "--json", "as_json", is_flag=True, callback=_note("tb.json"), is_eager=True, help="Print JSON for programs."
)
debug_option: Decorator = click.option(
    "--debug",
    is_flag=True,
    hidden=True,
    expose_value=False,
    is_eager=True,
    callback=_note("tb.debug"),
    help="Show the traceback of a bug in tb.",
)


class LedgerPlace(click.ParamType):  # type: ignore[type-arg]  # generic in some versions of the library
    """The path of a file, or `env:NAME` of the variable that holds a database's address."""

    name = "place"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from tb.ledger.place import DATABASES, place_of

        if not isinstance(value, str):
            return value
        if value.startswith(DATABASES):  # others can read what a process was started with
            self.fail("an address may hold a password; put it into an environment variable and write `env:NAME`", param, ctx)
        return place_of(value, Path())


ledger_option: Decorator = click.option(
    "--ledger",
    type=LedgerPlace(),
    metavar="PATH",
    help="Ledger file, or `env:NAME` of a database (default: what `tb.yaml` names).",
)
out_option: Decorator = click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write to a file; `-` is standard output."
)


def log_options(function: AnyFunction) -> AnyFunction:
    """`--log-format` and `--log-level`: what `tb.runtime.logs.set_up_logs` takes."""
    form = click.option(
        "--log-format", type=click.Choice(["json", "text"]), default="text", show_default=True, help="How logs are written."
    )
    level = click.option(
        "--log-level",
        type=click.Choice(["debug", "info", "warning", "error"]),
        default="info",
        show_default=True,
        help="What is logged, from this on.",
    )
    decorated: AnyFunction = form(level(function))
    return decorated


def instant(text: str) -> int:
    """An instant, as milliseconds since 1970 UTC."""
    found = parse_instant(text)
    if found is None:
        raise click.BadParameter(f"`{text}` is not a time; write 2024-01-31 or 2024-01-31T05:00 (UTC)")
    return found


def names(text: str) -> tuple[str, ...]:
    """Names separated by commas."""
    found = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not found:
        raise click.BadParameter("name one or more, separated by commas")
    return found


def run_name(text: str) -> str:
    """`r3`, also written `3`."""
    number = text.removeprefix("r")
    if not (number.isascii() and number.isdigit()):
        raise click.BadParameter(f"`{text}` is not a run; runs are called r1, r2, ... and `tb runs` lists them")
    return f"r{int(number)}"


run_argument: Decorator = click.argument("run", type=run_name, required=False, metavar="[RUN]")
