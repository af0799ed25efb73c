"""Old rows are removed, by the command and by the server."""

import signal

import pytest
from tests.e2e.programs import SECRET, Call, Complaint, Eventually, Query, Start, migrate

FILL = """
WITH owner AS (INSERT INTO users (id, revision, created_at) VALUES ('ada', 500, now()) RETURNING id),
     aged AS (SELECT id, n, now() - n * interval '1 day' AS deleted_at FROM owner, generate_series(1, 100) n),
     trash AS (
         INSERT INTO tasks (user_id, id, title, title_key, completed, created_at, updated_at, revision, deleted_at)
         SELECT id, gen_random_uuid(), 'x', 'x', false, deleted_at, deleted_at, 500 - n, deleted_at FROM aged),
     graves AS (INSERT INTO tombstones SELECT id, gen_random_uuid(), 500 - n, deleted_at FROM aged)
INSERT INTO idempotency_keys
SELECT id, n::text, '', '', now() - n * interval '1 hour' FROM owner, generate_series(1, 30) n
"""
LEFT = """
SELECT (SELECT count(*) FROM tasks) || ' ' || (SELECT count(*) FROM tombstones) || ' '
    || (SELECT count(*) FROM idempotency_keys) || ' ' || (SELECT floor FROM users)
"""


@pytest.fixture
def filled(fresh_database: str, query: Query) -> str:
    """The URL of a database with tasks and tombstones of 1 to 100 days, and keys of 1 to 30 hours."""
    migrate(fresh_database)
    query(fresh_database, FILL)
    return fresh_database


def test_the_command_purges_old_rows(filled: str, query: Query, call: Call) -> None:
    assert call("purge", DATABASE_URL=filled) == (0, "purged 71 tasks, 11 tombstones, 7 idempotency keys\n", "")
    assert query(filled, LEFT) == "29 89 23 410"
    assert call("purge", DATABASE_URL=filled) == (0, "purged 0 tasks, 0 tombstones, 0 idempotency keys\n", "")
    sooner = {"TRASH_DAYS": "20", "TOMBSTONE_DAYS": "10"}
    assert call("purge", DATABASE_URL=filled, **sooner)[1].startswith("purged 10 tasks, 80 tombstones, 0 ")
    assert query(filled, LEFT) == "19 9 23 490"


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({}, "DATABASE_URL"),
        ({"DATABASE_URL": "postgresql://u:kept-from-the-log@127.0.0.1:1/d"}, "DATABASE_URL"),
        ({"TRASH_DAYS": "0"}, "TRASH_DAYS"),
        ({"TRASH_DAYS": "soon"}, "TRASH_DAYS"),
        ({"TOMBSTONE_DAYS": "99999"}, "TOMBSTONE_DAYS"),
        ({"TASK_QUOTA": "0"}, "TASK_QUOTA"),
        ({"PURGE_INTERVAL": "-1"}, "PURGE_INTERVAL"),
        ({"PURGE_INTERVAL": "nan"}, "PURGE_INTERVAL"),
    ],
)
def test_the_command_names_the_invalid_setting(complaint: Complaint, settings: dict[str, str], named: str) -> None:
    line = complaint("purge", **settings)
    assert line.startswith(f"todo-api: {named}") or f" {named} " in line
    assert "kept-from-the-log" not in line


def test_the_command_waits_for_the_migrations(fresh_database: str, complaint: Complaint) -> None:
    assert "alembic upgrade head" in complaint("purge", DATABASE_URL=fresh_database)


def test_a_server_purges_on_a_schedule_and_stops(
    filled: str, query: Query, start: Start, eventually: Eventually
) -> None:
    settings = {"DATABASE_URL": filled, "BETTER_AUTH_SECRET": SECRET, "LOG_FORMAT": "console"}
    running = start("serve", "--workers", "2", until="serving on", PURGE_INTERVAL="0.3", **settings)
    eventually(lambda: query(filled, LEFT) == "29 89 23 410")
    query(filled, "UPDATE tombstones SET deleted_at = now() - interval '91 days' WHERE revision < 420")
    eventually(lambda: query(filled, LEFT) == "29 80 23 419")
    status, output = running.end(signal.SIGTERM)
    assert status == 0
    assert "0 tasks, 9 tombstones, 0 idempotency keys" in output
    assert "Traceback" not in output
