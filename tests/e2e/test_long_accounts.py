"""Export and import of large accounts need no more memory than those of small ones."""

import json
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
from tests.e2e.programs import SECRET, Query, Running, Start, migrate

from todo_api.application.accounts import CHUNK
from todo_api.dev.token import mint_token

TASKS = 100_000
IMPORTED = 100 * CHUNK  # enough to be seen, and in seconds
FILL = f"""
WITH owner AS (
    INSERT INTO users (id, revision, live_tasks, created_at) VALUES ('ada', {TASKS}, {TASKS}, now()) RETURNING id)
INSERT INTO tasks (user_id, id, title, title_key, description, completed, created_at, updated_at, revision)
SELECT id, gen_random_uuid(), n::text, n::text, repeat('x', 200), false, now(), now(), n
FROM owner, generate_series(1, {TASKS}) n
"""
SOME_KILOBYTES = 16_000  # of a document of more than 40,000

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux reports the peak memory of a process")


@pytest.fixture
def serving(start: Start, fresh_database: str, query: Query) -> Running:
    migrate(fresh_database)
    query(fresh_database, FILL)
    settings = {"DATABASE_URL": fresh_database, "BETTER_AUTH_SECRET": SECRET, "TASK_QUOTA": str(TASKS)}
    return start("serve", until="serving on", **settings)


@pytest.fixture
def client(serving: Running) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=f"{serving.url}/api/me", timeout=60) as client:
        yield client


@pytest.fixture
def growth(serving: Running) -> Callable[[], int]:
    """Return the growth of the server's peak memory since its start, in kilobytes."""

    def peak() -> int:
        status = Path(f"/proc/{serving.process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0])

    start = peak()
    return lambda: peak() - start


def of(user_id: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {mint_token(SECRET, user_id, timedelta(hours=1))}"}


def test_memory_stays_flat(client: httpx2.Client, growth: Callable[[], int]) -> None:
    with client.stream("GET", "/export", headers=of("ada")) as response:
        lines = list(response.iter_lines())
    assert len(json.loads("".join(lines))["tasks"]) == TASKS
    assert growth() < SOME_KILOBYTES

    document = "".join(lines[: IMPORTED // CHUNK]).removesuffix(",") + "]}"
    response = client.post("/import", headers=of("bob") | {"Content-Type": "application/json"}, content=document)
    assert response.json() == {"imported": IMPORTED, "skipped": 0, "imported_lists": 0, "skipped_lists": 0}
    assert growth() < SOME_KILOBYTES
