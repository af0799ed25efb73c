"""The primary fails and its replica is promoted; the service finds it without a restart."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from tests.e2e.programs import migrate
from tests.faults.conftest import Figures, Serve
from tests.faults.load import outcome, writing
from tests.faults.postgres import Server
from tests.ports import unused_port

pytestmark = pytest.mark.faults

TIMEOUT = 2.0
TIMEOUTS = {"DATABASE_STATEMENT_TIMEOUT": f"{TIMEOUT}", "DATABASE_CONNECT_TIMEOUT": f"{TIMEOUT}"}


async def is_killed(primary: Server) -> None:
    primary.kill()


async def falls_silent(primary: Server) -> None:
    """Suspend the server: the system accepts connections, and nothing responds."""
    primary.suspend()


async def takes_no_more_writes(primary: Server) -> None:
    """Make the server read-only; connections stay open."""
    await primary.configure(default_transaction_read_only="on")


@pytest.mark.parametrize("goes", [is_killed, falls_silent, takes_no_more_writes])
async def test_the_service_finds_the_promoted_replica(
    server: Server, serve: Serve, figures: Figures, tmp_path: Path, goes: Callable[[Server], Awaitable[None]]
) -> None:
    async with Server.replicate(server, tmp_path / "replica", unused_port()) as replica:
        await wait_for_sync(server)
        hosts = f"127.0.0.1:{replica.port},127.0.0.1:{server.port}"  # the replica is tried first, and refuses
        url = f"postgresql://postgres@{hosts}/postgres?sslmode=disable"
        await asyncio.to_thread(migrate, url)
        service = serve(url, **TIMEOUTS)

        async with writing(service.url) as load:
            await load.until(200)
            await goes(server)
            await asyncio.sleep(0.5)
            await replica.fetch("SELECT pg_promote()")
            promoted = time.monotonic()
            await load.until(200)

        result = await outcome(load, replica)
    recovered = load.recovered_after(promoted)
    figures(f"{result}, recovered {recovered:.2f} s after the promotion")
    assert result.lost == result.twice == 0
    assert load.statuses[503]
    assert recovered < TIMEOUT + 2  # where the old primary is silent, a statement on it has to time out first
    assert load.slowest() < 4 * TIMEOUT
    assert not service.logged("error")


async def wait_for_sync(primary: Server) -> None:
    """Acknowledge writes only when they are on the replica."""
    await primary.configure(synchronous_standby_names="*")
    async with asyncio.timeout(30):
        while await primary.fetch("SELECT sync_state FROM pg_stat_replication") != ["sync"]:  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.05)
