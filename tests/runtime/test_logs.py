"""Logs in two forms; no secret gets into one, wherever in a record it stands."""

from __future__ import annotations

import io
import json
import logging
import threading
from collections.abc import Iterator

import pytest

from tb.core.redaction import forget_secrets, register_secret
from tb.runtime.logs import LogFormat, Redacting, set_up_logs

SECRET = "rosebud-4711"


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root, ours, hook = logging.getLogger(), logging.getLogger("tb"), threading.excepthook
    levels = root.level, ours.level
    yield
    for handler in [one for one in root.handlers if any(isinstance(found, Redacting) for found in one.filters)]:
        root.removeHandler(handler)
    root.setLevel(levels[0])
    ours.setLevel(levels[1])
    threading.excepthook = hook
    forget_secrets()


class Shown:
    def __init__(self, form: LogFormat, level: str = "info") -> None:
        self.stream = io.StringIO()
        set_up_logs(form, level=level, stream=self.stream)

    @property
    def lines(self) -> list[str]:
        return self.stream.getvalue().splitlines()


def test_json_is_one_object_a_line() -> None:
    shown = Shown("json")
    logging.getLogger("tb.loop").info("cycle %d of %s", 3, "BTC-USD\nline two", extra={"orders": 2, "late": True})
    logging.getLogger("httpx").info("GET https://example")
    (line,) = shown.lines
    said = json.loads(line)
    assert said.pop("at").endswith("Z")
    assert said == {
        "level": "info",
        "logger": "tb.loop",
        "message": "cycle 3 of BTC-USD\nline two",
        "thread": "MainThread",
        "orders": 2,
        "late": True,
    }


def test_text_is_for_people() -> None:
    shown = Shown("text", "warning")
    log = logging.getLogger("tb.gateway")
    log.info("not asked for")
    log.warning("order %s is unknown", "o1")
    (line,) = shown.lines
    assert line.endswith("Z warning tb.gateway: order o1 is unknown")


@pytest.mark.parametrize("form", ["json", "text"])
def test_no_part_of_a_record_shows_a_secret(form: LogFormat) -> None:
    register_secret(SECRET)
    logging.getLogger().handlers[:] = []  # those of the test runner stumble over what this test logs
    shown = Shown(form)
    log = logging.getLogger("tb.any")
    log.warning(f"plain {SECRET}")
    log.warning("argument %s and %(no)s", SECRET)
    log.warning("argument %s", {"key": SECRET}, extra={"header": f"Bearer {SECRET}", "about": [SECRET]})
    try:
        raise ValueError(f"the venue said: {SECRET}")
    except ValueError:
        log.exception("failed", stack_info=True)
    log.error("pem -----BEGIN PRIVATE KEY-----\nabcd\n-----END PRIVATE KEY-----")
    ended = threading.Thread(target=lambda: [][int(f"1{len(SECRET)}")] or SECRET, name=SECRET)
    ended.start()
    ended.join()
    text = shown.stream.getvalue()
    assert SECRET not in text
    assert "abcd" not in text
    assert text.count("[redacted]") >= 5
    assert "its arguments cannot be shown" in text
    assert "IndexError" in text
    assert "ValueError: the venue said" in text


def test_set_up_again_replaces() -> None:
    first, second = Shown("text"), Shown("json")
    logging.getLogger("tb").info("once")
    assert (first.lines, len(second.lines)) == ([], 1)
