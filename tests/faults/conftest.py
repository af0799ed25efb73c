"""Faults of real processes under load, with figures of the results.

`make test-faults` runs the tests with the mark; `make test` skips them.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from tests.faults.network import Namespace
from tests.faults.postgres import Server
from tests.faults.programs import Service
from tests.ports import unused_port

from todo_api.dev.postgres import LocalPostgresError

FIGURES = "figures"

Figures = Callable[[str], None]
Serve = Callable[..., Service]


@pytest.fixture
def figures(record_property: Callable[[str, object], None]) -> Figures:
    """Print a line after all tests, even if the test passes."""
    return lambda line: record_property(FIGURES, line)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    lines = [
        f"{report.nodeid.partition('::')[2]}: {line}"
        for report in reports
        if isinstance(report, pytest.TestReport) and report.when == "call"
        for name, line in report.user_properties
        if name == FIGURES
    ]
    if lines:
        terminalreporter.section("results of the faults")
        terminalreporter.write_line("\n".join(lines))


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    """A durable PostgreSQL for this test, with the newest schema."""
    try:
        made = Server.make(tmp_path / "postgres", unused_port())
    except LocalPostgresError as error:
        pytest.skip(str(error))
    async with made:
        await made.migrate()
        yield made


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start `todo-api serve` on a database, with settings; stop it after the test."""
    services: list[Service] = []

    def start(database_url: str, inside: Namespace | None = None, **settings: str) -> Service:
        port = unused_port()
        service = Service(tmp_path / f"service-{port}.log", port, {"DATABASE_URL": database_url} | settings, inside)
        services.append(service)
        service.start()
        return service

    yield start
    for service in services:
        service.kill()
