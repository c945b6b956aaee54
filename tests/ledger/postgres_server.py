"""A PostgreSQL server of the tests' own: on loopback, on a port that is free, in a folder that goes away with it.

It is made with the `initdb` and `pg_ctl` that are found on the machine, and runs as an unprivileged user where the tests run as
the administrator, since a server refuses to. `schema_address` gives each test a schema of its own.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import secrets
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

PASSWORD = "of-the-tests-" + secrets.token_hex(8)
USER = "tb"


class Missing(Exception):
    """Why no server can be had."""


def program(name: str) -> Path:
    """Where a program of the server is; Debian keeps them out of PATH."""
    on_path = shutil.which(name)
    if on_path is not None:
        return Path(on_path)
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4].split(".")[0]))
    if not versions:
        raise Missing(f"`{name}` is not installed: on Debian it comes with `apt-get install postgresql`")
    return versions[-1]


def _unprivileged() -> pwd.struct_passwd | None:
    """Whom the server runs as; None for the user that the tests run as."""
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise Missing("a server does not run as root, and neither `postgres` nor `nobody` is a user here")


class Server:
    """A server that runs. `address` names its database as the owner of it does."""

    def __init__(self, folder: Path, *, fsync: bool) -> None:
        self.folder, self.user, self.fsync = folder, _unprivileged(), fsync
        self.data = folder / "data"
        if self.user is not None:
            os.chown(folder, self.user.pw_uid, self.user.pw_gid)
        word = folder / "word"
        word.write_text(PASSWORD)
        if self.user is not None:
            os.chown(word, self.user.pw_uid, self.user.pw_gid)
        self._run(
            "initdb", "-D", self.data, "-U", USER, f"--pwfile={word}", "-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "-N"
        )
        self.port = _free_port()
        self.is_running = False
        self.start()

    @property
    def address(self) -> str:
        return f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder}"
        options += "" if self.fsync else " -c fsync=off"
        self._run("pg_ctl", "-D", self.data, "-w", "-t", "60", "-l", self.folder / "log", "-o", options, "start")
        self.is_running = True

    def stop(self) -> None:
        self._run("pg_ctl", "-D", self.data, "-w", "-t", "60", "-m", "immediate", "stop")
        self.is_running = False

    def _run(self, name: str, *arguments: object) -> None:
        command = [str(program(name)), *map(str, arguments)]
        who = {} if self.user is None else {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []}
        # into a file: the server would hold a pipe open
        with (self.folder / f"{name}.out").open("w+") as out:
            done = subprocess.run(
                command, stdout=out, stderr=out, cwd="/", env={"PATH": os.environ["PATH"]}, check=False, **who
            )  # type: ignore[call-overload]
            out.seek(0)
            if done.returncode:
                raise Missing(f"`{name}` ended with {done.returncode}: {out.read()[-500:].strip()}")

    def schema_address(self) -> str:
        """An address that leads to a new, empty schema."""
        import psycopg

        name = "t" + secrets.token_hex(8)
        with psycopg.connect(self.address, autocommit=True) as connection:
            connection.execute(f'CREATE SCHEMA "{name}"')
        return f"{self.address}?options=-csearch_path%3D{name}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextlib.contextmanager
def running(*, fsync: bool = False) -> Iterator[Server]:
    """A server for as long as the context lasts; without `fsync` it is quicker, and a power cut would cost it what it holds.

    Raises `Missing` where none can be had.
    """
    program("initdb")
    with TemporaryDirectory(prefix="tb-postgres-", ignore_cleanup_errors=True) as folder:
        server = Server(Path(folder), fsync=fsync)
        try:
            yield server
        finally:
            if server.is_running:
                server.stop()


def search_path(address: str) -> str:
    """The schema that an address leads to."""
    found = re.search(r"search_path%3D(\w+)", address)
    assert found is not None
    return found.group(1)
