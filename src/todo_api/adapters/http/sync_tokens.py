"""Sync tokens: up to which revision a client has seen a user's tasks."""

from todo_api.adapters.http.sealed import seal, unseal

_PURPOSE = "sync"
_LONGEST = 18  # digits: more do not fit into 64 bits


def encode_sync_token(user_id: str, revision: int) -> str:
    """Return the token of the revision; the same revision of the same user always has the same one."""
    return seal(user_id, _PURPOSE, str(revision).encode())


def decode_sync_token(user_id: str, token: str) -> int | None:
    """Return the revision that the token names, or None if it is no token of this user."""
    content = unseal(user_id, _PURPOSE, token)
    return int(content) if content and content.isdigit() and len(content) <= _LONGEST else None
