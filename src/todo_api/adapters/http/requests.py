"""Reading requests: the caller, the body as JSON, the query's names and the conditions."""

from collections import Counter
from collections.abc import Collection
from typing import Any

import pydantic_core
from fastapi import Request

from todo_api.adapters.http.etags import Condition, parse_condition
from todo_api.adapters.http.problems import (
    ContentTooLargeError,
    FieldError,
    MalformedJsonError,
    RequestError,
    UnsupportedMediaTypeError,
)
from todo_api.application.access import MissingTokenError, Principal

_PRINCIPAL = "todo_api.principal"


def set_principal(request: Request, principal: Principal) -> None:
    """Remember who calls, for as long as the request lasts."""
    request.scope[_PRINCIPAL] = principal


def user_of(request: Request) -> str:
    """Return the id of the user who calls."""
    principal: Principal = request.scope[_PRINCIPAL]
    return principal.user_id


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


def refuse_unknown_parameters(request: Request, known: Collection[str]) -> None:
    """Raise RequestError for query parameters that the call does not have, and for any that is there twice."""
    if not request.url.query:
        return
    errors = [
        FieldError("query", name, "is given more than once" if name in known else _unknown(known))
        for name, count in Counter(name for name, _ in request.query_params.multi_items()).items()
        if name not in known or count > 1
    ]
    if errors:
        raise RequestError.of(errors)


def _unknown(known: Collection[str]) -> str:
    return f"is no parameter of this call; it has {', '.join(known)}" if known else "is not known: this call has none"


class JsonRequest(Request):
    """A request whose body is read once, within the limit, as strict JSON.

    FastAPI asks for the body and for its JSON, and gets what `load` has read.
    """

    _content: bytes = b""
    _value: Any = None

    async def load(self, max_bytes: int) -> None:
        """Read the body.

        Raises:
            ContentTooLargeError: It is longer than `max_bytes`.
            UnsupportedMediaTypeError: It is not declared as JSON.
            MalformedJsonError: It is no JSON object, or holds what JSON cannot say (RFC 8259).
        """
        self._content = await self._read(max_bytes)
        if not self._content:
            return
        self._require_json()
        try:
            self._value = pydantic_core.from_json(self._content, allow_inf_nan=False)
        except ValueError as error:
            raise MalformedJsonError(f"the body is not valid JSON: {error}") from error
        if not isinstance(self._value, dict):
            raise MalformedJsonError("the body must be a JSON object, such as {}")

    async def body(self) -> bytes:
        """Return the body as bytes."""
        return self._content

    async def json(self) -> Any:
        """Return the body as an object."""
        return self._value

    async def _read(self, max_bytes: int) -> bytes:
        too_large = ContentTooLargeError(f"the body must have at most {max_bytes:,} bytes")
        declared = self.headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > max_bytes:
            raise too_large
        chunks = []
        size = 0
        async for chunk in self.stream():
            chunks.append(chunk)
            size += len(chunk)
            if size > max_bytes:
                raise too_large
        return b"".join(chunks)

    def _require_json(self) -> None:
        media_type = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != "application/json" and not (
            media_type.startswith("application/") and media_type.endswith("+json")
        ):
            raise UnsupportedMediaTypeError("send the body as JSON, with the header `Content-Type: application/json`")
        if self.headers.get("content-encoding", "identity").strip().lower() != "identity":
            raise UnsupportedMediaTypeError("send the body without a Content-Encoding")
