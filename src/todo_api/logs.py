"""Logging to stderr: one line for each event, as JSON for machines or in colours for people.

Python's `logging` (used by uvicorn, SQLAlchemy and asyncio) is rendered in the same way as structlog's events. User
text and secrets are never logged: an error is logged with its type and its traceback, without its message.
"""

import logging
import sys
import traceback
from contextlib import suppress
from typing import Any, Literal, TypeAlias

import msgspec
import structlog
from opentelemetry import trace
from structlog.typing import EventDict, ExcInfo, Processor, WrappedLogger

LogFormat: TypeAlias = Literal["json", "console"]

_encode = msgspec.json.Encoder(enc_hook=str).encode


def configure_logs(log_format: LogFormat | None = None) -> None:
    """Configure all logging; by default in colours if stderr is a terminal, otherwise as JSON."""
    chosen = log_format or ("console" if sys.stderr.isatty() else "json")
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_trace_id,
    ]
    rendering = _rendering(chosen)
    structlog.configure(
        processors=[*shared, *rendering],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=_Stderr,
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name, _drop_asyncio_details],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("todo_api").setLevel(logging.INFO)
    logging.captureWarnings(capture=True)


class _Stderr:
    """Writes each line in one call, so that the lines of several processes do not mix.

    A line that cannot be written (a full disk, a closed pipe) is lost; the request continues.
    """

    def __init__(self, *_: object) -> None:
        self._write = sys.stderr.buffer.write
        self._flush = sys.stderr.buffer.flush

    def msg(self, line: str) -> None:
        with suppress(OSError):
            self._write(line.encode() + b"\n")
            self._flush()

    debug = info = warning = error = critical = msg


def _rendering(log_format: LogFormat) -> list[Processor]:
    if log_format == "console":
        return [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=_print_exception)]
    return [structlog.processors.ExceptionRenderer(_traceback_of), _to_json]


def _to_json(_: WrappedLogger, __: str, event: EventDict) -> str:
    return _encode(event).decode()


def _add_trace_id(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    if trace_id := trace.get_current_span().get_span_context().trace_id:
        event["trace_id"] = trace.format_trace_id(trace_id)
    return event


def _drop_asyncio_details(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Keep the first line; the others show tasks with their values."""
    if event.get("logger") == "asyncio":
        event["event"] = str(event["event"]).partition("\n")[0]
    return event


def _print_exception(output: Any, info: ExcInfo) -> None:
    output.write("\n" + "\n".join(f"  {line}" for line in _traceback_of(info)))


def _traceback_of(exc_info: ExcInfo) -> list[str]:
    """Return the types and the frames of an error and its causes, the first cause last, without their messages."""
    lines: list[str] = []
    seen: set[int] = set()
    current: BaseException | None = exc_info[1]
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        lines.append(f"{type(current).__module__}.{type(current).__qualname__}")
        frames = traceback.extract_tb(current.__traceback__)
        lines += [f"  {frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return lines
