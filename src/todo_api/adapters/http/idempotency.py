"""Requests that clients may retry: the Idempotency-Key, and the responses that are stored under it.

The header is the one of draft-ietf-httpapi-idempotency-key-header; its value is any visible ASCII text.
"""

import json
import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import Any, TypeAlias

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from todo_api.adapters.http.etags import read_condition
from todo_api.adapters.http.problems import RequestError
from todo_api.adapters.http.requests import parse_json
from todo_api.application.batches import BatchService
from todo_api.domain.errors import IdempotencyKeyInUseError, IdempotencyKeyReusedError, OperationError
from todo_api.domain.idempotency import Edited, IdempotencyKey
from todo_api.domain.operations import Operation
from todo_api.domain.task import Task
from todo_api.domain.task_list import TaskList

_StoredResponse: TypeAlias = tuple[int, dict[str, str], bytes]  # status, headers and body

_KEY = re.compile("[\x21-\x7e]{1,255}")


async def idempotency_key(request: Request, keys: Sequence[str] | None) -> IdempotencyKey[Response] | None:
    """Return the key of the request, or None if it has none.

    Raises:
        RequestError: The key is empty or too long, or there is more than one.
    """
    if not keys:
        return None
    if len(keys) > 1 or not _KEY.fullmatch(keys[0]):
        detail = "must be one text of 1 to 255 visible ASCII characters, such as a UUID"
        raise RequestError.at("header", "Idempotency-Key", detail)
    content = await request.body() if request.scope["route"].body_field else b""
    return IdempotencyKey(keys[0], _fingerprint(request, content), ResponseCodec())


def _fingerprint(request: Request, content: bytes) -> bytes:
    """Return a digest of the request, its preconditions included.

    Equal JSON documents have equal digests, however they are formatted.
    """
    document = json.dumps(parse_json(content), sort_keys=True) if content else ""
    path = request.url.path.removeprefix(request.scope.get("root_path", "")).lower()  # ids may be in capitals
    query = "".join(f"?{name}={value}" for name, value in sorted(request.query_params.multi_items()))
    text = f"{request.method} {path}{query}\n{document}"
    for name in ("If-Match", "If-None-Match"):
        if condition := read_condition(name, request.headers.getlist(name)):
            text += f"\n{name}: {condition.normalized}"
    return blake2b(text.encode(), digest_size=32).digest()


class ResponseCodec:
    """Encodes responses as MessagePack: status, headers and body."""

    def encode(self, result: Response) -> bytes:
        headers = {name: value for name, value in result.headers.items() if name != "content-length"}
        return msgspec.msgpack.encode((result.status_code, headers, bytes(result.body)))

    def decode(self, kept: bytes) -> Response:
        status, headers, body = msgspec.msgpack.decode(kept, type=_StoredResponse)
        return Response(body, status_code=status, headers=headers)


def response_of(edited: Edited[Response]) -> Response:
    """Return the response of an edit, marked with `Idempotent-Replayed: true` if an earlier request made it."""
    if edited.replayed:
        edited.result.headers["Idempotent-Replayed"] = "true"
    return edited.result


class _NotStoredError(Exception):
    """No response is stored under the key."""


async def run_streamed(
    batches: BatchService,
    user_id: str,
    key: IdempotencyKey[Response] | None,
    content: AsyncIterator[bytes],
    run: Callable[[AsyncIterator[bytes]], Awaitable[Response]],
) -> Response:
    """Return the response of `run`, or the stored response of an earlier request with this key and content.

    The content is read as a stream, so the response is stored after the run, in a transaction of its own. A retry of a
    request that was interrupted runs again, and so does one that is sent before the first has ended.
    """
    if key is None:
        return await run(content)
    digest = blake2b(key.fingerprint, digest_size=32)

    async def digested() -> AsyncGenerator[bytes]:
        async for part in content:
            digest.update(part)
            yield part

    response: Response | None = None

    def respond(*_: object) -> Response:
        if response is None:
            raise _NotStoredError
        return response

    try:
        await batches.run(user_id, [], respond, key=replace(key, fingerprint=b""))
    except _NotStoredError:
        response = await run(digested())
    except IdempotencyKeyReusedError:  # there is a response; the digest will tell whether it is of this content
        async for _ in digested():
            pass
    key = replace(key, fingerprint=digest.digest())
    try:
        return response_of(await batches.run(user_id, [], respond, key=key))
    except _NotStoredError as error:  # it was erased while the content was read
        raise IdempotencyKeyInUseError from error


async def run_once(
    batches: BatchService,
    user_id: str,
    key: IdempotencyKey[Response] | None,
    operation: Operation,
    respond: Callable[[Any], Response] | None = None,
) -> Response:
    """Run the operation in a transaction, or return the stored response if an earlier request with this key has run it.

    Operations that return no task and no list need no `respond`: their response is 204.
    """

    def respond_to(outcomes: object, _: int) -> Response:
        match outcomes:
            case [Task() | TaskList() as item] if respond is not None:
                return respond(item)
            case [None] if respond is None:
                return Response(status_code=204)
        raise TypeError(f"{operation} returned {outcomes}")

    try:
        return response_of(await batches.run(user_id, [operation], respond_to, key=key))
    except OperationError as error:
        raise error.error from error
