"""Route classes: the checks that come before FastAPI reads a request. See docs/decisions/route-class.md."""

from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeAlias, get_args, get_origin

from fastapi import Request, Response, params
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel

from todo_api.adapters.http.authentication import authenticate
from todo_api.adapters.http.problems import RequestError, UnsupportedPreconditionError
from todo_api.adapters.http.requests import check_query, read_json

_Handler: TypeAlias = Callable[[Request], Coroutine[Any, Any, Response]]

# Browsers store the response for this user and revalidate it; shared caches do not store it.
_PRIVATE = [(b"cache-control", b"private, no-cache"), (b"vary", b"Authorization")]


class StrictRoute(APIRoute):
    """A route that refuses unknown and repeated query parameters, and bodies that are not JSON or too long.

    It also refuses If-Match and If-None-Match if the endpoint declares no parameter for them: a precondition is never
    ignored (RFC 9110, section 13). For a read, If-None-Match without an ETag never matches. In the same way, a route
    that writes refuses the Idempotency-Key if its endpoint does not declare it, instead of running a retry again.

    Forms and files are left to FastAPI: limit them with `max_body_size`.
    """

    def get_route_handler(self) -> _Handler:
        handle = super().get_route_handler()
        known = dict(_query_parameters(self.dependant))
        refused = _unsupported_headers(self)
        body = self.body_field.field_info if self.body_field is not None else None
        has_json_body = body is not None and not isinstance(body, params.Form)
        is_required = body is not None and body.is_required()

        async def checked(request: Request) -> Response:
            await self.admit(request)
            for name, _ in request.scope["headers"]:
                if name in refused:
                    header, error = refused[name]
                    raise error.at("header", header, "is not supported here: send the request without it")
            check_query(request, known)
            handler: _Handler = request.app.state.handlers.get(self.endpoint, handle)
            return await handler(await read_json(request, is_required=is_required) if has_json_body else request)

        return checked

    async def admit(self, request: Request) -> None:
        """Raise an error unless the caller may send this request."""


class ProtectedRoute(StrictRoute):
    """A strict route for authenticated callers.

    The order of the checks: the token (401), the rate limits (429), the scope (403), the query and the body (400, 408,
    413, 415). Responses are private unless they have a Cache-Control header of their own.
    """

    def get_route_handler(self) -> _Handler:
        handle = super().get_route_handler()

        async def private(request: Request) -> Response:
            response = await handle(request)
            if all(name != b"cache-control" for name, _ in response.raw_headers):
                response.raw_headers += _PRIVATE
            return response

        return private

    async def admit(self, request: Request) -> None:
        await authenticate(request)


def _unsupported_headers(route: APIRoute) -> dict[bytes, tuple[str, type[RequestError]]]:
    """Return the headers that the route must refuse, because its endpoint does not use them, with their errors."""
    errors: dict[str, type[RequestError]] = {"If-Match": UnsupportedPreconditionError}
    if not (route.methods or set()) <= {"GET", "HEAD"}:
        errors |= {"If-None-Match": UnsupportedPreconditionError, "Idempotency-Key": RequestError}
    used = set(_headers(route.dependant))
    return {header.lower().encode(): (header, error) for header, error in errors.items() if header not in used}


def _headers(dependant: Dependant) -> Iterator[str]:
    yield from (field.alias for field in dependant.header_params)
    for dependency in dependant.dependencies:
        yield from _headers(dependency)


def _query_parameters(dependant: Dependant) -> Iterator[tuple[str, bool]]:
    """Yield the name of each query parameter, and whether it may be repeated."""
    for field in dependant.query_params:
        model = field.field_info.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            yield from ((inner.alias or name, is_list(inner.annotation)) for name, inner in model.model_fields.items())
        else:
            yield field.alias, is_list(model)
    for dependency in dependant.dependencies:
        yield from _query_parameters(dependency)


def is_list(annotation: Any) -> bool:
    """Return whether a parameter of this type may be repeated."""
    origin = get_origin(annotation) or annotation
    return origin in {list, set, frozenset, tuple} or any(map(is_list, get_args(annotation)))
