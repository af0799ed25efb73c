"""Sync tokens: the point up to which a client has seen a user's changes."""

import re
from typing import Any
from uuid import UUID

from todo_api.adapters.http.problems import InvalidSyncTokenError, Location
from todo_api.adapters.http.sealed import seal, unseal
from todo_api.domain.changes import Changes, SyncPoint

_PURPOSE = "sync"
# The revision; within a first load or the changes of a batch, also the last id and the revision where the load began.
_CONTENT = re.compile(rb"([0-9]{1,18})(?:\.([0-9a-f]{32})\.([0-9]{1,18}))?")


def encode_sync_token(user_id: str, point: SyncPoint) -> str:
    """Return the token of the point. It is always the same for the same point and user."""
    content = str(point.revision)
    if point != SyncPoint(point.revision):
        content += f".{point.id.hex}.{point.began}"
    return seal(user_id, _PURPOSE, content.encode())


def read_sync_token(user_id: str, token: str, location: Location, field: str) -> SyncPoint:
    """Return the point of the token in this field of the request.

    Raises:
        InvalidSyncTokenError: It is not a token of this user.
    """
    content = _CONTENT.fullmatch(unseal(user_id, _PURPOSE, token) or b"")
    if content is None:
        detail = "is damaged or is not yours: start again without it"
        raise InvalidSyncTokenError.at(location, field, detail)
    revision, last, began = content.groups()
    return SyncPoint(int(revision)) if last is None else SyncPoint(int(revision), UUID(last.decode()), int(began))


def changes_document(user_id: str, found: Changes) -> dict[str, Any]:
    """Return the changes as `schemas.Changes` describes them, for msgspec to encode."""
    return {
        "tasks": found.tasks,
        "deleted": found.deleted,
        "lists": found.lists,
        "deleted_lists": found.deleted_lists,
        "next": encode_sync_token(user_id, found.next),
        "has_more": found.more,
    }
