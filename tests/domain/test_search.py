import sys
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from todo_api.domain.search import WORD_MAX_LENGTH, matches, query_words, words
from todo_api.domain.text import folded, is_storable

# Text that Hypothesis would rarely make: many scripts, ligatures, signs, and characters that begin or end no word.
SAMPLES = (
    "Straße ﬁn İstanbul ısı Łódź ŒUVRE Ａ１ｶﾞ ǆ ᾳ\u0301 n\u0303 한국어 값 과ㅎㄳ किताब หนังสือ 日本語 漢字かな ខ្មែរ မြန်မာ"
    " مُحَمَّد ٣٤ שָׁלוֹם a_b don't d’un пʼять 👨\u200d👩 1\ufe0f\u20e3 ½ m² ⅷ"
    " \u0301x \u0345 a\u00adb c\u200dd e\u200bf \u3164"
)
texts = st.lists(
    st.one_of(st.sampled_from(SAMPLES), st.characters(codec="utf-8", exclude_characters="\0")), max_size=30
).map("".join)


def found(q: str, *content: str) -> bool:
    return matches(words(*content), query_words(q))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Buy milk, buy bread!", " bread buy milk "),
        ("", ""),
        (" \t\n.-_!%\\", ""),
        ("snake_case and kebab-case", " and case kebab snake "),
        ("v1.2 100%", " 100 2 v1 "),
        ("don't d’un l'École", " d don ecole l t un "),
        ("п'ять п’ять пʼять", " п ять "),
        ("aˮb ˬc ˣ", " a b c x "),
        ("Straße STRASSE", " strasse "),
        ("İstanbul ısı", " isi istanbul "),
        ("ﬁn ŒUVRE Łódź", " fin lodz oeuvre "),
        ("Ｆｕｌｌ　１２", " 12 full "),
        ("e\u0301clair éclair", " eclair "),
        ("a \u0301b", " a b "),
        ("👍 👨\u200d👩 ✔\ufe0f ☐", ""),
        ("👍done👍", " done "),
        ("日本 3月", " 3 日 月 本 "),
        ("iPhone買う", " iphone う 買 "),
        ("がカﾞー", " か カ ー "),
        ("ไทย", " ท ย ไ "),
        ("ລາວ", " ລ ວ າ "),
        ("ខ្មែរ", " ខ ម រ "),
        ("မြန်မာ", " န မ "),
        ("किताब", " कतब "),
        ("मि\u200dत्र", " मतर "),
        ("مُحَمَّد مـحـمد", " محمد "),
        ("שָׁלוֹם", " שלום "),
        ("٣٤ ๑๒ ३", " 12 3 34 "),
        ("½ m² ⅷ ①", " 1 2 m2 viii "),
        ("Donau\u00addampf a\u200bb", " a b donaudampf "),
        ("\u3164\u115f", ""),
    ],
)
def test_words_are_letters_and_digits_without_case_and_accents(text: str, expected: str) -> None:
    assert words(text) == expected


def test_the_words_of_several_texts_are_kept_once() -> None:
    assert words("Milk", "", "milk and", "AND") == " and milk "
    assert words() == ""
    assert words("a", "b") == " a b "


@pytest.mark.parametrize(
    ("q", "beginnings"),
    [
        ("Buy MILK", ("buy", "milk")),
        ("milk Mil m milk", ("milk",)),
        ("b a ab", ("ab", "b")),
        ("日本", ("日", "本")),
        ("", ()),
        ("%_\\ 👍", ()),
    ],
)
def test_a_query_is_the_longest_beginnings(q: str, beginnings: tuple[str, ...]) -> None:
    assert query_words(q) == beginnings


@pytest.mark.parametrize(
    ("q", "content"),
    [
        ("mil", "Buy milk"),
        ("milk bu", "Buy milk"),
        ("MÜNCH", "munchen"),
        ("strasse", "Straße"),
        ("STRAß", "Strasse"),
        ("istanbul", "İSTANBUL"),
        ("fi", "ﬁn"),
        ("3", "٣"),
        ("١٢", "123"),
        ("本", "日本"),
        ("한", "한국"),
        ("하", "한국"),
        ("ㅎ", "한국"),
        ("한ㄱ", "한국"),
        ("한구", "한국"),
        ("한", "하나"),  # the first two letters of the second syllable, as an input method shows them
        ("갑", "값"),
        ("값", "갑시다"),
        ("고", "과자"),
        ("कि", "किताब"),
    ],
)
def test_words_are_found_by_their_beginnings(q: str, content: str) -> None:
    assert found(q, content)


@pytest.mark.parametrize(
    ("q", "content"),
    [
        ("ilk", "milk"),
        ("milk bread", "milk"),
        ("milks", "milk"),
        ("", "milk"),
        ("👍", "👍"),
        ("국", "한국"),
        ("%", "a"),
    ],
)
def test_other_words_are_not_found(q: str, content: str) -> None:
    assert not found(q, content)


def test_nothing_is_found_without_a_beginning() -> None:
    assert not matches(" a ", ())
    assert not matches("", ())


@given(texts, st.data())
def test_a_text_is_found_by_the_beginnings_of_its_words(text: str, data: st.DataObject) -> None:
    stored = words("before", text, "after")
    for word in stored.split():
        assert matches(stored, query_words(word[: data.draw(st.integers(1, len(word)))]))


@given(texts, st.integers(0, 40))
def test_a_text_is_found_by_all_that_was_typed_of_it(text: str, length: int) -> None:
    beginnings = query_words(text[:length])
    assert matches(words(text), beginnings) == bool(beginnings)


@given(texts)
@example("ΑΣ")
@example("ß\u0345")
def test_case_does_not_matter(text: str) -> None:
    assert words(text.casefold()) == words(text)


@given(texts)
def test_normal_forms_do_not_matter(text: str) -> None:
    assert {words(unicodedata.normalize(form, text)) for form in ("NFC", "NFD", "NFKC", "NFKD")} == {words(text)}


@given(
    st.text(st.characters(categories=["Ll", "Lu"], max_codepoint=0x24F), max_size=20),
    st.sampled_from("\u0301\u0323\u20dd"),
)
def test_accents_do_not_matter(text: str, accent: str) -> None:
    assert words("".join(character + accent for character in text)) == words(text)


@given(texts)
def test_words_are_their_own_words(text: str) -> None:
    assert words(words(text)) == words(text)
    assert query_words(words(text)) == query_words(text)


@given(texts)
def test_words_have_letters_and_digits_only(text: str) -> None:
    stored = words(text)
    assert stored.split() == sorted(set(stored.split()))
    for word in stored.split():
        assert word.isalnum()
        assert not set(word) & set("%_\\")
        assert len(word) <= WORD_MAX_LENGTH
    assert stored == (f" {' '.join(stored.split())} " if stored.split() else "")
    assert is_storable(stored)


def test_every_character_alone_is_folded_for_good() -> None:
    characters = " ".join(map(chr, range(sys.maxunicode + 1)))
    assert folded(folded(characters)) == folded(characters)
    assert words(words(characters)) == words(characters)


def test_long_words_are_cut_and_found() -> None:
    assert words("a" * 10_000) == f" {'a' * WORD_MAX_LENGTH} "
    assert found("a" * 200, "a" * 10_000)
    assert found("é" * 200, "É" * 10_000)


@given(st.text(st.characters(max_codepoint=127), max_size=40))
def test_ascii_text_has_the_same_words_beside_other_text(text: str) -> None:
    assert set(words(text, "é日").split()) == {*words(text).split(), "e", "日"}
