"""What Pydantic finds wrong with a request, in words for people."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from fastapi.exceptions import RequestValidationError

from todo_api.adapters.http.problems import FieldError, RequestError
from todo_api.adapters.http.schemas import WRITABLE_FIELDS

_LONGEST_NAME = 100


def to_request_error(error: RequestValidationError) -> RequestError:
    """Return the error with one entry for each field, in the order in which they were found."""
    found: dict[tuple[str, str], FieldError] = {}
    for item in error.errors():
        location, field = str(item["loc"][0]), ".".join(map(str, item["loc"][1:])) or "body"
        field = field[:_LONGEST_NAME]
        found.setdefault((location, field), FieldError(location, field, _detail(field, item)))
    return RequestError.of(list(found.values()))


def _detail(field: str, item: Mapping[str, Any]) -> str:
    if item["type"] == "extra_forbidden":
        similar = get_close_matches(field.lower(), WRITABLE_FIELDS, n=1)
        return "is no field of a task" + (f"; did you mean {similar[0]}?" if similar else "")
    if item["type"] == "missing":
        return "is required"
    if item["type"] == "value_error":
        return str(item["ctx"]["error"])
    return str(item["msg"]).replace("Input should", "must", 1)
