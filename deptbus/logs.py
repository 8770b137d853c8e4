"""Structured logs: one event a line, for people or as JSON, on standard error."""

import logging
import sys
from typing import Any

import structlog

from deptbus.settings import Settings


def configure(settings: Settings) -> None:
    """Set the logs of this process up; the standard library's loggers (librdkafka's, Faust's) join them."""
    level = getattr(logging, settings.log_level.upper())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if settings.log_format == "json":
        shared.append(structlog.processors.dict_tracebacks)
        last: Any = structlog.processors.JSONRenderer(ensure_ascii=False)
    else:
        last = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    structlog.configure(
        processors=[*shared, last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.getLogger("httpx").setLevel(max(level, logging.WARNING))  # a line for each of sixty schemas


def logger(name: str) -> structlog.typing.FilteringBoundLogger:
    """A logger that carries its module's name."""
    bound: structlog.typing.FilteringBoundLogger = structlog.get_logger().bind(module=name)
    return bound
