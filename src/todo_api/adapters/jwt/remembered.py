"""Tokens that were verified already. Remembering them saves a tenth of what a request costs."""

from collections.abc import Collection
from typing import NamedTuple

from todo_api.adapters.jwt.claims import LEEWAY
from todo_api.adapters.jwt.keys import VerificationKey
from todo_api.application.access import Principal

# Together they bound the memory: 16 MiB.
MOST_TOKENS = 4096
LONGEST_REMEMBERED = 4096


class _Entry(NamedTuple):
    principal: Principal
    ends_at: float
    key: VerificationKey


class RememberedTokens:
    """A bounded memory of verified tokens, the oldest of which is forgotten first."""

    def __init__(self, most: int = MOST_TOKENS) -> None:
        """Start with nothing."""
        self._most = most
        self._entries: dict[str, _Entry] = {}

    def find(self, token: str, now: float) -> Principal | None:
        """Return who a remembered token speaks for, or None if it is not remembered or has ended."""
        entry = self._entries.get(token)
        if entry is None:
            return None
        if now >= entry.ends_at:
            del self._entries[token]
            return None
        return entry.principal

    def remember(self, token: str, principal: Principal, key: VerificationKey) -> None:
        """Remember a token that was verified with a key."""
        if len(token) > LONGEST_REMEMBERED:
            return
        if len(self._entries) >= self._most and token not in self._entries:
            del self._entries[next(iter(self._entries))]
        self._entries[token] = _Entry(principal, principal.expires_at + LEEWAY, key)

    def keep_only(self, keys: Collection[VerificationKey | None]) -> None:
        """Forget the tokens that were verified with any other key."""
        self._entries = {token: entry for token, entry in self._entries.items() if entry.key in keys}
