"""Every form of key is read, nothing of one is ever shown, and tokens are as the venue's own library makes them."""

from __future__ import annotations

import base64
import copy
import hashlib
import hmac
import json
import pickle
import re
import traceback
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, SECP384R1, generate_private_key
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from made_keys import ed25519_pem, ed25519_raw, secret_words

from tb.connectors.coinbase import Credentials, credentials_in, credentials_of
from tb.connectors.coinbase.tokens import message_proof, proof, token
from tb.core.diagnostics import Refused
from tb.core.redaction import redacted

NAME = "organizations/1/apiKeys/2"
NOW = 1_767_323_045


def public_of(credentials: Credentials) -> object:
    return credentials.key.open().public_key()


@pytest.mark.parametrize("form", ["plain", "escaped", "one line", "windows", "quoted", "pkcs8"])
def test_an_elliptic_key_is_read_in_every_form_in_which_it_is_stored(pem: str, form: str) -> None:
    made = {
        "plain": pem,
        "escaped": pem.replace("\n", "\\n"),
        "one line": pem.replace("\n", " "),
        "windows": pem.replace("\n", "\r\n"),
        "quoted": f'"{pem.strip()}"',
        "pkcs8": credentials_of(NAME, pem).key.open().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
    }[form]
    read = credentials_of(NAME, made)
    assert read.scheme == "ES256"
    assert read.key.open().private_numbers() == credentials_of(NAME, pem).key.open().private_numbers()


@pytest.mark.parametrize("length", [32, 64])
def test_an_ed25519_key_is_read_from_base64_and_from_pem(length: int) -> None:
    seed, public = ed25519_raw()
    raw = credentials_of(NAME, base64.b64encode((seed + public)[:length]).decode())
    assert (raw.scheme, raw.key.open().private_bytes_raw()) == ("EdDSA", seed)
    folded = "\n ".join(re.findall(".{1,20}", base64.b64encode(seed).decode()))
    assert credentials_of(NAME, folded).key.open().private_bytes_raw() == seed
    assert credentials_of(NAME, ed25519_pem(seed)).key.open().private_bytes_raw() == seed


def test_a_key_file_names_its_key_name_or_id(tmp_path: Path, pem: str) -> None:
    for field in ("name", "id"):
        path = tmp_path / f"{field}.json"
        path.write_text(json.dumps({field: NAME, "privateKey": pem}))
        read = credentials_in(path)
        assert (read.name, read.scheme) == (NAME, "ES256")


@pytest.mark.parametrize("scheme", ["ES256", "EdDSA"])
def test_a_token_says_what_the_venues_own_library_says(pem: str, scheme: str) -> None:
    seed, _ = ed25519_raw()
    credentials = credentials_of(NAME, pem if scheme == "ES256" else base64.b64encode(seed).decode())
    made = token(credentials, NOW, "GET api.coinbase.com/api/v3/brokerage/accounts")
    header = jwt.get_unverified_header(made)
    nonce = header.pop("nonce")
    assert header == {"alg": scheme, "kid": NAME, "typ": "JWT"}
    assert len(bytes.fromhex(nonce)) == 32
    claims = jwt.decode(made, public_of(credentials), algorithms=[scheme], options={"verify_exp": False, "verify_nbf": False})
    expected = {"sub": NAME, "iss": "cdp", "nbf": NOW, "exp": NOW + 120}
    assert claims == {**expected, "uri": "GET api.coinbase.com/api/v3/brokerage/accounts"}
    message = message_proof(credentials, NOW, "user", [])["jwt"]
    options = {"verify_exp": False, "verify_nbf": False}
    assert jwt.decode(message, public_of(credentials), algorithms=[scheme], options=options) == expected
    assert jwt.get_unverified_header(message)["nonce"] != nonce


def test_the_old_kind_of_key_signs_time_method_path_and_body() -> None:
    credentials = credentials_of("key", "of-the-old-kind", legacy=True)
    headers = proof(credentials, NOW, "POST", "api.coinbase.com", "/api/v3/brokerage/orders", b'{"a":1}')
    signed = hmac.new(b"of-the-old-kind", f'{NOW}POST/api/v3/brokerage/orders{{"a":1}}'.encode(), hashlib.sha256).hexdigest()
    assert headers == {"CB-ACCESS-KEY": "key", "CB-ACCESS-SIGN": signed, "CB-ACCESS-TIMESTAMP": str(NOW)}


def bad_keys() -> dict[str, str]:
    seed, public = ed25519_raw()
    other, _ = ed25519_raw()
    wide = generate_private_key(SECP384R1())
    locked = generate_private_key(SECP256R1())
    return {
        "": "is empty",
        "not a key at all, but many words!": "neither PEM nor base64",
        base64.b64encode(seed[:31]).decode(): "31 bytes long",
        base64.b64encode(other + public).decode(): "do not belong together",
        "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIHidden\n-----END EC PRIVATE KEY-----": "cannot be read",
        "-----BEGIN EC PRIVATE KEY-----": "cannot be read",
        wide.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        ).decode(): "of a kind that the venue does not take",
        locked.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"word")
        ).decode(): "locked with a password",
    }


def test_a_bad_key_is_refused_and_nothing_of_it_is_told() -> None:
    for secret, said in bad_keys().items():
        with pytest.raises(Refused) as refused:
            credentials_of(NAME, secret)
        told = "".join(traceback.format_exception(refused.value)) + repr(refused.value.findings)
        assert said in told
        assert [word for word in secret_words(secret) if word in told] == []


def test_key_files_that_are_none(tmp_path: Path, pem: str) -> None:
    path = tmp_path / "key.json"
    for content, said in (
        ("{", "not JSON"),
        ("[]", "`name` or `id`"),
        (json.dumps({"name": NAME, "key": pem}), "`privateKey`"),
    ):
        path.write_text(content)
        with pytest.raises(Refused, match=said) as refused:
            credentials_in(path)
        assert pem.split("\n")[1] not in repr(refused.value.findings)
    with pytest.raises(Refused, match="no such file"):
        credentials_in(tmp_path / "gone.json")


def test_credentials_show_nothing(pem: str) -> None:
    for credentials in (credentials_of(NAME, pem), credentials_of(NAME, "aSecretWordOfOld", legacy=True)):
        shown = f"{credentials!r} {credentials} {credentials.key!r} {credentials.key}"
        assert NAME not in shown
        assert [word for word in [*secret_words(pem), "aSecretWordOfOld"] if word in shown] == []
        assert "aSecretWordOfOld" not in redacted(f"a log with aSecretWordOfOld and {pem}")
        with pytest.raises(TypeError, match="not stored"):
            pickle.dumps(credentials)
        with pytest.raises(TypeError, match="not stored"):
            copy.deepcopy(credentials)
