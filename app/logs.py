"""Log lines: JSON for machines that gather them, plain ones for a person at a terminal; no secret in either.

Everything goes through Python's own `logging` to standard error.  Each line carries the id of the request that it
belongs to, also in the worker, where it is the id of the request that left the job behind: one story can be read from
the button to the mail.  What people typed, searched for or are called does not belong into a line; addresses of pages
are written as their route (`/o/{token}`), never as they were asked for.
"""

import json
import logging
import re
import sys
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr
from pythonjsonlogger.json import JsonFormatter

from app import jobs
from app.settings import settings

HIDDEN = "•••"
LEAST_SECRET = 8
"""Shorter ones would be found in every other word."""

#: Lines from elsewhere that are of no use at INFO.
QUIET = ("alembic", "app.database.MeasuredPool", "httpx", "httpcore", "stripe")

#: For granian, which sets up handlers of its own unless it is told otherwise.
GRANIAN: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {},
    "handlers": {},
    "loggers": {"_granian": {"handlers": [], "propagate": True}},
}

_encode = json.JSONEncoder(ensure_ascii=False).encode
_SECRET = re.compile(
    r"""
    (?P<before> :// [^\s:/@]* : ) [^\s/@]+ (?=@)                            # an address with a password
    | (?P<scheme> \b (?:bearer|basic) \s+ ) [^\s"',;]+                      # an Authorization header
    | (?P<name> \b [\w-]* (?:passwor[dt]|secret|token|api_?key|access_key|cookie|authorization)[\w-]* ["']? \s* [=:]
        \s* ["']? (?: bearer\s+ | basic\s+ )? ) [^\s"',;&)}]{4,}                                        # name=value
    | (?P<row> \b Key\ \( [^)]* \)= ) \( .*? \) (?=\s|$)                    # PostgreSQL's detail: what a row holds
    | (?P<page> /(?:en/)?(?:o|invitations)/ ) [\w-]{8,}                     # a page that its address alone opens
    | \b (?: (?:sk|rk|pk)_(?:live|test) | whsec ) _ \w+                     # Stripe's keys
    """,
    re.VERBOSE | re.IGNORECASE,
)


def set_up() -> None:
    """Send every line of this process to standard error, in the form that LOG_FORMAT asks for."""
    given = settings()
    handler = logging.StreamHandler(sys.stderr)
    is_json = given.log_format == "json" or (given.log_format == "auto" and not sys.stderr.isatty())
    handler.setFormatter(JsonLines() if is_json else TextLines())
    handler.addFilter(name_request)
    logging.basicConfig(level=given.log_level, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False  # never shown
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def redacted(text: str) -> str:
    """Return `text` without anything that opens a door: passwords, keys, tokens, secret links, our own secrets."""
    for secret in _own_secrets():
        text = text.replace(secret, HIDDEN)
    return _SECRET.sub(_hide, text)


class JsonLines(JsonFormatter):
    """One JSON object per line: time (UTC), level, logger, message, request_id, and what the caller gave as `extra`."""

    def __init__(self) -> None:
        super().__init__(
            "{levelname}{name}{message}",
            style="{",
            timestamp="time",
            rename_fields={"levelname": "level", "name": "logger"},
            json_ensure_ascii=False,
        )

    def format(self, record: logging.LogRecord) -> str:
        told: dict[str, Any] | None = getattr(record, "told", None)
        if told is None:
            return super().format(record)
        # Requests are many, and what `app.request_log` tells of them is plain already.
        time = datetime.fromtimestamp(record.created, UTC).isoformat()
        line = {"level": record.levelname, "logger": record.name, "message": record.msg, **told, "time": time}
        return _encode(line)

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        return {key: redacted(value) if isinstance(value, str) else value for key, value in log_data.items()}


class TextLines(logging.Formatter):
    """As people read it: time, level, where, the request's id, what."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s%(of_request)s: %(message)s", "%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        request_id = getattr(record, "request_id", None)
        record.of_request = f" [{request_id}]" if request_id else ""
        line = super().format(record)
        return line if hasattr(record, "told") else redacted(line)


def name_request(record: logging.LogRecord) -> bool:
    if request_id := jobs.request_id.get():
        record.request_id = request_id
    return True


def _hide(found: re.Match[str]) -> str:
    kept = next((text for text in found.groupdict().values() if text), "")
    return f"{kept}{HIDDEN}"


@cache
def _own_secrets() -> tuple[str, ...]:
    """The values of this process's settings that must not be seen, the longest first."""
    given = settings()
    secrets = {value.get_secret_value() for _, value in given if isinstance(value, SecretStr)}
    for url in (given.database_url, given.smtp_url):
        if url and (password := urlsplit(url).password):
            secrets |= {password, unquote(password)}
    return tuple(sorted((secret for secret in secrets if len(secret) >= LEAST_SECRET), key=len, reverse=True))
