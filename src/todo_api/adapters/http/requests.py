"""Read the query and the body of requests, more strictly than FastAPI does."""

import asyncio
import json
import re
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import AsyncGenerator, Collection, Iterator, Mapping
from itertools import islice
from typing import Any

import pydantic_core
from starlette.requests import ClientDisconnect, Request

from todo_api.adapters.http import problems
from todo_api.adapters.http.problems import FieldError, RequestError
from todo_api.domain.text import NOT_STORABLE

_HOST = re.compile(r"[A-Za-z0-9_.-]+(:[0-9]+)?|\[[0-9A-Fa-f:.]+\](:[0-9]+)?")
_JSON = re.compile(r"application/(json|[^/]+\+json)")
_PATCH = re.compile("patch|etch")  # such as json-patch, json-patch-query and senml-etch (RFC 8790)
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_MAX_LENGTH_DIGITS = 18  # of Content-Length
_MAX_SEARCHED = 256 * 1024  # bytes of a malformed body that are searched for the field with the error
_MAX_NAME_LENGTH, _MAX_NAMES = 100, 20  # of query parameters in an error
_LATE = "the body of the request did not arrive in time; send it again"


class JsonRequest(Request):
    """A request whose JSON body has been read and parsed."""

    def __init__(self, request: Request, content: bytes, document: Any) -> None:
        super().__init__(request.scope, request.receive)
        self._content = content
        self._document = document

    async def body(self) -> bytes:
        return self._content

    async def json(self) -> Any:
        return self._document

    async def stream(self) -> AsyncGenerator[bytes]:
        yield self._content


async def read_json(request: Request, *, is_required: bool) -> JsonRequest:
    """Read the body. Unless it `is_required`, null is no body.

    Raises:
        ContentTooLargeError: The body is too long; the rest was not read.
        RequestTimeoutError: The body did not arrive in time.
        UnsupportedMediaTypeError: There is a body, and it is not declared as JSON.
        RequestError: A text in the body has a lone surrogate.
        MalformedJsonError: The body is not JSON. NaN and Infinity are not JSON.
    """
    content = await _read_body(request)
    if not content:
        return JsonRequest(request, content, None)
    require_json(request)
    document = parse_json(content)
    if document is None and not is_required:
        content = b""
    return JsonRequest(request, content, document)


async def _read_body(request: Request) -> bytes:
    max_bytes: int = request.app.state.config.max_body_bytes
    declared = request.headers.get("content-length", "0")
    if len(declared) > _MAX_LENGTH_DIGITS or (declared.isdecimal() and int(declared) > max_bytes):
        raise _too_large(max_bytes)
    content = bytearray()
    more = True
    try:
        async with asyncio.timeout(request.app.state.config.request_timeout):
            while more:
                part, more = await _next_part(request)
                content += part
                if len(content) > max_bytes:
                    raise _too_large(max_bytes)
    except TimeoutError as error:
        raise problems.RequestTimeoutError(_LATE) from error
    return bytes(content)


async def stream_body(request: Request) -> AsyncGenerator[bytes]:
    """Yield the body as it arrives, in parts.

    Raises:
        RequestTimeoutError: A part did not arrive in time.
    """
    timeout: float = request.app.state.config.request_timeout
    more = True
    while more:
        try:
            async with asyncio.timeout(timeout):
                part, more = await _next_part(request)
        except TimeoutError as error:
            raise problems.RequestTimeoutError(_LATE) from error
        yield part


async def _next_part(request: Request) -> tuple[bytes, bool]:
    """Return a part of the body, and whether there is more. Raises ClientDisconnect if the client has gone."""
    message = await request.receive()
    if message["type"] == "http.disconnect":
        raise ClientDisconnect
    return message.get("body", b""), message.get("more_body", False)


def _too_large(max_bytes: int) -> RequestError:
    return problems.ContentTooLargeError(f"the body must have at most {max_bytes:,} bytes")


def parse_json(content: bytes) -> Any:
    """Parse JSON in UTF-8, with or without a byte order mark (RFC 8259, section 8.1).

    Raises:
        RequestError: A text has a lone surrogate.
        MalformedJsonError: The content is not JSON.
    """
    try:
        return pydantic_core.from_json(content.removeprefix(BOM_UTF8), allow_inf_nan=False)
    except ValueError as error:
        if fields := _fields_with_lone_surrogates(content):
            raise RequestError.of([FieldError("body", field, NOT_STORABLE) for field in fields]) from error
        raise problems.MalformedJsonError.at("body", "body", f"is not valid JSON: {error}") from error


def _fields_with_lone_surrogates(content: bytes) -> list[str]:
    """Return the paths of up to 20 texts with half of a surrogate pair, which Python's parser accepts."""
    if len(content) > _MAX_SEARCHED:
        return []
    try:
        fields = _texts("", json.loads(content))
        return list(islice((path or "body" for path, text in fields if _LONE_SURROGATE.search(text)), _MAX_NAMES))
    except (ValueError, RecursionError):
        return []


def _texts(path: str, document: Any) -> Iterator[tuple[str, str]]:
    """Yield the texts of a JSON document, names included, each with the path of its field."""
    match document:
        case str():
            yield path, document
        case list():
            for index, item in enumerate(document):
                yield from _texts(_inner(path, str(index)), item)
        case dict():
            for name, item in document.items():
                yield path, name
                yield from _texts(_inner(path, name), item)


def _inner(path: str, name: str) -> str:
    """Return the path of a field, cut before it is long: names may have the length of the body."""
    name = _LONE_SURROGATE.sub("\ufffd", name[:_MAX_NAME_LENGTH])  # the response is UTF-8
    return f"{path}.{name}"[:_MAX_NAME_LENGTH] if path else name


def require_json(request: Request) -> None:
    """Raise UnsupportedMediaTypeError unless the body is declared as JSON, and not compressed.

    A merge patch (RFC 7396) is what an update is; other patch formats, such as JSON Patch (RFC 6902), are refused.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not _JSON.fullmatch(media_type):
        raise problems.UnsupportedMediaTypeError(
            "send the body as JSON, with the header `Content-Type: application/json`"
        )
    if _PATCH.search(media_type) and media_type != "application/merge-patch+json":
        raise problems.UnsupportedMediaTypeError(
            "this patch format is not supported: send the fields to change as a JSON object, with the header "
            "`Content-Type: application/merge-patch+json` or `application/json`"
        )
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise problems.UnsupportedMediaTypeError("send the body without a Content-Encoding")


def check_query(request: Request, known: Mapping[str, bool]) -> None:
    """Raise RequestError for unknown query parameters, and for repeated ones that may not be repeated."""
    if not request.scope["query_string"]:
        return
    errors = [
        FieldError("query", name[:_MAX_NAME_LENGTH], "is given more than once" if name in known else _unknown(known))
        for name, count in Counter(name for name, _ in request.query_params.multi_items()).items()
        if name not in known or (count > 1 and not known[name])
    ]
    if errors:
        raise RequestError.of(errors[:_MAX_NAMES])


def _unknown(known: Collection[str]) -> str:
    return f"is not a parameter; the parameters are {', '.join(sorted(known))}" if known else "is not a parameter"


async def base_url(request: Request) -> str:
    """Return what precedes the paths of the API in the URLs that the client uses.

    It is the scheme, the host and the prefix of a proxy, or the prefix alone if the Host header is malformed.
    """
    host = request.headers.get("host", "")
    prefix: str = request.scope.get("root_path", "")
    return f"{request.scope['scheme']}://{host}{prefix}" if _HOST.fullmatch(host) else prefix
