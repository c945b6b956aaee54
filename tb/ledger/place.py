"""Where a ledger is: a file, or a database whose address an environment variable holds.

INVARIANT: the address, which may hold a password, is in no text that is made of a place. People see `env:NAME`; whoever reads
the address has it taken out of every log.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tb.core.diagnostics import Refused, error
from tb.core.redaction import register_secret
from tb.core.span import whole_file

ENV = "env:"
DATABASES = ("postgres://", "postgresql://", "postgresql+")  # how addresses of databases begin
NO_ADDRESS = "TB884"


@dataclass(frozen=True, slots=True)
class Database:
    """A ledger on a PostgreSQL server, whose address is in this environment variable."""

    variable: str

    def __str__(self) -> str:
        return f"{ENV}{self.variable}"

    def address(self) -> str:
        """Raises Refused TB884 where the variable is not set."""
        found = os.environ.get(self.variable, "").strip()
        if not found:
            hint = f"set `{self.variable}` to the address, as in `postgresql://tb@localhost/tb`"
            message = f"the address of the ledger's database is not in `{self}`"
            raise Refused([error(NO_ADDRESS, message, whole_file(str(self)), hint)])
        _register(found)
        return found


Place = Path | Database


def place_of(text: str, folder: Path) -> Place:
    """`env:NAME` is a database, anything else the path of a file, seen from a folder."""
    return Database(text.removeprefix(ENV)) if text.startswith(ENV) else folder / text


def _register(address: str) -> None:
    """An address with a password is a secret as a whole, and the password by itself."""
    if "://" in address:
        try:
            password = urlsplit(address).password
        except ValueError:  # not an address after all: nothing of it is shown
            password = address
    else:  # keywords and values
        password = next((part.partition("=")[2].strip("'") for part in address.split() if part.startswith("password=")), None)
    if password:
        register_secret(address)
        register_secret(password)
        register_secret(unquote(password))
