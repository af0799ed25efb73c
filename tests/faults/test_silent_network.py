"""The network to the database drops packets without refusing connections."""

import asyncio
import time
from collections.abc import Iterator

import pytest
from tests.faults.conftest import Figures, Serve
from tests.faults.load import outcome, writing
from tests.faults.network import Namespace, namespace
from tests.faults.postgres import Server

pytestmark = pytest.mark.faults

POOL_TIMEOUT = CONNECT_TIMEOUT = 1.0
STATEMENT_TIMEOUT = 2.0
QUESTION = 1.0  # whether a connection is still there
SETTINGS = {
    "DATABASE_POOL_TIMEOUT": f"{POOL_TIMEOUT}",
    "DATABASE_CONNECT_TIMEOUT": f"{CONNECT_TIMEOUT}",
    "DATABASE_STATEMENT_TIMEOUT": f"{STATEMENT_TIMEOUT}",
}
LIMIT = POOL_TIMEOUT + QUESTION + CONNECT_TIMEOUT + STATEMENT_TIMEOUT
SILENCE = LIMIT + 3


@pytest.fixture(name="namespace")
def _namespace() -> Iterator[Namespace]:
    with namespace() as made:
        yield made


async def test_requests_time_out_while_the_network_drops_packets(
    namespace: Namespace, server: Server, serve: Serve, figures: Figures
) -> None:
    await server.listen_also(namespace.here)
    service = serve(server.url.replace("127.0.0.1", namespace.here), inside=namespace, **SETTINGS)

    async with writing(service.url) as load:
        await load.until(200)
        namespace.silence(server.port)
        await asyncio.sleep(SILENCE)
        namespace.restore()
        back = time.monotonic()
        await load.until(200)

    result = await outcome(load, server)
    recovered = load.recovered_after(back)
    figures(f"{result}, recovered {recovered:.2f} s after the network")
    assert result.lost == result.twice == 0
    assert load.statuses[503]
    assert load.slowest() < LIMIT + 1
    assert recovered < LIMIT
    assert not service.logged("error")
