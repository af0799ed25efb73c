import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from todo_api.domain.positions import MAX_LENGTH, between, is_position, position_at, spread

LAST_REVISION = 16**13 - 1

revisions = st.one_of(st.integers(0, 300), st.integers(0, LAST_REVISION))
indexes = st.one_of(st.just(0), st.integers(0, 16**5 - 1))


def some_between(low: str | None, high: str | None) -> str:
    position = between(low, high)
    assert position is not None
    assert low is None or low.encode() < position.encode()
    assert high is None or position.encode() < high.encode()
    assert is_position(position)
    return position


def some_spread(count: int, low: str | None, high: str | None) -> list[str]:
    positions = spread(count, low, high)
    assert positions is not None
    ends = [position for position in (low, *positions, high) if position is not None]
    assert ends == sorted(set(ends), key=str.encode)
    assert len(positions) == count
    assert max(map(len, positions), default=0) <= MAX_LENGTH
    return positions


@pytest.mark.parametrize(
    "text",
    [
        "",
        "m",
        "z",
        "m000000000000",
        "m00000000000z0",
        "M0000000000000",
        "m00000000000000",
        "m" + "1" * MAX_LENGTH,
        "m0000000000000\n",
    ],
)
def test_other_texts_are_no_positions(text: str) -> None:
    assert not is_position(text)


@given(revisions, indexes, revisions, indexes)
def test_positions_at_the_end_are_in_the_order_of_revisions_and_indexes(
    revision: int, index: int, other_revision: int, other_index: int
) -> None:
    one, other = position_at(revision, index), position_at(other_revision, other_index)
    assert (one.encode() < other.encode()) == ((revision, index) < (other_revision, other_index))
    assert (one == other) == ((revision, index) == (other_revision, other_index))


@pytest.mark.parametrize(
    ("revision", "index", "position"),
    [
        (0, 0, "m0000000000000"),
        (16, 0, "m0000000000010"),
        (255, 1, "m00000000000ff000018"),
        (255, 16, "m00000000000ff000108"),
        (LAST_REVISION, 16**5 - 1, "mfffffffffffff" + "fffff8"),
    ],
)
def test_a_position_at_the_end_is_one_that_sql_can_compute(revision: int, index: int, position: str) -> None:
    assert position_at(revision, index) == position


@pytest.mark.parametrize(("revision", "index"), [(-1, 0), (LAST_REVISION + 1, 0), (1, -1), (1, 16**5)])
def test_a_revision_or_an_index_that_is_too_large_is_refused(revision: int, index: int) -> None:
    with pytest.raises(ValueError, match="no position for revision"):
        position_at(revision, index)


@pytest.mark.parametrize(
    ("low", "high", "position"),
    [
        (position_at(0x10), position_at(0x20), "m0000000000018"),
        (position_at(0x0F), position_at(0x10), "m000000000000f8"),
        ("m000000000000f8", position_at(0x10), "m000000000000fc"),
        (position_at(0x0F), "m000000000000f1", "m000000000000f08"),
        ("m000000000000ff", "m00000000000108", "m0000000000010"),
        (None, position_at(5), "lfffffffffff05"),
        (None, "m0000000000500", "m0000000000400"),
        (position_at(5), None, "m00000000000058"),
        (None, None, "lfffffffffff00"),
    ],
)
def test_a_position_between_two_is_short_and_about_in_the_middle(
    low: str | None, high: str | None, position: str
) -> None:
    assert some_between(low, high) == position


def test_there_is_room_beside_a_revision_whose_digits_end_with_zeros() -> None:
    for revision in (0, 0x10, 0x100, 0xF00, 0x1000):
        below = some_between(position_at(max(revision - 1, 0)), position_at(revision + 1))
        assert some_between(below, position_at(revision + 1)) != some_between(None, below)
        some_between(None, position_at(revision))
        some_between(position_at(revision), position_at(revision, 1))


def test_there_is_no_room_between_equal_or_exchanged_neighbours() -> None:
    assert between(position_at(7), position_at(7)) is None
    assert between(position_at(8), position_at(7)) is None
    assert between(position_at(7, 1), position_at(7)) is None
    assert spread(3, position_at(8), position_at(7)) is None


def test_there_is_no_room_where_a_position_would_be_too_long() -> None:
    low = position_at(7)
    assert between(low, low + "0" * (MAX_LENGTH - len(low) - 1) + "1") is None
    assert between(low, low + "0" * (MAX_LENGTH - len(low) - 1) + "2") == low + "0" * (MAX_LENGTH - len(low) - 1) + "1"
    assert spread(2, low, low + "0" * (MAX_LENGTH - len(low) - 1) + "2") is None
    assert between(None, "a" + "0" * 13) is None


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 5), st.booleans()), max_size=60), revisions)
def test_a_position_is_strictly_between_whatever_its_neighbours_came_of(
    steps: list[tuple[int, int, bool]], revision: int
) -> None:
    order = [position_at(revision)]
    for number, (seed, count, at_the_end) in enumerate(steps, start=1):
        if at_the_end and revision + number <= LAST_REVISION:
            order.append(position_at(revision + number, count))
        else:
            place = seed % (len(order) + 1)
            low = order[place - 1] if place else None
            high = order[place] if place < len(order) else None
            order[place:place] = some_spread(count, low, high) if count else [some_between(low, high)]
        assert order == sorted(set(order), key=str.encode)


@given(st.integers(0, 2_000), revisions, revisions)
def test_positions_are_spread_evenly(count: int, one: int, other: int) -> None:
    low, high = position_at(min(one, other)), position_at(max(one, other))
    if low == high:
        assert spread(count, low, high) is None
        return
    positions = some_spread(count, low, high)
    numbers = [int(position[1:].ljust(18, "0"), 16) for position in (low, *positions, high)]
    steps = [after - before for before, after in itertools.pairwise(numbers)]
    assert max(steps) <= 3 * min(steps)
    assert max(map(len, positions), default=0) <= 14 + 3


def test_nothing_is_spread_between_any_two() -> None:
    assert spread(0, None, None) == []


def test_positions_spread_anew_are_before_those_of_later_revisions() -> None:
    assert some_spread(10_000, None, None)[-1] < position_at(0)
    assert some_spread(10_000, position_at(5, 9), None)[-1] < position_at(6)
    assert some_between(position_at(5, 16**5 - 1), None) < position_at(6)


def test_ten_thousand_moves_to_the_start_do_not_make_positions_longer() -> None:
    position = position_at(3)
    for _ in range(10_000):
        position = some_between(None, position)
        assert len(position) == len(position_at(3))


@pytest.mark.parametrize("side", ["before", "after", "both in turn"])
def test_ten_thousand_moves_into_one_gap_keep_the_order_and_the_limit(side: str) -> None:
    """Where there is no room, the neighbours are spread anew."""
    order = [position_at(revision) for revision in range(1, 101)]
    place, spreads = 50, 0
    for move in range(10_000):
        position = between(order[place - 1], order[place])
        if position is None:
            spreads += 1
            start, end = max(place - 100, 1), min(place + 100, len(order) - 1)
            order[start:end] = some_spread(end - start, order[start - 1], order[end])
            position = some_between(order[place - 1], order[place])
        assert order[place - 1] < position < order[place]
        order.insert(place, position)
        place += side == "after" or (side == "both in turn" and move % 2)
    assert order == sorted(set(order), key=str.encode)
    assert max(map(len, order)) <= MAX_LENGTH
    assert spreads < 100
