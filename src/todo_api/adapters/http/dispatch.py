"""From a request to its route: the way that all requests take.

FastAPI's router compares a request with one route after the other. What most requests ask for is looked up here
instead; the router has the rest, such as addresses that are not there and methods that they have not.
"""

import re
from collections.abc import Mapping
from http import HTTPStatus

from fastapi import Request
from fastapi.routing import APIRouter
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from todo_api.adapters.http.answers import PATH
from todo_api.adapters.http.problems import MethodNotAllowedError, NoSuchPathError, problem_response
from todo_api.adapters.http.routing import PublicRoute

_TASK = re.compile(f"{PATH}/([0-9A-Fa-f-]{{36}})(/[a-z]+)?")


class Dispatch:
    """Hands each request to its route, and answers those that have none."""

    def __init__(self, router: APIRouter) -> None:
        """Take the router, which has all its routes."""
        self._router = router
        routes = [route for route in router.routes if isinstance(route, PublicRoute)]
        table = {(method, route.path_format): route for route in routes for method in route.methods or ()}
        self._plain = {key: route for key, route in table.items() if not route.param_convertors}
        self._of_tasks = {key: route for key, route in table.items() if list(route.param_convertors) == ["task_id"]}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request."""
        # With telemetry, FastAPI's router tells it which route was taken.
        quick = scope["type"] == "http" and "fastapi.telemetry" not in scope
        if quick and (found := self._find(scope["method"], scope["path"])):
            scope["route"], scope["path_params"] = found
            await found[0].app(scope, receive, send)
            return
        try:
            await self._router(scope, receive, send)
        except HTTPException as error:
            await _routing_problem(Request(scope), error)(scope, receive, send)

    def _find(self, method: str, path: str) -> tuple[PublicRoute, Mapping[str, str]] | None:
        if route := self._plain.get((method, path)):
            return route, {}
        if (asked := _TASK.fullmatch(path)) is None:
            return None
        task_id, action = asked.groups("")
        route = self._of_tasks.get((method, f"{PATH}/{{task_id}}{action}"))
        return (route, {"task_id": task_id}) if route else None


def _routing_problem(request: Request, error: HTTPException) -> Response:
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return problem_response(MethodNotAllowedError(request.method, _allowed_methods(request)))
    return problem_response(NoSuchPathError(f"there is nothing at {request.url.path}; see /docs for what there is"))


def _allowed_methods(request: Request) -> list[str]:
    methods: set[str] = set()
    for route in request.app.routes:
        if route.matches(request.scope)[0] is not Match.NONE:
            methods |= getattr(route, "methods", None) or {"GET", "HEAD"}  # what is mounted is read
    return sorted(methods)
