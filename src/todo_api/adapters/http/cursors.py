"""Cursors: the position where the next page of a list starts, and the list that it belongs to."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import assert_never
from uuid import UUID

import msgspec

from todo_api.adapters.http.sealed import seal, unseal
from todo_api.domain.listing import MAX_PAGE_SIZE, Order, Position, Sort, SortKey, Status, TaskQuery
from todo_api.domain.text import is_storable


class _ListCursor(msgspec.Struct, array_like=True):
    status: Status
    sort: Sort
    order: Order
    limit: int
    key: str
    id: UUID


class _TrashCursor(msgspec.Struct, array_like=True):
    limit: int
    deleted_at: datetime
    id: UUID


def encode_cursor(user_id: str, query: TaskQuery, next_page: Position) -> str:
    """Return the cursor for the page of this user's list that starts after the position."""
    key = msgspec.to_builtins(next_page.key)
    content = _ListCursor(query.status, query.sort, query.order, query.limit, key, next_page.id)
    return seal(user_id, "list", msgspec.json.encode(content))


def decode_cursor(user_id: str, cursor: str) -> TaskQuery | None:
    """Return the query for the page that the cursor starts, or None if it is not a cursor of this user."""
    content = unseal(user_id, "list", cursor)
    try:
        return None if content is None else _query(msgspec.json.decode(content, type=_ListCursor))
    except (OverflowError, msgspec.MsgspecError):
        return None


def _query(cursor: _ListCursor) -> TaskQuery | None:
    if not 1 <= cursor.limit <= MAX_PAGE_SIZE or not is_storable(cursor.key):
        return None
    key = _utc(msgspec.convert(cursor.key, _key_type(cursor.sort)))
    query = TaskQuery(status=cursor.status, sort=cursor.sort, order=cursor.order, limit=cursor.limit)
    return replace(query, after=Position(key, cursor.id))


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
    content = unseal(user_id, "trash", cursor)
    try:
        return None if content is None else _trash_position(msgspec.json.decode(content, type=_TrashCursor))
    except (OverflowError, msgspec.MsgspecError):
        return None


def _trash_position(cursor: _TrashCursor) -> tuple[int, Position] | None:
    if not 1 <= cursor.limit <= MAX_PAGE_SIZE:
        return None
    return cursor.limit, Position(_utc(cursor.deleted_at), cursor.id)
