"""Logs of a session: lines of text for people or of JSON for programs, on standard error, without any secret.

1. `Redacting` takes registered secrets, and what looks like one, out of message, arguments, exception, stack and added fields,
   before a formatter sees them. A record that cannot be put together is still logged, as what went wrong with it.
2. `AsJson` writes one object a line: `at` (UTC), `level`, `logger`, `message`, `thread`, then added fields, `error` with its
   traceback last.
3. `set_up_logs` gives both to everything that is logged in the process, and to what ends a thread.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
from types import TracebackType
from typing import IO, Any, Literal

from tb.core.redaction import redacted
from tb.core.time import show_instant

LogFormat = Literal["json", "text"]

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_formatter = logging.Formatter()


class Redacting(logging.Filter):
    """Takes secrets out of records; lets all of them pass."""

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            message = record.getMessage()
        except Exception as problem:  # arguments that do not fit, or whose text raises: say so in place of losing the record
            message = f"{record.msg!s} (its arguments cannot be shown: {type(problem).__name__})"
        record.msg, record.args = redacted(message), None
        if record.exc_info and record.exc_info[1] is not None:
            record.exc_text = _formatter.formatException(record.exc_info)
        record.exc_info = None  # nobody formats it again
        record.exc_text = redacted(record.exc_text) if record.exc_text else None
        record.stack_info = redacted(record.stack_info) if record.stack_info else None
        record.threadName = redacted(record.threadName) if record.threadName else None
        for name in [one for one in vars(record) if one not in _STANDARD]:
            setattr(record, name, _plain(getattr(record, name)))
        return True


def _plain(value: object) -> object:
    """A field that somebody added: a number or truth as it is, anything else as text without secrets."""
    return value if value is None or isinstance(value, bool | int | float) else redacted(str(value))


class AsJson(logging.Formatter):
    """One object a line; values that JSON has no word for are text."""

    def format(self, record: logging.LogRecord) -> str:
        said: dict[str, Any] = {
            "at": show_instant(int(record.created * 1000)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "thread": record.threadName,
        }
        said |= {name: value for name, value in sorted(vars(record).items()) if name not in _STANDARD and name not in said}
        if record.exc_text:
            said["error"] = record.exc_text
        if record.stack_info:
            said["stack"] = record.stack_info
        return json.dumps(said, ensure_ascii=False, default=str)


class AsText(logging.Formatter):
    """`2026-11-26T03:40:12.345Z warning tb.alerts: words`, a traceback below."""

    def format(self, record: logging.LogRecord) -> str:
        line = f"{show_instant(int(record.created * 1000))} {record.levelname.lower()} {record.name}: {record.getMessage()}"
        return "\n".join(part for part in (line, record.exc_text, record.stack_info) if part)


def set_up_logs(form: LogFormat, *, level: str = "info", stream: IO[str] | None = None) -> logging.Handler:
    """Logs of tb from a level on, of libraries from warnings on, in one form and to one stream. Called again it replaces."""
    handler = logging.StreamHandler(sys.stderr if stream is None else stream)
    handler.addFilter(Redacting())
    handler.setFormatter(AsJson() if form == "json" else AsText())
    root = logging.getLogger()
    for before in [one for one in root.handlers if any(isinstance(found, Redacting) for found in one.filters)]:
        root.removeHandler(before)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger("tb").setLevel(level.upper())
    threading.excepthook = _thread_ended
    return handler


def _thread_ended(ended: threading.ExceptHookArgs) -> None:
    """An exception that ends a thread is logged like any other, not printed as it is."""
    problem: BaseException = ended.exc_value or ended.exc_type()
    name = ended.thread.name if ended.thread is not None else "?"
    trace: TracebackType | None = ended.exc_traceback
    logging.getLogger("tb").error("the thread `%s` ended with an error", name, exc_info=(ended.exc_type, problem, trace))
