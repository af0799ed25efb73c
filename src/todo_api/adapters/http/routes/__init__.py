"""The endpoints: a module and a router for each resource."""

from fastapi import APIRouter

from todo_api.adapters.http.openapi import operation_id, problems
from todo_api.adapters.http.route_class import ProtectedRoute


def protected_router(prefix: str, tag: str) -> APIRouter:
    """Return a router for authenticated callers, which documents the errors that all its endpoints have."""
    return APIRouter(
        prefix=prefix,
        tags=[tag],
        route_class=ProtectedRoute,
        responses=problems(400, 401, 403, 429, 503),
        generate_unique_id_function=operation_id,
    )
