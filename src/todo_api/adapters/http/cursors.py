"""Cursors: where the next page of a list starts, and which list it belongs to."""

from datetime import UTC, datetime
from typing import Annotated, Any, NamedTuple, TypeAlias, assert_never
from uuid import UUID

import msgspec
from pydantic import ValidationError

from todo_api.adapters.http.schemas.parameters import NO_FILTERS, FilterParameters
from todo_api.adapters.http.sealed import seal, unseal
from todo_api.domain.listing import MAX_PAGE_SIZE, Order, Position, Sort, SortKey, Status, TaskQuery
from todo_api.domain.task_changes import PRIORITIES
from todo_api.domain.text import is_storable

_Limit: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=MAX_PAGE_SIZE)]
_Rank: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=len(PRIORITIES) - 1)]
_TrashCursor: TypeAlias = tuple[_Limit, datetime, UUID]


class _ListCursor(msgspec.Struct, array_like=True):
    status: Status
    sort: Sort
    order: Order
    limit: _Limit
    key: str | int
    id: UUID
    filters: dict[str, Any] = {}  # as FilterParameters reads them; absent from cursors of lists without filters


class ListRequest(NamedTuple):
    """What a client asks for, or a cursor continues: the query of a page, and the filters as the client sent them."""

    query: TaskQuery
    filters: FilterParameters


def encode_cursor(user_id: str, query: TaskQuery, next_page: Position, filters: FilterParameters = NO_FILTERS) -> str:
    """Return the cursor for the page of this user's list that starts after the position."""
    content = [query.status, query.sort, query.order, query.limit, next_page.key, next_page.id]
    if given := filters.given():
        content.append(given)
    return seal(user_id, "list", msgspec.json.encode(content))


def decode_cursor(user_id: str, cursor: str) -> ListRequest | None:
    """Return what the cursor continues, or None if it is not a cursor of this user."""
    try:
        found = msgspec.json.decode(unseal(user_id, "list", cursor) or b"", type=_ListCursor)
        key: SortKey = _utc(msgspec.convert(found.key, _key_type(found.sort)))
        filters = FilterParameters.model_validate(found.filters) if found.filters else NO_FILTERS
    except (OverflowError, msgspec.MsgspecError, ValidationError):
        return None
    if isinstance(key, str) and not is_storable(key):
        return None
    after = Position(key, found.id)
    query = TaskQuery(
        status=found.status,
        sort=found.sort,
        order=found.order,
        limit=found.limit,
        after=after,
        filter=filters.task_filter(),
    )
    return ListRequest(query, filters)


def _key_type(sort: Sort) -> object:
    match sort:
        case Sort.TITLE | Sort.POSITION:
            return str
        case Sort.CREATED | Sort.DUE_DATE | Sort.UPDATED:
            return datetime
        case Sort.PRIORITY:
            return _Rank
    assert_never(sort)


def _utc(key: SortKey) -> SortKey:
    return key.astimezone(UTC) if isinstance(key, datetime) else key


def encode_trash_cursor(user_id: str, limit: int, next_page: Position) -> str:
    """Return the cursor for the page of this user's trash that starts after the position."""
    return seal(user_id, "trash", msgspec.json.encode([limit, next_page.key, next_page.id]))


def decode_trash_cursor(user_id: str, cursor: str) -> tuple[int, Position] | None:
    """Return the limit and the position of the cursor, or None if it is not a cursor of this user's trash."""
    try:
        limit, deleted_at, task_id = msgspec.json.decode(unseal(user_id, "trash", cursor) or b"", type=_TrashCursor)
        return limit, Position(_utc(deleted_at), task_id)
    except (OverflowError, msgspec.MsgspecError):
        return None
