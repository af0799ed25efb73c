"""The rules for what people write: which characters, how long, and in which order titles are sorted."""

import unicodedata

from todo_api.domain.errors import InvalidValueError

TITLE_MAX_LENGTH = 500
DESCRIPTION_MAX_LENGTH = 10_000

# Together with a user id of 255 characters this stays below what PostgreSQL can index (2,704 bytes an entry).
SORT_KEY_MAX_BYTES = 1_500

# Letters that Unicode does not take apart into a letter and an accent, though readers look for them there.
_PLAIN_LETTERS = str.maketrans(
    {"æ": "ae", "ð": "d", "đ": "d", "ħ": "h", "ı": "i", "ł": "l", "ŋ": "n", "ø": "o", "œ": "oe", "þ": "th", "ŧ": "t"}
)


def clean_title(title: str) -> str:
    """Return the title without the white space around it.

    Raises:
        InvalidValueError: It is empty, longer than 500 code points, or has a NUL or a lone surrogate.
    """
    title = title.strip()
    if not title:
        raise InvalidValueError("must have a character that is no white space")
    return _checked(title, TITLE_MAX_LENGTH)


def clean_description(description: str) -> str:
    """Return the description as it is.

    Raises:
        InvalidValueError: It is longer than 10,000 code points, or has a NUL or a lone surrogate.
    """
    return _checked(description, DESCRIPTION_MAX_LENGTH)


def _checked(text: str, max_length: int) -> str:
    if len(text) > max_length:
        raise InvalidValueError(f"must have at most {max_length:,} characters, not {len(text):,}")
    if not is_storable(text):
        raise InvalidValueError("must not have NUL characters or lone surrogates")
    return text


def is_storable(text: str) -> bool:
    """Say whether the text can be written as UTF-8 without NUL, which is what PostgreSQL keeps."""
    if text.isascii():
        return "\0" not in text
    return not any(character == "\0" or "\ud800" <= character <= "\udfff" for character in text)


def sort_key(title: str) -> str:
    """Return what to compare instead of the title: its letters without case and accents, by code point.

    Compatibility decomposition and full case folding as in Unicode's caseless matching (The Unicode Standard, 3.13),
    cut to what a database can index. Titles with equal keys are told apart by their ids.
    """
    if title.isascii():
        return title.lower()
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", title).casefold())
    letters = "".join(character for character in folded if not unicodedata.combining(character))
    return letters.translate(_PLAIN_LETTERS).encode()[:SORT_KEY_MAX_BYTES].decode(errors="ignore")
