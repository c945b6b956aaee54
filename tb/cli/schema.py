"""`tb schema`: the published JSON Schemas, for editors that check YAML while it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import click

from tb.cli.options import command, out_option
from tb.cli.output import put, say, write_file


@command("schema", "tb schema limits -o limits.schema.json", "tb schema settings")
@click.argument("which", type=click.Choice(["limits", "settings"]), metavar="limits|settings")
@out_option
def tb_schema(which: str, output: Path | None) -> None:
    """Print the JSON Schema of limits or settings."""
    from tb.core.settings import settings_schema
    from tb.gate.limits import limits_schema

    schema = limits_schema() if which == "limits" else settings_schema()
    text = json.dumps(schema, indent=2, ensure_ascii=False)
    if output is None:
        put(text)
        return
    write_file(output, text + "\n")
    if str(output) != "-":
        say(f"written: {output}")
