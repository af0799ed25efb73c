"""The way that every call under a bearer token takes: who is it, may they, is the request well-formed."""

import logging
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

from todo_api.adapters.http.problems import problem_response
from todo_api.adapters.http.requests import JsonRequest, bearer_token, refuse_unknown_parameters, set_principal
from todo_api.adapters.http.validation import to_request_error
from todo_api.application.access import Scope, TokenVerifier
from todo_api.domain.errors import TodoError

_log = logging.getLogger(__name__)


class PublicRoute(APIRoute):
    """A route for everybody; its errors are problem documents."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return FastAPI's handler between what comes before it and the answers to its errors."""
        handle = super().get_route_handler()
        parameters = [parameter.alias for parameter in self.dependant.query_params]

        async def answer(request: Request) -> Response:
            try:
                request = await self.admit(request)
                refuse_unknown_parameters(request, parameters)
                return await handle(request)
            except RequestValidationError as error:
                return problem_response(to_request_error(error))
            except TodoError as error:
                return problem_response(error)
            except Exception as error:  # noqa: BLE001 - logged with its trace, and answered
                # Answered here, inside all middleware, so that this answer too carries what they add.
                _log.exception("%s %s failed", request.method, self.path)
                return problem_response(error)

        return answer

    async def admit(self, request: Request) -> Request:
        """Let everybody in."""
        return request


class ProtectedRoute(PublicRoute):
    """A route for callers with a token: reading needs `tasks:read`, all else `tasks:write`."""

    async def admit(self, request: Request) -> Request:
        """Let verified callers in whose token allows this, and only then read what they sent."""
        verifier: TokenVerifier = request.app.state.verifier
        principal = await verifier.verify(bearer_token(request))
        principal.require(Scope.READ if self.methods == {"GET"} else Scope.WRITE)
        set_principal(request, principal)
        if self.body_field is None:
            return request
        request = JsonRequest(request.scope, request.receive)
        await request.load(request.app.state.max_body_bytes)
        return request
