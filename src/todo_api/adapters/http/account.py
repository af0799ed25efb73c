"""The calls about the account: its figures, everything out, everything in, and nothing left."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial

from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse

from todo_api.adapters.http.account_schemas import Account, Export, Import, ImportResult
from todo_api.adapters.http.answers import ACCOUNT, add_call, encode, json_answer
from todo_api.adapters.http.documentation import CONTENT_DISPOSITION, answer, json_body, problems
from todo_api.adapters.http.import_document import read_tasks
from todo_api.adapters.http.requests import arriving, require_json, user_of
from todo_api.application import accounts
from todo_api.application.accounts import AccountService
from todo_api.application.batches import MAX_OPERATIONS
from todo_api.application.services import Limits
from todo_api.domain.idempotency import KEY_LIFETIME
from todo_api.domain.listing import MAX_PAGE_SIZE

_HOUR = 3600


class AccountRoutes:
    """One method for each call; each asks one use case."""

    def __init__(self, accounts: AccountService, limits: Limits, max_body_bytes: int) -> None:
        """Take the use cases, and how much of everything there may be."""
        self._accounts = accounts
        self._max_body_bytes = max_body_bytes
        self._limits = {
            "tasks": limits.tasks,
            "page_size": MAX_PAGE_SIZE,
            "batch_operations": MAX_OPERATIONS,
            "event_streams": limits.event_streams,
            "body_bytes": max_body_bytes,
            "trash_days": limits.trash_days,
            "sync_days": limits.tombstone_days,
            "idempotency_hours": int(KEY_LIFETIME.total_seconds()) // _HOUR,
        }

    def register(self, app: FastAPI) -> None:
        """Add the calls to the application, with what the OpenAPI document says of them."""
        always = problems(400, 401, 403, 429, 503)
        found = answer(200, "The account.") | always
        exported = answer(200, "Everything, as one document.", CONTENT_DISPOSITION) | always
        imported = answer(200, "How many tasks came to be.") | always | problems(409, 413, 415)
        erased = answer(204, "Nothing is left.") | always

        add = partial(add_call, app, group=ACCOUNT)
        add("GET", "", self.get_account, found, model=Account)
        add("GET", "/export", self.export_account, exported, model=Export)
        add("POST", "/import", self.import_account, imported, model=ImportResult, body=json_body(Import))
        add("DELETE", "", self.erase_account, erased, model=None, status_code=204)

    async def get_account(self, request: Request) -> Response:
        """Look at the account: how many tasks there are, and how many there may be."""
        account = await self._accounts.account(user_of(request))
        document = {
            "user_id": account.user_id,
            "first_seen_at": account.first_seen_at,
            "revision": account.revision,
            "counts": {
                "all": account.pending + account.completed,
                "pending": account.pending,
                "completed": account.completed,
                "overdue": account.overdue,
                "trash": account.trash,
            },
            "limits": self._limits,
        }
        return json_answer(document, {})

    async def export_account(self, request: Request) -> Response:
        """Export everything. The document ends early, and is no JSON, if something goes wrong on the way.

        Changes that are made meanwhile may be in it or not.
        """
        user_id = user_of(request)
        export = await self._accounts.export(user_id)
        name = f"todo-api-{export.exported_at:%Y-%m-%d}.json"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
        return StreamingResponse(_document(user_id, export), headers=headers, media_type="application/json")

    async def import_account(self, request: Request) -> Response:
        """Import an export. Tasks whose ids are there already are skipped, whatever they are like; none is changed.

        The document may be of any length, its tasks as long as other bodies. They are kept in their order while they
        come: what precedes an error is there, and counted in the problem. Sending the document again does no harm.
        """
        require_json(request)
        user_id = user_of(request)
        async with aclosing(read_tasks(user_id, arriving(request), self._max_body_bytes)) as tasks:
            done = await self._accounts.import_tasks(user_id, tasks)
        return json_answer({"imported": done.imported, "skipped": done.skipped}, {})

    async def erase_account(self, request: Request) -> Response:
        """Erase the account: all tasks, and every trace of the user, at once and for good."""
        await self._accounts.erase(user_of(request))
        return Response(status_code=204)


async def _document(user_id: str, export: accounts.Export) -> AsyncGenerator[bytes]:
    head = {"format": "todo-api-export", "version": 1, "user_id": user_id, "exported_at": export.exported_at}
    yield encode({**head, "tasks": []}).removesuffix(b"]}")
    separator = b""
    async for tasks in export.pages:
        yield separator + encode(tasks).removeprefix(b"[").removesuffix(b"]")
        separator = b",\n"
    yield b"]}\n"
