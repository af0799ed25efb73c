import asyncio
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from todo_api.adapters.limits import FixedWindowLimiter, InvalidRateError, RedisUrlError
from todo_api.adapters.limits.limiter import ProcessStorage
from todo_api.application.rates import Allowance, TooManyRequestsError

Limited = Callable[..., FixedWindowLimiter]


@pytest.fixture
def redis_socket(tmp_path: Path) -> Iterator[Path]:
    server = shutil.which("redis-server")
    if server is None:
        pytest.skip("redis-server is missing")
    socket = tmp_path / "redis.sock"
    settings = ["--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(tmp_path)]
    with subprocess.Popen([server, *settings], stdout=subprocess.DEVNULL) as process:
        end = time.monotonic() + 10
        while not socket.exists():
            assert time.monotonic() < end, "it never came up"
            time.sleep(0.02)
        yield socket
        process.kill()


@pytest.fixture(params=["memory", "redis"])
def redis_url(request: pytest.FixtureRequest) -> str | None:
    if request.param == "memory":
        return None
    return f"unix://{request.getfixturevalue('redis_socket')}"


@pytest.fixture
async def limited() -> AsyncIterator[Limited]:
    async with AsyncExitStack() as stack:

        def make(rate: str, kind: str = "user", redis_url: str | None = None) -> FixedWindowLimiter:
            limiter = FixedWindowLimiter(rate, kind, redis_url)
            stack.push_async_callback(limiter.aclose)
            return limiter

        yield make


async def test_requests_beyond_the_limit_are_refused(limited: Limited, redis_url: str | None) -> None:
    limiter = limited("3/hour", redis_url=redis_url)
    left = [await limiter.take("a") for _ in range(3)]
    assert [allowance and (allowance.limit, allowance.remaining) for allowance in left] == [(3, 2), (3, 1), (3, 0)]
    assert all(allowance and 3590 < allowance.reset <= 3600 == allowance.window for allowance in left)
    for _ in range(2):
        with pytest.raises(TooManyRequestsError) as refused:
            await limiter.take("a")
        assert refused.value.allowance.remaining == 0
        assert 3590 < refused.value.allowance.reset <= 3600
    assert await limiter.take("b")


async def test_check_does_not_count(limited: Limited, redis_url: str | None) -> None:
    limiter = limited("2/hour", "address", redis_url)
    for _ in range(5):
        await limiter.check("a")
    await limiter.take("a")
    await limiter.check("a")
    await limiter.take("a")
    with pytest.raises(TooManyRequestsError):
        await limiter.check("a")


async def test_kinds_are_counted_separately(limited: Limited, redis_url: str | None) -> None:
    for kind in ("user", "address"):
        limiter = limited("1/hour", kind, redis_url)
        await limiter.take("same")


async def test_processes_share_the_counts_in_redis(limited: Limited, redis_socket: Path) -> None:
    first, second = (limited("1/hour", redis_url=f"unix://{redis_socket}") for _ in range(2))
    await first.take("a")
    with pytest.raises(TooManyRequestsError):
        await second.take("a")


async def test_concurrent_requests_are_limited(limited: Limited, redis_url: str | None) -> None:
    limiter = limited("1000/hour", redis_url=redis_url)
    assert all(await asyncio.gather(*(limiter.take("a") for _ in range(300))))


async def test_the_next_window_starts_at_zero(limited: Limited, monkeypatch: pytest.MonkeyPatch) -> None:
    limiter = limited("1/second")
    now = time.time()
    assert await limiter.take("a") == Allowance(limit=1, window=1, remaining=0, reset=1)
    monkeypatch.setattr("todo_api.adapters.limits.limiter.time", lambda: now + 1.5)
    assert await limiter.take("a")


async def test_nothing_is_limited_while_redis_is_down(limited: Limited) -> None:
    limiter = limited("1/hour", redis_url="redis://127.0.0.1:1")
    for _ in range(3):
        assert await limiter.take("a") is None
        await limiter.check("a")


async def test_ended_windows_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    storage = ProcessStorage()
    for number in range(1000):
        await storage.incr(f"old-{number}", 10)
    monkeypatch.setattr("todo_api.adapters.limits.limiter.time", lambda: time.time() + 11)
    for number in range(500):
        await storage.incr(f"new-{number}", 10)
    assert len(storage) == 500


@pytest.mark.parametrize("rate", ["", "many", "0/minute", "5", "-1/minute", "1/fortnight", "1/second;9/minute"])
def test_an_invalid_rate_is_refused(rate: str) -> None:
    with pytest.raises(InvalidRateError):
        FixedWindowLimiter(rate, "user")


def test_an_invalid_redis_url_is_refused_and_not_quoted() -> None:
    with pytest.raises(RedisUrlError) as refused:
        FixedWindowLimiter("1/minute", "user", "http://user:kept-from-the-log@host")
    assert "kept-from-the-log" not in str(refused.value)
