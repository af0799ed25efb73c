"""The lower bound: raw Starlette and asyncpg, which only run the same queries.

There is no authentication, validation, error handling or conditional request. It runs on uvicorn with the same options
as the service.
"""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from uuid_utils.compat import uuid7

from todo_api.adapters.sqlalchemy import changes, pages, statements
from todo_api.adapters.sqlalchemy.hot_path import CompiledStatement
from todo_api.adapters.sqlalchemy.task_repository import NO_QUOTA
from todo_api.domain.changes import SyncPoint
from todo_api.domain.listing import Order, Sort, Status

PAGE = CompiledStatement(pages.page(Sort.CREATED, Order.DESC, Status.ALL, resumed=False))
GET = CompiledStatement(statements.GET)
CHANGES = CompiledStatement(changes.CHANGES)
ADD = CompiledStatement(statements.ADD)
SAVE = CompiledStatement(statements.SAVE)
LAST_ID = SyncPoint().id


def answer(content: object, status_code: int = 200) -> Response:
    return Response(msgspec.json.encode(content), status_code, media_type="application/json")


NOTHING = dict.fromkeys(
    ("list_id", "tags", "tag_keys", "checklist", "recurrence", "series_id", "previous_id", "next_id")
)


def new(values: Mapping[str, object]) -> dict[str, object]:
    """Return the values by the names of the parameters that write them."""
    return {f"new_{name}": value for name, value in values.items()}


async def list_tasks(request: Request) -> Response:
    values = {"owner": request.headers["x-user"], "limit": int(request.query_params["limit"]) + 1, "known": ()}
    rows = await request.app.state.pool.fetch(PAGE.sql, *PAGE.arguments(values))
    return answer([dict(row) for row in rows])


async def get_task(request: Request) -> Response:
    values = {"owner": request.headers["x-user"], "task_id": UUID(request.path_params["id"])}
    row = await request.app.state.pool.fetchrow(GET.sql, *GET.arguments(values))
    return answer(dict(row))


async def list_changes(request: Request) -> Response:
    since = int(request.headers["x-since"])
    place = {"since": since, "since_id": LAST_ID, "whole": since}
    values = {"owner": request.headers["x-user"], "limit": int(request.query_params["limit"]) + 1, **place}
    rows = await request.app.state.pool.fetch(CHANGES.sql, *CHANGES.arguments(values))
    return answer([dict(row) for row in rows]) if rows[0]["id"] else Response(status_code=304)


async def create_task(request: Request) -> Response:
    now = datetime.now(UTC)
    values = {
        "user_id": request.headers["x-user"],
        "id": uuid7(),
        "description": None,
        "completed": False,
        "completed_at": None,
        "due_at": None,
        "due_kind": None,
        "priority": 0,
        **NOTHING,
        "created_at": now,
        "updated_at": now,
        **msgspec.json.decode(await request.body()),
    }
    values["title_key"] = values["words"] = values["title"].lower()
    parameters = {**new(values), "owner": values["user_id"], "quota": NO_QUOTA}
    values["revision"] = await request.app.state.pool.fetchval(ADD.sql, *ADD.arguments(parameters))
    return answer(values, 201)


async def update_task(request: Request) -> Response:
    pool = request.app.state.pool
    key = {"owner": request.headers["x-user"], "task_id": UUID(request.path_params["id"])}
    row = await pool.fetchrow(GET.sql, *GET.arguments(key))
    values = NOTHING | dict(row) | msgspec.json.decode(await request.body()) | {"updated_at": datetime.now(UTC)}
    values["title_key"] = values["words"] = values["title"].lower()
    parameters = {**new(values), **key, "expected_revision": row["revision"]}
    await pool.fetch(SAVE.sql, *SAVE.arguments(parameters))
    return answer(values)


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    async def keep_session(_: asyncpg.Connection) -> None:
        """Avoid the round trip in which asyncpg's pool resets a connection; there is nothing to reset."""

    async with asyncpg.create_pool(
        os.environ["DATABASE_URL"], min_size=10, max_size=10, reset=keep_session
    ) as app.state.pool:
        yield


app = Starlette(
    routes=[
        Route("/api/tasks", list_tasks, methods=["GET"]),
        Route("/api/tasks/changes", list_changes, methods=["GET"]),
        Route("/api/tasks", create_task, methods=["POST"]),
        Route("/api/tasks/{id}", get_task, methods=["GET"]),
        Route("/api/tasks/{id}", update_task, methods=["PATCH"]),
    ],
    lifespan=lifespan,
)
