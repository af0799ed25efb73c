import pytest
from hypothesis import given
from hypothesis import strategies as st

from todo_api.domain.errors import InvalidValueError
from todo_api.domain.tags import MAX_TAGS, clean_tag, clean_tags, renamed, tag_key


def test_of_equal_tags_the_first_spelling_stays_in_its_place() -> None:
    assert clean_tags(["Home", " b ", "home", "HOME ", "B", "c"]) == ("Home", "b", "c")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Straße", "STRASSE"),
        ("é", "e\N{COMBINING ACUTE ACCENT}"),
        ("É", "e\N{COMBINING ACUTE ACCENT}"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ("ﬁn", "FIN"),
        ("K", "\N{KELVIN SIGN}"),
    ],
)
def test_case_and_composition_make_no_other_tag(one: str, other: str) -> None:
    assert tag_key(one) == tag_key(other)
    assert clean_tags([one, other]) == (one,)


@pytest.mark.parametrize(("one", "other"), [("e", "é"), ("a", "b"), ("a b", "ab"), ("1", "\N{SUPERSCRIPT ONE}")])
def test_other_letters_make_another_tag(one: str, other: str) -> None:
    assert clean_tags([one, other]) == (one, other)


@given(st.text(min_size=1, max_size=20))
def test_a_key_is_its_own_key(tag: str) -> None:
    assert tag_key(tag_key(tag)) == tag_key(tag)


@given(st.text(st.characters(max_codepoint=127), max_size=20))
def test_the_quick_way_for_ascii_finds_the_same_key(tag: str) -> None:
    assert tag_key(tag) == tag.casefold()


def test_there_are_up_to_twenty_different_tags() -> None:
    tags = [f"tag {number}" for number in range(MAX_TAGS)]
    assert clean_tags([*tags, "TAG 0"]) == tuple(tags)
    with pytest.raises(InvalidValueError):
        clean_tags([*tags, "one more"])


@pytest.mark.parametrize("tag", ["", " \n", "\N{ZERO WIDTH SPACE}", "a" * 51, "a\0", "\ud800"])
def test_a_tag_that_cannot_be_seen_or_stored_is_refused(tag: str) -> None:
    with pytest.raises(InvalidValueError):
        clean_tag(tag)
    with pytest.raises(InvalidValueError):
        clean_tags(["fine", tag])


def test_a_tag_has_up_to_fifty_code_points() -> None:
    assert clean_tag(" " + "\U0001f600" * 50 + " ") == "\U0001f600" * 50


def test_a_tag_is_renamed_in_its_place() -> None:
    assert renamed(("a", "Home", "c"), "home", "House") == ("a", "House", "c")
    assert renamed(("a", "Home", "c"), "home", "HOME") == ("a", "HOME", "c")
    assert renamed(("a", "c"), "home", "House") == ("a", "c")


def test_a_tag_that_is_renamed_to_another_one_is_merged_with_it() -> None:
    assert renamed(("a", "b", "C"), "c", "A") == ("a", "b")
    assert renamed(("a", "b", "C"), "a", "c") == ("c", "b")


def test_a_tag_is_removed() -> None:
    assert renamed(("a", "Home", "c"), "home", None) == ("a", "c")
    assert renamed(("Home",), "home", None) == ()
