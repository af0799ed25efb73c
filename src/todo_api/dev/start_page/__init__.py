"""The page at `/`: what this service is, the development token, and tasks that arrive live."""

from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from html import escape
from importlib.resources import files
from ipaddress import ip_address

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from todo_api import __version__
from todo_api.dev.token import DEFAULT_HOURS, DEFAULT_USER

_HEADERS = {"Cache-Control": "no-store", "Vary": "Accept"}


def add_start_page(app: FastAPI, new_token: Callable[[], str]) -> None:
    """Serve `/`: a page for browsers, and links as JSON for programs.

    The page has the token only if the request comes from this machine and names this machine as its host. Other
    machines, and web pages whose name was made to resolve to this machine (DNS rebinding), get the page without it.
    """
    template, policy = _template_and_policy()
    documentation = app.openapi_url is not None

    async def start(request: Request) -> Response:
        if not _prefers_html(request.headers.get("accept", "")):
            return JSONResponse(_links(request, documentation=documentation), headers=_HEADERS)
        values = {
            "version": __version__,
            "documentation": "" if documentation else " hidden",
            "user": escape(DEFAULT_USER),
            "hours": f"{DEFAULT_HOURS:g}",
            "token": escape(new_token()) if _is_local(request) else "",
        }
        page = template
        for name, value in values.items():
            page = page.replace(f"{{{{{name}}}}}", value)
        return HTMLResponse(page, headers={**_HEADERS, "Content-Security-Policy": policy})

    app.add_route("/", start, include_in_schema=False)


def _template_and_policy() -> tuple[str, str]:
    folder = files(__name__)
    style, script = ((folder / name).read_text("utf-8") for name in ("page.css", "page.js"))
    page = (folder / "page.html").read_text("utf-8").replace("{{style}}", style).replace("{{script}}", script)
    return page, (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; connect-src 'self'; img-src data:; "
        "require-trusted-types-for 'script'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _links(request: Request, *, documentation: bool) -> dict[str, object]:
    base = str(request.base_url).rstrip("/")
    paths = {"tasks": "/api/tasks", "health": "/health"}
    if documentation:
        paths |= {"docs": "/docs", "redoc": "/redoc", "openapi": "/openapi.json"}
    return {"name": "todo-api", "version": __version__, "links": {name: base + path for name, path in paths.items()}}


def _prefers_html(accept: str) -> bool:
    html, json = (_quality(accept, media_type) for media_type in ("text/html", "application/json"))
    return html > 0 and html >= json


def _quality(accept: str, media_type: str) -> float:
    """Return the weight of a media type that the header names (RFC 9110, section 12.5.1), and 0 for all others."""
    for entry in accept.lower().split(","):
        name, *parameters = (part.strip() for part in entry.split(";"))
        if name == media_type:
            try:
                return next((float(each[2:]) for each in parameters if each.startswith("q=")), 1.0)
            except ValueError:
                return 0.0
    return 0.0


def _is_local(request: Request) -> bool:
    host = request.url.hostname or ""
    is_local_name = host == "localhost" or host.endswith(".localhost") or _is_loopback(host)
    return is_local_name and request.client is not None and _is_loopback(request.client.host)


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address.removeprefix("::ffff:")).is_loopback
    except ValueError:
        return False
