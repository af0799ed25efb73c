"""What Pydantic finds wrong with a request, in words for people."""

from collections.abc import Collection
from difflib import get_close_matches

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from todo_api.adapters.http.problems import FieldError, MalformedJsonError, RequestError

_LONGEST_NAME = 100
_MOST_FAULTS = 50  # to find words for more would take longer than such a request deserves


def to_request_error(location: str, error: ValidationError, fields: Collection[str]) -> RequestError:
    """Return the error with one entry for each field, in the order in which they were found.

    The `fields` are those that the caller may have meant.
    """
    if error.error_count() > _MOST_FAULTS:
        return RequestError.of(
            [FieldError(location, location, f"has {error.error_count():,} faults, too many to name")]
        )
    found: dict[str, FieldError] = {}
    for item in error.errors(include_url=False, include_input=False):
        if item["type"] == "json_invalid":
            return MalformedJsonError.of([FieldError(location, location, f"is not valid JSON: {item['ctx']['error']}")])
        field = ".".join(map(str, item["loc"]))[:_LONGEST_NAME] or location
        found.setdefault(field, FieldError(location, field, _detail(field, item, fields)))
    return RequestError.of(list(found.values()))


def _detail(field: str, item: ErrorDetails, fields: Collection[str]) -> str:
    match item["type"]:
        case "extra_forbidden":
            similar = get_close_matches(field.lower(), fields, n=1)
            return "is no field of this call" + (f"; did you mean {similar[0]}?" if similar else "")
        case "missing":
            return "is required"
        case "model_type":
            return "must be a JSON object"
        case "value_error":
            return str(item["ctx"]["error"])
    return item["msg"].replace("Input should", "must", 1)
