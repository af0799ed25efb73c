"""PostgreSQL is killed with -9 under a write load, and started again."""

import asyncio
import time

import pytest
from tests.faults.conftest import Figures, Serve
from tests.faults.load import outcome, writing
from tests.faults.postgres import Server

pytestmark = pytest.mark.faults

KILLS = 3
QUICKLY = 1.0  # seconds; no client should wait for a server that is down
RECOVERY = 2.0


async def test_acknowledged_writes_survive_a_killed_database(server: Server, serve: Serve, figures: Figures) -> None:
    service = serve(server.url)
    recoveries = []

    async with writing(service.url) as load:
        for _ in range(KILLS):
            await load.until(200)
            server.kill()
            await asyncio.sleep(0.5)
            server.start()
            await server.accepts()
            back = time.monotonic()
            await load.until(1)
            recoveries.append(load.recovered_after(back))

    result = await outcome(load, server)
    figures(f"{result}, recovered after {max(recoveries):.2f} s")
    assert result.lost == result.twice == 0
    assert load.statuses[503]
    assert load.slowest(503) < QUICKLY
    assert max(recoveries) < RECOVERY
    assert not service.logged("error")
