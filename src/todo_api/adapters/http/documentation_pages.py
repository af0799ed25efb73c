"""The pages `/docs` and `/redoc`, which load all their files from this server."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import fastapi_offline
from fastapi import FastAPI
from fastapi.openapi.docs import get_redoc_html, get_swagger_ui_html
from fastapi.staticfiles import StaticFiles
from starlette.requests import Request
from starlette.responses import HTMLResponse

_ASSETS = "/docs/assets"
_SWAGGER_FILES = {
    "swagger_js_url": "swagger-ui-bundle.js",
    "swagger_css_url": "swagger-ui.css",
    "swagger_favicon_url": "favicon.png",
}
_REDOC_FILES = {"redoc_js_url": "redoc.standalone.js", "redoc_favicon_url": "favicon.png"}
# All files come from this server; the policy also stops ReDoc from loading its logo from another.
_POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline' blob:; worker-src blob:; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def add_documentation_pages(app: FastAPI) -> None:
    app.mount(_ASSETS, StaticFiles(directory=Path(fastapi_offline.__file__).parent / "static"))
    swagger_ui = partial(
        get_swagger_ui_html, swagger_ui_parameters={"persistAuthorization": True, "validatorUrl": None}
    )
    _add_page(app, "/docs", swagger_ui, _SWAGGER_FILES)
    redoc = partial(get_redoc_html, with_google_fonts=False)
    _add_page(app, "/redoc", redoc, _REDOC_FILES)


def _add_page(app: FastAPI, path: str, render: Callable[..., HTMLResponse], files: Mapping[str, str]) -> None:
    async def page(request: Request) -> HTMLResponse:
        root = request.scope.get("root_path", "")
        urls = {parameter: f"{root}{_ASSETS}/{file}" for parameter, file in files.items()}
        response = render(openapi_url=f"{root}{app.openapi_url}", title=app.title, **urls)
        response.headers["Content-Security-Policy"] = _POLICY
        return response

    app.add_route(path, page, include_in_schema=False)
