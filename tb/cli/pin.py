"""`tb pin`: the operator's PIN, kept as a hash where the settings say."""

from __future__ import annotations

import getpass
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tb.cli.opening import settings_of
from tb.cli.options import command, project_option
from tb.cli.output import put, say
from tb.core.redaction import register_secret

if TYPE_CHECKING:
    from tb.core.live_settings import SecretName
    from tb.runtime.secrets import Secret

_EXAMPLE = "`live: {pin: 'env:TB_PIN_HASH'}` or `live: {pin: 'keyring:tb/pin'}`"


@click.group("pin")
def tb_pin() -> None:
    """The operator's PIN, which live trading asks for.

    Only its hash is kept, where `live.pin` of tb.yaml says: in an environment variable or in the system's keyring.
    """


@command("set", "tb pin set")
@project_option
def pin_set(project: Path) -> None:
    """Make the hash of a new PIN: into the keyring, or printed as the line for the environment.

    The PIN is asked for twice and never shown; it is no option, since others can read what a process was started with.
    """
    from tb.runtime.secrets import SHORTEST_PIN, hash_pin, new_salt, store_in_keyring

    name = _name(project)
    pin = _hidden("new PIN", again="the same again")
    if len(pin) < SHORTEST_PIN:
        raise click.UsageError(f"a PIN has at least {SHORTEST_PIN} characters; take letters too")
    kept = hash_pin(pin, new_salt())
    if name.place == "keyring":
        store_in_keyring(name, kept)
        say(f"the hash is in the keyring as `{name.name}`")
        return
    say(f"set this variable where `tb run` is started ({name} in tb.yaml):")
    put(f"{name.name}='{kept}'")


@command("check", "tb pin check")
@project_option
def pin_check(project: Path) -> None:
    """Ask for the PIN and say whether it is the one whose hash is kept."""
    ask_pin(_name(project))
    put("the PIN is right")


def ask_pin(name: SecretName) -> None:
    """Asks for the operator's PIN; ends the command with 1 where it is another. Raises Refused where no hash is kept."""
    from tb.runtime.secrets import is_pin

    kept = kept_pin(name)
    pin = _hidden("PIN")
    register_secret(pin)
    if not is_pin(pin, kept):
        say("that is not the PIN; `tb pin set` makes a new one")
        raise click.exceptions.Exit(1)


def kept_pin(name: SecretName) -> Secret:
    """The hash of the PIN. Raises Refused TB850 where none is kept."""
    from tb.runtime.secrets import read_secret

    return read_secret(name, "the hash of the operator's PIN", holds="what `tb pin set` prints")


def _hidden(question: str, again: str | bool = False) -> str:
    """Asks for what nobody may see. Without somebody at a terminal to answer, the command ends with 1."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", getpass.GetPassWarning)  # that it may be seen is said without it, too
        try:
            return str(click.prompt(question, hide_input=True, confirmation_prompt=again, err=True))
        except click.Abort:
            say("\nno PIN was given: it is asked for at a terminal, from a person")
            raise click.exceptions.Exit(1) from None


def _name(project: Path) -> SecretName:
    name = settings_of(project).live.pin
    if name is None:
        raise click.UsageError(f"tb.yaml does not say where the PIN's hash is kept; add {_EXAMPLE}")
    return name


tb_pin.add_command(pin_set)
tb_pin.add_command(pin_check)
