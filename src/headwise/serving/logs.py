"""What the server writes: a line of JSON, or one for people, for each request and each event."""

import json
import logging
from datetime import UTC, datetime
from typing import Any


class JsonLines(logging.Formatter):
    """A record as an object on a line; those of requests have their facts beside the time."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
        }
        line |= getattr(record, "facts", {})
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class PlainLines(logging.Formatter):
    """A record for people: the time, then the event, or what was asked and answered."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        clock = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        facts: dict[str, Any] | None = getattr(record, "facts", None)
        if facts is None:
            line = f"{clock} {record.getMessage()}"
        else:
            work = f", {facts['items']} items, {facts['tokens']} tokens" if facts["items"] else ""
            line = (
                f"{clock} {facts['method']} {facts['route']} {facts['status']}, "
                f"{facts['seconds'] * 1000:.1f} ms, {facts['bytes']} bytes{work} "
                f"({facts['client']}, {facts['request_id']})"
            )
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


def log_config(log_format: str) -> dict[str, Any]:
    """Logging for :func:`logging.config.dictConfig`: requests on stdout, the rest on stderr.

    Args:
        log_format: ``json`` or ``text``.
    """
    formatter = JsonLines if log_format == "json" else PlainLines
    stream = {"class": "logging.StreamHandler", "formatter": "lines"}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": {"()": f"{formatter.__module__}.{formatter.__qualname__}"}},
        "handlers": {
            "requests": {**stream, "stream": "ext://sys.stdout"},
            "events": {**stream, "stream": "ext://sys.stderr"},
        },
        "loggers": {
            "headwise": {"handlers": ["events"], "level": "INFO", "propagate": False},
            "headwise.serving.access": {"handlers": ["requests"], "propagate": False},
            "uvicorn": {"handlers": ["events"], "level": "WARNING", "propagate": False},
        },
    }
