"""Cursors: where the next page of a list starts, and of which list, as text that clients pass back unread.

A cursor is the query as JSON with a digest of it and its user, in base64url. The digest finds damage and cursors of
other users; it is no secret, for all that a forged cursor opens is another place in the forger's own list.
"""

import base64
import binascii
from dataclasses import replace
from datetime import datetime
from hashlib import blake2b
from uuid import UUID

import msgspec

from todo_api.domain.listing import MAX_PAGE_SIZE, Order, Position, Sort, Status, TaskQuery
from todo_api.domain.text import is_storable

_DIGEST_SIZE = 8


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
    content = msgspec.json.encode(_Content(query.status, query.sort, query.order, query.limit, key, next_page.id))
    return base64.urlsafe_b64encode(_digest(user_id, content) + content).rstrip(b"=").decode()


def decode_cursor(user_id: str, cursor: str) -> TaskQuery | None:
    """Return the query for the page that the cursor names, or None if it is no cursor of this user."""
    try:
        raw = base64.b64decode(cursor.encode() + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        digest, content = raw[:_DIGEST_SIZE], raw[_DIGEST_SIZE:]
        if digest != _digest(user_id, content) or cursor != base64.urlsafe_b64encode(raw).rstrip(b"=").decode():
            return None
        return _query(msgspec.json.decode(content, type=_Content))
    except (ValueError, binascii.Error, msgspec.MsgspecError):
        return None


def _query(content: _Content) -> TaskQuery | None:
    key = content.key if content.sort is Sort.TITLE else datetime.fromisoformat(content.key)
    if not 1 <= content.limit <= MAX_PAGE_SIZE or not is_storable(content.key):
        return None
    if isinstance(key, datetime) and key.tzinfo is None:
        return None
    query = TaskQuery(status=content.status, sort=content.sort, order=content.order, limit=content.limit)
    return replace(query, after=Position(key, content.id))


def _digest(user_id: str, content: bytes) -> bytes:
    owner = blake2b(user_id.encode()).digest()
    return blake2b(content, digest_size=_DIGEST_SIZE, key=owner).digest()
