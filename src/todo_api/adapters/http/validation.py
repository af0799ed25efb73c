"""What Pydantic finds wrong with a request, in words for people."""

from difflib import get_close_matches

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from todo_api.adapters.http.problems import FieldError, MalformedJsonError, RequestError
from todo_api.adapters.http.schemas import WRITABLE_FIELDS

_LONGEST_NAME = 100


def to_request_error(location: str, error: ValidationError) -> RequestError:
    """Return the error with one entry for each field, in the order in which they were found."""
    found: dict[str, FieldError] = {}
    for item in error.errors(include_url=False):
        if item["type"] == "json_invalid":
            return MalformedJsonError.of([FieldError(location, location, f"is not valid JSON: {item['ctx']['error']}")])
        field = ".".join(map(str, item["loc"]))[:_LONGEST_NAME] or location
        found.setdefault(field, FieldError(location, field, _detail(field, item)))
    return RequestError.of(list(found.values()))


def _detail(field: str, item: ErrorDetails) -> str:
    match item["type"]:
        case "extra_forbidden":
            similar = get_close_matches(field.lower(), WRITABLE_FIELDS, n=1)
            return "is no field of a task" + (f"; did you mean {similar[0]}?" if similar else "")
        case "missing":
            return "is required"
        case "model_type":
            return "must be a JSON object"
        case "value_error":
            return str(item["ctx"]["error"])
    return item["msg"].replace("Input should", "must", 1)
