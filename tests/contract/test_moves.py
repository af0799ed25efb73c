"""The manual order of tasks; the same for every storage."""

import asyncio
import random
from dataclasses import replace
from itertools import pairwise
from uuid import UUID, uuid4

import pytest
from tests.contract.doing import a_list, do, in_order
from tests.domain.builders import NOW, START, a_task, later
from tests.storages import Storage

from todo_api.domain.changes import SyncPoint
from todo_api.domain.errors import (
    InvalidFieldError,
    NeighbourNotFoundError,
    RevisionMismatchError,
    TaskNotFoundError,
)
from todo_api.domain.listing import Order, Sort, TaskQuery
from todo_api.domain.operations import Create, Delete, DeleteList, Move, Operation, Restore
from todo_api.domain.positions import MAX_LENGTH, position_at
from todo_api.domain.records import After, Before, End
from todo_api.domain.selection import WINDOW
from todo_api.domain.task import Task
from todo_api.domain.task_changes import TaskChanges

LONG = 2 * WINDOW + 20


async def some(storage: Storage, user_id: str, count: int, list_id: UUID | None = None) -> list[UUID]:
    """Create tasks and return their ids in the manual order."""
    new = [uuid4() for _ in range(count)]
    values = TaskChanges(title="One of many", list_id=list_id)
    for start in range(0, count, 100):
        await do(storage, user_id, *(Create(task_id, values) for task_id in new[start : start + 100]))
    return new


async def ids(storage: Storage, user_id: str) -> list[UUID]:
    return [task.id for task in await in_order(storage, user_id)]


async def test_new_tasks_come_to_the_end(storage: Storage, user_id: str) -> None:
    first = await storage.tasks.add(a_task(user_id))
    batch = await some(storage, user_id, 3)
    last = await storage.tasks.add(a_task(user_id, position="a"))
    tasks = await in_order(storage, user_id)
    assert [task.id for task in tasks] == [first.id, *batch, last.id]
    assert [task.position for task in tasks] == [
        position_at(START + 1),
        *(position_at(START + 2, index) for index in range(3)),
        position_at(START + 3),
    ]


async def test_a_move_writes_one_task_at_a_new_revision(storage: Storage, user_id: str) -> None:
    a, b, c = await some(storage, user_id, 3)
    before = {task.id: task for task in await in_order(storage, user_id)}

    (moved,) = await do(storage, user_id, Move(c, Before(b)), now=later(9))

    assert await ids(storage, user_id) == [a, c, b]
    assert (moved.revision, moved.updated_at) == (START + 2, NOW)
    assert await storage.tasks.get(user_id, c) == moved
    changes = await storage.tasks.changes(user_id, SyncPoint(START + 1), 10)
    assert changes.tasks == [moved]
    assert before[a].position < moved.position < before[b].position


async def test_every_place_can_be_reached(storage: Storage, user_id: str) -> None:
    a, b, c, d = await some(storage, user_id, 4)
    for task_id, place, wanted in (
        (d, End.START, [d, a, b, c]),
        (a, End.END, [d, b, c, a]),
        (d, After(b), [b, d, c, a]),
        (b, After(a), [d, c, a, b]),
        (b, Before(d), [b, d, c, a]),
    ):
        await do(storage, user_id, Move(task_id, place))
        assert await ids(storage, user_id) == wanted


async def test_what_stands_there_already_does_not_change(storage: Storage, user_id: str) -> None:
    a, b, _ = await some(storage, user_id, 3)
    await do(storage, user_id, Move(a, Before(b)), Move(b, After(a)), Move(a, End.START))
    assert (await storage.tasks.page(user_id, TaskQuery())).revision == START + 1


async def test_a_move_next_to_a_task_of_another_list_moves_there(storage: Storage, user_id: str) -> None:
    first, second = await a_list(storage, user_id), await a_list(storage, user_id)
    (inbox,) = await some(storage, user_id, 1)
    (inside,) = await some(storage, user_id, 1, first.id)
    (other,) = await some(storage, user_id, 1, second.id)

    async def lists(*operations: Operation) -> list[UUID | None]:
        await do(storage, user_id, *operations, now=later(9))
        tasks = {task.id: task.list_id for task in await in_order(storage, user_id)}
        return [tasks[task_id] for task_id in (inbox, inside, other)]

    assert await lists(Move(other, Before(inside))) == [None, first.id, first.id]
    assert await ids(storage, user_id) == [inbox, other, inside]
    assert await lists(Move(other, Before(inside), second.id)) == [None, first.id, second.id]
    assert await lists(Move(inside, After(inbox))) == [None, None, second.id]
    assert await lists(Move(inside, End.END, first.id)) == [None, first.id, second.id]
    assert await lists(Move(inside, End.START)) == [None, first.id, second.id]
    moved = await storage.tasks.get(user_id, other)
    assert moved.updated_at == later(9)
    with pytest.raises(InvalidFieldError):
        await lists(Move(other, End.END, uuid4()))


async def test_a_neighbour_that_is_not_there_is_refused(storage: Storage, user_id: str) -> None:
    a, gone = await some(storage, user_id, 2)
    await storage.tasks.remove(user_id, gone, now=NOW)
    stranger = await storage.tasks.add(a_task(f"{user_id}-2"))
    for neighbour in (gone, uuid4(), stranger.id):
        for place in (Before(neighbour), After(neighbour)):
            with pytest.raises(NeighbourNotFoundError):
                await do(storage, user_id, Move(a, place))
    with pytest.raises(InvalidFieldError):
        await do(storage, user_id, Move(a, Before(a)))
    for task_id in (gone, uuid4()):
        with pytest.raises(TaskNotFoundError):
            await do(storage, user_id, Move(task_id, End.START))
    with pytest.raises(RevisionMismatchError):
        await do(storage, user_id, Move(a, End.START, if_revisions={1}))


