"""Pydantic's errors as the `errors` of a problem document."""

from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from todo_api.adapters.http.problems import FieldError, Location, MalformedJsonError, RequestError
from todo_api.adapters.http.schemas.fields import READ_ONLY

Model = TypeVar("Model", bound=BaseModel)

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
        return RequestError.at(location, location, f"has {len(errors):,} errors, too many to list")
    fields = model.model_fields if model else {}
    names = [name for name, field in fields.items() if field.annotation != READ_ONLY]
    found: dict[str, FieldError] = {}
    for item in errors:
        if item["type"] == "json_invalid":
            return MalformedJsonError.at(location, location, f"is not valid JSON: {item['ctx']['error']}")
        path = item["loc"][:1] if location == "query" else item["loc"]  # the values of a parameter have no numbers
        field = ".".join(map(str, path))[:_MAX_NAME_LENGTH] or location
        known = names if len(path) == 1 else ()
        found.setdefault(field, FieldError(location, field, _detail(field, item, known)))
    return RequestError.of(list(found.values()))


def validated(location: Location, model: type[Model], value: Any) -> Model:
    """Return the model of the value.

    Raises:
        RequestError: The value is not valid.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:  # the input may be long and private
        errors = error.errors(include_url=False, include_input=False)
        raise to_request_error(location, errors, model) from error


def _detail(field: str, item: Mapping[str, Any] | ErrorDetails, names: Collection[str]) -> str:
    match item["type"]:
        case "extra_forbidden":
            similar = get_close_matches(field.lower(), names, n=1)
            return "is not a field of this request" + (f"; did you mean {similar[0]}?" if similar else "")
        case "missing":
            return "is required" if item["loc"] else "must be a JSON object, such as {}; it is empty"
        case "model_type" | "model_attributes_type":
            return "must be a JSON object"
        case "too_long":
            return f"must have at most {item['ctx']['max_length']:,} items"
        case "value_error" if "ctx" in item:
            return str(item["ctx"]["error"])
    return str(item["msg"]).replace("Input should", "must", 1)
