"""Report each statement that SQLAlchemy runs, with its events."""

import time
from collections.abc import Callable
from typing import Any, TypeAlias

from sqlalchemy import Connection, event
from sqlalchemy.engine import ExceptionContext, ExecutionContext
from sqlalchemy.ext.asyncio import AsyncEngine

from todo_api.adapters.sqlalchemy.errors import driver_error

# Called with the kind of the statement, the seconds that it took, and the name of its error, if it failed.
Observe: TypeAlias = Callable[[str, float, str | None], None]

_STARTED = "statement_started"


def observe_statements(engine: AsyncEngine, observe: Observe) -> None:
    """Call `observe` after each statement of the engine. The hot path reports its own statements."""

    def start(connection: Connection, *_: Any) -> None:
        connection.info[_STARTED] = time.perf_counter()

    def succeed(connection: Connection, *cursor_statement_parameters_context_many: Any) -> None:
        context: ExecutionContext = cursor_statement_parameters_context_many[3]
        finish(connection, context, None)

    def fail(failure: ExceptionContext) -> None:
        if failure.connection is not None and failure.execution_context is not None:
            error = type(driver_error(failure.original_exception))
            finish(failure.connection, failure.execution_context, error.__name__)

    def finish(connection: Connection, context: ExecutionContext, error: str | None) -> None:
        if context.invoked_statement is not None:
            seconds = time.perf_counter() - connection.info[_STARTED]
            observe(context.invoked_statement.__visit_name__.upper(), seconds, error)

    event.listen(engine.sync_engine, "before_cursor_execute", start)
    event.listen(engine.sync_engine, "after_cursor_execute", succeed)
    event.listen(engine.sync_engine, "handle_error", fail)
