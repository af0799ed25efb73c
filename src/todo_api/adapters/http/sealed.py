"""Opaque strings for clients: content with a digest of the content, its purpose and its user, in base64url.

The digest detects damage, and strings of other users. It is not a signature: a forged string can only point to another
place in the forger's own data.
"""

import base64
from hashlib import blake2b

_DIGEST_SIZE = 8


def seal(user_id: str, purpose: str, content: bytes) -> str:
    return base64.urlsafe_b64encode(_digest(user_id, purpose, content) + content).rstrip(b"=").decode()


def unseal(user_id: str, purpose: str, text: str) -> bytes | None:
    """Return the content, or None if `seal` did not create the text for this user and purpose."""
    try:
        raw = base64.b64decode(text.encode() + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return None
    content = raw[_DIGEST_SIZE:]
    # Compared as text, because different last characters can decode to the same bytes.
    return content if seal(user_id, purpose, content) == text else None


def _digest(user_id: str, purpose: str, content: bytes) -> bytes:
    owner = blake2b(user_id.encode(), person=purpose.encode()).digest()
    return blake2b(content, digest_size=_DIGEST_SIZE, key=owner).digest()
