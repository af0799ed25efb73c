"""Filters of lists: each alone, together, over several pages, and what is said about them."""

from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from httpx2 import AsyncClient, Response
from tests.domain.builders import NOW

from todo_api.domain.listing import Sort
from todo_api.domain.operations import CreateList
from todo_api.domain.ports import TaskRepository
from todo_api.domain.selection import Selection
from todo_api.domain.task_list import ListChanges

TASKS: list[dict[str, Any]] = [
    {"title": "Buy milk", "due_date": "2020-05-01", "priority": "high", "tags": ["Home", "shop"]},
    {"title": "Büro: Äpfel", "due_date": "2090-05-01T12:00", "tags": ["home"]},
    {"title": "Call Zoë", "due_date": "2090-05-02T00:00:00Z", "priority": "low", "description": "about the milk"},
    {"title": "Done", "due_date": "2020-05-02", "priority": "medium", "tags": ["shop"], "completed": True},
    {"title": "Empty", "checklist": [{"title": "Milky way"}], "tags": ["100% & +/?#=🌱"]},
]


@pytest.fixture
async def list_id(client: AsyncClient, repository: TaskRepository, user_id: str) -> str:
    """Create the tasks, and one in a list; return the list's id."""
    operation = CreateList(uuid4(), ListChanges(name="Work"))
    await repository.edit(user_id, Selection.union([operation.selection]), operation.apply, now=NOW, new_id=uuid4)
    for values in [*TASKS, {"title": "Filed", "list_id": str(operation.list_id), "tags": ["home"]}]:
        assert (await client.post("/api/tasks", json=values)).status_code == 201
    return str(operation.list_id)


def titles(response: Response) -> list[str]:
    assert response.status_code == 200, response.text
    return [task["title"] for task in response.json()]


MILK, APPLES, CALL, DONE, EMPTY, FILED = "Buy milk", "Büro: Äpfel", "Call Zoë", "Done", "Empty", "Filed"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("list=inbox", [MILK, APPLES, CALL, DONE, EMPTY]),
        ("list={list_id}", [FILED]),
        ("list=019aa2f3-7c1e-7cc3-98c4-dc0c0c07398f", []),
        ("tag=HOME", [MILK, APPLES, FILED]),
        ("tag=home&tag=shop", [MILK]),
        ("tag=100%25%20%26%20%2B%2F%3F%23%3D%F0%9F%8C%B1", [EMPTY]),
        ("tag=nothing", []),
        ("priority=high", [MILK]),
        ("priority=high&priority=low", [MILK, CALL]),
        ("priority=none&priority=none", [APPLES, EMPTY, FILED]),
        ("due=overdue", [MILK]),
        ("due=today", []),
        ("due=upcoming", [APPLES, CALL]),
        ("due=none", [EMPTY, FILED]),
        ("due=any", [MILK, APPLES, CALL, DONE]),
        ("due_from=2020-05-02", [APPLES, CALL, DONE]),
        ("due_before=2090-05-02", [MILK, APPLES, DONE]),
        ("due_before=2090-05-02&time_zone=America/Lima", [MILK, APPLES, CALL, DONE]),
        ("due_from=2090-05-01T12:00&due_before=2090-05-02T00:00:01Z", [APPLES, CALL]),
        ("due_from=2090-05-01T12:00:01&due_before=2090-05-02T02:00:00%2B02:00", []),
        ("time_zone=Europe/Berlin", [MILK, APPLES, CALL, DONE, EMPTY, FILED]),
        ("q=milk", [MILK, CALL, EMPTY]),
        ("q=MIL%20buy", [MILK]),
        ("q=apf", [APPLES]),
        ("q=zoe", [CALL]),
        ("q=", []),
        ("q=%2B", []),
        ("status=completed&due=any", [DONE]),
        ("status=pending&tag=shop", [MILK]),
        ("list=inbox&tag=home&priority=high&due=overdue&due_before=2021-01-01&q=buy&status=pending", [MILK]),
        ("list=inbox&tag=home&priority=high&due=overdue&due_before=2020-01-01&q=buy&status=pending", []),
    ],
)
async def test_filters_combine(client: AsyncClient, list_id: str, query: str, expected: list[str]) -> None:
    response = await client.get(f"/api/tasks?order=asc&{query.format(list_id=list_id)}")
    assert titles(response) == expected


@pytest.mark.usefixtures("list_id")
@pytest.mark.parametrize("sort", Sort)
@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize(
    "query",
    [
        *("list=inbox", "tag=home", "priority=none&priority=high", "q=mil"),
        *("due=any&time_zone=Asia/Tokyo", "due=upcoming"),
    ],
)
async def test_pages_of_a_filtered_list_are_the_whole_list_in_pieces(
    client: AsyncClient, sort: str, order: str, query: str
) -> None:
    address = f"/api/tasks?sort={sort}&order={order}&{query}"
    whole = titles(await client.get(address))
    assert len(whole) > 1
    for alone in (False, True):
        pieces, page = [], f"{address}&limit=1"
        while page:
            response = await client.get(page)
            pieces += titles(response)
            page = response.links.get("next", {}).get("url", "")
            if page:
                given = parse_qs(urlsplit(page).query)
                assert given.items() >= parse_qs(query).items()
                page = f"/api/tasks?cursor={given['cursor'][0]}" if alone else page
        assert pieces == whole


@pytest.mark.usefixtures("list_id")
async def test_the_next_link_encodes_what_needs_it(client: AsyncClient) -> None:
    tag = "100% & +/?#=🌱"
    assert (await client.post("/api/tasks", json={"title": "x", "tags": [tag]})).status_code == 201
    parameters: dict[str, Any] = {"tag": tag, "due": "none", "list": "inbox", "limit": 1}
    first = await client.get("/api/tasks", params=parameters)
    link = first.links["next"]["url"]
    assert link.isascii()
    assert parse_qs(urlsplit(link).query)["tag"] == [tag]
    assert titles(first) + titles(await client.get(link)) == ["x", EMPTY]


