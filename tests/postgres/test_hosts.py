"""Several hosts in one URL: the one that accepts writes is found, however the others fail."""

import asyncio
import time
from collections.abc import Callable
from urllib.parse import quote, urlencode, urlsplit, urlunsplit
from uuid import uuid4

import pytest
from sqlalchemy import func, literal_column, select
from tests.domain.builders import NOW, a_task
from tests.postgres.proxy import Proxy, open_proxy
from tests.postgres.running import Service

from todo_api.adapters.sqlalchemy.hosts import Hosts, NoServerError, host_urls
from todo_api.adapters.sqlalchemy.schema import VERSION
from todo_api.domain.errors import RepositoryUnavailableError
from todo_api.domain.listing import TaskQuery
from todo_api.domain.selection import Selection
from todo_api.domain.task_changes import TaskChanges
from todo_api.domain.workspace import Workspace

Connect = Callable[..., Service]

READ_ONLY = "-c default_transaction_read_only=on"
DEMOTE = select(
    literal_column("set_config('default_transaction_read_only', 'on', false)"), func.pg_sleep(literal_column("0.1"))
)
BACKEND = select(func.pg_backend_pid().label("pid"))
SEARCH_PAUSE = 1.0


class Opened:
    """A fake connection."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.terminated = False

    def terminate(self) -> None:
        self.terminated = True


class Network:
    """Fake hosts that respond slowly, or refuse."""

    def __init__(self, **seconds: float | Exception) -> None:
        self.seconds = seconds
        self.tried: list[str] = []
        self.opened: list[Opened] = []

    async def connect(self, url: str) -> Opened:
        self.tried.append(url)
        match self.seconds[url]:
            case Exception() as error:
                raise error
            case seconds:
                await asyncio.sleep(seconds)
        self.opened.append(Opened(url))
        return self.opened[-1]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://ada:pw@db:5433/todo?x=y", ["postgresql://ada:pw@db:5433/todo?x=y"]),
        ("postgresql:///todo?x=y", ["postgresql:///todo?x=y"]),
        ("postgresql:///todo?host=/run&port=1", ["postgresql:///todo?host=/run&port=1"]),
        ("postgresql://a:1,[::1]:2,c/todo", [f"postgresql://{host}/todo" for host in ("a:1", "[::1]:2", "c")]),
        ("postgresql://ada:p%2Cw@a,b/todo?x=y", [f"postgresql://ada:p%2Cw@{host}/todo?x=y" for host in "ab"]),
        ("postgresql:///todo?host=a,b&port=1,2", [f"postgresql:/todo?host={at}" for at in ("a&port=1", "b&port=2")]),
        ("postgresql:///todo?host=a,b&port=7", [f"postgresql:/todo?host={host}&port=7" for host in "ab"]),
        ("postgresql:///todo?host=a,b", [f"postgresql:/todo?host={host}&port=5432" for host in "ab"]),
    ],
)
def test_each_host_has_its_own_address(url: str, expected: list[str]) -> None:
    assert host_urls(url) == expected


async def test_a_silent_host_only_causes_a_short_delay() -> None:
    network = Network(silent=60, refusing=ConnectionRefusedError(), slow=0.3, quick=0.01)
    hosts = Hosts(list(network.seconds), network.connect)
    start = time.monotonic()

    assert (await hosts.connect()).url == "quick"

    assert time.monotonic() - start < 1
    assert network.tried == ["silent", "refusing", "slow", "quick"]
    await asyncio.sleep(0.5)
    assert [one.url for one in network.opened if not one.terminated] == ["quick"]


async def test_the_last_usable_host_is_tried_first() -> None:
    network = Network(refusing=ConnectionRefusedError(), good=0)
    hosts = Hosts(list(network.seconds), network.connect)

    for _ in range(3):
        await hosts.connect()

    assert network.tried == ["refusing", "good", "good", "good"]


async def test_only_one_connection_of_each_race_stays_open() -> None:
    network = Network(one=0.25, other=0.05)
    hosts = Hosts(list(network.seconds), network.connect)

    await asyncio.gather(*(hosts.connect() for _ in range(20)))
    await asyncio.sleep(0.3)

    assert sum(not one.terminated for one in network.opened) == 20


async def test_a_caller_who_is_cancelled_leaves_nothing_behind() -> None:
    network = Network(one=0.1, other=0.1)
    caller = asyncio.create_task(Hosts(list(network.seconds), network.connect).connect())
    await asyncio.sleep(0.05)

    caller.cancel()

    with pytest.raises(asyncio.CancelledError):
        await caller
    await asyncio.sleep(0.2)
    assert network.opened == []


def both(port: int, proxy: Proxy, **query: str) -> str:
    """The URL of two servers; one is reached through the proxy."""
    parts = urlsplit(proxy.url)
    login = parts.netloc.partition("@")[0]
    netloc = f"{login}@127.0.0.1:{port},127.0.0.1:{proxy.port}"
    return urlunsplit(parts._replace(netloc=netloc, query=urlencode({"sslmode": "disable", **query}, quote_via=quote)))


async def test_the_only_usable_server_is_used(connect: Connect, unused_port: int, database_url: str) -> None:
    async with open_proxy(database_url) as proxy:
        assert await connect(both(unused_port, proxy)).read(VERSION, {})


async def test_the_error_names_every_unusable_server(connect: Connect, unused_port: int, server_url: str) -> None:
    async with open_proxy(server_url) as proxy:
        service = connect(both(unused_port, proxy, options=READ_ONLY))
        with pytest.raises(RepositoryUnavailableError) as refusal:
            await service.read(VERSION, {})

    assert isinstance(refusal.value.__cause__, NoServerError)
    assert f"127.0.0.1:{unused_port}: [Errno" in str(refusal.value.__cause__)
    assert f"127.0.0.1:{proxy.port}: it is not of the kind" in str(refusal.value.__cause__)


def create(workspace: Workspace) -> bytes:
    workspace.create(uuid4(), TaskChanges(title="New"))
    return b""


async def test_connections_to_a_read_only_server_are_closed(connect: Connect, server_url: str, user_id: str) -> None:
    service = connect(server_url, pool_size=4)
    repository = service.tasks
    await asyncio.gather(*(service.read(DEMOTE, {}) for _ in range(4)))
    await asyncio.sleep(SEARCH_PAUSE + 0.1)

    await asyncio.gather(
        *(repository.add(a_task(user_id)) for _ in range(10)),
        *(repository.edit(user_id, Selection(), create, now=NOW, new_id=uuid4) for _ in range(10)),
    )

    assert len((await repository.page(user_id, TaskQuery())).tasks) == 20


async def test_a_read_only_server_is_not_left_after_every_write(
    connect: Connect, server_url: str, user_id: str
) -> None:
    separator = "&" if urlsplit(server_url).query else "?"
    service = connect(f"{server_url}{separator}options={quote(READ_ONLY)}", pool_size=1)
    repository = service.tasks
    servers = set()
    start = time.monotonic()
    while time.monotonic() - start < 2.5 * SEARCH_PAUSE:
        with pytest.raises(RepositoryUnavailableError):
            await repository.add(a_task(user_id))
        servers.add((await service.read(BACKEND, {}))[0]["pid"])

    assert 2 <= len(servers) <= 3
