"""Requests to the application, and what every response must satisfy."""

import re
from dataclasses import dataclass
from typing import Any

import msgspec
from httpx2 import AsyncClient, Response
from tests.http.application import make_token

from todo_api.adapters.http.problems import PROBLEMS

CODES = {problem.code for problem in PROBLEMS.values()} - {"internal-error"}
# What uvicorn refuses to send.
_UNSENDABLE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Caller:
    """A client of a user with one task."""

    client: AsyncClient
    user_id: str
    task: dict[str, Any]

    @property
    def path(self) -> str:
        return f"/api/tasks/{self.task['id']}"

    async def send(self, method: str, path: str, **request: Any) -> Response:
        """Send the request, and check that the response is planned."""
        response = await self.client.request(method, path, **request)
        assert_planned(response)
        return response


async def caller_of(client: AsyncClient, user_id: str) -> Caller:
    client.headers["Authorization"] = f"Bearer {make_token(user_id)}"
    return Caller(client, user_id, (await client.post("/api/tasks", json={"title": "x"})).json())


def assert_planned(response: Response) -> None:
    """Check that the response is a success or a documented client error, and that clients can parse it."""
    assert response.status_code < 500, response.text
    for name, value in response.headers.items():
        assert not _UNSENDABLE.search(value), (name, value)
    if response.status_code < 400 or response.request.method == "HEAD":
        return
    problem = response.json()
    assert response.headers["content-type"] == "application/problem+json"
    assert problem["status"] == response.status_code
    assert problem["code"] in CODES
    assert all(isinstance(problem[name], str) and problem[name] for name in ("type", "title", "detail"))
    msgspec.json.decode(response.content)  # strict: no NaN, no lone surrogate, UTF-8
