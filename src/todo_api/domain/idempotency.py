"""Requests that may come again: a client that does not know whether its request arrived sends it once more."""

from dataclasses import dataclass
from datetime import datetime, timedelta

KEY_LIFETIME = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """What a client names a request by, so that it may send it again.

    Attributes:
        key: The client's name for the request; keys of different users are different.
        fingerprint: A digest of the request: the same key with another one is a mistake.
        kept_since: Answers from before this instant of UTC are forgotten.
    """

    key: str
    fingerprint: bytes
    kept_since: datetime


@dataclass(frozen=True, slots=True)
class Edited:
    """What to answer to an edit, and whether it was done before, at an earlier request with its key."""

    answer: bytes
    replayed: bool
