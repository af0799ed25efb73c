"""Idempotency keys: the first result of a request is stored under the client's key, and returned to every retry."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, Protocol, TypeVar

KEY_LIFETIME = timedelta(hours=24)  # older results are ignored, and purged

T = TypeVar("T")


class ResultCodec(Protocol[T]):
    """Turns a result into bytes that a store can keep, and back.

    The caller decides what a result is and how it is encoded; stores keep the bytes unchanged.
    """

    def encode(self, result: T) -> bytes:
        """Return the bytes to keep."""
        ...

    def decode(self, kept: bytes) -> T:
        """Return the result that was passed to `encode`."""
        ...


@dataclass(frozen=True, slots=True)
class IdempotencyKey(Generic[T]):
    """The key that a client gave a request.

    Attributes:
        key: The key. Each user has a separate set of keys.
        fingerprint: A digest of the request. The same key with another fingerprint is a client's mistake.
        codec: How the result is encoded.
    """

    key: str
    fingerprint: bytes
    codec: ResultCodec[T]


@dataclass(frozen=True, slots=True)
class Edited(Generic[T]):
    """The result of an edit, and whether it is the stored result of an earlier request with the same key."""

    result: T
    replayed: bool
