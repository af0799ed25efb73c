"""The manual order within an edit."""

import random
from collections.abc import Sequence
from itertools import pairwise
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.domain.builders import a_task, later

from todo_api.domain.errors import InvalidFieldError, NeighbourNotFoundError, RevisionMismatchError
from todo_api.domain.positions import MAX_LENGTH, position_at
from todo_api.domain.records import After, Before, End, Place, Records, require_revision
from todo_api.domain.task import Task

REVISION = 10_000_000


def records_of(*positions: str) -> tuple[Records[Task], list[UUID]]:
    """Tasks at these positions, their ids increasing."""
    tasks = [
        a_task(task_id=UUID(int=number), position=position, revision=1) for number, position in enumerate(positions, 1)
    ]
    return Records(tasks, REVISION), [task.id for task in tasks]


def order(records: Records[Task]) -> list[UUID]:
    return [task.id for task in records.live()]


def at_intervals(count: int) -> list[str]:
    return [position_at(1000 * number) for number in range(1, count + 1)]


def moved(records: Records[Task], task_id: UUID, place: Place) -> Task:
    task = records.find(task_id)
    assert task
    return records.move(task, place)


def reordered(ids: Sequence[UUID], task_id: UUID, place: Place) -> list[UUID]:
    """The order after a move, by the plain meaning of the words."""
    others = [other for other in ids if other != task_id]
    if isinstance(place, End):
        return [task_id, *others] if place is End.START else [*others, task_id]
    index = others.index(place.id) + isinstance(place, After)
    return [*others[:index], task_id, *others[index:]]


@given(st.data())
def test_a_move_changes_the_order_as_its_words_say(data: st.DataObject) -> None:
    few = st.sampled_from([position_at(1), position_at(2), position_at(2, 1), position_at(3)])
    records, ids = records_of(*data.draw(st.lists(few, min_size=2, max_size=8)))
    for _ in range(data.draw(st.integers(1, 12))):
        task_id, other = data.draw(st.permutations(ids))[:2]
        place = data.draw(st.sampled_from([Before(other), After(other), *End]))
        wanted = reordered(order(records), task_id, place)
        moved(records, task_id, place)
        assert order(records) == wanted


@pytest.mark.parametrize("place", [Before, After])
def test_ten_thousand_moves_into_one_gap_keep_the_order_and_short_positions(place: type[Before | After]) -> None:
    records, ids = records_of(*at_intervals(60))
    middle, others = ids[30], [*ids[:30], *ids[31:]]
    wanted, numbers, most = ids, random.Random(7), 0
    for _ in range(10_000):
        task_id = numbers.choice(others)
        before = {task.id: task.position for task in records.live()}
        wanted = reordered(wanted, task_id, place(middle))
        moved(records, task_id, place(middle))
        live = records.live()
        most = max(most, sum(before[task.id] != task.position for task in live))
        assert [task.id for task in live] == wanted
        assert all(low.position < high.position for low, high in pairwise(live))
        assert max(len(task.position) for task in live) <= MAX_LENGTH
    assert most <= 9  # rarely do neighbours move with it


def test_new_tasks_into_one_gap_keep_the_order_and_short_positions() -> None:
    records, (first, last) = records_of(position_at(1), position_at(2))
    wanted = [first, last]
    for _ in range(2_000):
        new = records.write(a_task(revision=0))
        moved(records, new.id, After(first))
        wanted.insert(1, new.id)
    assert order(records) == wanted
    assert max(len(task.position) for task in records.live()) <= MAX_LENGTH


@pytest.mark.parametrize("count", [2, 3, 100, 1000])
def test_tasks_of_one_moment_can_be_moved_between(count: int) -> None:
    """Those that a batch or an import of an earlier version created."""
    records, ids = records_of(position_at(5), *[position_at(1000)] * count, position_at(2000))
    first, *same, last = ids
    for index in {0, 1, count // 2, count - 1}:
        wanted = reordered(order(records), first, Before(same[index]))
        moved(records, first, Before(same[index]))
        assert order(records) == wanted
        wanted = reordered(order(records), last, After(same[index]))
        moved(records, last, After(same[index]))
        assert order(records) == wanted
    live = records.live()
    assert max(len(task.position) for task in live) <= MAX_LENGTH


def test_a_move_among_tasks_of_one_moment_writes_those_on_the_shorter_side() -> None:
    records, ids = records_of(*[position_at(1000)] * 100, position_at(2000))
    moved(records, ids[-1], Before(ids[90]))
    assert len(records.written) <= 12
    assert set(records.written) <= {*ids[89:], ids[-1]}


def test_a_task_that_stands_there_already_is_not_written() -> None:
    records, ids = records_of(*at_intervals(4))
    for place in (After(ids[0]), Before(ids[2])):
        assert moved(records, ids[1], place) is records.find(ids[1])
    assert moved(records, ids[0], End.START) is records.find(ids[0])
    assert not records.written


def test_a_move_writes_one_row() -> None:
    records, ids = records_of(*at_intervals(5))
    moved(records, ids[4], Before(ids[1]))
    assert list(records.written) == [ids[4]]
    assert records.written[ids[4]].revision == REVISION


def test_what_comes_to_the_end_keeps_its_order() -> None:
    records, ids = records_of(*at_intervals(2))
    first = records.write(a_task())
    moved(records, ids[0], End.END)
    second = records.write(a_task())
    assert order(records) == [ids[1], first.id, ids[0], second.id]
    assert first.position == position_at(REVISION)
    assert records.write(a_task(position="m")).position == "m"


@pytest.mark.parametrize("place", [Before, After])
def test_a_neighbour_must_be_there(place: type[Before | After]) -> None:
    records, ids = records_of(*at_intervals(3))
    gone = records.find(ids[2])
    assert gone
    records.write(gone.discard(now=later(1)))
    for neighbour in (uuid4(), ids[2]):
        with pytest.raises(NeighbourNotFoundError):
            moved(records, ids[0], place(neighbour))
    with pytest.raises(InvalidFieldError, match="another"):
        moved(records, ids[0], place(ids[0]))


def test_what_is_in_the_trash_or_purged_has_no_place() -> None:
    records, ids = records_of(*at_intervals(3))
    task = records.find(ids[1])
    assert task
    records.write(task.discard(now=later(1)))
    assert order(records) == [ids[0], ids[2]]
    records.purge(ids[1])
    assert records.find(ids[1]) is None
    assert records.purged == {ids[1]}
    assert set(records.written) == {ids[1]}  # its tombstone


def test_a_revision_that_is_not_expected_is_refused() -> None:
    task = a_task(revision=5)
    for accepted in (None, {5}, {4, 5}):
        require_revision(task, accepted)
    for refused in ({4}, set()):
        with pytest.raises(RevisionMismatchError):
            require_revision(task, refused)
