"""A router that a newcomer writes with FastAPI's manual and adds to the finished application."""

from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

import pytest
from fastapi import (
    APIRouter,
    BackgroundTasks,
    Depends,
    FastAPI,
    Form,
    Header,
    HTTPException,
    Path,
    Query,
    Request,
    UploadFile,
    WebSocket,
)
from fastapi.exceptions import RequestValidationError
from fastapi.testclient import TestClient
from pydantic import BaseModel, Field
from tests.http.application import SECRET, make_token

from todo_api.adapters.http.dependencies import CurrentUser, IfMatch
from todo_api.adapters.http.route_class import ProtectedRoute
from todo_api.main import create_app
from todo_api.settings import Settings

PROBLEM = "application/problem+json"


class Note(BaseModel):
    text: str = Field(max_length=10)
    stars: int = 0


events: list[str] = []


async def with_yield() -> AsyncIterator[str]:
    events.append("open")
    yield "resource"
    events.append("close")


def sync_dependency() -> str:
    return "sync"


Resource = Annotated[str, Depends(with_yield)]
router = APIRouter(prefix="/api")


@router.get("/tasks/weather")
async def weather(user: CurrentUser) -> dict[str, str]:
    return {"user": user.user_id}


@router.get("/scalars/{number}")
async def scalars(
    number: Annotated[int, Path(gt=0)],
    name: str,
    tags: Annotated[list[str], Query()],
    agent: Annotated[str, Header(alias="User-Agent")],
    limit: int = 10,
) -> dict[str, Any]:
    return {"number": number, "name": name, "tags": tags, "limit": limit, "agent": agent}


@router.post("/notes", status_code=201)
async def create_note(note: Note) -> Note:
    return note


@router.post("/embedded")
async def two_bodies(first: Note, second: Note) -> list[Note]:
    return [first, second]


@router.get("/hidden", response_model=Note)
async def hidden() -> dict[str, Any]:
    return {"text": "x", "secret": "hidden by the response model"}


@router.get("/wrong", response_model=Note)
async def wrong() -> dict[str, Any]:
    return {"stars": "many"}


@router.get("/dependencies")
async def dependencies(resource: Resource, other: Annotated[str, Depends(sync_dependency)]) -> list[str]:
    return [resource, other]


@router.get("/background")
async def background(tasks: BackgroundTasks) -> str:
    tasks.add_task(events.append, "background")
    return "accepted"


@router.get("/sync")
def sync_endpoint(request: Request) -> str:
    return request.method


@router.get("/forbidden")
async def forbidden() -> None:
    raise HTTPException(403, "not on Sundays", headers={"X-Day": "Sunday"})


@router.get("/structured")
async def structured() -> None:
    raise HTTPException(409, {"by": ["you"]})


@router.get("/absent")
async def absent(status: int) -> None:
    if status == 422:
        raise RequestValidationError([{"type": "value_error", "loc": ("file",), "msg": "is empty", "input": None}])
    raise HTTPException(status, "no such note", headers={"X-Note": "none"})


@router.get("/broken")
async def broken(resource: Resource) -> None:
    raise KeyError(resource)


@router.post("/upload")
async def upload(title: Annotated[str, Form()], file: UploadFile) -> dict[str, Any]:
    return {"title": title, "name": file.filename, "content": (await file.read()).decode()}


@router.post("/raw")
async def raw(request: Request) -> int:
    return len(await request.body())


@router.put("/conditional")
async def conditional(if_match: IfMatch) -> list[int]:
    return sorted(if_match or ())


