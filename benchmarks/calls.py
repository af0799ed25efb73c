"""The measured calls and their tasks, the same for each program."""

import itertools
from collections.abc import Callable, Mapping

import asyncpg
import msgspec

from benchmarks.load import Call
from benchmarks.tokens import sign
from todo_api.adapters.http.sync_tokens import encode_sync_token
from todo_api.domain.changes import SyncPoint

USERS = [f"user-{number}" for number in range(100)]  # a write waits only for earlier writes of the same user
TASKS = 100  # of each
FEW = 5
TOKENS = {user: sign(user) for user in USERS}

FILL = f"INSERT INTO users (id, revision, created_at) SELECT unnest($1::text[]), {TASKS}, now()"
FILL_TASKS = f"""
INSERT INTO tasks (user_id, id, title, title_key, description, completed, created_at, updated_at, revision)
SELECT owner, gen_random_uuid(), 'Task ' || n, 'task ' || n, repeat('What there is to say of it. ', 3), false,
       now() - n * interval '1 minute', now(), n
  FROM generate_series(1, {TASKS}) n, unnest($1::text[]) owner
RETURNING user_id, id::text
"""
FILL_REPLACED = """
INSERT INTO replaced_tasks (id, user_id, title, description, completed, created_at, updated_at)
SELECT id, user_id, title, description, completed, created_at, updated_at FROM tasks
"""
REVISIONS = f"""
SELECT id, (SELECT revision FROM tasks WHERE user_id = users.id ORDER BY revision DESC LIMIT 1 OFFSET {FEW - 1}),
       revision
  FROM users
"""


async def create_tasks(database: str) -> list[tuple[str, str]]:
    """Create tasks for all users; return pairs of user and task id, in which consecutive pairs have different users."""
    connection = await asyncpg.connect(database)
    await connection.execute(FILL, USERS)
    tasks = [tuple(row) for row in await connection.fetch(FILL_TASKS, USERS)]
    await connection.execute("ANALYZE")
    await connection.close()
    return tasks


async def read_revisions(database: str) -> dict[str, tuple[int, int]]:
    """Return each user's revision before the last few changes, and the current revision."""
    connection = await asyncpg.connect(database)
    rows = await connection.fetch(REVISIONS)
    await connection.close()
    return {user: (recent - 1, current) for user, recent, current in rows}


async def copy_tasks_for_the_replaced_stack(database: str) -> None:
    """Copy the same tasks into the table that the replaced stack created when it started."""
    connection = await asyncpg.connect(database)
    await connection.execute(FILL_REPLACED)
    await connection.execute("ANALYZE")
    await connection.close()


def http(user: str, method: str, path: str, body: Mapping[str, object] | None = None, more: str = "") -> bytes:
    """Return a request. The service reads the user from the token, the ceiling from `X-User`."""
    content = b"" if body is None else msgspec.json.encode(body)
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKENS[user]}\r\nX-User: {user}\r\n"
    head += more
    if body is not None:
        head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n"
    return head.encode() + b"\r\n" + content


def ask_for_changes(user: str, since: int) -> bytes:
    """Return a request for changes. The service reads the token, the ceiling `X-Since`; both may respond with 304."""
    token = encode_sync_token(user, SyncPoint(since))
    more = f'X-Since: {since}\r\nIf-None-Match: "{token}"\r\n'
    return http(user, "GET", f"/api/tasks/changes?since={token}&limit=100", more=more)


def ask_for_the_same_list(user: str, revision: int) -> bytes:
    """Return a conditional request: the service responds with 304, the other programs ignore the condition."""
    return http(user, "GET", "/api/tasks?limit=50", more=f'If-None-Match: "{revision}"\r\n')


async def make_calls(database: str, tasks: list[tuple[str, str]]) -> list[Call]:
    """Return the calls. Writes come last, because reads expect the current revisions."""
    some, number = itertools.cycle(tasks), itertools.count()
    users = itertools.cycle((await read_revisions(database)).items())

    def about_a_task(method: str, body: Callable[[], Mapping[str, object] | None]) -> bytes:
        user, task_id = next(some)
        return http(user, method, f"/api/tasks/{task_id}", body())

    def as_of(revision: int, request: Callable[[str, int], bytes]) -> bytes:
        user, revisions = next(users)
        return request(user, revisions[revision])

    return [
        Call("list 50", lambda: http(next(some)[0], "GET", "/api/tasks?limit=50"), 200),
        Call("list 50, unchanged", lambda: as_of(1, ask_for_the_same_list), 304, unconditional=200),
        Call("get", lambda: about_a_task("GET", lambda: None), 200),
        Call(f"{FEW} changes", lambda: as_of(0, ask_for_changes), 200, is_new=True),
        Call("no change", lambda: as_of(1, ask_for_changes), 304, is_new=True),
        Call("create", lambda: http(next(some)[0], "POST", "/api/tasks", {"title": f"Task {next(number)}"}), 201),
        Call("update", lambda: about_a_task("PATCH", lambda: {"title": f"Changed {next(number)}"}), 200),
    ]
