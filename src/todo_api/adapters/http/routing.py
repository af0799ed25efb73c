"""The way that every call takes: who is it, may they, is the request well-formed, and only then the endpoint.

FastAPI routes the calls, and documents them from the signatures of their endpoints. What it does between the two,
solving dependencies, would cost more than all the rest of a call, and there are none to solve: an endpoint takes the
request, the texts of its path, and at most one model each for the query and the body.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import IPv6Address
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from todo_api.adapters.http import schemas
from todo_api.adapters.http.allowances import tell_allowance
from todo_api.adapters.http.problems import FieldError, RequestError, problem_response
from todo_api.adapters.http.requests import (
    bearer_token,
    check_query,
    read_body,
    refuse_numbers_that_json_has_not,
    require_json,
    set_content,
    set_principal,
)
from todo_api.adapters.http.validation import to_request_error
from todo_api.application import access
from todo_api.application.rates import RateLimits, TooManyRequestsError
from todo_api.domain.errors import TodoError

_log = logging.getLogger(__name__)


class PublicRoute(APIRoute):
    """A route for everybody. Errors are answered with problem documents."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        """Take what FastAPI's own routes take."""
        super().__init__(path, endpoint, **options)
        self._endpoint: Callable[..., Awaitable[Response]] = endpoint
        self._query = _parameter(self.dependant.query_params)
        self._body = _parameter(self.dependant.body_params)
        self._needs_body = self._body is not None and self.dependant.body_params[0].field_info.is_required()
        self._query_names = frozenset(self._query[1].model_fields) if self._query else frozenset[str]()
        self.app = self._serve

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._answer(Request(scope, receive))
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        try:
            await self.admit(request)
            return await self._endpoint(**await self._arguments(request))
        except TodoError as error:
            if isinstance(error, TooManyRequestsError):
                tell_allowance(request, error.allowance)
            return problem_response(error)
        except ClientDisconnect:  # it hung up in the middle of the body: nobody reads the answer
            return Response(status_code=400)
        except Exception as error:  # noqa: BLE001 - logged with its trace, and answered
            # Here, inside all middleware, so that this answer too carries what they add.
            _log.exception("%s %s failed", request.method, self.path)
            return problem_response(error)

    async def admit(self, request: Request) -> None:
        """Let everybody in."""

    async def _arguments(self, request: Request) -> dict[str, Any]:
        arguments: dict[str, Any] = {"request": request, **request.path_params}
        check_query(request, self._query_names)
        if self._query:
            name, model = self._query
            arguments[name] = _validated("query", model, model.model_validate, dict(request.query_params))
        if self._body:
            name, model = self._body
            content = await read_body(request, request.app.state.max_body_bytes)
            set_content(request, content)
            if content:
                require_json(request)
                refuse_numbers_that_json_has_not(content)
                arguments[name] = _validated("body", model, model.model_validate_json, content)
            elif self._needs_body:
                raise RequestError.of([FieldError("body", "body", "must be a JSON object, such as {}; it is empty")])
        return arguments


class ProtectedRoute(PublicRoute):
    """A route for callers with a token: reading needs `tasks:read`, all else `tasks:write`."""

    async def admit(self, request: Request) -> None:
        """Let verified callers in whose token allows this call."""
        principal = await _verified(request)
        set_principal(request, principal)
        limits: RateLimits = request.app.state.rate_limits
        tell_allowance(request, await limits.users.take(principal.user_id))
        principal.require(access.Scope.READ if request.method == "GET" else access.Scope.WRITE)


async def _verified(request: Request) -> access.Principal:
    """Return who calls, unless too many who could not tell have called from the same address."""
    limits: RateLimits = request.app.state.rate_limits
    address = _neighbourhood(request.client.host) if request.client else ""
    await limits.addresses.check(address)
    verifier: access.TokenVerifier = request.app.state.verifier
    try:
        return await verifier.verify(bearer_token(request))
    except access.AuthenticationError:
        await limits.addresses.take(address)
        raise


def _neighbourhood(address: str) -> str:
    """Return the address, or of IPv6 the network of a single subscriber, who may call from any address of it."""
    try:
        caller = IPv6Address(address)
    except ValueError:  # IPv4, or whatever a proxy calls it
        return address
    if caller.ipv4_mapped:  # who called an IPv6 socket by IPv4: the network would be that of all who do
        return str(caller.ipv4_mapped)
    return caller.packed[:8].hex()


def _parameter(fields: Sequence[Any]) -> tuple[str, type[BaseModel]] | None:
    """Return the name and the model of the one parameter that an endpoint takes from there, if any."""
    if not fields:
        return None
    (field,) = fields
    return field.name, field.field_info.annotation


def _validated(location: str, model: type[BaseModel], validate: Callable[[Any], BaseModel], value: Any) -> BaseModel:
    try:
        return validate(value)
    except ValidationError as error:
        fields = [name for name in model.model_fields if name not in schemas.ReadOnlyFields.model_fields]
        raise to_request_error(location, error, fields) from error
