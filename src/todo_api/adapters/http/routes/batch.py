"""Several operations in one request."""

from collections.abc import Sequence
from typing import Any

from fastapi import Response

from todo_api.adapters.http.dependencies import Batches, CurrentUser, IdempotencyKey, NewId
from todo_api.adapters.http.errors import headers_of, problem_document
from todo_api.adapters.http.etags import entity_tag
from todo_api.adapters.http.idempotency import response_of
from todo_api.adapters.http.openapi import REPLAYED, problems, success
from todo_api.adapters.http.responses import json_response
from todo_api.adapters.http.routes import protected_router
from todo_api.adapters.http.schemas.batch import Batch, BatchResults
from todo_api.application.batches import Outcome
from todo_api.domain.errors import TodoError
from todo_api.domain.operations import Create, CreateList, Operation
from todo_api.domain.task_list import TaskList

router = protected_router("/api/tasks", "tasks")


@router.post(
    "/batch",
    response_model=BatchResults,
    responses=success(200, "The result of each operation.", REPLAYED) | problems(404, 409, 412, 413, 415, 422),
)
async def run_batch(
    body: Batch, user: CurrentUser, batches: Batches, new_id: NewId, idempotency_key: IdempotencyKey
) -> Response:
    """Run several operations in one transaction, at one revision.

    All or nothing: if one fails, none is applied, and the response is the problem of the single request, with the
    operation's `index`. With `"atomic": false`, failed operations are skipped, and the result has their problem.
    Later operations see the effects of earlier ones, and may refer to what these create with a given id.
    """
    operations = [item.operation(new_id) for item in body.operations]

    def respond(outcomes: Sequence[Outcome], revision: int) -> Response:
        results = [_result(*pair) for pair in zip(operations, outcomes, strict=True)]
        return json_response({"revision": revision, "results": results})

    edited = await batches.run(user.user_id, operations, respond, atomic=body.atomic, key=idempotency_key)
    return response_of(edited)


def _result(operation: Operation, outcome: Outcome) -> dict[str, Any]:
    """Return the result that the single request would have."""
    if outcome is None:
        return {"status": 204}
    if isinstance(outcome, TodoError):
        problem, headers = problem_document(outcome), headers_of(outcome)
        return {
            "status": problem["status"],
            **({"etag": headers["ETag"]} if "ETag" in headers else {}),
            "problem": problem,
        }
    status = 201 if isinstance(operation, Create | CreateList) else 200
    kind = "list" if isinstance(outcome, TaskList) else "task"
    return {"status": status, "etag": entity_tag(outcome.revision), kind: outcome}
