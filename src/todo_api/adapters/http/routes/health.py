"""The endpoints for operators and load balancers."""

import asyncio

from fastapi import APIRouter

from todo_api.adapters.http.dependencies import Repository
from todo_api.adapters.http.openapi import problems, success
from todo_api.adapters.http.route_class import StrictRoute
from todo_api.adapters.http.schemas.health import Health
from todo_api.domain.errors import RepositoryUnavailableError

_TIMEOUT = 3.0  # seconds: shorter than a probe's own timeout

router = APIRouter(
    prefix="/health",
    tags=["health"],
    route_class=StrictRoute,
    responses=success(200, "It is.") | problems(400),
)


@router.get("", operation_id="getHealth", summary="Is it alive?")
@router.get("/live", operation_id="getLiveness", summary="Is it alive?")
async def live() -> Health:
    """Respond if the process runs."""
    return Health(status="ok")


@router.get("/ready", operation_id="getReadiness", summary="Can it serve?", responses=problems(503))
async def ready(repository: Repository) -> Health:
    """Check that the database responds and has the newest schema."""
    try:
        async with asyncio.timeout(_TIMEOUT):
            await repository.check()
    except TimeoutError as error:
        raise RepositoryUnavailableError("the database does not respond") from error
    return Health(status="ok")
