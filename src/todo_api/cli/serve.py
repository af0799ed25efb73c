"""`todo-api serve`: serve for production. It changes nothing in the database's schema."""

import argparse
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from multiprocessing import parent_process

from fastapi import FastAPI

from todo_api.adapters.telemetry.metrics import PROMETHEUS_DIRECTORY
from todo_api.cli.configuration import settings_of
from todo_api.cli.database import require_usable_schema
from todo_api.logs import configure_logs
from todo_api.main import create_app
from todo_api.server.process import exit_on_sigterm, exit_with_parent
from todo_api.server.server import serve
from todo_api.server.sockets import listening, url_of
from todo_api.server.workers import give_up, serve_in_workers
from todo_api.settings import ConfigurationError, Settings

WORKER_FACTORY = "todo_api.cli.serve:create_worker_app"
GRACE = 10  # seconds that requests in progress have to finish
EXPORT_TIMEOUT = "2"  # seconds for the last export of traces and metrics, which delays the exit


def run(arguments: argparse.Namespace) -> None:
    exit_on_sigterm()
    settings = settings_of(arguments)
    configure_logs(settings.log_format)
    os.environ.setdefault("OTEL_EXPORTER_OTLP_TIMEOUT", EXPORT_TIMEOUT)
    with _exposed_metrics(settings), listening(settings.host, settings.port) as sockets:
        app = create_app(settings)  # even if workers create their own: it reports what is missing
        require_usable_schema(settings)
        on_ready = partial(print, f"todo-api is serving on {url_of(sockets, settings.host)}", flush=True)
        if settings.workers == 1:
            serve(app, sockets, grace=GRACE, on_ready=on_ready)
            return
        os.environ["ACCESS_LOG"] = str(settings.access_log)  # workers read the environment, not the flags
        serve_in_workers(WORKER_FACTORY, sockets, workers=settings.workers, grace=GRACE, on_ready=on_ready)


@contextmanager
def _exposed_metrics(settings: Settings) -> Iterator[None]:
    if settings.metrics_port is None:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="todo-api-metrics-") as directory, ExitStack() as stack:
        os.environ[PROMETHEUS_DIRECTORY] = directory
        from todo_api.adapters.telemetry.prometheus import serving_metrics  # noqa: PLC0415 - the library reads the directory's name when it is imported

        try:
            stack.enter_context(serving_metrics(directory, settings.metrics_host, settings.metrics_port))
        except OSError as error:
            port = f"METRICS_PORT {settings.metrics_port} of METRICS_HOST {settings.metrics_host}"
            raise ConfigurationError(f"{port} cannot be listened on: {error.strerror}") from error
        yield


def create_worker_app() -> FastAPI:
    """Create the application of a worker process, which exits when its supervisor has exited."""
    # Not os.getppid(), which is another process if the supervisor has already exited.
    if (supervisor := parent_process()) and supervisor.pid:
        exit_with_parent(supervisor.pid)
    try:
        settings = settings_of(argparse.Namespace())
        configure_logs(settings.log_format)
        return create_app(settings)
    except ConfigurationError as error:
        give_up(f"todo-api: {error}")
