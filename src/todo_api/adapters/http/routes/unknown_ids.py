"""Paths with a task id that is not a UUID: their task does not exist, for callers who are authenticated.

The application uses this router for paths that no other route matches, so a new path such as `/api/tasks/stats` needs
no change here.
"""

from fastapi import APIRouter

from todo_api.adapters.http.dependencies import CurrentUser
from todo_api.adapters.http.route_class import ProtectedRoute
from todo_api.domain.errors import TaskNotFoundError

router = APIRouter(prefix="/api/tasks", route_class=ProtectedRoute, redirect_slashes=False)


@router.api_route("/{task_id}", methods=["GET", "PUT", "PATCH", "DELETE"])
@router.patch("/{task_id}/complete")
@router.post("/{task_id}/restore")
@router.delete("/trash/{task_id}")
async def raise_not_found(task_id: str, _: CurrentUser) -> None:  # noqa: ARG001 - any text
    raise TaskNotFoundError
