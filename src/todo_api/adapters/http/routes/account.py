"""The endpoints of the account: task counts, export, import and deletion."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from todo_api.adapters.http.dependencies import (
    Accounts,
    Batches,
    CurrentUser,
    IdempotencyKey,
    MaxBodyBytes,
    UserLimits,
)
from todo_api.adapters.http.idempotency import run_streamed
from todo_api.adapters.http.import_document import read_items
from todo_api.adapters.http.openapi import CONTENT_DISPOSITION, IMPORT_BODY, REPLAYED, problems, success
from todo_api.adapters.http.requests import require_json, stream_body
from todo_api.adapters.http.responses import encode_export, json_response
from todo_api.adapters.http.routes import protected_router
from todo_api.adapters.http.schemas import account as schemas
from todo_api.adapters.http.schemas import transfer
from todo_api.application import accounts as application

router = protected_router("/api/me", "account")


@router.get("", responses=success(200, "The account."))
async def get_account(
    user: CurrentUser, accounts: Accounts, limits: UserLimits, max_body_bytes: MaxBodyBytes
) -> schemas.Account:
    """Read the account: task counts and limits."""
    return schemas.Account.of(await accounts.account(user.user_id), limits, max_body_bytes)


@router.get(
    "/export",
    response_model=transfer.Export,
    responses=success(200, "Everything, as one document.", CONTENT_DISPOSITION),
)
async def export_account(user: CurrentUser, accounts: Accounts) -> Response:
    """Export everything. If an error occurs during the export, the document ends early and is not valid JSON.

    Concurrent changes may or may not be included.
    """
    export = await accounts.export(user.user_id)
    name = f"todo-api-{export.exported_at:%Y-%m-%d}.json"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingResponse(_document(user.user_id, export), headers=headers, media_type="application/json")


@router.post(
    "/import",
    response_model=transfer.ImportResult,
    responses=success(200, "The numbers of tasks and lists.", REPLAYED) | problems(409, 413, 415, 422),
    openapi_extra={"requestBody": IMPORT_BODY},
)
async def import_account(
    *,
    request: Request,
    user: CurrentUser,
    accounts: Accounts,
    batches: Batches,
    max_task_bytes: MaxBodyBytes,
    idempotency_key: IdempotencyKey,
) -> Response:
    """Import an export. What has an id that exists already is skipped, even if it differs; nothing is changed.

    The document may have any length; the limit for bodies applies to each list and task. They are stored in order as
    they arrive: those before an error are stored, and counted in the problem. The document can be sent again safely.
    A task whose list is not there moves to the inbox.
    A retry with the same Idempotency-Key and document gets the first response, once the first request has ended.
    """
    require_json(request)

    async def run(content: AsyncIterator[bytes]) -> Response:
        async with aclosing(read_items(user.user_id, content, max_task_bytes)) as items:
            done = await accounts.import_all(user.user_id, items)
        return json_response(done)

    return await run_streamed(batches, user.user_id, idempotency_key, stream_body(request), run)


@router.delete("", status_code=204, response_model=None, responses=success(204, "Everything was deleted."))
async def erase_account(user: CurrentUser, accounts: Accounts) -> Response:
    """Permanently delete all tasks and everything else that is stored about the user.

    The Idempotency-Key is refused: the stored keys are deleted too, so a retry could not be recognized.
    """
    await accounts.erase(user.user_id)
    return Response(status_code=204)


async def _document(user_id: str, export: application.Export) -> AsyncGenerator[bytes]:
    head = {"format": "todo-api-export", "version": 1, "user_id": user_id, "exported_at": export.exported_at}
    start = encode_export(head).removesuffix(b"}")
    for name, pages in (("lists", export.lists), ("tasks", export.tasks)):
        yield start + f',"{name}":['.encode()
        separator = b""
        async for items in pages:
            yield separator + encode_export(items).removeprefix(b"[").removesuffix(b"]")
            separator = b",\n"
        start = b"]"
    yield b"]}\n"
