"""What is taken out of text before anybody reads it, and what stays."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tb.core.redaction import GONE, forget_secrets, redacted, register_secret


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    forget_secrets()
    yield
    forget_secrets()


def test_registered_secrets_are_gone_in_every_form() -> None:
    secret = 'pä ss/w"ord+1'
    register_secret(secret)
    for form in (
        secret,
        quote(secret),
        quote(secret, safe=""),
        json.dumps(secret)[1:-1],
        json.dumps([secret], ensure_ascii=False),
    ):
        assert "ord" not in redacted(f"before {form} after")


def test_each_line_of_a_key_is_gone() -> None:
    line = base64.b64encode(bytes(range(48))).decode()
    register_secret(f"-----BEGIN EC PRIVATE KEY-----\n{line}\n{line[::-1]}\n-----END EC PRIVATE KEY-----\n")
    assert redacted(f"cannot read {line}, then {line[::-1]}") == f"cannot read {GONE}, then {GONE}"


def test_a_secret_that_begins_another_hides_no_rest() -> None:
    register_secret("alpha")
    register_secret("alphabet-soup")
    assert redacted("alphabet-soup and alpha") == f"{GONE} and {GONE}"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("-----BEGIN PRIVATE KEY-----\nMIG\n-----END PRIVATE KEY----- rest", f"{GONE} rest"),
        (r"key: '-----BEGIN EC PRIVATE KEY-----\nMHcC cut off", f"key: '{GONE}"),
        ("sent eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl now", f"sent {GONE} now"),
        ("Authorization: Bearer abcdefgh12345678", f"Authorization: {GONE} {GONE}"),
        ("postgresql://tb:pa55@db.example/tb", f"postgresql://{GONE}@db.example/tb"),
        ("api_key=abc, next", f"api_key={GONE}, next"),
        ('{"api_secret": "a\\"b c", "size": 1}', f'{{"api_secret": {GONE}, "size": 1}}'),
        ("operator pin: 123456", f"operator pin: {GONE}"),
        ("PIN=0000", f"PIN={GONE}"),
        ("kept scrypt:32768:8:1:c2FsdA==:aGFzaA== there", f"kept {GONE} there"),
    ],
)
def test_what_looks_like_a_secret_is_gone(text: str, left: str) -> None:
    assert redacted(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "drawdown 11% over 10%",
        "order 3f9a0c filled at 60,003.10 USD",
        "spin: 3, opinion: none, pinned: 4",
        "see https://docs.example/a?b=c@d",
        "the key is in `env:COINBASE_KEY`",
        "passed 12 of 12, bypass off",
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    assert redacted(text) == text


def test_short_words_are_not_taken_for_secrets() -> None:
    register_secret("on")
    register_secret("")
    assert redacted("only on Monday") == "only on Monday"


@given(st.text(min_size=4).filter(lambda text: len(text.strip()) >= 4), st.text(), st.text())
def test_nothing_of_a_registered_secret_is_left(secret: str, before: str, after: str) -> None:
    forget_secrets()
    register_secret(secret)
    assert secret.strip() not in redacted(f"{before}{secret}{after}").replace(GONE, "\0")
