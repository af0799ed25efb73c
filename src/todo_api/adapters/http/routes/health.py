"""The endpoints for operators and load balancers."""

import asyncio
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from todo_api.adapters.http.dependencies import Repository
from todo_api.adapters.http.openapi import problems, success
from todo_api.adapters.http.route_class import StrictRoute
from todo_api.domain.errors import RepositoryUnavailableError

_TIMEOUT = 3.0  # seconds: shorter than a probe's own timeout


class Health(BaseModel):
    """The state of the service."""

    status: Literal["ok"]


router = APIRouter(
    prefix="/health", tags=["health"], route_class=StrictRoute, responses=success(200, "It is.") | problems(400)
)


@router.get("", operation_id="getHealth")
@router.get("/live", operation_id="getLiveness")
async def live() -> Health:
    """Respond while the process runs."""
    return Health(status="ok")


@router.get("/ready", operation_id="getReadiness", responses=problems(503))
async def ready(repository: Repository) -> Health:
    """Check that the database responds and has the newest schema."""
    try:
        async with asyncio.timeout(_TIMEOUT):
            await repository.check()
    except TimeoutError as error:
        raise RepositoryUnavailableError("the database does not respond") from error
    return Health(status="ok")
