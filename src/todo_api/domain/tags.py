"""Tags: short texts on tasks. A tag exists while a task has it."""

import unicodedata
from collections.abc import Sequence
from typing import TypeAlias

from todo_api.domain.errors import InvalidValueError
from todo_api.domain.text import TAG_MAX_LENGTH, clean_visible

MAX_TAGS = 20

Tags: TypeAlias = tuple[str, ...]


def clean_tag(tag: str) -> str:
    """Return the tag without surrounding white space.

    Raises:
        InvalidValueError: It has no visible character, is longer than 50 code points, or contains NUL or a lone
            surrogate.
    """
    return clean_visible(tag, TAG_MAX_LENGTH)


def clean_tags(tags: Sequence[str]) -> Tags:
    """Return the trimmed tags in their order. Of several equal ones, the first stays.

    Raises:
        InvalidValueError: A tag breaks a rule, or there are more than 20.
    """
    found: dict[str, str] = {}
    for tag in map(clean_tag, tags):
        found.setdefault(tag_key(tag), tag)
    if len(found) > MAX_TAGS:
        raise InvalidValueError(f"must have at most {MAX_TAGS} tags, not {len(found):,}")
    return tuple(found.values())


def tag_key(tag: str) -> str:
    """Return what tags are compared by: the case-folded text in NFC (The Unicode Standard, section 3.13)."""
    if tag.isascii():
        return tag.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", tag).casefold())


def renamed(tags: Tags, key: str, name: str | None) -> Tags:
    """Return the tags with the one of this key renamed, or removed if `name` is None."""
    return clean_tags([tag if tag_key(tag) != key else name for tag in tags if tag_key(tag) != key or name is not None])  # type: ignore[misc] # no None is left
