"""Reading requests: the caller, the body as JSON, the query's names and the conditions."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncGenerator, Collection

import pydantic_core
from starlette.requests import ClientDisconnect, Request
from starlette.types import Scope

from todo_api.adapters.http.etags import Condition, parse_condition
from todo_api.adapters.http.problems import (
    ContentTooLargeError,
    FieldError,
    MalformedJsonError,
    RequestError,
    RequestTimeoutError,
    UnsupportedMediaTypeError,
)
from todo_api.application.access import MissingTokenError, Principal

_HOST = re.compile(r"[A-Za-z0-9_.-]+(:[0-9]+)?|\[[0-9A-Fa-f:.]+\](:[0-9]+)?")
_LONGEST_LENGTH = 18  # digits of a Content-Length
_LONGEST_NAME, _MOST_NAMES = 100, 20  # of query parameters that are complained about
_LATE = "the body of the request did not arrive in time; send it again"
_PRINCIPAL = "todo_api.principal"
_CONTENT = "todo_api.content"


def set_principal(request: Request, principal: Principal) -> None:
    """Remember who calls, for as long as the request lasts."""
    request.scope[_PRINCIPAL] = principal


def principal_of(request: Request) -> Principal:
    """Return who calls."""
    principal: Principal = request.scope[_PRINCIPAL]
    return principal


def user_of(request: Request) -> str:
    """Return the id of the user who calls."""
    return principal_of(request).user_id


def caller_of(scope: Scope) -> str | None:
    """Return the id of the user who calls, or None where nobody has been verified."""
    principal: Principal | None = scope.get(_PRINCIPAL)
    return principal.user_id if principal else None


def set_content(request: Request, content: bytes) -> None:
    """Remember the body as it came, for as long as the request lasts."""
    request.scope[_CONTENT] = content


def content_of(request: Request) -> bytes:
    """Return the body as it came; nothing where the call takes none."""
    content: bytes = request.scope.get(_CONTENT, b"")
    return content


def bearer_token(request: Request) -> str:
    """Return the token of the Authorization header (RFC 6750, section 2.1).

    Raises:
        MissingTokenError: There is none, or it is of another scheme.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    token = token.strip(" ")
    if scheme.lower() != "bearer" or not token:
        raise MissingTokenError
    return token


def condition(request: Request, header: str) -> Condition | None:
    """Return what If-Match or If-None-Match asks for, or None without it.

    Raises:
        RequestError: The value is malformed.
    """
    values = request.headers.getlist(header)
    if not values:
        return None
    parsed = parse_condition(", ".join(values))
    if parsed is None:
        raise RequestError.of(
            [FieldError("header", header, 'must be `*` or entity tags such as "7" with their quotes')]
        )
    return parsed


def base_url(request: Request) -> str:
    """Return the address by which the caller reaches this service, or nothing where that is not plain."""
    host = request.headers.get("host", "")
    return f"{request.scope['scheme']}://{host}" if _HOST.fullmatch(host) else ""


def check_query(request: Request, known: Collection[str]) -> None:
    """Raise RequestError for query parameters that the call does not have, and for any that is there twice."""
    if not request.scope["query_string"]:
        return
    errors = [
        FieldError("query", name[:_LONGEST_NAME], "is given more than once" if name in known else _unknown(known))
        for name, count in Counter(name for name, _ in request.query_params.multi_items()).items()
        if name not in known or count > 1
    ]
    if errors:
        raise RequestError.of(errors[:_MOST_NAMES])


def _unknown(known: Collection[str]) -> str:
    return f"is no parameter of this call; it has {', '.join(sorted(known))}" if known else "is not known here"


async def read_body(request: Request, max_bytes: int) -> bytes:
    """Return the body.

    Raises:
        ContentTooLargeError: It is longer than `max_bytes`; it has not been read to its end.
    """
    declared = request.headers.get("content-length", "0")
    if len(declared) > _LONGEST_LENGTH or (declared.isdecimal() and int(declared) > max_bytes):
        raise _too_large(max_bytes)
    content = bytearray()
    more = True
    try:
        async with asyncio.timeout(request.app.state.request_timeout):
            while more:
                part, more = await _next_part(request)
                content += part
                if len(content) > max_bytes:
                    raise _too_large(max_bytes)
    except TimeoutError as error:
        raise RequestTimeoutError(_LATE) from error
    return bytes(content)


async def arriving(request: Request) -> AsyncGenerator[bytes]:
    """Yield the body as it arrives, in parts.

    Raises:
        RequestTimeoutError: One of them takes too long.
    """
    patience: float = request.app.state.request_timeout
    more = True
    while more:
        try:
            async with asyncio.timeout(patience):
                part, more = await _next_part(request)
        except TimeoutError as error:
            raise RequestTimeoutError(_LATE) from error
        yield part


async def _next_part(request: Request) -> tuple[bytes, bool]:
    """Return a part of the body, and whether there is more. Raises ClientDisconnect if nobody will send it."""
    message = await request.receive()
    if message["type"] == "http.disconnect":
        raise ClientDisconnect
    return message.get("body", b""), message.get("more_body", False)


def _too_large(max_bytes: int) -> ContentTooLargeError:
    return ContentTooLargeError(f"the body must have at most {max_bytes:,} bytes")


def refuse_numbers_that_json_has_not(content: bytes) -> None:
    """Raise MalformedJsonError for NaN and Infinity, which Pydantic lets pass where any value will do."""
    if b"NaN" not in content and b"Infinity" not in content:
        return
    try:
        pydantic_core.from_json(content, allow_inf_nan=False)
    except ValueError as error:
        raise MalformedJsonError.of([FieldError("body", "body", f"is not valid JSON: {error}")]) from error


def require_json(request: Request) -> None:
    """Raise UnsupportedMediaTypeError unless the body is declared as JSON, and not compressed."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json" and not (
        media_type.startswith("application/") and media_type.endswith("+json")
    ):
        raise UnsupportedMediaTypeError("send the body as JSON, with the header `Content-Type: application/json`")
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise UnsupportedMediaTypeError("send the body without a Content-Encoding")
