"""`tb version`: what is installed, for a report of a bug."""

from __future__ import annotations

from tb.cli.options import command, json_option
from tb.cli.output import put, put_json

LIBRARIES = ("click", "lark", "msgspec", "numba", "numpy", "polars", "rich", "sqlmodel")


def installed() -> str:
    """The version of the tb that runs, whatever an installation left behind says of it."""
    from tb import __version__

    return __version__


def _version(name: str) -> str:
    from importlib import metadata

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


@command("version", "tb version --json")
@json_option
def tb_version(as_json: bool) -> None:
    """Show what is installed."""
    import platform

    libraries = {name: _version(name) for name in LIBRARIES}
    if as_json:
        put_json({"tb": installed(), "python": platform.python_version(), "libraries": libraries})
        return
    put(f"tb {installed()}, Python {platform.python_version()}")
    put(", ".join(f"{name} {version}" for name, version in libraries.items()))