@router.websocket("/socket")
async def socket(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text(await websocket.receive_text())
    await websocket.close()


@router.websocket("/private-socket")
async def private_socket(websocket: WebSocket, user: CurrentUser) -> None:
    await websocket.accept()
    await websocket.send_text(user.user_id)
    await websocket.close()


protected = APIRouter(prefix="/api/protected", route_class=ProtectedRoute)


@protected.post("/upload")
async def protected_upload(user: CurrentUser, file: UploadFile) -> str:
    return f"{user.user_id}: {file.filename}"


@protected.post("/notes")
async def create_protected_note(note: Note, tag: Annotated[list[str], Query()], request: Request) -> dict[str, Any]:
    content = b"".join([part async for part in request.stream()])
    return {"text": note.text, "tag": tag, "length": len(content)}


@pytest.fixture(scope="module")
def app() -> FastAPI:
    values: dict[str, Any] = {"BETTER_AUTH_SECRET": SECRET, "DATABASE_URL": "postgresql://127.0.0.1:1/x"}
    app = create_app(Settings(_env_file=None, **values))
    app.include_router(router)
    app.include_router(protected)

    @app.get("/added-to-the-application")
    async def added() -> str:
        return "yes"

    return app


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    events.clear()
    client = TestClient(app, raise_server_exceptions=False, headers={"Origin": "http://localhost:3000"})
    client.headers["Authorization"] = f"Bearer {make_token('alice')}"
    yield client
    client.close()


def assert_problem(response: Any, status: int, code: str) -> dict[str, Any]:
    problem: dict[str, Any] = response.json()
    assert (response.status_code, problem["code"]) == (status, code)
    assert response.headers["content-type"] == PROBLEM
    assert problem["request_id"] == response.headers["x-request-id"]
    assert response.headers["access-control-allow-origin"] == "http://localhost:3000"
    assert problem["status"] == status
    assert problem["type"]
    assert problem["title"]
    return problem


def test_a_static_path_beside_the_task_id_is_reached(client: TestClient) -> None:
    assert client.get("/api/tasks/weather").json() == {"user": "alice"}
    assert client.get("/added-to-the-application").json() == "yes"


def test_current_user_authenticates_in_a_plain_router(client: TestClient) -> None:
    response = client.get("/api/tasks/weather", headers={"Authorization": ""})
    assert_problem(response, 401, "missing-token")
    assert response.headers["www-authenticate"] == "Bearer"
    token = make_token("alice", scope="tasks:write")
    response = client.get("/api/tasks/weather", headers={"Authorization": f"Bearer {token}"})
    assert_problem(response, 403, "insufficient-scope")


def test_ids_that_are_not_uuids_are_missing_tasks(client: TestClient) -> None:
    assert_problem(client.get("/api/tasks/statistics"), 404, "task-not-found")
    assert_problem(client.get("/api/tasks/statistics", headers={"Authorization": ""}), 401, "missing-token")
    newline = "/api/tasks/019aa2f3-7c1e-7cc3-98c4-dc0c0c07398f%0A"
    assert_problem(client.delete(newline), 404, "task-not-found")
    response = client.post("/api/tasks/statistics")
    assert_problem(response, 405, "method-not-allowed")
    assert response.headers["allow"] == "DELETE, GET, HEAD, PATCH, PUT"
    response = client.post("/api/tasks/weather")
    assert_problem(response, 405, "method-not-allowed")
    assert response.headers["allow"] == "GET, HEAD"


def test_scalar_parameters(client: TestClient) -> None:
    response = client.get("/api/scalars/7?name=x&tags=a&tags=b", headers={"User-Agent": "me"})
    assert response.json() == {"number": 7, "name": "x", "tags": ["a", "b"], "limit": 10, "agent": "me"}
    problem = assert_problem(client.get("/api/scalars/x?limit=y&tags=a"), 400, "invalid-request")
    assert [(error["location"], error["field"]) for error in problem["errors"]] == [
        ("path", "number"),
        ("query", "name"),
        ("query", "limit"),
    ]


def test_models_in_and_out(client: TestClient) -> None:
    response = client.post("/api/notes", json={"text": "x"})
    assert (response.status_code, response.json()) == (201, {"text": "x", "stars": 0})
    problem = assert_problem(client.post("/api/notes", json={"text": "x" * 11}), 400, "invalid-request")
    assert problem["errors"][0]["field"] == "text"
    assert_problem(client.post("/api/notes", content="{", headers={"Content-Type": "application/json"}), 400,
                   "malformed-json")  # fmt: skip
    assert_problem(client.post("/api/notes"), 400, "invalid-request")
    response = client.post("/api/notes", content=b"\xff", headers={"Content-Type": "application/json"})
    assert_problem(response, 400, "invalid-request")
    response = client.post("/api/embedded", json={"first": {"text": "1"}, "second": {"text": "2"}})
    assert [note["text"] for note in response.json()] == ["1", "2"]
    problem = assert_problem(client.post("/api/embedded", json={"first": {}}), 400, "invalid-request")
    assert [error["field"] for error in problem["errors"]] == ["first.text", "second"]


def test_the_response_model_filters_and_is_checked(client: TestClient) -> None:
    assert client.get("/api/hidden").json() == {"text": "x", "stars": 0}
    assert_problem(client.get("/api/wrong"), 500, "internal-error")


def test_dependencies_with_and_without_yield(client: TestClient) -> None:
    assert client.get("/api/dependencies").json() == ["resource", "sync"]
    assert events == ["open", "close"]


def test_background_tasks_run_after_the_response(client: TestClient) -> None:
    assert client.get("/api/background").json() == "accepted"
    assert events == ["background"]


def test_sync_endpoints(client: TestClient) -> None:
    assert client.get("/api/sync").json() == "GET"


def test_http_exceptions_are_problems(client: TestClient) -> None:
    response = client.get("/api/forbidden")
    assert assert_problem(response, 403, "forbidden")["detail"] == "not on Sundays"
    assert response.headers["x-day"] == "Sunday"
    assert assert_problem(client.get("/api/structured"), 409, "conflict")["data"] == {"by": ["you"]}
    for status, code in ((404, "not-found"), (405, "method-not-allowed")):
        response = client.get(f"/api/absent?status={status}")
        assert assert_problem(response, status, code)["detail"] == "no such note"
        assert response.headers["x-note"] == "none"
    assert_problem(client.get("/api/absent?status=422"), 400, "invalid-request")


def test_unexpected_errors_are_problems(client: TestClient) -> None:
    assert "resource" not in assert_problem(client.get("/api/broken"), 500, "internal-error")["detail"]


def test_bodies_of_any_kind(client: TestClient) -> None:
    assert client.post("/api/raw", content=b"\0" * 1000).json() == 1000


def test_forms_and_files(client: TestClient) -> None:
    response = client.post("/api/upload", data={"title": "x"}, files={"file": ("a.txt", b"content")})
    assert response.json() == {"title": "x", "name": "a.txt", "content": "content"}
    assert_problem(client.post("/api/upload", data={"title": "x"}), 400, "invalid-request")
    response = client.post("/api/protected/upload", files={"file": ("a.txt", b"content")})
    assert response.json() == "alice: a.txt"
    assert_problem(client.post("/api/protected/upload", headers={"Authorization": ""}), 401, "missing-token")


def test_our_dependencies_work_in_a_plain_router(client: TestClient) -> None:
    assert client.put("/api/conditional", headers={"If-Match": '"7", "9"'}).json() == [7, 9]
    assert_problem(client.put("/api/conditional", headers={"If-Match": "7"}), 400, "invalid-request")


def test_web_sockets(client: TestClient) -> None:
    with client.websocket_connect("/api/socket") as connection:
        connection.send_text("hello")
        assert connection.receive_text() == "hello"
    with client.websocket_connect("/api/private-socket") as connection:
        assert connection.receive_text() == "alice"


def test_a_protected_route_checks_the_caller_before_the_body(client: TestClient) -> None:
    path = "/api/protected/notes?tag=a&tag=b"
    assert client.post(path, json={"text": "x"}).json() == {"text": "x", "tag": ["a", "b"], "length": 12}
    assert_problem(client.post(path, content="{", headers={"Authorization": ""}), 401, "missing-token")
    assert_problem(client.post(path, content='{"text": "x"}'), 415, "unsupported-media-type")
    assert_problem(client.post(path + "&x=1", json={"text": "x"}), 400, "invalid-request")


def test_responses_of_a_protected_route_are_private(client: TestClient) -> None:
    response = client.post("/api/protected/notes?tag=a", json={"text": "x"})
    assert response.headers["Cache-Control"] == "private, no-cache"
    assert "Authorization" in response.headers["Vary"]


def test_added_endpoints_are_documented(app: FastAPI) -> None:
    paths = app.openapi()["paths"]
    assert paths["/api/tasks/weather"]["get"]["security"] == [{"bearerAuth": []}]
    assert paths["/api/notes"]["post"]["security"] == []
    assert "422" not in paths["/api/notes"]["post"]["responses"]
