"""Pydantic's errors as the `errors` of a problem document."""

from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from todo_api.adapters.http.problems import FieldError, Location, MalformedJsonError, RequestError
from todo_api.adapters.http.schemas.fields import READ_ONLY

_MAX_NAME_LENGTH = 100
_MAX_ERRORS = 50  # describing more would take too long


def to_request_error(
    location: Location, errors: Sequence[Mapping[str, Any] | ErrorDetails], model: type[BaseModel] | None = None
) -> RequestError:
    """Return the error for these errors of Pydantic, with one entry for each field.

    Args:
        location: Where the fields are.
        errors: The errors, each with a `loc` inside the location.
        model: The model that was validated; unknown fields are compared with its fields.
    """
    if len(errors) > _MAX_ERRORS:
        return RequestError.of([FieldError(location, location, f"has {len(errors):,} errors, too many to list")])
    names = _writable_fields(model) if model else ()
    found: dict[str, FieldError] = {}
    for item in errors:
        if item["type"] == "json_invalid":
            return MalformedJsonError.of([FieldError(location, location, f"is not valid JSON: {item['ctx']['error']}")])
        field = ".".join(map(str, item["loc"]))[:_MAX_NAME_LENGTH] or location
        found.setdefault(field, FieldError(location, field, _detail(field, item, names)))
    return RequestError.of(list(found.values()))


def errors_of(error: ValidationError) -> list[ErrorDetails]:
    """Return the errors without the input, which may be long and private."""
    return error.errors(include_url=False, include_input=False)


def _writable_fields(model: type[BaseModel]) -> Collection[str]:
    return [name for name, field in model.model_fields.items() if field.annotation != READ_ONLY]


def _detail(field: str, item: Mapping[str, Any] | ErrorDetails, names: Collection[str]) -> str:
    match item["type"]:
        case "extra_forbidden":
            similar = get_close_matches(field.lower(), names, n=1)
            return "is not a field of this request" + (f"; did you mean {similar[0]}?" if similar else "")
        case "missing":
            return "is required" if item["loc"] else "must be a JSON object, such as {}; it is empty"
        case "model_type" | "model_attributes_type":
            return "must be a JSON object"
        case "value_error":
            return str(item["ctx"]["error"])
    return str(item["msg"]).replace("Input should", "must", 1)
