"""The calls about the trash: where deleted tasks are until they are purged."""

from functools import partial
from typing import Annotated

from fastapi import FastAPI, Query, Request, Response
from pydantic import MISSING

from todo_api.adapters.http import schemas
from todo_api.adapters.http.answers import PATH, TASK_PATH, TaskId, add_call, json_answer, task_answer
from todo_api.adapters.http.cursor import decode_trash_cursor, encode_trash_cursor
from todo_api.adapters.http.documentation import ETAG, IDEMPOTENCY_KEY, LINK, REPLAYED, answer, problems
from todo_api.adapters.http.ids import task_uuid
from todo_api.adapters.http.problems import FieldError, InvalidCursorError
from todo_api.adapters.http.replay import do_once, repeatable
from todo_api.adapters.http.requests import base_url, user_of
from todo_api.application.batches import BatchService
from todo_api.application.tasks import TaskService
from todo_api.domain.operations import Restore


class TrashRoutes:
    """One method for each call; each asks one use case."""

    def __init__(self, tasks: TaskService, batches: BatchService) -> None:
        """Take the use cases."""
        self._tasks = tasks
        self._batches = batches

    def register(self, app: FastAPI) -> None:
        """Add the calls to the application, with what the OpenAPI document says of them."""
        always, missing = problems(400, 401, 403, 503), problems(404)
        listed = answer(200, "The tasks, the one that was deleted last first.", LINK)
        restored = answer(200, "The task.", ETAG | REPLAYED) | always | missing | problems(409, 422)
        purged = answer(204, "It is gone for good.")

        add = partial(add_call, app)
        add("GET", "/trash", self.list_trash, listed | always, model=list[schemas.TrashedTask])
        add("POST", f"{TASK_PATH}/restore", self.restore_task, restored, IDEMPOTENCY_KEY)
        add("DELETE", "/trash", self.empty_trash, purged | always, model=None, status_code=204)
        add("DELETE", "/trash/{task_id}", self.purge_task, purged | always | missing, model=None, status_code=204)

    async def list_trash(self, request: Request, parameters: Annotated[schemas.PageParameters, Query()]) -> Response:
        """List the trash. A cursor goes on with the list that it was made for, and keeps its limit."""
        user_id, limit, after = user_of(request), parameters.limit, None
        if parameters.cursor is not MISSING:
            named = decode_trash_cursor(user_id, parameters.cursor)
            if named is None or ("limit" in parameters.model_fields_set and named[0] != limit):
                detail = "is damaged, not yours or of another list: start again without it"
                raise InvalidCursorError.of([FieldError("query", "cursor", detail)])
            limit, after = named
        page = await self._tasks.trash(user_id, limit, after)
        if page.next is None:
            return json_answer(page.tasks, {})
        cursor = encode_trash_cursor(user_id, limit, page.next)
        link = f'<{base_url(request)}{PATH}/trash?limit={limit}&cursor={cursor}>; rel="next"'
        return json_answer(page.tasks, {"Link": link})

    async def restore_task(self, request: Request, task_id: TaskId) -> Response:
        """Restore a task from the trash."""
        if named := repeatable(request):
            return await do_once(self._batches, request, named, Restore(task_uuid(task_id)), task_answer)
        return task_answer(await self._tasks.restore(user_of(request), task_uuid(task_id)))

    async def purge_task(self, request: Request, task_id: TaskId) -> Response:
        """Purge a task that is in the trash, for good."""
        await self._tasks.purge(user_of(request), task_uuid(task_id))
        return Response(status_code=204)

    async def empty_trash(self, request: Request) -> Response:
        """Purge everything that is in the trash, for good."""
        await self._tasks.empty_trash(user_of(request))
        return Response(status_code=204)
