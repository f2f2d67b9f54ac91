"""The program's log: written to stderr through structlog, as JSON unless stderr is a terminal.

The library configures no logging; the program does. No record shows local variables, which may be secrets.
"""

import logging
import sys

import structlog


def configure_logs(*, supervisor: bool = False) -> None:
    """Log Sixpence and its libraries; `supervisor` adds the starts and deaths of the worker processes."""
    is_terminal = sys.stderr.isatty()
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    renderers: list[structlog.types.Processor] = (
        [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
        if is_terminal
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("sixpence").setLevel(logging.INFO)
    logging.getLogger("uvicorn.error").setLevel(logging.INFO if supervisor else logging.WARNING)


def silence_logs() -> None:
    """Log nothing: a command prints its own messages."""
    structlog.configure(
        logger_factory=structlog.stdlib.LoggerFactory(), processors=[structlog.stdlib.render_to_log_kwargs]
    )
    logging.basicConfig(handlers=[logging.NullHandler()], force=True)
