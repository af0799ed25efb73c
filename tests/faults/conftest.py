"""Real processes that are killed, cut off and starved while they work, with figures of what came of it.

`make test-faults` runs these; the rest of the suite leaves them out.
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
    """Has a line printed when all tests are over, also where the test passes."""
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
        terminalreporter.section("what came of the faults")
        terminalreporter.write_line("\n".join(lines))


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    """A PostgreSQL of the test's own, which is durable, with the newest schema."""
    try:
        made = Server.make(tmp_path / "postgres", unused_port())
    except LocalPostgresError as error:
        pytest.skip(str(error))
    async with made:
        await made.migrate()
        yield made


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts `todo-api serve` on a database, with settings; ends it when the test is over."""
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
