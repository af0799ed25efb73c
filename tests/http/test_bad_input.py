"""Invalid input: never a 500, and every error names what is wrong."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from httpx2 import AsyncClient

JSON = {"Content-Type": "application/json"}


async def refused(
    client: AsyncClient, body: bytes | dict[str, Any], status: int = 400, **headers: str
) -> dict[str, Any]:
    """Return the problem of every endpoint with a body, which must be the same for all."""
    task = (await client.post("/api/tasks", json={"title": "x"})).json()
    path = f"/api/tasks/{task['id']}"
    kind: dict[str, Any] = {"json": body} if isinstance(body, dict) else {"content": body, "headers": JSON | headers}
    responses = [
        await client.post("/api/tasks", **kind),
        await client.put(path, **kind),
        await client.patch(path, **kind),
    ]
    assert [response.status_code for response in responses] == [status] * 3
    assert {response.headers["content-type"] for response in responses} == {"application/problem+json"}
    assert (await client.get(path)).json() == task
    problems = [response.json() for response in responses]
    assert problems[0] == problems[1] == problems[2]
    for key in ("type", "title", "detail", "code"):
        assert problems[0][key]
        assert isinstance(problems[0][key], str)
    assert problems[0]["status"] == status
    problem: dict[str, Any] = problems[0]
    return problem


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""), ("title", " \t\u2003"), ("title", "x" * 501), ("title", "🙂" * 501), ("title", "a\0b"),
        ("title", None), ("title", 1), ("title", True), ("title", ["x"]), ("title", {}),
        ("description", "x" * 10_001), ("description", "\0"), ("description", 1),
        ("completed", "true"), ("completed", 1), ("completed", 0), ("completed", None), ("completed", []),
        ("due_date", ""), ("due_date", "tomorrow"), ("due_date", 1767200400), ("due_date", 1.5), ("due_date", True),
        ("due_date", "2026-02-30"), ("due_date", "2026-12-31T24:00"), ("due_date", "2026-12-31 17:00"),
        ("due_date", "31.12.2026"), ("due_date", "2026-12-31T17:00:00+25:00"), ("due_date", "0000-01-01"),
        ("due_date", "9999-12-31T23:59:59-01:00"), ("due_date", "0001-01-01T00:00:00+01:00"),
        ("due_date", "2026-12-31T17:00:60Z"), ("due_date", "２０２６-12-31"), ("due_date", "2026-12-31\n"),
        ("due_date", "2026-12-31T17:00:00." + "1" * 100_000), ("due_date", "+002026-12-31"), ("due_date", {}),
        ("dueDate", "2026-12-31"), ("priority", 1), ("", "x"), ("Title", "x"), ("__proto__", {}), ("a\0b", 1),
    ],
)  # fmt: skip
async def test_a_field_that_is_wrong_is_named(client: AsyncClient, field: str, value: Any) -> None:
    problem = await refused(client, {"title": "fine", field: value})
    assert problem["code"] == "invalid-request"
    assert [(error["location"], error["field"]) for error in problem["errors"]] == [("body", field or "body")]
    assert problem["errors"][0]["detail"] in problem["detail"]


async def test_every_field_that_is_wrong_is_named(client: AsyncClient) -> None:
    problem = await refused(client, {"title": "", "due_date": "soon", "completed": 1, "dueDate": "x"})
    assert {error["field"] for error in problem["errors"]} == {"title", "due_date", "completed", "dueDate"}


async def test_many_errors_are_counted_and_not_listed(client: AsyncClient) -> None:
    problem = await refused(client, {"title": "x", **{f"field{number}": number for number in range(20_000)}})
    assert len(problem["errors"]) == 1
    assert "errors" in problem["detail"]
    assert len(problem["detail"]) < 200
    response = await client.get("/api/tasks", params={f"{'x' * 50}{number}": "1" for number in range(500)})
    assert response.status_code == 400
    assert len(response.content) < 20_000


async def test_a_misspelt_field_gets_a_hint(client: AsyncClient) -> None:
    problem = await refused(client, {"title": "fine", "dueDate": "2026-12-31"})
    assert "did you mean due_date?" in problem["detail"]


@pytest.mark.parametrize(
    "body",
    [
        b"{", b"not json", b"{'title': 'x'}", b'{"title": "x",}', b'{"title": "x"} x', b"\xff\xfe",
        b'{"title": "\xff"}',
        b'{"title": "\\ud800"}', b'{"title": "\\udc00\\ud800"}', b"[" * 100_000, b'{"id":' * 50_000, b'{"title": NaN}',
        b'{"title": "x", "revision": NaN}', b'{"title": "x", "id": [-Infinity]}',
        b'{"title": ' + b"1" * 100_000 + b"}", b'\xef\xbb\xbf\xef\xbb\xbf{"title": "x"}',
        '{"title": "x"}'.encode("utf-16"), b"\0",
        b'{"title": "a\nb"}', b" ",
    ],
)  # fmt: skip
async def test_malformed_json_is_refused(client: AsyncClient, body: bytes) -> None:
    problem = await refused(client, body)
    assert problem["code"] in {"malformed-json", "invalid-request"}
    assert problem["errors"]


@pytest.mark.parametrize("body", [b"[]", b"null", b"1", b'"x"', b"true", b'[{"title": "x"}]'])
async def test_the_body_is_an_object(client: AsyncClient, body: bytes) -> None:
    problem = await refused(client, body)
    assert "must be a JSON object" in problem["detail"]


async def test_a_missing_body_is_an_error(client: AsyncClient) -> None:
    assert "body" in (await refused(client, b""))["detail"]


@pytest.mark.parametrize(
    "media_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "json", "/"],
)
async def test_a_body_that_is_not_declared_as_json_is_refused(client: AsyncClient, media_type: str) -> None:
    problem = await refused(client, b'{"title": "x"}', 415, **{"Content-Type": media_type})
    assert problem["code"] == "unsupported-media-type"


async def test_a_compressed_body_is_refused(client: AsyncClient) -> None:
    await refused(client, b'{"title": "x"}', 415, **{"Content-Encoding": "gzip"})


@pytest.mark.parametrize(
    "media_type", ["application/json; charset=utf-8", "APPLICATION/JSON", "application/merge-patch+json"]
)
async def test_all_media_types_of_json_are_accepted(client: AsyncClient, media_type: str) -> None:
    response = await client.post("/api/tasks", content=b'{"title": "x"}', headers={"Content-Type": media_type})
    assert response.status_code == 201


async def test_a_body_above_the_limit_is_refused_whether_its_length_is_declared_or_not(client: AsyncClient) -> None:
    large = b'{"title": "x", "description": "' + b"x" * 1024 * 1024 + b'"}'
    assert (await refused(client, large, 413))["code"] == "content-too-large"

    async def in_pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(large), 65536):
            yield large[start : start + 65536]

    response = await client.post("/api/tasks", content=in_pieces(), headers=JSON)
    assert (response.status_code, response.json()["code"]) == (413, "content-too-large")


async def test_a_body_at_the_limit_is_read(client: AsyncClient) -> None:
    start = b'{"title": "x", "revision": "'
    body = start + b"x" * (1024 * 1024 - len(start) - 2) + b'"}'
    assert (await client.post("/api/tasks", content=body, headers=JSON)).status_code == 201


@pytest.mark.parametrize("body", [b'{"completed": null}', b'{"completed": "true"}', b'{"done": true}', b"[]", b"{"])
async def test_complete_is_as_strict(client: AsyncClient, task: dict[str, Any], path: str, body: bytes) -> None:
    response = await client.patch(f"{path}/complete", content=body, headers=JSON)
    assert response.status_code == 400
    assert (await client.get(path)).json() == task


@pytest.mark.parametrize("content", [b"null", b" null\n", b"\xef\xbb\xbfnull", b""])
async def test_a_body_of_null_is_no_body_where_none_is_needed(client: AsyncClient, path: str, content: bytes) -> None:
    completed = await client.patch(f"{path}/complete", content=content, headers=JSON)
    assert (completed.status_code, completed.json().get("completed")) == (200, True)
    assert (await client.request("DELETE", path, content=content, headers=JSON)).status_code == 204
    assert (await client.post(f"{path}/restore", content=content, headers=JSON)).status_code == 200


async def test_a_byte_order_mark_is_skipped(client: AsyncClient, path: str) -> None:
    created = await client.post("/api/tasks", content=b'\xef\xbb\xbf{"title": "x"}', headers=JSON)
    assert (created.status_code, created.json()["title"]) == (201, "x")
    changed = await client.patch(path, content=b'\xef\xbb\xbf{"title": "y"}', headers=JSON)
    assert changed.json()["title"] == "y"


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (b'{"title": "\\ud83d"}', ["title"]),
        (b'{"title": "x", "description": "\\ude00 \\ud83d"}', ["description"]),
        (b'{"title": "\\ud83dx", "description": "\\ude00"}', ["title", "description"]),
        (b'\xef\xbb\xbf{"title": "\\ud83d"}', ["title"]),
        (b'{"title": "\xed\xa0\xbd"}', ["title"]),
        (b'"\\ud83d"', ["body"]),
        (b'{"\\ud83d": "x"}', ["body"]),
        (b'{"\\ud83d": "\\ud83d"}', ["body", "\ufffd"]),
    ],
)
async def test_half_of_an_emoji_is_named_with_its_field(client: AsyncClient, body: bytes, fields: list[str]) -> None:
    problem = await refused(client, body)
    assert problem["code"] == "invalid-request"
    assert [error["field"] for error in problem["errors"]] == fields
    assert {error["detail"] for error in problem["errors"]} == {
        "must not contain NUL characters or lone surrogates, such as half of an emoji"
    }


async def test_long_names_around_half_of_an_emoji_are_cut(client: AsyncClient) -> None:
    name = b"n" * 100_000
    body = b'{"' + name + b'": [' + b"0, " * 40_000 + b'"\\ud83d"], "title": "\\ud83d"}'
    problem = await refused(client, body)
    assert [error["field"] for error in problem["errors"]] == ["n" * 100, "title"]


async def test_half_of_an_emoji_in_a_long_body_is_refused_by_the_parser(client: AsyncClient) -> None:
    body = b'{"description": "' + b"x" * 300_000 + b'\\ud83d"}'
    assert (await refused(client, body))["code"] == "malformed-json"


async def test_half_of_an_emoji_in_a_batch_is_named_with_its_operation(client: AsyncClient) -> None:
    content = b'{"operations": [{"op": "create", "title": "x"}, {"op": "create", "title": "\\ud83d"}]}'
    problem = (await client.post("/api/tasks/batch", content=content, headers=JSON)).json()
    assert [error["field"] for error in problem["errors"]] == ["operations.1.title"]


@pytest.mark.parametrize(
    "media_type",
    [
        "application/json-patch+json",
        "application/json-patch-query+json",
        "application/senml-etch+json",
        "application/strategic-merge-patch+json",
        "Application/JSON-Patch+JSON; charset=x",
    ],
)
async def test_other_patch_formats_are_refused(client: AsyncClient, path: str, media_type: str) -> None:
    response = await client.patch(path, content=b'{"title": "x"}', headers={"Content-Type": media_type})
    assert (response.status_code, response.json()["code"]) == (415, "unsupported-media-type")
    assert "application/merge-patch+json" in response.json()["detail"]


@pytest.mark.parametrize("title", ["\u200b", "\ufeff \u2060", "\u3164", "\u2800"])
async def test_a_title_needs_something_to_see(client: AsyncClient, path: str, title: str) -> None:
    for response in (
        await client.post("/api/tasks", json={"title": title}),
        await client.patch(path, json={"title": title}),
        await client.post("/api/tasks/batch", json={"operations": [{"op": "create", "title": title}]}),
    ):
        assert response.status_code == 400
        assert "title: must contain a visible character" in response.json()["detail"]


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
async def test_all_missing_tasks_have_the_same_response(client: AsyncClient, path: str, method: str) -> None:
    await client.delete(path)
    ids = [path.rpartition("/")[2], str(uuid4()), "x", "1", "%00", "{" + str(uuid4()) + "}", uuid4().hex, "%ff", "🙂"]
    if method == "PUT":
        ids = ids[:2]  # it may create a task, and says what an id must be
    kind: dict[str, Any] = {} if method in {"GET", "DELETE"} else {"json": {"title": "x"}}
    responses = [await client.request(method, f"/api/tasks/{task_id}", **kind) for task_id in ids]
    assert {response.status_code for response in responses} == {404}
    assert len({(response.content, str(sorted(response.headers.items()))) for response in responses}) == 1


async def test_an_id_may_be_written_in_capitals(client: AsyncClient, task: dict[str, Any]) -> None:
    assert (await client.get(f"/api/tasks/{task['id'].upper()}")).json() == task


async def test_unknown_parameters_are_refused_everywhere(client: AsyncClient, path: str) -> None:
    for response in (
        await client.get(f"{path}?expand=all"),
        await client.post("/api/tasks?dry_run=1", json={"title": "x"}),
        await client.patch(f"{path}/complete?completed=true"),
        await client.delete(f"{path}?force"),
        await client.get("/health?verbose=1"),
    ):
        assert (response.status_code, response.json()["errors"][0]["location"]) == (400, "query")


async def test_other_methods_and_addresses_are_problems_too(client: AsyncClient, path: str) -> None:
    response = await client.post(path)
    assert (response.status_code, response.json()["code"]) == (405, "method-not-allowed")
    assert response.headers["allow"] == "DELETE, GET, HEAD, PATCH, PUT"
    response = await client.get("/api/nothing")
    assert (response.status_code, response.json()["code"]) == (404, "not-found")
    assert response.headers["content-type"] == "application/problem+json"
