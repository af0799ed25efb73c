"""Several operations in one call."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from fastapi import FastAPI, Request, Response

from todo_api.adapters.http.answers import add_call, json_answer
from todo_api.adapters.http.batch_schemas import Batch, BatchResults
from todo_api.adapters.http.documentation import IDEMPOTENCY_KEY, REPLAYED, answer, problems
from todo_api.adapters.http.etags import entity_tag
from todo_api.adapters.http.problems import problem_document, problem_headers
from todo_api.adapters.http.replay import repeatable, response_of
from todo_api.adapters.http.requests import user_of
from todo_api.application.batches import BatchService, Outcome
from todo_api.domain.errors import TodoError
from todo_api.domain.operations import Create, Operation


class BatchRoutes:
    """One call, one use case."""

    def __init__(self, batches: BatchService, new_id: Callable[[], UUID]) -> None:
        """Take the use case and a source of version 7 UUIDs."""
        self._batches = batches
        self._new_id = new_id

    def register(self, app: FastAPI) -> None:
        """Add the call to the application, with what the OpenAPI document says of it."""
        done = answer(200, "What came of each operation.", REPLAYED)
        responses = done | problems(400, 401, 403, 404, 409, 412, 413, 415, 422, 503)
        add_call(app, "POST", "/batch", self.run_batch, responses, IDEMPOTENCY_KEY, model=BatchResults)

    async def run_batch(self, request: Request, body: Batch) -> Response:
        """Do several operations in one transaction, at one revision.

        All or nothing: when one fails, nothing is done, and the problem is the one of the single call, with the
        operation's `index`. With `"atomic": false`, those that fail are left out, and the answer has the problem of
        each. Later operations see what earlier ones did, and may name tasks that earlier ones create under an id of
        the client's.
        """
        named = repeatable(request)
        operations = [item.operation(self._new_id) for item in body.operations]

        def respond(outcomes: Sequence[Outcome], revision: int) -> Response:
            results = [_result(*pair) for pair in zip(operations, outcomes, strict=True)]
            return json_answer({"revision": revision, "results": results}, {})

        edited = await self._batches.run(user_of(request), operations, respond, atomic=body.atomic, request=named)
        return response_of(edited)


def _result(operation: Operation, outcome: Outcome) -> dict[str, Any]:
    """Return what the single call would have answered."""
    if outcome is None:
        return {"status": 204}
    if isinstance(outcome, TodoError):
        problem, headers = problem_document(outcome), problem_headers(outcome)
        return {
            "status": problem["status"],
            **({"etag": headers["ETag"]} if "ETag" in headers else {}),
            "problem": problem,
        }
    status = 201 if isinstance(operation, Create) else 200
    return {"status": status, "etag": entity_tag(outcome.revision), "task": outcome}
