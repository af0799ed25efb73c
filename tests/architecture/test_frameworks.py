"""What the hot paths and the route class rely on beyond the manuals of FastAPI and SQLAlchemy: see pyproject.toml."""

import inspect

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts
from sqlalchemy.exc import MissingGreenlet
from sqlalchemy.ext.asyncio import AsyncConnection

from todo_api.adapters.sqlalchemy.driver import DatabaseConfig
from todo_api.adapters.sqlalchemy.engine import create_engine


async def test_the_pool_needs_a_greenlet_only_to_open_a_connection() -> None:
    engine = create_engine(DatabaseConfig(url="postgresql://nobody@127.0.0.1:1/nothing", pool_size=1))
    with pytest.raises(MissingGreenlet):
        engine.pool.connect()
    assert engine.pool.status().endswith("Current Checked out connections: 0")


def test_a_connection_starts_and_closes_by_public_methods() -> None:
    assert list(inspect.signature(AsyncConnection.start).parameters) == ["self", "is_ctxmanager"]
    assert inspect.iscoroutinefunction(AsyncConnection.close)


def test_a_route_knows_its_parameters_and_an_application_its_routes() -> None:
    async def endpoint(page: int) -> None:
        """Take a query parameter."""

    route = APIRoute("/", endpoint)
    router = APIRouter()
    router.get("/included")(endpoint)
    app = FastAPI()
    app.include_router(router)

    assert isinstance(route.dependant, Dependant)
    assert [field.alias for field in route.dependant.query_params] == ["page"]
    assert route.body_field is None
    assert "/included" in [getattr(context, "path", None) for context in iter_route_contexts(app.routes)]
