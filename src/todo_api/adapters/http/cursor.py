"""Cursors: where the next page of a list starts, and of which list."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import msgspec

from todo_api.adapters.http.sealed import seal, unseal
from todo_api.domain.listing import MAX_PAGE_SIZE, Order, Position, Sort, Status, TaskQuery
from todo_api.domain.text import is_storable

_PURPOSE = "list"


class _Content(msgspec.Struct, array_like=True):
    status: Status
    sort: Sort
    order: Order
    limit: int
    key: str
    id: UUID


def encode_cursor(user_id: str, query: TaskQuery, next_page: Position) -> str:
    """Return the cursor for the page of this user's list that starts behind the position."""
    key = next_page.key if isinstance(next_page.key, str) else next_page.key.isoformat()
    content = _Content(query.status, query.sort, query.order, query.limit, key, next_page.id)
    return seal(user_id, _PURPOSE, msgspec.json.encode(content))


def decode_cursor(user_id: str, cursor: str) -> TaskQuery | None:
    """Return the query for the page that the cursor names, or None if it is no cursor of this user."""
    content = unseal(user_id, _PURPOSE, cursor)
    try:
        return None if content is None else _query(msgspec.json.decode(content, type=_Content))
    except (ValueError, OverflowError, msgspec.MsgspecError):
        return None


def _query(content: _Content) -> TaskQuery | None:
    key = content.key if content.sort is Sort.TITLE else datetime.fromisoformat(content.key).astimezone(UTC)
    if not 1 <= content.limit <= MAX_PAGE_SIZE or not is_storable(content.key):
        return None
    query = TaskQuery(status=content.status, sort=content.sort, order=content.order, limit=content.limit)
    return replace(query, after=Position(key, content.id))


class _TrashContent(msgspec.Struct, array_like=True):
    limit: int
    deleted_at: datetime
    id: UUID


def encode_trash_cursor(user_id: str, limit: int, next_page: Position) -> str:
    """Return the cursor for the page of this user's trash that starts behind the position."""
    return seal(user_id, "trash", msgspec.json.encode([limit, next_page.key, next_page.id]))


def decode_trash_cursor(user_id: str, cursor: str) -> tuple[int, Position] | None:
    """Return the limit and the position that the cursor names, or None if it is no cursor of this user's trash."""
    content = unseal(user_id, "trash", cursor)
    try:
        return None if content is None else _trash_place(msgspec.json.decode(content, type=_TrashContent))
    except (OverflowError, msgspec.MsgspecError):
        return None


def _trash_place(content: _TrashContent) -> tuple[int, Position] | None:
    if not 1 <= content.limit <= MAX_PAGE_SIZE:
        return None
    return content.limit, Position(content.deleted_at.astimezone(UTC), content.id)
