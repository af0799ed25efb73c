"""The command after a restore: every token and list ETag from before becomes invalid, while the service runs.

The service warns until it has run.
"""

import json
import signal

import httpx2
import pytest
from tests.e2e.programs import SECRET, Call, Complaint, Eventually, Query, Start, migrate


def test_the_command_needs_a_migrated_database(fresh_database: str, complaint: Complaint) -> None:
    assert "alembic upgrade head" in complaint("invalidate-tokens", DATABASE_URL=fresh_database)
    assert "DATABASE_URL" in complaint("invalidate-tokens")


def test_tokens_and_list_tags_from_before_are_invalid(fresh_database: str, start: Start, call: Call) -> None:
    running = start("dev", DATABASE_URL=fresh_database)
    running.add("kept")
    with httpx2.Client(base_url=running.url, headers=running.headers) as client:
        for _ in range(2):
            tag = client.get("/api/tasks").headers["ETag"]
            token = client.get("/api/tasks/changes").json()["next"]
            tags = {"If-None-Match": f'{tag}, "{token}"'}
            assert client.get("/api/tasks", headers=tags).status_code == 304

            told = "invalidated the sync tokens and list ETags of 1 account\n"
            assert call("invalidate-tokens", DATABASE_URL=fresh_database) == (0, told, "")

            assert client.get("/api/tasks", headers=tags).status_code == 200
            assert client.get("/api/tasks/changes", headers=tags).status_code == 200
            for path in ("/api/tasks/changes", "/api/tasks/events"):
                expired = client.get(path, params={"since": token}, headers=tags)
                assert (expired.status_code, expired.json()["code"]) == (410, "sync-token-expired")
            assert [task["title"] for task in client.get("/api/tasks/changes").json()["tasks"]] == ["kept"]


@pytest.mark.parametrize("purge_interval", ["3600", "0"])
def test_the_service_notices_a_restore_until_the_command_has_run(
    fresh_database: str, purge_interval: str, *, start: Start, query: Query, eventually: Eventually, call: Call
) -> None:
    migrate(fresh_database)
    settings = {"DATABASE_URL": fresh_database, "BETTER_AUTH_SECRET": SECRET, "PURGE_INTERVAL": purge_interval}
    recorded = "SELECT identity FROM database_identity"
    unchanged = start("serve", until="is serving", LOG_FORMAT="json", **settings)
    eventually(lambda: query(fresh_database, recorded))
    assert "invalidate-tokens" not in unchanged.output + unchanged.end(signal.SIGTERM)[1]
    identity = query(fresh_database, recorded)

    query(fresh_database, "UPDATE database_identity SET identity = 'the former'")
    restored = start("serve", until="invalidate-tokens", LOG_FORMAT="json", **settings)
    warning = json.loads(restored.output.splitlines()[-1])
    assert (warning["level"], warning["logger"]) == ("warning", "todo_api.application.housekeeping")
    assert f"recorded: the former; present: {identity}" in warning["event"]
    status, rest = restored.end(signal.SIGTERM)
    assert (status, "invalidate-tokens" in rest) == (0, False)

    assert call("invalidate-tokens", DATABASE_URL=fresh_database)[0] == 0
    assert query(fresh_database, recorded) == identity
