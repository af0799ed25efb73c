"""Requests that may come again: the Idempotency-Key, and the answers that are kept for it.

The header is the one of draft-ietf-httpapi-idempotency-key-header, its value any visible ASCII text.
"""

import json
import re
from collections.abc import Callable
from hashlib import blake2b

import msgspec
import pydantic_core
from fastapi import Request, Response

from todo_api.adapters.http.problems import FieldError, RequestError
from todo_api.adapters.http.requests import content_of, user_of
from todo_api.application.batches import BatchService, RepeatableRequest
from todo_api.domain.errors import OperationError
from todo_api.domain.idempotency import Edited
from todo_api.domain.operations import Operation
from todo_api.domain.task import Task

_HEADER = "Idempotency-Key"
_KEY = re.compile("[\x21-\x7e]{1,255}")


class _KeptResponse(msgspec.Struct, array_like=True):
    status: int
    headers: dict[str, str]
    body: bytes


def repeatable(request: Request) -> RepeatableRequest[Response] | None:
    """Return what the client calls this request, or None if it does not say that it may send it again.

    Raises:
        RequestError: The key is empty, too long, or more than one.
    """
    keys = request.headers.getlist(_HEADER)
    if not keys:
        return None
    if len(keys) > 1 or not _KEY.fullmatch(keys[0]):
        detail = "must be one text of 1 to 255 visible ASCII characters, such as a UUID"
        raise RequestError.of([FieldError("header", _HEADER, detail)])
    return RepeatableRequest(keys[0], _fingerprint(request), ResponseCodec())


def _fingerprint(request: Request) -> bytes:
    """Return a digest of what is asked for: the same for the same JSON, however it is written."""
    content = content_of(request)
    asked = json.dumps(pydantic_core.from_json(content), sort_keys=True) if content else ""
    return blake2b(f"{request.method} {request.url.path}\n{asked}".encode(), digest_size=32).digest()


class ResponseCodec:
    """Encodes responses as MessagePack: status, headers and body."""

    def encode(self, result: Response) -> bytes:
        """Return the bytes to keep."""
        headers = {name: value for name, value in result.headers.items() if name != "content-length"}
        return msgspec.msgpack.encode(_KeptResponse(result.status_code, headers, bytes(result.body)))

    def decode(self, kept: bytes) -> Response:
        """Return the response that `encode` was given."""
        stored = msgspec.msgpack.decode(kept, type=_KeptResponse)
        return Response(stored.body, status_code=stored.status, headers=stored.headers)


def response_of(edited: Edited[Response]) -> Response:
    """Return the response of an edit, marked with `Idempotent-Replayed: true` if an earlier request made it."""
    if edited.replayed:
        edited.result.headers["Idempotent-Replayed"] = "true"
    return edited.result


async def do_once(
    batches: BatchService,
    request: Request,
    named: RepeatableRequest[Response],
    operation: Operation,
    respond: Callable[[Task], Response],
) -> Response:
    """Do what the request asks for, or answer what was answered when it came before."""

    def answer(outcomes: object, _: int) -> Response:
        match outcomes:
            case [Task() as task]:
                return respond(task)
        raise TypeError(f"{operation} did not make one task")

    try:
        return response_of(await batches.run(user_of(request), [operation], answer, request=named))
    except OperationError as error:
        raise error.error from error