async def next_page(client: AsyncClient, query: str) -> str:
    response = await client.get(f"/api/tasks?limit=1&{query}")
    return parse_qs(urlsplit(response.links["next"]["url"]).query)["cursor"][0]


@pytest.mark.usefixtures("list_id")
@pytest.mark.parametrize(
    ("query", "also"),
    [
        ("tag=home", "tag=HOME"),
        ("priority=none&priority=high", "priority=high&priority=none&priority=high"),
        ("due_from=2020-01-01T00:00:00Z", "due_from=2020-01-01T01:00:00%2B01:00"),
        ("list=inbox", "list=inbox"),
        ("list=inbox", "time_zone=UTC"),
        ("list=inbox&q=mil", ""),
    ],
)
async def test_a_cursor_agrees_with_parameters_that_mean_the_same(client: AsyncClient, query: str, also: str) -> None:
    assert titles(await client.get(f"/api/tasks?cursor={await next_page(client, query)}&{also}"))


@pytest.mark.usefixtures("list_id")
@pytest.mark.parametrize(
    ("query", "other", "detail"),
    [
        ("list=inbox", "list=019aa2f3-7c1e-7cc3-98c4-dc0c0c07398f", "list: must be inbox"),
        ("tag=home", "tag=home&tag=shop", "tag: must be home"),
        ("tag=home", "q=milk", "q: must be left out"),
        ("priority=none&priority=high", "priority=none", "priority: must be none, high"),
        ("due=any", "due=none", "due: must be any"),
        ("due=any", "time_zone=Asia/Tokyo", "time_zone: must be left out"),
        ("due_from=2020-01-01", "due_from=2020-01-01T00:00:00Z", "due_from: must be 2020-01-01"),
        ("due_before=2099-01-01", "due_before=2098-01-01", "due_before: must be 2099-01-01"),
        ("q=mil", "q=milk", "q: must be mil"),
        ("", "tag=home", "tag: must be left out"),
    ],
)
async def test_a_cursor_contradicts_other_filters(client: AsyncClient, query: str, other: str, detail: str) -> None:
    response = await client.get(f"/api/tasks?cursor={await next_page(client, query)}&{other}")
    assert (response.status_code, response.json()["code"]) == (400, "invalid-cursor")
    assert response.json()["detail"] == (
        f"{detail}, as in the list that the cursor continues; or start again without the cursor"
    )


@pytest.mark.parametrize(
    ("query", "name", "detail"),
    [
        ("list=", "list", "must be the id of a list, or inbox"),
        ("list=INBOX", "list", "must be the id of a list, or inbox"),
        ("list=inbox&list=inbox", "list", "is given more than once"),
        ("tag=", "tag", "must contain a visible character"),
        ("tag=a&tag=%00", "tag", "must not contain NUL"),
        ("tag=" + "x" * 51, "tag", "must have at most 50 characters, not 51"),
        ("&".join(["tag=a"] * 21), "tag", "must have at most 20 items"),
        ("priority=", "priority", "must be 'none', 'low', 'medium' or 'high'"),
        ("priority=low&priority=3", "priority", "must be 'none', 'low', 'medium' or 'high'"),
        ("due=later", "due", "must be 'overdue', 'today', 'upcoming', 'none' or 'any'"),
        ("due_from=today", "due_from", "must be a date (2026-12-31)"),
        ("due_before=2026-02-29", "due_before", "must be a day and time that exist"),
        ("due_before=", "due_before", "must be a date (2026-12-31)"),
        ("time_zone=", "time_zone", "must be the name of a time zone, such as Europe/Berlin"),
        ("time_zone=utc", "time_zone", "must be the name of a time zone, such as Europe/Berlin"),
        ("q=%00", "q", "must not contain NUL"),
        ("q=" + "x" * 201, "q", "must have at most 200 characters, not 201"),
        ("list_=inbox", "list_", "is not a parameter"),
    ],
)
async def test_a_filter_that_is_refused_says_why(client: AsyncClient, query: str, name: str, detail: str) -> None:
    response = await client.get(f"/api/tasks?{query}")
    assert (response.status_code, response.json()["code"]) == (400, "invalid-request")
    (error,) = response.json()["errors"]
    assert (error["location"], error["field"]) == ("query", name)
    assert error["detail"].startswith(detail)


@pytest.mark.usefixtures("list_id")
@pytest.mark.parametrize("due", ["overdue", "today", "upcoming"])
async def test_a_list_that_depends_on_the_time_has_no_tag_and_is_never_unchanged(client: AsyncClient, due: str) -> None:
    tag = (await client.get("/api/tasks")).headers["etag"]
    for condition in (tag, "*"):
        response = await client.get(f"/api/tasks?due={due}", headers={"If-None-Match": condition})
        assert (response.status_code, "etag" in response.headers) == (200, False)
        assert len(response.json()) == {"overdue": 1, "today": 0, "upcoming": 2}[due]


@pytest.mark.usefixtures("list_id")
@pytest.mark.parametrize("query", ["due=none", "due=any&time_zone=Asia/Tokyo", "q=milk", "due_from=2020-01-01"])
async def test_another_filtered_list_is_unchanged_while_the_tag_is(client: AsyncClient, query: str) -> None:
    tag = (await client.get(f"/api/tasks?{query}")).headers["etag"]
    response = await client.get(f"/api/tasks?{query}", headers={"If-None-Match": tag})
    assert (response.status_code, response.headers["etag"]) == (304, tag)
