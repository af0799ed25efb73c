"""Lists: filters, sort orders and pages."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from httpx2 import AsyncClient

from todo_api.domain.listing import Sort

TASKS = [
    {"title": "banana", "due_date": "2026-05-02", "priority": "medium"},
    {"title": "Äpfel", "due_date": None, "completed": True},
    {"title": "apricot", "due_date": "2026-05-01T23:59", "priority": "high"},
    {"title": "Zebra", "due_date": "2026-05-02T00:00:01+00:00", "completed": True},
    {"title": "cherry", "priority": "low"},
]


@pytest.fixture
async def five(client: AsyncClient) -> None:
    for values in TASKS:
        assert (await client.post("/api/tasks", json=values)).status_code == 201


async def titles(client: AsyncClient, **parameters: Any) -> list[str]:
    response = await client.get("/api/tasks", params=parameters)
    assert response.status_code == 200
    return [task["title"] for task in response.json()]


@pytest.mark.usefixtures("five")
@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, ["cherry", "Zebra", "apricot", "Äpfel", "banana"]),
        ({"order": "asc"}, ["banana", "Äpfel", "apricot", "Zebra", "cherry"]),
        ({"sort": "title"}, ["Äpfel", "apricot", "banana", "cherry", "Zebra"]),
        ({"sort": "title", "order": "desc"}, ["Zebra", "cherry", "banana", "apricot", "Äpfel"]),
        ({"sort": "due_date"}, ["apricot", "banana", "Zebra", "Äpfel", "cherry"]),
        ({"sort": "due_date", "order": "desc"}, ["Zebra", "banana", "apricot", "cherry", "Äpfel"]),
        ({"sort": "updated"}, ["cherry", "Zebra", "apricot", "Äpfel", "banana"]),
        ({"sort": "updated", "order": "asc"}, ["banana", "Äpfel", "apricot", "Zebra", "cherry"]),
        ({"sort": "position"}, ["banana", "Äpfel", "apricot", "Zebra", "cherry"]),
        ({"sort": "position", "order": "desc"}, ["cherry", "Zebra", "apricot", "Äpfel", "banana"]),
        ({"sort": "priority"}, ["apricot", "banana", "cherry", "Zebra", "Äpfel"]),
        ({"sort": "priority", "order": "asc"}, ["Äpfel", "Zebra", "cherry", "banana", "apricot"]),
        ({"status": "completed"}, ["Zebra", "Äpfel"]),
        ({"status": "pending", "sort": "title"}, ["apricot", "banana", "cherry"]),
        ({"status": "all", "limit": 2}, ["cherry", "Zebra"]),
    ],
)
async def test_lists_are_filtered_and_sorted(
    client: AsyncClient, parameters: dict[str, Any], expected: list[str]
) -> None:
    assert await titles(client, **parameters) == expected


@pytest.mark.usefixtures("five")
@pytest.mark.parametrize("status", ["all", "pending", "completed"])
@pytest.mark.parametrize("sort", Sort)
@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_pages_are_the_whole_list_in_pieces(client: AsyncClient, status: str, sort: str, order: str) -> None:
    whole = await titles(client, status=status, sort=sort, order=order)
    pieces, address = [], f"/api/tasks?status={status}&sort={sort}&order={order}&limit=1"
    while True:
        response = await client.get(address)
        pieces += [task["title"] for task in response.json()]
        if "next" not in response.links:
            break
        address = response.links["next"]["url"]
        query = parse_qs(urlsplit(address).query)
        assert (query["status"], query["sort"], query["order"], query["limit"]) == ([status], [sort], [order], ["1"])
    assert pieces == whole


@pytest.mark.usefixtures("five")
@pytest.mark.parametrize(
    ("headers", "base"),
    [
        ({}, "http://test"),
        ({"Host": "[::1]:8000"}, "http://[::1]:8000"),
        ({"Host": "api.example.com:8443", "X-Forwarded-Proto": "https"}, "http://api.example.com:8443"),
        ({"Host": 'a>b"'}, ""),
    ],
)
async def test_the_next_link_has_the_host_of_the_request(
    client: AsyncClient, headers: dict[str, str], base: str
) -> None:
    response = await client.get("/api/tasks", params={"limit": 2}, headers=headers)
    assert response.links["next"]["url"].startswith(f"{base}/api/tasks?")


@pytest.mark.usefixtures("five")
async def test_a_cursor_alone_keeps_the_filter_the_order_and_the_limit(client: AsyncClient) -> None:
    first = await client.get("/api/tasks", params={"sort": "title", "limit": 2})
    cursor = parse_qs(urlsplit(first.links["next"]["url"]).query)["cursor"][0]
    assert await titles(client, cursor=cursor) == ["banana", "cherry"]


@pytest.mark.usefixtures("five")
async def test_pages_stay_right_while_tasks_come_and_go(client: AsyncClient) -> None:
    first = await client.get("/api/tasks", params={"sort": "title", "limit": 2})
    await client.delete(f"/api/tasks/{first.json()[1]['id']}")
    await client.post("/api/tasks", json={"title": "aaa"})
    rest = await client.get(first.links["next"]["url"])
    assert [task["title"] for task in rest.json()] == ["banana", "cherry"]


@pytest.mark.usefixtures("five")
async def test_there_is_no_next_page_after_the_last_task(client: AsyncClient) -> None:
    response = await client.get("/api/tasks", params={"limit": 5})
    assert len(response.json()) == 5
    assert "link" not in response.headers


@pytest.mark.usefixtures("five")
@pytest.mark.parametrize(
    "query",
    [
        "status=", "status=done", "status=ALL", "sort=", "sort=rank", "order=", "order=up", "limit=", "limit=0",
        "limit=1001", "limit=-1", "limit=1.0", "limit=+5", "limit=%205", "limit=1_0", "limit=٣", "limit=1e2",
        "limit=99999999999999999999999", "cursor=", "cursor=x", "cursor=%00", "cursor=%ff", "statsu=all", "user_id=x",
        "=", "status=all&status=all", "limit=5&limit=6", "page=2", "%ff=1",
    ],
)  # fmt: skip
async def test_parameters_are_refused_and_never_corrected(client: AsyncClient, query: str) -> None:
    response = await client.get(f"/api/tasks?{query}")
    assert response.status_code == 400
    problem = response.json()
    assert problem["code"] in {"invalid-request", "invalid-cursor"}
    assert {error["location"] for error in problem["errors"]} == {"query"}


@pytest.mark.usefixtures("five")
async def test_a_cursor_is_refused_where_it_does_not_belong(
    client: AsyncClient, as_user: Callable[..., AsyncClient], new_user_id: Callable[[], str]
) -> None:
    link = (await client.get("/api/tasks?sort=title&limit=2")).links["next"]["url"]
    cursor = parse_qs(urlsplit(link).query)["cursor"][0]
    damaged = [cursor[:-1], cursor + "A", cursor[1:], cursor.swapcase(), f"{cursor}=", f" {cursor}", cursor[::-1]]
    damaged += [cursor[:at] + ("A" if cursor[at] != "A" else "B") + cursor[at + 1 :] for at in range(len(cursor))]
    responses = [await client.get("/api/tasks", params={"cursor": text}) for text in damaged]
    others = ("sort=created", "order=desc", "limit=3", "status=pending")
    responses += [await client.get(f"/api/tasks?{other}&cursor={cursor}") for other in others]
    responses.append(await as_user(new_user_id()).get(link))
    assert {(response.status_code, response.json()["code"]) for response in responses} == {(400, "invalid-cursor")}
    assert (await client.get(link)).status_code == 200


async def test_a_user_without_tasks_has_an_empty_list(client: AsyncClient) -> None:
    response = await client.get("/api/tasks")
    assert (response.status_code, response.json()) == (200, [])
    assert response.headers["etag"]


async def test_lists_hold_a_thousand_tasks_by_default(client: AsyncClient) -> None:
    for number in range(1001):
        await client.post("/api/tasks", json={"title": str(number)})
    response = await client.get("/api/tasks")
    assert len(response.json()) == 1000
    assert [task["title"] for task in (await client.get(response.links["next"]["url"])).json()] == ["0"]
