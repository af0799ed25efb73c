"""`alembic upgrade head` runs while the service of an earlier revision serves, on a database with many tasks."""

import asyncio
import sys
import time
from collections import defaultdict

import httpx2
import pytest
from alembic import command
from tests.conftest import ROOT, alembic_config
from tests.e2e.programs import environment
from tests.faults.conftest import Figures, Serve
from tests.faults.earlier import FILL, STATEMENTS, TASKS, EarlierService
from tests.faults.postgres import Server
from tests.faults.programs import authorization

pytestmark = pytest.mark.faults

LONGEST = 2.0  # seconds, of a statement that meets a migration


@pytest.fixture
async def filled(server: Server, request: pytest.FixtureRequest) -> Server:
    config = alembic_config(server.url)
    await asyncio.to_thread(command.downgrade, config, "base")
    await asyncio.to_thread(command.upgrade, config, request.getfixturevalue("revision"))
    await server.fetch(FILL.format(tasks=TASKS))
    await server.fetch("ANALYZE")
    return server


@pytest.mark.parametrize("revision", STATEMENTS)
async def test_no_statement_fails_while_the_schema_is_upgraded(
    filled: Server, revision: str, serve: Serve, figures: Figures
) -> None:
    earlier = EarlierService(filled.url, revision)
    async with asyncio.TaskGroup() as group:
        group.create_task(earlier.run())
        await asyncio.sleep(1)
        seconds = await upgrade(filled)
        await asyncio.sleep(1)
        earlier.stop()
    service = serve(filled.url)

    lost = await missing(service.url, earlier)
    figures(
        f"{TASKS:,} tasks migrated in {seconds:.1f} s, statements {len(earlier.seconds):,}, "
        f"failed: {earlier.failures.total()}, lost: {len(lost)}, slowest {max(earlier.seconds):.2f} s"
    )
    assert not lost
    assert not +earlier.failures
    assert max(earlier.seconds) < LONGEST


async def upgrade(server: Server) -> float:
    begun = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "alembic", "upgrade", "head",
        cwd=ROOT, env=environment(DATABASE_URL=server.url), stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, said = await process.communicate()
    assert process.returncode == 0, said.decode()
    return time.monotonic() - begun


async def missing(url: str, earlier: EarlierService) -> set[str]:
    """Return titles that the new service does not list."""
    kept = defaultdict[str, set[str]](set)
    for user_id, title in earlier.kept:
        kept[user_id].add(title)
    async with httpx2.AsyncClient(base_url=url) as client:
        for user_id, titles in kept.items():
            path: str | None = "/api/tasks?limit=1000"
            while path:
                response = await client.get(path, headers=authorization(user_id))
                titles -= {task["title"] for task in response.raise_for_status().json()}
                path = response.links.get("next", {}).get("url")
    return set[str]().union(*kept.values())
