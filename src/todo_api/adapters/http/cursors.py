"""Cursors: where the next page of a list starts, and which list it belongs to."""

from datetime import UTC, datetime
from typing import Annotated, TypeAlias, assert_never
from uuid import UUID

import msgspec

from todo_api.adapters.http.sealed import seal, unseal
from todo_api.domain.listing import MAX_PAGE_SIZE, Order, Position, Sort, SortKey, Status, TaskQuery
from todo_api.domain.text import is_storable

_Limit: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=MAX_PAGE_SIZE)]
_TrashCursor: TypeAlias = tuple[_Limit, datetime, UUID]


class _ListCursor(msgspec.Struct, array_like=True):
    status: Status
    sort: Sort
    order: Order
    limit: _Limit
    key: str
    id: UUID


def encode_cursor(user_id: str, query: TaskQuery, next_page: Position) -> str:
    """Return the cursor for the page of this user's list that starts after the position."""
    key = msgspec.to_builtins(next_page.key)
    content = _ListCursor(query.status, query.sort, query.order, query.limit, key, next_page.id)
    return seal(user_id, "list", msgspec.json.encode(content))


def decode_cursor(user_id: str, cursor: str) -> TaskQuery | None:
    """Return the query for the page that the cursor starts, or None if it is not a cursor of this user."""
    try:
        found = msgspec.json.decode(unseal(user_id, "list", cursor) or b"", type=_ListCursor)
        key = _utc(msgspec.convert(found.key, _key_type(found.sort)))
    except (OverflowError, msgspec.MsgspecError):
        return None
    if not is_storable(found.key):
        return None
    after = Position(key, found.id)
    return TaskQuery(status=found.status, sort=found.sort, order=found.order, limit=found.limit, after=after)


def _key_type(sort: Sort) -> type[SortKey]:
    match sort:
        case Sort.TITLE:
            return str
        case Sort.CREATED | Sort.DUE_DATE:
            return datetime
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
