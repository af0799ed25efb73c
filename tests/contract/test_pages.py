"""Where pages end and start, what they show, and that walking them survives changes."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import product
from uuid import UUID

import pytest
from tests.domain.builders import NOW, START, a_task, later

from todo_api.domain.listing import MAX_PAGE_SIZE, Order, Sort, Status, TaskQuery
from todo_api.domain.ports import TaskRepository
from todo_api.domain.task import Task

ORDERS = list(product(Sort, Order))


async def add_numbered(repository: TaskRepository, user_id: str, count: int) -> list[Task]:
    return [await repository.add(a_task(user_id, title=f"{n:04}", created_at=later(n))) for n in range(count)]


async def test_a_user_who_never_wrote_has_an_empty_list_at_revision_0(repository: TaskRepository, user_id: str) -> None:
    for status in Status:
        page = await repository.page(user_id, TaskQuery(status=status))
        assert (page.tasks, page.revision, page.next) == ([], 0, None)


async def test_a_user_whose_tasks_are_gone_has_an_empty_list(repository: TaskRepository, user_id: str) -> None:
    (task,) = await add_numbered(repository, user_id, 1)
    await repository.remove(user_id, task.id, now=NOW)

    page = await repository.page(user_id, TaskQuery())

    assert (page.tasks, page.revision, page.next) == ([], START + 2, None)


async def test_a_list_of_a_status_that_no_task_has_is_empty(repository: TaskRepository, user_id: str) -> None:
    await add_numbered(repository, user_id, 2)

    page = await repository.page(user_id, TaskQuery(status=Status.COMPLETED))

    assert (page.tasks, page.revision, page.next) == ([], START + 2, None)


@pytest.mark.parametrize(("limit", "sizes"), [(6, [5]), (5, [5]), (4, [4, 1]), (1, [1] * 5)])
async def test_a_page_has_a_next_page_only_if_there_are_more_tasks(
    repository: TaskRepository, user_id: str, limit: int, sizes: list[int]
) -> None:
    tasks = await add_numbered(repository, user_id, 5)
    query = TaskQuery(sort=Sort.TITLE, order=Order.ASC, limit=limit)
    found: list[list[Task]] = []
    while query is not None:
        page = await repository.page(user_id, query)
        found.append(page.tasks)
        if page.next is None:
            break
        assert page.next == query.position(page.tasks[-1])
        query = replace(query, after=page.next)

    assert [len(page) for page in found] == sizes
    assert [task for page in found for task in page] == tasks


async def test_the_largest_page_is_a_thousand_tasks(repository: TaskRepository, user_id: str) -> None:
    tasks = await add_numbered(repository, user_id, MAX_PAGE_SIZE + 1)
    query = TaskQuery(order=Order.ASC)

    first = await repository.page(user_id, query)
    second = await repository.page(user_id, replace(query, after=first.next))

    assert first.tasks == tasks[:-1]
    assert second.tasks == tasks[-1:]
    assert second.next is None


@pytest.mark.parametrize(("sort", "order"), ORDERS)
async def test_past_the_end_there_is_an_empty_page(
    repository: TaskRepository, user_id: str, sort: Sort, order: Order
) -> None:
    await add_numbered(repository, user_id, 3)
    query = TaskQuery(sort=sort, order=order)
    last = (await repository.page(user_id, query)).tasks[-1]

    page = await repository.page(user_id, replace(query, after=query.position(last)))

    assert (page.tasks, page.revision, page.next) == ([], START + 3, None)


async def test_a_page_has_no_tasks_at_a_known_revision(repository: TaskRepository, user_id: str) -> None:
    (task,) = await add_numbered(repository, user_id, 1)
    query = TaskQuery()
    resumed = replace(query, after=query.position(replace(task, created_at=later(99))))

    for asked in (query, resumed):
        for known in ([task.revision], (0, task.revision, 7), frozenset({task.revision, 10**18 - 1})):
            page = await repository.page(user_id, asked, known)
            assert (page.tasks, page.revision, page.next) == ([], task.revision, None)
        for unknown in ((), [0], {task.revision + 1, 10**18 - 1}):
            assert (await repository.page(user_id, asked, unknown)).tasks == [task]


async def test_a_user_who_never_wrote_can_be_known_at_revision_0(repository: TaskRepository, user_id: str) -> None:
    page = await repository.page(user_id, TaskQuery(), [0])

    assert (page.tasks, page.revision) == ([], 0)


async def test_known_revisions_belong_to_one_user(
    repository: TaskRepository, user_id: str, new_user_id: Callable[[], str]
) -> None:
    tasks = await add_numbered(repository, user_id, 2)
    await add_numbered(repository, new_user_id(), 1)

    page = await repository.page(user_id, TaskQuery(order=Order.ASC), [START + 1])

    assert (page.tasks, page.revision) == (tasks, START + 2)


async def test_a_page_shows_changes_at_once(repository: TaskRepository, user_id: str) -> None:
    first, second = await add_numbered(repository, user_id, 2)
    saved = await repository.save(replace(first, completed=True, completed_at=NOW, title="9999"))

    completed = await repository.page(user_id, TaskQuery(status=Status.COMPLETED))
    pending = await repository.page(user_id, TaskQuery(status=Status.PENDING))
    by_title = await repository.page(user_id, TaskQuery(sort=Sort.TITLE, order=Order.ASC))

    assert completed.tasks == [saved]
    assert pending.tasks == [second]
    assert by_title.tasks == [second, saved]


@pytest.mark.parametrize(("sort", "order"), ORDERS)
async def test_walking_pages_is_right_while_tasks_come_and_go(
    repository: TaskRepository, user_id: str, sort: Sort, order: Order
) -> None:
    """Between pages, tasks are removed, also the one at the position, and others are added before and after it."""

    def numbered(number: int) -> Task:
        due_date = None if number % 3 == 0 else later(number % 5)
        return a_task(
            user_id,
            task_id=UUID(int=number * 7919 % 1009),
            title=f"Title {number % 7}",
            created_at=NOW + timedelta(seconds=number % 11),
            due_date=due_date,
        )

    kept = {task.id: task for task in [await repository.add(numbered(n)) for n in range(0, 80, 2)]}
    untouched, seen = dict(kept), []
    query = TaskQuery(sort=sort, order=order, limit=7)
    newcomers = iter(range(1, 80, 2))
    while True:
        page = await repository.page(user_id, query)
        seen += page.tasks
        if page.next is None:
            break
        query = replace(query, after=page.next)
        ahead = [task_id for task_id in untouched if task_id not in {task.id for task in seen}]
        for gone in [page.tasks[-1].id, page.tasks[0].id, *ahead[:1]]:
            assert await repository.remove(user_id, gone, now=NOW)
            untouched.pop(gone, None)
        for _ in range(2):
            await repository.add(numbered(next(newcomers)))

    seen_ids = [task.id for task in seen]
    places = [(query.position(task).key, task.id) for task in seen]
    assert len(set(seen_ids)) == len(seen_ids)
    assert set(untouched) <= set(seen_ids)
    assert places == sorted(places, reverse=order is Order.DESC)
