"""Rules for text: allowed characters, lengths, and the sort key of titles."""

import unicodedata

from todo_api.domain.errors import InvalidValueError

TITLE_MAX_LENGTH = 500
DESCRIPTION_MAX_LENGTH = 10_000
TAG_MAX_LENGTH = 50
LIST_NAME_MAX_LENGTH = 100

# Together with a user id of 255 characters this fits into a PostgreSQL index entry (2,704 bytes).
SORT_KEY_MAX_BYTES = 1_500

NOT_STORABLE = "must not contain NUL characters or lone surrogates, such as half of an emoji"

# Control and format characters, and spaces. Unassigned characters may be new, and private ones have glyphs.
_BLANK_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp", "Zs"})
# Format characters with a glyph (Prepended_Concatenation_Mark).
_VISIBLE_FORMATS = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")
# Other characters without a glyph: Default_Ignorable_Code_Point (The Unicode Standard, section 5.21), Braille's blank.
_BLANK_CHARACTERS = frozenset(
    map(
        chr,
        (
            0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2065, 0x2800, 0x3164, 0xFFA0, 0xFFFC, 0x16FE4, 0x1D159,
            *range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xFFF0, 0xFFF9), *range(0xE0000, 0xE1000),
        ),
    )
)  # fmt: skip

# Letters that NFKD does not decompose, although readers expect them next to their base letters.
_BASE_LETTERS = str.maketrans(
    {"æ": "ae", "ð": "d", "đ": "d", "ħ": "h", "ı": "i", "ł": "l", "ŋ": "n", "ø": "o", "œ": "oe", "þ": "th", "ŧ": "t"}
)


def clean_title(title: str) -> str:
    """Return the title without surrounding white space.

    Raises:
        InvalidValueError: It has no visible character, is longer than 500 code points, or contains NUL or a lone
            surrogate.
    """
    return clean_visible(title, TITLE_MAX_LENGTH)


def clean_visible(text: str, max_length: int) -> str:
    """Return the text without surrounding white space.

    Raises:
        InvalidValueError: It has no visible character, is longer than `max_length` code points, or contains NUL or a
            lone surrogate.
    """
    text = _checked(text.strip(), max_length)
    if not any(map(_is_visible, text)):
        raise InvalidValueError("must contain a visible character")
    return text


def clean_description(description: str) -> str:
    """Return the description unchanged.

    Raises:
        InvalidValueError: It is longer than 10,000 code points, or contains NUL or a lone surrogate.
    """
    return _checked(description, DESCRIPTION_MAX_LENGTH)


def _checked(text: str, max_length: int) -> str:
    if len(text) > max_length:
        raise InvalidValueError(f"must have at most {max_length:,} characters, not {len(text):,}")
    if not is_storable(text):
        raise InvalidValueError(NOT_STORABLE)
    return text


def _is_visible(character: str) -> bool:
    if unicodedata.category(character) in _BLANK_CATEGORIES:
        return character in _VISIBLE_FORMATS
    return character not in _BLANK_CHARACTERS


def is_storable(text: str) -> bool:
    """Return whether PostgreSQL can store the text: UTF-8 without NUL."""
    if text.isascii():
        return "\0" not in text
    return not any(character == "\0" or "\ud800" <= character <= "\udfff" for character in text)


def sort_key(title: str) -> str:
    """Return the key that titles are sorted by: letters without case and accents, compared by code point.

    It uses compatibility decomposition and full case folding (The Unicode Standard, section 3.13), truncated to 1,500
    bytes. Titles with equal keys are sorted by id.
    """
    return folded(title).encode()[:SORT_KEY_MAX_BYTES].decode(errors="ignore")


def folded(text: str) -> str:
    """Return the text without case and accents. Marks without a combining class, such as vowel signs, stay."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    letters = "".join(character for character in decomposed if not unicodedata.combining(character))
    return letters.translate(_BASE_LETTERS)
