"""The OpenAPI document: Schemathesis generates requests from it and checks the responses."""

import asyncio
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from httpx2 import ASGITransport, AsyncClient
from hypothesis import HealthCheck, settings
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis import Case
from schemathesis.specs.openapi.checks import (
    negative_data_rejection,
    positive_data_acceptance,
    response_schema_conformance,
)
from tests.http.application import make_app, make_token
from tests.http.generated import depends_on_what_is_there, has_what_no_schema_can_describe, loses_values

from todo_api.adapters.memory.change_feed import InMemoryChangeFeed
from todo_api.adapters.memory.repository import InMemoryTaskRepository

feed = InMemoryChangeFeed()
feed.close()  # so that endless event streams end after the first page
app = make_app(InMemoryTaskRepository(), feed=feed)
api = schemathesis.openapi.from_asgi("/openapi.json", app)
# The same cases in each run: a few of those that Schemathesis takes for invalid are mended on their way, by the token
# that is added or by values that no URL can hold, and would fail at random.
thorough = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@pytest.fixture
def authorization(user_id: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {make_token(user_id)}"}


@pytest.fixture
def existing(authorization: dict[str, str]) -> str:
    """The id of an existing task."""

    async def create() -> str:
        async with AsyncClient(transport=ASGITransport(app=app), base_url="http://test") as client:
            response = await client.post("/api/tasks", json={"title": "x"}, headers=authorization)
            return str(response.json()["id"])

    return asyncio.run(create())


def call(case: "Case[Any]", authorization: dict[str, str], excluded: list[Any]) -> None:
    if case.method == "PUT" and "If-None-Match" in (case.headers or {}):
        excluded = [*excluded, negative_data_rejection]  # it creates, or says 412, whatever If-Match has
    if loses_values(case):
        excluded = [*excluded, negative_data_rejection]
    if isinstance(case.body, dict) and case.body.get("atomic") is False:
        excluded = [*excluded, negative_data_rejection]  # the response has what is wrong with each operation
    # A schema cannot say that the tasks of an import come last, or which of two instants is later.
    if depends_on_what_is_there(case) or case.path.endswith("/import"):
        excluded = [*excluded, positive_data_acceptance]
    if has_what_no_schema_can_describe(case):
        excluded = [*excluded, positive_data_acceptance]
    # The schema is of the whole stream; Schemathesis takes it for that of each event. test_events.py reads the events.
    if case.path.endswith("/events"):
        excluded = [*excluded, response_schema_conformance]
    case.call_and_validate(headers=authorization, excluded_checks=excluded)


@api.parametrize()
@thorough
def test_every_response_is_documented(case: "Case[Any]", authorization: dict[str, str]) -> None:
    call(case, authorization, [])


@api.include(path_regex="{task_id}", method=["GET", "PUT", "PATCH"]).parametrize()
@thorough
def test_every_response_about_a_task_that_is_there_is_documented(
    case: "Case[Any]", authorization: dict[str, str], existing: str
) -> None:
    case.path_parameters["task_id"] = existing  # which may make the request valid
    call(case, authorization, [negative_data_rejection])


@pytest.fixture
def document() -> dict[str, Any]:
    return app.openapi()


def test_every_call_is_in_the_document_and_only_the_tasks_need_a_token(document: dict[str, Any]) -> None:
    calls = {
        (method.upper(), path): bool(operation["security"])
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }
    assert calls == {
        ("GET", "/api/tasks"): True,
        ("POST", "/api/tasks"): True,
        ("GET", "/api/tasks/{task_id}"): True,
        ("PUT", "/api/tasks/{task_id}"): True,
        ("PATCH", "/api/tasks/{task_id}"): True,
        ("DELETE", "/api/tasks/{task_id}"): True,
        ("PATCH", "/api/tasks/{task_id}/complete"): True,
        ("POST", "/api/tasks/{task_id}/restore"): True,
        ("POST", "/api/tasks/batch"): True,
        ("GET", "/api/tasks/changes"): True,
        ("GET", "/api/tasks/events"): True,
        ("GET", "/api/tasks/trash"): True,
        ("DELETE", "/api/tasks/trash"): True,
        ("DELETE", "/api/tasks/trash/{task_id}"): True,
        ("POST", "/api/tasks/{task_id}/move"): True,
        ("POST", "/api/tasks/{task_id}/skip"): True,
        ("GET", "/api/tasks/{task_id}/occurrences"): True,
        ("GET", "/api/lists"): True,
        ("POST", "/api/lists"): True,
        ("GET", "/api/lists/trash"): True,
        ("GET", "/api/lists/{list_id}"): True,
        ("PUT", "/api/lists/{list_id}"): True,
        ("PATCH", "/api/lists/{list_id}"): True,
        ("DELETE", "/api/lists/{list_id}"): True,
        ("POST", "/api/lists/{list_id}/restore"): True,
        ("POST", "/api/lists/{list_id}/move"): True,
        ("GET", "/api/tasks/counts"): True,
        ("GET", "/api/tags"): True,
        ("PATCH", "/api/tags/{tag}"): True,
        ("DELETE", "/api/tags/{tag}"): True,
        ("GET", "/api/me"): True,
        ("DELETE", "/api/me"): True,
        ("GET", "/api/me/export"): True,
        ("POST", "/api/me/import"): True,
        ("GET", "/health"): False,
        ("GET", "/health/live"): False,
        ("GET", "/health/ready"): False,
    }


def test_the_document_is_valid_for_the_version_that_it_names(document: dict[str, Any]) -> None:
    assert re.fullmatch(r"3\.1\.\d", document["openapi"])
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


def schemas_in(node: Any) -> Iterator[dict[str, Any]]:
    """Every object in the document: its schemas, and everything around them."""
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from schemas_in(child)


def test_every_revision_has_64_bits(document: dict[str, Any]) -> None:
    revisions = [
        schema
        for parent in schemas_in(document)
        for name, schema in parent.get("properties", {}).items()
        if name.endswith("revision") and "type" in schema  # any value is accepted where the revision is ignored
    ]
    assert len(revisions) >= 5
    assert {(schema["type"], schema["format"]) for schema in revisions} == {("integer", "int64")}


def test_every_integer_has_a_format(document: dict[str, Any]) -> None:
    integers = [one for one in schemas_in(document) if one.get("type") == "integer" and "const" not in one]
    assert len(integers) >= 20
    assert [one for one in integers if one.get("format") not in {"int32", "int64"}] == []


def test_the_examples_of_revisions_look_like_revisions(document: dict[str, Any]) -> None:
    text = json.dumps(document)
    tags = re.findall(r'\\"(?:W/)?(\d+)\\"', text.replace("\\\\", "\\"))
    revisions = re.findall(r'"examples": \[(\d{3,})\]', text)
    assert len(tags) >= 5
    assert all(len(tag) == 16 for tag in tags)
    assert "1795600000000000" in revisions


def reachable(document: dict[str, Any], node: Any, seen: set[str]) -> Iterator[dict[str, Any]]:
    """Every object in this one and in the components that it refers to."""
    for one in schemas_in(node):
        yield one
        name = str(one.get("$ref", "")).removeprefix("#/components/schemas/")
        if name and name not in seen:
            seen.add(name)
            yield from reachable(document, document["components"]["schemas"][name], seen)


def test_requests_have_no_defaults_because_generators_take_such_properties_for_required(
    document: dict[str, Any],
) -> None:
    bodies = [one["requestBody"] for one in schemas_in(document["paths"]) if "requestBody" in one]
    seen: set[str] = set()
    found = list(reachable(document, bodies, seen))
    written = {"Batch", "CreateOperation", "ImportedTask", "TaskUpdate", "ChecklistItemInput", "RecurrenceInput"}
    assert written <= seen
    assert [one for one in found if "default" in one] == []


def test_components_are_named_and_nothing_in_them_has_a_title_of_its_own(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert all(re.fullmatch(r"([A-Z][a-z]+)+", name) for name in schemas)
    titles = {
        name: [one["title"] for one in schemas_in(schema) if isinstance(one.get("title"), str)]
        for name, schema in schemas.items()
    }
    assert titles == {name: [name] for name in schemas}
    for operation in (operation for path in document["paths"].values() for operation in path.values()):
        parameters = [parameter["schema"] for parameter in operation.get("parameters", ())]
        bodies = [one["schema"] for one in schemas_in(operation) if "schema" in one]
        assert [schema["title"] for schema in (*parameters, *bodies) if "title" in schema] == []


def test_a_due_date_is_a_date_an_instant_or_a_floating_time(document: dict[str, Any]) -> None:
    found = [
        schema["properties"]["due_date"]["anyOf"]
        for schema in document["components"]["schemas"].values()
        if "due_date" in schema.get("properties", {})
    ]
    assert len(found) >= 5
    for due_date, null in found:
        day, instant, floating = due_date["anyOf"]
        assert null == {"type": "null"}
        assert (day["format"], instant["format"]) == ("date", "date-time")
        assert re.search(floating["pattern"], "2026-12-31T17:00:00")
        assert not re.search(floating["pattern"], "2026-12-31T17:00:00Z")
    assert max(len(one.get("pattern", "")) for one in schemas_in(document["components"])) <= 90


@pytest.mark.parametrize(
    ("due_date", "detail"),
    [
        ("tomorrow", "must be a date (2026-12-31), a local time (2026-12-31T17:00:00) or an instant"),
        ("2026-02-29", "must be a day and time that exist"),
        ("0001-01-01", "must be in the years 2 to 9999"),
    ],
)
async def test_a_due_date_that_is_refused_says_what_it_must_be(
    authorization: dict[str, str], due_date: str, detail: str
) -> None:
    async with AsyncClient(transport=ASGITransport(app=app), base_url="http://test") as client:
        response = await client.post("/api/tasks", json={"title": "x", "due_date": due_date}, headers=authorization)
    assert response.status_code == 400
    assert response.json()["errors"][0]["detail"].startswith(detail)


def test_operation_ids_are_names(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z]+([A-Z][a-z]+)+", name) for name in names)


def test_errors_are_problem_documents_with_examples(document: dict[str, Any]) -> None:
    for path in document["paths"].values():
        for operation in path.values():
            for status, response in operation["responses"].items():
                if status >= "400":
                    assert list(response["content"]) == ["application/problem+json"]
                    assert response["content"]["application/problem+json"]["examples"]


@pytest.mark.parametrize(
    ("code", "calls"),
    [
        ("task-not-in-trash", {"restoreTask", "runBatch"}),
        ("task-exists", {"putTask", "runBatch"}),
        ("tag-not-found", {"renameTag", "deleteTag"}),
        ("invalid-cursor", {"listTasks", "listTrash"}),
    ],
)
def test_a_problem_is_shown_where_it_can_happen(document: dict[str, Any], code: str, calls: set[str]) -> None:
    assert calls == {
        operation["operationId"]
        for path in document["paths"].values()
        for operation in path.values()
        for response in operation["responses"].values()
        if code in response.get("content", {}).get("application/problem+json", {}).get("examples", {})
    }


@pytest.mark.parametrize("page", ["/docs", "/redoc"])
async def test_the_documentation_pages_load_nothing_from_elsewhere(page: str) -> None:
    async with AsyncClient(transport=ASGITransport(app=app), base_url="http://test") as client:
        response = await client.get(page)
        assert response.headers["content-type"].startswith("text/html")
        addresses = re.findall(r"""(?:src=|href=|url: )["']([^"']+)""", response.text)
        assert len(addresses) >= 2
        for address in addresses:
            assert address.startswith("/")
            assert (await client.get(address)).status_code == 200
        assert "connect-src 'self'" in response.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("operation_id", "codes"),
    [
        ("createTask", {"idempotency-key-in-use", "quota-exceeded"}),
        ("putTask", {"idempotency-key-in-use", "quota-exceeded"}),
        ("updateTask", {"idempotency-key-in-use", "quota-exceeded"}),
        ("completeTask", {"idempotency-key-in-use", "quota-exceeded"}),
        ("deleteTask", {"idempotency-key-in-use"}),
        ("purgeTask", {"idempotency-key-in-use"}),
        ("emptyTrash", {"idempotency-key-in-use"}),
        ("restoreTask", {"idempotency-key-in-use", "quota-exceeded", "task-not-in-trash"}),
        ("moveTask", {"idempotency-key-in-use", "neighbour-not-found"}),
        ("skipTask", {"idempotency-key-in-use", "not-recurring"}),
        ("createList", {"idempotency-key-in-use", "quota-exceeded"}),
        ("putList", {"idempotency-key-in-use", "quota-exceeded"}),
        ("updateList", {"idempotency-key-in-use"}),
        ("deleteList", {"idempotency-key-in-use"}),
        ("restoreList", {"idempotency-key-in-use", "quota-exceeded", "list-not-in-trash"}),
        ("moveList", {"idempotency-key-in-use", "neighbour-not-found"}),
        (
            "runBatch",
            {
                "idempotency-key-in-use",
                "quota-exceeded",
                "task-not-in-trash",
                "list-not-in-trash",
                "neighbour-not-found",
                "not-recurring",
            },
        ),
        ("renameTag", {"idempotency-key-in-use"}),
        ("deleteTag", {"idempotency-key-in-use"}),
        ("importAccount", {"idempotency-key-in-use", "quota-exceeded"}),
    ],
)
def test_the_document_lists_the_conflicts_that_can_happen(
    document: dict[str, Any], operation_id: str, codes: set[str]
) -> None:
    operations = [each for methods in document["paths"].values() for each in methods.values()]
    (operation,) = [each for each in operations if each["operationId"] == operation_id]
    assert set(operation["responses"]["409"]["content"]["application/problem+json"]["examples"]) == codes


def test_every_successful_response_with_a_body_has_a_schema(document: dict[str, Any]) -> None:
    for operations in document["paths"].values():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                if status in {"200", "201"}:
                    (media,) = response["content"].values()
                    assert media["schema"], operation["operationId"]
