"""Calls to the application, and what every answer to them has to be like."""

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
    """A client of one user, who has a task."""

    client: AsyncClient
    user_id: str
    task: dict[str, Any]

    @property
    def path(self) -> str:
        return f"/api/tasks/{self.task['id']}"

    async def send(self, method: str, path: str, **request: Any) -> Response:
        """Send it; the answer is one that was planned for."""
        answer = await self.client.request(method, path, **request)
        assert_planned(answer)
        return answer


async def caller_of(client: AsyncClient, user_id: str) -> Caller:
    client.headers["Authorization"] = f"Bearer {make_token(user_id)}"
    return Caller(client, user_id, (await client.post("/api/tasks", json={"title": "x"})).json())


def assert_planned(answer: Response) -> None:
    """It is a success, or a problem of the caller's that is documented as one; a client can read either."""
    assert answer.status_code < 500, answer.text
    for name, value in answer.headers.items():
        assert not _UNSENDABLE.search(value), (name, value)
    if answer.status_code < 400 or answer.request.method == "HEAD":
        return
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["status"] == answer.status_code
    assert problem["code"] in CODES
    assert all(isinstance(problem[name], str) and problem[name] for name in ("type", "title", "detail"))
    msgspec.json.decode(answer.content)  # strict: no NaN, no half of a surrogate pair, UTF-8
