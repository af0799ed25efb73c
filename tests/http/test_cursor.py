"""Forged cursors: well-formed, with a correct digest, which is not secret."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import msgspec
import pytest
from httpx2 import AsyncClient

from todo_api.adapters.http.cursors import decode_cursor, encode_cursor
from todo_api.adapters.http.schemas.parameters import FilterParameters
from todo_api.adapters.http.sealed import seal
from todo_api.domain.filters import NO_FILTER
from todo_api.domain.listing import Order, Position, Sort, TaskQuery

TASK_ID = UUID("019aa2f3-7c1e-7cc3-98c4-dc0c0c07398f")


@pytest.mark.parametrize("sort", Sort)
@pytest.mark.parametrize("limit", [5, 0, -1, 1001, 2**70])
@pytest.mark.parametrize(
    "key",
    [
        "",
        "x",
        "a\0b",
        "\ud800",
        "2026-01-01",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        7,
        3,
        -1,
        1.0,
        2**70,
        True,
        None,
    ],
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


def test_a_cursor_from_before_there_were_filters_is_read_and_one_without_filters_is_the_same() -> None:
    content = f'["pending","created","asc",50,"2026-06-01T12:00:00.123456Z","{TASK_ID}"]'
    before = seal("ada", "list", content.encode())
    resumed = decode_cursor("ada", before)
    assert resumed is not None
    query = resumed.query
    after = Position(datetime(2026, 6, 1, 12, 0, 0, 123456, tzinfo=UTC), TASK_ID)
    assert (query.sort, query.order, query.limit, query.after) == (Sort.CREATED, Order.ASC, 50, after)
    assert query.filter is NO_FILTER
    assert encode_cursor("ada", query, after) == before


@pytest.mark.parametrize(
    ("sort", "key"),
    [("priority", key) for key in ("3", -1, 4, 1.0, True, None, 2**70)] + [("position", 1), ("position", "a\0")],
)
async def test_a_key_of_another_type_or_range_is_no_cursor(
    client: AsyncClient, user_id: str, sort: str, key: object
) -> None:
    cursor = seal(user_id, "list", msgspec.json.encode(["all", sort, "asc", 5, key, TASK_ID]))
    response = await client.get("/api/tasks", params={"cursor": cursor})
    assert (response.status_code, response.json()["code"]) == (400, "invalid-cursor")


@pytest.mark.parametrize(
    "filters",
    [
        {"list": "all"}, {"list": None}, {"list": [str(TASK_ID)]}, {"tag": "home"}, {"tag": [""]}, {"tag": ["a\0"]},
        {"tag": [1]}, {"priority": ["urgent"]}, {"priority": [3]}, {"due": "later"}, {"due_from": "tomorrow"},
        {"due_before": 5}, {"time_zone": "Mars"}, {"time_zone": "../UTC"}, {"q": "a\0"}, {"q": "x" * 201}, {"q": 1},
        {"limit": 5}, {"list_": "inbox"}, {"": ""}, [], "inbox", None, 1,
    ],
)  # fmt: skip
async def test_forged_filters_are_no_cursor(client: AsyncClient, user_id: str, filters: object) -> None:
    cursor = Sort.POSITION, "asc", 5, "m", TASK_ID, filters
    response = await client.get(
        "/api/tasks", params={"cursor": seal(user_id, "list", msgspec.json.encode(["all", *cursor]))}
    )
    assert (response.status_code, response.json()["code"]) == (400, "invalid-cursor")


def test_a_cursor_keeps_the_filters_as_they_were_sent() -> None:
    sent = {"tag": ["\u00df" * 50, "Home"], "due": "today", "time_zone": "UTC", "due_from": "2026-01-01T00:00:00Z"}
    filters = FilterParameters.model_validate(sent)
    query = TaskQuery(sort=Sort.PRIORITY, filter=filters.task_filter())
    resumed = decode_cursor("ada", encode_cursor("ada", query, Position(3, TASK_ID), filters))
    assert resumed is not None
    assert (resumed.filters.given(), resumed.query.filter) == (sent, query.filter)
