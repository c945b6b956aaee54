"""Secrets are found where the settings say, and nowhere else: not in errors, texts or copies."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator

import keyring
import keyring.backend
import keyring.errors
import pytest

from tb.core.diagnostics import Refused
from tb.core.live_settings import SecretName
from tb.runtime.secrets import Secret, hash_pin, is_pin, new_salt, read_secret, store_in_keyring


class _Memory(keyring.backend.KeyringBackend):
    """A keyring for tests."""

    priority = 1  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


@pytest.fixture
def memory() -> Iterator[_Memory]:
    before, made = keyring.get_keyring(), _Memory()
    keyring.set_keyring(made)
    yield made
    keyring.set_keyring(before)


def test_a_secret_shows_nothing_of_itself() -> None:
    secret = Secret("seeded-4711")
    for text in (repr(secret), str(secret), f"{secret}", f"{secret!r:>20}", repr([secret]), repr({"a": secret})):
        assert "4711" not in text
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        copy.copy(secret)
    assert secret.reveal() == "seeded-4711"


def test_a_secret_is_read_from_the_environment() -> None:
    name = SecretName("env", "KEY")
    assert read_secret(name, "the key", {"KEY": " seeded-4711\n"}).reveal() == "seeded-4711"
    for environment in ({}, {"KEY": ""}, {"KEY": "  \n"}):
        with pytest.raises(Refused) as refused:
            read_secret(name, "the key", environment)
        assert refused.value.findings[0].message == "the key is not in `env:KEY`"
        assert refused.value.findings[0].hint == "set the variable `KEY`"


def test_a_secret_is_kept_in_the_keyring(memory: _Memory) -> None:
    name = SecretName("keyring", "tb/pin")
    with pytest.raises(Refused, match="the PIN is not in `keyring:tb/pin`"):
        read_secret(name, "the PIN")
    store_in_keyring(name, "seeded-4712")
    assert memory.kept == {("tb", "pin"): "seeded-4712"}
    assert read_secret(name, "the PIN").reveal() == "seeded-4712"


def test_a_keyring_that_fails_is_told_without_what_it_was_given(memory: _Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*given: str) -> None:
        raise keyring.errors.KeyringError(f"cannot keep {given}")

    monkeypatch.setattr(memory, "set_password", fails)
    with pytest.raises(Refused) as refused:
        store_in_keyring(SecretName("keyring", "tb/pin"), "seeded-4711")
    assert refused.value.findings[0].code == "TB852"
    assert "4711" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_a_pin_is_known_by_its_hash_alone() -> None:
    kept = Secret(hash_pin("correct horse", new_salt()))
    assert is_pin("correct horse", kept)
    assert not is_pin("correct horsf", kept)
    assert not is_pin("", kept)
    assert "horse" not in kept.reveal()
    assert hash_pin("correct horse", new_salt()) != kept.reveal()


def test_a_short_pin_is_not_hashed() -> None:
    with pytest.raises(ValueError, match="at least 6"):
        hash_pin("12345", new_salt())


@pytest.mark.parametrize(
    "text", ["", "4711", "scrypt", "scrypt:1:1:1:AA==:AA==", "md5:32768:8:1:AAAA:BBBB", "scrypt:x:8:1:AAAA:BBBB"]
)
def test_what_is_no_hash_lets_nobody_in(text: str) -> None:
    with pytest.raises(Refused) as refused:
        is_pin("anything", Secret(text))
    assert refused.value.findings[0].code == "TB851"
