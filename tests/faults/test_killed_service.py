"""The service is killed with -9 in the middle of a write load, and started again; clients retry under their keys."""

import asyncio

import pytest
from tests.faults.conftest import Figures, Serve
from tests.faults.load import BROKEN, outcome, writing
from tests.faults.postgres import Server

pytestmark = pytest.mark.faults

KILLS = 3
IN_USE = 409  # the first request with this key may still be running, in a transaction that PostgreSQL has to end


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_no_write_is_lost_or_done_twice(server: Server, serve: Serve, figures: Figures, workers: str) -> None:
    service = serve(server.url, WORKERS=workers)

    async with writing(service.url, retry=True) as load:
        for _ in range(KILLS):
            await load.until(200)
            service.kill()
            await load.until(5, BROKEN)
            await asyncio.to_thread(service.start)
        await load.until(200)

    result = await outcome(load, server, (201, 503, BROKEN, IN_USE))
    figures(f"{workers} workers, killed {KILLS} times: {result}")
    assert result.lost == result.twice == 0
    assert load.sent > len(load.acknowledged)
    assert not service.logged("error")
