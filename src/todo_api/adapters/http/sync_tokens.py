"""Sync tokens: how far a client's copy of a user's tasks has come."""

import re
from uuid import UUID

from todo_api.adapters.http.sealed import seal, unseal
from todo_api.domain.changes import SyncPoint

_PURPOSE = "sync"
# The revision, and in the middle of a load or of a batch's changes, the last id and where the load began.
_CONTENT = re.compile(rb"([0-9]{1,18})(?:\.([0-9a-f]{32})\.([0-9]{1,18}))?")


def encode_sync_token(user_id: str, point: SyncPoint) -> str:
    """Return the token of the point; the same point of the same user always has the same one."""
    content = str(point.revision)
    if point != SyncPoint(point.revision):
        content += f".{point.id.hex}.{point.began}"
    return seal(user_id, _PURPOSE, content.encode())


def decode_sync_token(user_id: str, token: str) -> SyncPoint | None:
    """Return the point that the token names, or None if it is no token of this user."""
    content = _CONTENT.fullmatch(unseal(user_id, _PURPOSE, token) or b"")
    if content is None:
        return None
    revision, last, began = content.groups()
    return SyncPoint(int(revision)) if last is None else SyncPoint(int(revision), UUID(last.decode()), int(began))
