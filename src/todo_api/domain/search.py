"""The words of tasks, which searches find by their beginnings.

Stores keep the words that this module makes and compare them character by character, so that all stores find the same.
"""

import re
import unicodedata
from collections.abc import Collection
from itertools import pairwise

from todo_api.domain.text import folded

QUERY_MAX_LENGTH = 200
WORD_MAX_LENGTH = 40

# Scripts that are written without spaces (The Unicode Standard, section 6.1; line breaking classes ID and SA).
_WITHOUT_SPACES = "".join(
    f"{chr(first)}-{chr(last)}"
    for first, last in (
        (0x0E00, 0x0EFF),  # Thai, Lao
        (0x1000, 0x109F), (0xA9E0, 0xA9FF), (0xAA60, 0xAA7F),  # Myanmar
        (0x1780, 0x17FF),  # Khmer
        (0x1950, 0x19DF), (0x1A20, 0x1AAF), (0xAA80, 0xAADF), (0x11700, 0x1174F),  # Tai scripts
        (0x2E80, 0x2FDF), (0x3003, 0x3007), (0x3021, 0x303C), (0x3400, 0x4DBF), (0x4E00, 0x9FFF),  # Han
        (0xF900, 0xFAFF), (0x20000, 0x3FFFF),  # Han
        (0x3040, 0x30FF), (0x31F0, 0x31FF), (0x1AFF0, 0x1B16F),  # Hiragana, Katakana
        (0x3100, 0x312F), (0x31A0, 0x31BF),  # Bopomofo
        (0x16FE0, 0x18DFF), (0x1B170, 0x1B2FF),  # Tangut, Khitan, Nushu
    )
)  # fmt: skip

_ASCII_WORD = re.compile(rf"([0-9a-z]{{1,{WORD_MAX_LENGTH}}})[0-9a-z]*")
_WORD = re.compile(rf"(?=\w)[{_WITHOUT_SPACES}]|[^\W_{_WITHOUT_SPACES}]+")
_OTHER_DIGIT = re.compile(r"[^\D0-9]")
_NO_LETTER_OR_DIGIT = re.compile(r"[^\w\x00-\x7f]")
_ZERO_WIDTH_SPACE = "\u200b"

# Syllables of Hangul are found while they are typed: a final consonant may become the next initial, and a vowel or a
# final may get a second part. So finals are written as initials, and what has two parts as two letters.
_FINALS = "ㄱ ㄲ ㄱㅅ ㄴ ㄴㅈ ㄴㅎ ㄷ ㄹ ㄹㄱ ㄹㅁ ㄹㅂ ㄹㅅ ㄹㅌ ㄹㅍ ㄹㅎ ㅁ ㅂ ㅂㅅ ㅅ ㅆ ㅇ ㅈ ㅊ ㅋ ㅌ ㅍ ㅎ"
_VOWELS = {"ㅘ": "ㅗㅏ", "ㅙ": "ㅗㅐ", "ㅚ": "ㅗㅣ", "ㅝ": "ㅜㅓ", "ㅞ": "ㅜㅔ", "ㅟ": "ㅜㅣ", "ㅢ": "ㅡㅣ"}
_LETTERS: dict[int, str] = {
    **{0x11A8 + i: unicodedata.normalize("NFKD", letters) for i, letters in enumerate(_FINALS.split())},
    **{
        ord(unicodedata.normalize("NFKD", vowel)): unicodedata.normalize("NFKD", parts)
        for vowel, parts in _VOWELS.items()
    },
    # Letters to Unicode that readers do not see as such: Hangul fillers, the Arabic tatweel, apostrophes and accents.
    **dict.fromkeys((0x115F, 0x1160, 0x0640), ""),
    **dict.fromkeys((*range(0x02B9, 0x02D2), 0x02EC, 0x02EE), " "),
}


def words(*texts: str) -> str:
    """Return the distinct words of the texts, sorted, with a space before and after each; nothing if there is none.

    A word is letters and digits, without case, accents and other marks, cut to 40 characters. Digits of all scripts
    are 0 to 9. In scripts that are written without spaces, each character is a word.
    """
    found = sorted(_split(" ".join(texts)))
    return f" {' '.join(found)} " if found else ""


def query_words(q: str) -> tuple[str, ...]:
    """Return the beginnings of words to look for: the words of the query, without those that begin another one."""
    found = sorted(_split(q))
    return tuple(word for word, after in pairwise((*found, "")) if not after.startswith(word))


def matches(stored: str, beginnings: Collection[str]) -> bool:
    """Return whether each of the beginnings begins one of the words; nothing matches if there are none.

    Beginnings have letters and digits only, and so nothing that LIKE gives a meaning to.
    """
    return bool(beginnings) and all(f" {beginning}" in stored for beginning in beginnings)


def _split(text: str) -> set[str]:
    letters = folded(text)
    if letters.isascii():
        return set(_ASCII_WORD.findall(letters))
    letters = _OTHER_DIGIT.sub(lambda digit: str(unicodedata.decimal(digit[0])), letters.translate(_LETTERS))
    letters = _NO_LETTER_OR_DIGIT.sub(lambda character: "" if _is_inside_words(character[0]) else " ", letters)
    return {word[:WORD_MAX_LENGTH] for word in _WORD.findall(letters)}


def _is_inside_words(character: str) -> bool:
    """Return whether it is a mark or a format character: no word ends there (Unicode Standard Annex 29)."""
    return unicodedata.category(character) in {"Mn", "Mc", "Me", "Cf"} and character != _ZERO_WIDTH_SPACE
