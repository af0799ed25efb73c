"""Exception handlers: every error becomes a problem document."""

from http import HTTPStatus

from fastapi import FastAPI, Request, Response
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.routing import Match

from todo_api.adapters.http.problem_documents import document_response, problem_response
from todo_api.adapters.http.problems import MethodNotAllowedError, NoSuchPathError, problem_of_status
from todo_api.adapters.http.rate_limits import add_allowance
from todo_api.adapters.http.validation import to_request_error
from todo_api.application.rates import TooManyRequestsError
from todo_api.domain.errors import TodoError


def add_exception_handlers(app: FastAPI) -> None:
    """Register the handlers. Exceptions without one are handled by the middleware `UnexpectedErrors`."""
    app.add_exception_handler(TodoError, _todo_error)  # type: ignore[arg-type] # Starlette types them as Exception
    app.add_exception_handler(RequestValidationError, _validation_error)  # type: ignore[arg-type]
    app.add_exception_handler(HTTPException, _http_exception)  # type: ignore[arg-type]


async def _todo_error(request: Request, error: TodoError) -> Response:
    if isinstance(error, TooManyRequestsError):
        add_allowance(request.scope, error.allowance)
    return problem_response(error)


async def _validation_error(request: Request, error: RequestValidationError) -> Response:
    errors = [{**item, "loc": item["loc"][1:]} for item in error.errors()]
    location = error.errors()[0]["loc"][0]
    return problem_response(to_request_error(location, errors, _model_of(request, location)))


def _model_of(request: Request, location: str) -> type[BaseModel] | None:
    """Return the model of the endpoint's one parameter at the location, if it has one."""
    parameters = getattr(request.scope["route"].dependant, f"{location}_params")
    model = parameters[0].field_info.annotation if len(parameters) == 1 else None
    return model if isinstance(model, type) and issubclass(model, BaseModel) else None


async def _http_exception(request: Request, error: HTTPException) -> Response:
    if error.status_code < HTTPStatus.BAD_REQUEST:
        return Response(status_code=error.status_code, headers=error.headers)
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return problem_response(MethodNotAllowedError(request.method, _allowed_methods(request)))
    if error.status_code == HTTPStatus.NOT_FOUND and error.detail == HTTPStatus.NOT_FOUND.phrase:
        return problem_response(NoSuchPathError(f"there is nothing at {request.url.path}; see /docs for all endpoints"))
    problem = problem_of_status(error.status_code)
    detail: object = error.detail  # FastAPI's HTTPException takes any JSON
    document = problem.document(detail if isinstance(detail, str) else problem.title)
    if not isinstance(detail, str):
        document["data"] = jsonable_encoder(detail)
    return document_response(document, error.headers or {})


def _allowed_methods(request: Request) -> list[str]:
    methods: set[str] = set()
    for route in iter_route_contexts(request.app.routes):
        if route.matches(request.scope)[0] is not Match.NONE:
            methods |= route.methods or {"GET", "HEAD"}  # mounted files can be read
    return sorted(methods)
