"""Forged cursors: well-formed, with a correct digest, which is not secret."""

from uuid import uuid4

import msgspec
import pytest
from httpx2 import AsyncClient

from todo_api.adapters.http.sealed import seal


@pytest.mark.parametrize("sort", ["created", "title", "due_date"])
@pytest.mark.parametrize("limit", [5, 0, -1, 1001, 2**70])
@pytest.mark.parametrize(
    "key",
    ["", "x", "a\0b", "\ud800", "2026-01-01", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", 7, None],
)
async def test_a_forged_cursor_only_refers_to_the_users_own_list(
    client: AsyncClient, user_id: str, sort: str, limit: int, key: object
) -> None:
    try:
        content = msgspec.json.encode(["all", sort, "asc", limit, key, uuid4()])
    except UnicodeEncodeError:
        content = b'["all","title","asc",5,"\\ud800","019aa2f3-7c1e-7cc3-98c4-dc0c0c07398f"]'
    response = await client.get("/api/tasks", params={"cursor": seal(user_id, "list", content)})
    assert response.status_code == 200 or response.json()["code"] == "invalid-cursor"
    content = msgspec.json.encode([limit, key if key != "\ud800" else "", uuid4()])
    response = await client.get("/api/tasks/trash", params={"cursor": seal(user_id, "trash", content)})
    assert response.status_code == 200 or response.json()["code"] == "invalid-cursor"
