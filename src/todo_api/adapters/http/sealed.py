"""Texts that clients pass back unread: their content with a digest of it, its purpose and its user, in base64url.

The digest finds damage, and texts that were made for other users. It is no secret: all that a forged text opens is
another place in the forger's own data.
"""

import base64
from hashlib import blake2b

_DIGEST_SIZE = 8


def seal(user_id: str, purpose: str, content: bytes) -> str:
    """Return the content as such a text."""
    return base64.urlsafe_b64encode(_digest(user_id, purpose, content) + content).rstrip(b"=").decode()


def unseal(user_id: str, purpose: str, text: str) -> bytes | None:
    """Return the content, or None if the text was not made by `seal` for this user and purpose."""
    try:
        raw = base64.b64decode(text.encode() + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return None
    content = raw[_DIGEST_SIZE:]
    # Compared as text: there are spellings of the last character that decode to the same.
    return content if seal(user_id, purpose, content) == text else None


def _digest(user_id: str, purpose: str, content: bytes) -> bytes:
    owner = blake2b(user_id.encode(), person=purpose.encode()).digest()
    return blake2b(content, digest_size=_DIGEST_SIZE, key=owner).digest()
