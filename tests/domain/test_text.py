import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from todo_api.domain.errors import InvalidValueError
from todo_api.domain.text import (
    SORT_KEY_MAX_BYTES,
    clean_description,
    clean_title,
    is_storable,
    sort_key,
)

FILLERS = {
    *"\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufffc\U0001d159\U00016fe4 ",
    *map(chr, (*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))),
}
titles = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=40)


@given(st.text(max_size=20))
def test_a_title_is_trimmed_or_refused(text: str) -> None:
    try:
        title = clean_title(text)
    except InvalidValueError:
        assert not is_storable(text) or not any(map(str.isprintable, text.strip())) or set(text.strip()) <= FILLERS
    else:
        assert title == text.strip() != ""
        title.encode()
        assert "\0" not in title
        assert clean_title(title) == title


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "\t\r\n", "\u00a0\u2003\u3000", "\u200b", "\u200b \ufeff\u2060", "\x01\x7f", "\u202e\u2066", "\u00ad",
        "\u3164", "\u115f\u1160", "\uffa0", "\u2800", "\ufe0f", "\u034f", "\u180b", "\U000e0100", "\U000e0041",
        "\ufffc", "\U0001d159",
    ],
)  # fmt: skip
def test_a_title_with_nothing_to_see_is_refused(text: str) -> None:
    with pytest.raises(InvalidValueError, match="must contain a visible character"):
        clean_title(text)


@pytest.mark.parametrize("text", [".", "\u0301", "👨\u200d👩", "✔\ufe0f", "\ue000", "\U0003fffd", "ᄀ", "☐"])
def test_a_title_with_something_to_see_is_kept(text: str) -> None:
    assert clean_title(text) == text


def test_white_space_inside_a_title_stays() -> None:
    assert clean_title("\u3000 a \n  b\u200b ") == "a \n  b\u200b"


@pytest.mark.parametrize("character", ["a", "é", "日", "\U0001f600"])
def test_lengths_are_counted_in_code_points_after_trimming(character: str) -> None:
    assert clean_title(" " * 9 + character * 500 + " " * 9) == character * 500
    assert clean_description(character * 10_000) == character * 10_000
    with pytest.raises(InvalidValueError, match="must have at most 500 characters, not 501"):
        clean_title(character * 501)
    with pytest.raises(InvalidValueError, match="must have at most 10,000 characters, not 10,001"):
        clean_description(character * 10_001)


def test_a_combining_accent_counts_as_a_code_point() -> None:
    with pytest.raises(InvalidValueError):
        clean_title("e\u0301" * 251)


@pytest.mark.parametrize("text", ["a\0b", "é\0", "\ud800", "a\udfff", "\udbff\udfffx", "\ud83d\ude00"])
def test_nul_and_surrogates_are_refused(text: str) -> None:
    assert not is_storable(text)
    for clean in (clean_title, clean_description):
        with pytest.raises(InvalidValueError, match="must not contain NUL characters or lone surrogates"):
            clean(text)


@given(st.text(max_size=8))
@example("\ud7ff\ue000\uffff\U00010000\U0010ffff")
def test_text_is_storable_if_utf_8_can_encode_it_without_nul(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        encodable = False
    else:
        encodable = True
    assert is_storable(text) == (encodable and "\0" not in text)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30))
def test_a_description_is_not_changed(text: str) -> None:
    assert clean_description(text) == text


@given(titles)
@example("\ufdfa" * 500)
@example("𝔘" * 500)
@example("日" * 501)
def test_a_sort_key_is_bounded_and_can_be_stored(title: str) -> None:
    assert len(sort_key(title).encode()) <= SORT_KEY_MAX_BYTES
    assert is_storable(sort_key(title))


@given(titles)
def test_a_sort_key_is_its_own_sort_key(title: str) -> None:
    """Otherwise equal titles would have different keys."""
    key = sort_key(title)
    assert sort_key(key) == key


@given(titles)
@example("ǆ")
@example("ﬁ")
@example("Å")
def test_a_sort_key_does_not_depend_on_normal_forms(title: str) -> None:
    assert {sort_key(unicodedata.normalize(form, title)) for form in ("NFC", "NFD", "NFKC", "NFKD")} == {
        sort_key(title)
    }


@given(titles)
@example("ß")
@example("ΑΣ")
def test_a_sort_key_does_not_depend_on_case(title: str) -> None:
    assert sort_key(title.casefold()) == sort_key(title)


@pytest.mark.parametrize(
    ("title", "key"),
    [
        ("Buy Milk", "buy milk"),
        ("ÉCLAIR", "eclair"),
        ("e\u0301clair", "eclair"),
        ("Straße", "strasse"),
        ("ﬁn", "fin"),
        ("Łódź", "lodz"),
        ("Þór", "thor"),
        ("ÆØÅ", "aeoa"),
        ("Œuvre", "oeuvre"),
        ("Ι\u0313", "ι"),
        ("１２", "12"),
        ("İstanbul", "istanbul"),
        ("ısı", "isi"),
        ("日本", "日本"),
    ],
)
def test_a_sort_key_has_neither_case_nor_accents(title: str, key: str) -> None:
    assert sort_key(title) == key


def test_a_truncated_sort_key_ends_with_a_whole_character() -> None:
    assert sort_key("a" + "日" * 500) == "a" + "日" * 499


@given(titles, titles)
def test_sort_keys_compare_in_python_as_their_bytes_do_in_the_database(one: str, other: str) -> None:
    keys = sort_key(one), sort_key(other)
    assert (keys[0] < keys[1]) == (keys[0].encode() < keys[1].encode())
