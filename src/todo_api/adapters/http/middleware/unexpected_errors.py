"""Turns exceptions that no handler knows into 500 problem documents.

Starlette's own handler for them runs outside all other middleware, so browsers would get a response without CORS
headers. This middleware is the innermost one.
"""

import logging

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from todo_api.adapters.http.context import context_of
from todo_api.adapters.http.errors import problem_response

_log = logging.getLogger(__name__)


class UnexpectedErrors:
    """Logs the exception and sends the problem document, unless the response has started."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except Exception as error:
            if scope["type"] != "http" or context_of(scope).status is not None:
                raise
            if isinstance(error, ClientDisconnect):  # the client does not read the response
                response = Response(status_code=400)
            else:
                _log.exception("%s %s failed", scope["method"], getattr(scope.get("route"), "path_format", ""))
                response = problem_response(error)
            await response(scope, receive, send)
