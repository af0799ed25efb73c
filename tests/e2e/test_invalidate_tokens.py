"""The command after a restore: every token and list ETag from before becomes invalid, while the service runs."""

import httpx2
from tests.e2e.programs import Call, Complaint, Start


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
