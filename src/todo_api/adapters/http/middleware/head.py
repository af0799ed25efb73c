"""HEAD (RFC 9110, section 9.3.2): every address that answers GET answers HEAD."""

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class _HeaderSentError(OSError):
    """The response is complete: ASGI servers raise an OSError when an application sends to a closed connection."""


class HeadAsGet:
    """Passes HEAD on as GET, ends the response after its header, and makes the application stop there.

    To the application, the client of a HEAD request disconnects when it has received the header: an endless response
    ends, and a streamed one reads no further.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        is_sent = False

        async def send_header(message: Message) -> None:
            nonlocal is_sent
            if message["type"] == "http.response.start":
                is_sent = True
                await send(message)
                await send({"type": "http.response.body", "body": b"", "more_body": False})
            elif is_sent and message.get("more_body", False):
                raise _HeaderSentError

        as_get = {**scope, "method": "GET"}
        try:
            await self._app(as_get, receive, send_header)
        except (_HeaderSentError, ClientDisconnect):
            if not is_sent:
                raise
        finally:
            if "route" in as_get:
                scope["route"] = as_get["route"]  # for the access log and the metrics
