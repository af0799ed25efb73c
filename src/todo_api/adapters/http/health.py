"""The calls for operators and their load balancers."""

import asyncio
from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request, Response
from starlette.responses import JSONResponse

from todo_api.adapters.http import schemas
from todo_api.adapters.http.documentation import answer, problems
from todo_api.adapters.http.routing import PublicRoute
from todo_api.domain.errors import RepositoryUnavailableError
from todo_api.domain.ports import TaskRepository

_OK = {"status": "ok"}
_PATIENCE = 3.0  # seconds; a probe wants an answer, and late is no


class HealthRoutes:
    """Alive means that the process answers, ready that it can serve."""

    def __init__(self, repository: TaskRepository) -> None:
        """Take what has to be ready."""
        self._repository = repository

    def register(self, app: FastAPI) -> None:
        """Add the calls to the application."""

        def add(
            path: str, name: str, summary: str, endpoint: Callable[[Request], Awaitable[Response]], *statuses: int
        ) -> None:
            app.router.add_api_route(
                path,
                endpoint,
                methods=["GET"],
                operation_id=name,
                summary=summary,
                response_model=schemas.Health,
                responses=answer(200, "It is.") | problems(400, *statuses),
                tags=["health"],
                route_class_override=PublicRoute,
            )

        add("/health", "getHealth", "Is it alive?", self.live)
        add("/health/live", "getLiveness", "Is it alive?", self.live)
        add("/health/ready", "getReadiness", "Can it serve?", self.ready, 503)

    async def live(self, request: Request) -> Response:  # noqa: ARG002 - every endpoint takes it
        """Say that the process answers."""
        return JSONResponse(_OK)

    async def ready(self, request: Request) -> Response:  # noqa: ARG002 - every endpoint takes it
        """Say whether the database answers and has the newest schema."""
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._repository.check()
        except TimeoutError as error:
            raise RepositoryUnavailableError("the database does not answer") from error
        return JSONResponse(_OK)