async def test_a_task_comes_back_where_it_was(storage: Storage, user_id: str) -> None:
    new = await some(storage, user_id, 5)
    await storage.tasks.remove(user_id, new[2], now=NOW)
    assert await storage.tasks.restore(user_id, new[2])
    await do(storage, user_id, Delete(new[1]), Restore(new[1]))
    assert await ids(storage, user_id) == new


async def test_a_task_that_came_back_to_a_place_that_was_given_away_keeps_the_order_total(
    storage: Storage, user_id: str
) -> None:
    a, b, c, d = await some(storage, user_id, 4)
    await do(storage, user_id, Move(b, Before(c)))
    await storage.tasks.remove(user_id, b, now=NOW)
    await do(storage, user_id, Move(d, Before(c)))  # where `b` was
    await storage.tasks.restore(user_id, b)
    await do(storage, user_id, Move(a, Before(d)))
    order = await ids(storage, user_id)
    assert order.index(a) + 1 == order.index(d)
    assert len(order) == 4


async def test_pages_follow_the_manual_order_in_both_directions(storage: Storage, user_id: str) -> None:
    new = await some(storage, user_id, 7)
    await do(storage, user_id, Move(new[0], After(new[4])), Move(new[6], End.START))
    wanted = [new[i] for i in (6, 1, 2, 3, 4, 0, 5)]
    for order in Order:
        found: list[UUID] = []
        query: TaskQuery | None = TaskQuery(sort=Sort.POSITION, order=order, limit=2)
        while query:
            page = await storage.tasks.page(user_id, query)
            found += [task.id for task in page.tasks]
            query = replace(query, after=page.next) if page.next else None
        assert found == (wanted if order is Order.ASC else wanted[::-1])


async def test_moves_in_a_long_list_and_in_batches_hit_their_places(storage: Storage, user_id: str) -> None:
    wanted, numbers = await some(storage, user_id, LONG), random.Random(1)
    for size in (1, 1, 3, 20, 100):
        operations: list[Operation] = []
        for _ in range(size):
            task_id, neighbour = numbers.sample(wanted, 2)
            after = numbers.random() < 0.5
            operations.append(Move(task_id, After(neighbour) if after else Before(neighbour)))
            wanted.remove(task_id)
            wanted.insert(wanted.index(neighbour) + after, task_id)
        await do(storage, user_id, *operations)
        assert await ids(storage, user_id) == wanted


async def test_a_neighbour_may_come_to_an_end_in_the_same_batch(storage: Storage, user_id: str) -> None:
    old = await some(storage, user_id, LONG)
    new, middle = uuid4(), LONG // 2
    await do(storage, user_id, Create(new, TaskChanges(title="New")), Move(old[middle], Before(new)))
    wanted = [*old[:middle], *old[middle + 1 :], old[middle], new]
    assert await ids(storage, user_id) == wanted

    a, b = wanted[middle : middle + 2]
    await do(storage, user_id, Move(a, End.END), Move(b, Before(a)))
    wanted = [task_id for task_id in wanted if task_id not in {a, b}] + [b, a]
    assert await ids(storage, user_id) == wanted

    c, d = wanted[middle : middle + 2]
    await do(storage, user_id, Move(c, End.START), Move(d, After(c)))
    assert await ids(storage, user_id) == [c, d, *(task_id for task_id in wanted if task_id not in {c, d})]


async def test_a_list_that_goes_in_the_same_batch_leaves_no_hole(storage: Storage, user_id: str) -> None:
    made = await a_list(storage, user_id)
    (first,) = await some(storage, user_id, 1)
    await some(storage, user_id, WINDOW + 5, made.id)
    rest = [(await storage.tasks.add(a_task(user_id))).id for _ in range(20)]
    await do(storage, user_id, DeleteList(made.id), Move(rest[-1], After(first)))
    assert await ids(storage, user_id) == [first, rest[-1], *rest[:-1]]


async def test_moves_at_once_keep_all_positions_apart(storage: Storage, user_id: str) -> None:
    first, *others, last = await some(storage, user_id, 22)
    await asyncio.gather(*(do(storage, user_id, Move(task_id, After(first))) for task_id in others))
    tasks = await in_order(storage, user_id)
    assert (tasks[0].id, tasks[-1].id) == (first, last)
    assert all(low.position < high.position for low, high in pairwise(tasks))


async def test_a_gap_never_fills(storage: Storage, user_id: str) -> None:
    """Where one batch has used it up, the next makes room."""
    wanted = await some(storage, user_id, 100)
    middle, numbers = wanted[50], random.Random(3)
    for _ in range(5):
        operations: list[Operation] = []
        for task_id in numbers.sample([one for one in wanted if one != middle], 99):
            operations.append(Move(task_id, Before(middle)))
            wanted.remove(task_id)
            wanted.insert(wanted.index(middle), task_id)
        await do(storage, user_id, *operations)
    tasks: list[Task] = await in_order(storage, user_id)
    assert [task.id for task in tasks] == wanted
    assert max(len(task.position) for task in tasks) <= MAX_LENGTH
