"""What Schemathesis generates: cases whose validity the OpenAPI document cannot tell."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from schemathesis import Case

from todo_api.domain.errors import InvalidValueError
from todo_api.domain.text import clean_title


def depends_on_what_is_there(case: "Case[Any]") -> bool:
    """Return whether validity depends on stored data: schemas cannot describe cursors, tasks and their revisions."""
    given = {*(case.query or {}), *(case.headers or {})}
    conditions = {"cursor", "since", "lastEventId", "Last-Event-ID", "If-Match", "If-None-Match", "Idempotency-Key"}
    return case.path.endswith("/batch") or not conditions.isdisjoint(given)


def loses_values(case: "Case[Any]") -> bool:
    """Return whether the URL loses empty lists or objects: a query with one is sent without it, and is valid."""
    return any(value is None or value in ([], {}) for value in (case.query or {}).values())


def has_what_no_schema_can_describe(case: "Case[Any]") -> bool:
    """Return whether it has a value that may be invalid although it has the form that the document asks for."""
    body = case.body if isinstance(case.body, dict) else {}
    query = case.query or {}
    days = [body.get("due_date"), query.get("due_from"), query.get("due_before")]
    return (
        "time_zone" in query  # there is a database of them
        or body.get("list_id") is not None  # it must be there
        or body.get("recurrence") is not None  # rules have a grammar, and need a due date
        or not all(map(is_day_that_exists, days))
        or not all(map(has_something_to_see, _texts(case, body, query)))
        or not _have_different_ids(body.get("checklist"))
    )


def _texts(case: "Case[Any]", body: dict[str, Any], query: dict[str, Any]) -> Iterator[object]:
    """Yield the titles, names and tags."""
    yield from (body.get("title"), body.get("name"), (case.path_parameters or {}).get("tag"))
    for tags in (body.get("tags"), query.get("tag")):
        yield from tags if isinstance(tags, list) else [tags]
    yield from (item.get("title") for item in _items(body.get("checklist")))


def _items(checklist: object) -> list[dict[str, Any]]:
    return [item for item in checklist if isinstance(item, dict)] if isinstance(checklist, list) else []


def _have_different_ids(checklist: object) -> bool:
    ids = [str(item["id"]).lower() for item in _items(checklist) if "id" in item]
    return len(set(ids)) == len(ids)


def is_day_that_exists(due_date: object) -> bool:
    """Return whether it is no string, or a time in the years 2 to 9998: a schema has no calendar."""
    try:
        return not isinstance(due_date, str) or 2 <= datetime.fromisoformat(due_date.upper()).year <= 9998
    except ValueError:
        return False


def has_something_to_see(title: object) -> bool:
    """Return whether it is no string, or a title with a visible character: a schema cannot list the invisible ones."""
    try:
        return not isinstance(title, str) or bool(clean_title(title))
    except InvalidValueError:
        return False
