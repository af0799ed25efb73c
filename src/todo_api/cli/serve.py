"""`todo-api serve`: production. It needs its configuration, and changes nothing in the database."""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing import parent_process

from fastapi import FastAPI

from todo_api.adapters.telemetry.metering import PROMETHEUS_DIRECTORY
from todo_api.cli.configuration import settings_of
from todo_api.cli.database import require_usable_schema
from todo_api.logs import configure_logs
from todo_api.main import create_app
from todo_api.server import serving
from todo_api.settings import ConfigurationError, Settings

FACTORY = "todo_api.cli.serve:app_of_worker"
GRACE = 10  # seconds that requests under way have to end
EXPORT_TIMEOUT = "2"  # seconds for a collector to answer, unless the environment says: it may hold up the stop


def run(arguments: argparse.Namespace) -> None:
    """Serves, in one process or several, a database whose schema this version can work with."""
    serving.exit_on_sigterm()
    settings = settings_of(arguments)
    configure_logs(settings.log_format)
    os.environ.setdefault("OTEL_EXPORTER_OTLP_TIMEOUT", EXPORT_TIMEOUT)
    with _exposed_metrics(settings), serving.listening(settings.host, settings.port) as sockets:
        app = create_app(settings)  # also where the workers make their own: it says what is missing
        require_usable_schema(settings)
        announcement = f"todo-api is serving on {serving.url_of(sockets, settings.host)}"
        announce = partial(print, announcement, flush=True)
        if settings.workers == 1:
            serving.serve(app, sockets, grace=GRACE, announce=announce)
            return
        os.environ["ACCESS_LOG"] = str(settings.access_log)  # the workers have no flags, only this
        serving.serve_in_workers(FACTORY, sockets, workers=settings.workers, grace=GRACE, announce=announce)


@contextmanager
def _exposed_metrics(settings: Settings) -> Iterator[None]:
    if settings.metrics_port is None:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="todo-api-metrics-") as directory:
        os.environ[PROMETHEUS_DIRECTORY] = directory
        from todo_api.adapters.telemetry.prometheus import Exposition  # noqa: PLC0415 - the library looks for the directory when it is loaded

        try:
            server = Exposition(directory, settings.metrics_host, settings.metrics_port)
        except OSError as error:
            port = f"METRICS_PORT {settings.metrics_port} of METRICS_HOST {settings.metrics_host}"
            raise ConfigurationError(f"{port} cannot be had: {error.strerror}") from error
        try:
            yield
        finally:
            server.close()


def app_of_worker() -> FastAPI:
    """The application that one of several processes serves, for as long as the process that started it is there."""
    # Not os.getppid(): that is another's, if the one who started it has ended since.
    if (starter := parent_process()) and starter.pid:
        serving.end_with(starter.pid)
    try:
        settings = settings_of(argparse.Namespace())
        configure_logs(settings.log_format)
        return create_app(settings)
    except ConfigurationError as error:
        sys.exit(f"todo-api: {error}")
