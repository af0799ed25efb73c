"""Servers of a cluster in containers are killed, emptied and replaced under load; only with `--database=citus`."""

import asyncio
import time
from collections.abc import Iterator

import pytest
from tests.citus import distribute_all
from tests.citus_containers import PORT, Cluster, Node, open_cluster, replicate, why_not
from tests.e2e.programs import migrate
from tests.faults.conftest import Figures, Serve
from tests.faults.load import outcome
from tests.faults.spread import USERS, writing_for_many

pytestmark = pytest.mark.faults

KILLS = 3
SHARDS = 8  # of each table; 32 by default, which take minutes to move
DOWN = 5.0  # seconds
UNNOTICED = 5.0  # seconds, on a busy machine; a statement that waits for a server takes up to ten
COORDINATOR = "SELECT nodename FROM pg_dist_node WHERE groupid = 0"
# Until the coordinator has recovered a commit that was interrupted, its key is in use.
ALLOWED = (201, 503, 409)
RECOVERY = 10.0  # seconds; the servers recover, too


@pytest.fixture
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A cluster of a coordinator and two workers, with distributed tables."""
    if request.config.getoption("--database") != "citus":
        pytest.skip("needs --database=citus")
    if reason := why_not():
        pytest.skip(reason)
    with open_cluster(f"--citus.shard_count={SHARDS}") as made:
        migrate(made.coordinator.url)
        asyncio.run(distribute_all(made.coordinator.url))
        yield made


async def users_on(cluster: Cluster, worker: Node, users: list[str]) -> set[str]:
    return set(
        await cluster.coordinator.fetch(
            "SELECT id FROM unnest($1::text[]) AS given(id) JOIN citus_shards"
            " ON shardid = get_shard_id_for_distribution_column('users', id) WHERE nodename = $2",
            users,
            worker.name,
        )
    )


async def test_only_the_users_of_a_killed_worker_notice(cluster: Cluster, serve: Serve, figures: Figures) -> None:
    service = serve(cluster.coordinator.url)
    worker = cluster.workers[0]
    recoveries = []

    async with writing_for_many(service.url) as load:
        affected = await users_on(cluster, worker, load.users)
        others = set(load.users) - affected
        assert affected
        assert others
        for _ in range(KILLS):
            await load.until(200)
            await asyncio.to_thread(worker.kill)
            await load.until(10, status=503)
            await asyncio.sleep(DOWN)
            await asyncio.to_thread(worker.start)
            await worker.accepts()
            back = time.monotonic()
            await load.until_all(affected)
            recoveries.append(time.monotonic() - back)

    result = await outcome(load, cluster.coordinator, ALLOWED)
    figures(
        f"{result}, 409: {load.statuses[409]}, all recovered after {max(recoveries):.2f} s; "
        f"slowest response of the others {load.slowest_of(others):.2f} s"
    )
    assert result.lost == result.twice == 0
    assert load.statuses_of(others).keys() == {201}
    assert load.slowest_of(others) < UNNOTICED
    assert max(recoveries) < RECOVERY
    assert not service.logged("error")


async def test_users_of_other_workers_are_served_while_one_is_frozen(
    cluster: Cluster, serve: Serve, figures: Figures
) -> None:
    """With the settings of docs/scale.md; otherwise its users occupy the pool, because there is a client for each."""
    await cluster.coordinator.fetch("ALTER SYSTEM SET citus.node_connection_timeout = '1s'")
    await cluster.coordinator.fetch("SELECT pg_reload_conf()")
    service = serve(cluster.coordinator.url, DATABASE_STATEMENT_TIMEOUT="2")
    worker = cluster.workers[0]

    async with writing_for_many(service.url, clients=USERS) as load:
        affected = await users_on(cluster, worker, load.users)
        others = set(load.users) - affected
        await load.until_all(load.users)
        await asyncio.to_thread(worker.freeze)
        await asyncio.sleep(2 * DOWN)
        await asyncio.to_thread(worker.thaw)
        thawed = time.monotonic()
        await load.until_all(load.users)
        recovered = time.monotonic() - thawed

    result = await outcome(load, cluster.coordinator, ALLOWED)
    figures(
        f"{result}, 409: {load.statuses[409]}, all recovered after {recovered:.2f} s; "
        f"slowest response of the others {load.slowest_of(others):.2f} s"
    )
    assert result.lost == result.twice == 0
    assert load.statuses_of(others).keys() == {201}
    assert load.statuses_of(affected)[503]
    assert recovered < RECOVERY
    assert not service.logged("error")


async def test_a_worker_is_emptied_and_filled_again(cluster: Cluster, serve: Serve, figures: Figures) -> None:
    service = serve(cluster.coordinator.url)
    worker = cluster.workers[1]

    async with writing_for_many(service.url) as load:
        await load.until_all(load.users)
        moved = await users_on(cluster, worker, load.users)
        begun = time.monotonic()
        await cluster.coordinator.fetch("SELECT citus_drain_node($1, $2)", worker.name, PORT)
        assert not await users_on(cluster, worker, load.users)
        await cluster.coordinator.fetch(
            "SELECT citus_set_node_property($1, $2, 'shouldhaveshards', true)", worker.name, PORT
        )
        await cluster.coordinator.fetch("SELECT rebalance_table_shards()")
        seconds = time.monotonic() - begun
        assert await users_on(cluster, worker, load.users)
        await load.until_all(load.users)

    result = await outcome(load, cluster.coordinator)
    figures(f"{result}; {len(moved)} users moved away, and others back, in {seconds:.0f} s")
    assert result.lost == result.twice == 0
    assert load.statuses.keys() == {201}
    assert not service.logged("error")


async def test_the_coordinator_fails_over(cluster: Cluster, serve: Serve, figures: Figures) -> None:
    with await asyncio.to_thread(replicate, cluster) as standby:
        await standby.accepts()
        await wait_for_sync(cluster.coordinator)
        places = f"{standby.place},{cluster.coordinator.place}"
        service = serve(cluster.coordinator.url.replace(cluster.coordinator.place, places))

        async with writing_for_many(service.url) as load:
            await load.until(200)
            await asyncio.to_thread(cluster.coordinator.kill)
            await asyncio.sleep(0.5)
            await standby.fetch("SELECT pg_promote()")
            promoted = time.monotonic()
            await standby.fetch(
                "SELECT citus_update_node(nodeid, $1, $2) FROM pg_dist_node WHERE groupid = 0", standby.name, PORT
            )
            await load.until(200)
            await load.until_all(load.users)
            recovered = load.recovered_after(promoted)

        result = await outcome(load, standby, ALLOWED)
        coordinators = [await worker.fetch(COORDINATOR) for worker in cluster.workers]
    figures(f"{result}, 409: {load.statuses[409]}, recovered {recovered:.2f} s after the promotion")
    assert result.lost == result.twice == 0
    assert recovered < RECOVERY
    assert coordinators == [[standby.name]] * len(cluster.workers)
    assert not service.logged("error")


async def wait_for_sync(coordinator: Node) -> None:
    """Let commits on the coordinator wait for the standby."""
    await coordinator.fetch("ALTER SYSTEM SET synchronous_standby_names = '*'")
    await coordinator.fetch("SELECT pg_reload_conf()")
    async with asyncio.timeout(30):
        while await coordinator.fetch("SELECT sync_state FROM pg_stat_replication") != ["sync"]:  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.05)
