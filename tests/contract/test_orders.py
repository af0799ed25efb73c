"""Every list in every order, with different and with equal keys."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import product
from typing import Any
from uuid import UUID

import pytest
from tests.domain.builders import NOW, a_task, later

from todo_api.domain.listing import Order, Sort, Status, TaskQuery
from todo_api.domain.ports import TaskRepository
from todo_api.domain.task import Task
from todo_api.domain.task_changes import Priority

# A letter names each task; all orders differ, also from the order of ids and of writes.
TASKS: dict[str, dict[str, Any]] = {
    "A": {
        "id": 4,
        "created": 3,
        "updated": 10,
        "priority": Priority.LOW,
        "title": "banana",
        "due": date(2026, 7, 2),
        "completed": False,
    },
    "B": {
        "id": 1,
        "created": 1,
        "updated": 8,
        "priority": Priority.MEDIUM,
        "title": "Éclair",
        "due": None,
        "completed": True,
    },
    "C": {
        "id": 6,
        "created": 5,
        "updated": 11,
        "priority": Priority.HIGH,
        "title": "apple",
        "due": datetime(2026, 7, 1, 23),  # noqa: DTZ001
        "completed": True,
    },
    "D": {
        "id": 2,
        "created": 4,
        "updated": 7,
        "priority": Priority.NONE,
        "title": "Zebra",
        "due": None,
        "completed": False,
    },
    "E": {
        "id": 5,
        "created": 2,
        "updated": 12,
        "priority": Priority.HIGH,
        "title": "ecru",
        "due": datetime(2026, 7, 1, 12, tzinfo=UTC),
        "completed": False,
    },
    "F": {
        "id": 3,
        "created": 6,
        "updated": 9,
        "priority": Priority.NONE,
        "title": "_first",
        "due": date(1969, 7, 20),
        "completed": True,
    },
}
EXPECTED = {
    (Sort.CREATED, Order.ASC): "BEADCF",
    (Sort.CREATED, Order.DESC): "FCDAEB",
    (Sort.TITLE, Order.ASC): "FCABED",
    (Sort.TITLE, Order.DESC): "DEBACF",
    (Sort.DUE_DATE, Order.ASC): "FECABD",
    (Sort.DUE_DATE, Order.DESC): "ACEFDB",
    (Sort.UPDATED, Order.ASC): "DBFACE",
    (Sort.UPDATED, Order.DESC): "ECAFBD",
    (Sort.PRIORITY, Order.ASC): "DFABEC",
    (Sort.PRIORITY, Order.DESC): "CEBAFD",
    (Sort.POSITION, Order.ASC): "ABCDEF",
    (Sort.POSITION, Order.DESC): "FEDCBA",
}
COMPLETED = set("BCF")
assert EXPECTED.keys() == set(product(Sort, Order)), "each order needs a row in EXPECTED"
ALL_LISTS = [(*order, status) for order, status in product(EXPECTED, Status)]


def expected_names(sort: Sort, order: Order, status: Status) -> str:
    wanted = {Status.ALL: set(TASKS), Status.COMPLETED: COMPLETED, Status.PENDING: set(TASKS) - COMPLETED}[status]
    return "".join(name for name in EXPECTED[sort, order] if name in wanted)


async def add_tasks(repository: TaskRepository, user_id: str) -> dict[UUID, str]:
    """Store the tasks above; return their letters by id."""
    names = {}
    for name, values in TASKS.items():
        task = a_task(
            user_id,
            task_id=UUID(int=values["id"]),
            title=values["title"],
            created_at=later(values["created"]),
            updated_at=later(values["updated"]),
            priority=values["priority"],
            due_date=values["due"],
            completed=values["completed"],
        )
        names[(await repository.add(task)).id] = name
    return names


async def walk(repository: TaskRepository, user_id: str, query: TaskQuery) -> list[list[Task]]:
    """Return all pages of a list."""
    page = await repository.page(user_id, query)
    pages = [page.tasks]
    while page.next is not None:
        page = await repository.page(user_id, replace(query, after=page.next))
        pages.append(page.tasks)
        assert len(pages) < 20, "it has no end"
    return pages


def flat(pages: Iterable[list[Task]]) -> list[Task]:
    return [task for page in pages for task in page]


@pytest.mark.parametrize(("sort", "order", "status"), ALL_LISTS)
async def test_lists_are_in_the_order_that_was_asked_for(
    repository: TaskRepository, user_id: str, sort: Sort, order: Order, status: Status
) -> None:
    names = await add_tasks(repository, user_id)

    for limit in (1, 2, 10):
        pages = await walk(repository, user_id, TaskQuery(sort=sort, order=order, status=status, limit=limit))

        assert "".join(names[task.id] for task in flat(pages)) == expected_names(sort, order, status)
        assert all(len(page) == limit for page in pages[:-1])


@pytest.mark.parametrize(("sort", "order"), [key for key in EXPECTED if key[0] is not Sort.POSITION])
async def test_tasks_with_equal_keys_are_in_the_order_of_their_ids(
    repository: TaskRepository, user_id: str, sort: Sort, order: Order
) -> None:
    high = 0x80000000 << 96  # an id that a comparison of signed numbers would put first
    ids = [UUID(int=n) for n in (3, high + 1, 1, high, 2)]
    titles = ["Resume", "résumé", "RESUME", "Résume", "resumé"]
    for task_id, title in zip(ids, titles, strict=True):
        await repository.add(a_task(user_id, task_id=task_id, title=title, due_date=date(2026, 1, 1)))

    for limit in (1, 2, 3, 10):
        pages = await walk(repository, user_id, TaskQuery(sort=sort, order=order, limit=limit))

        assert [task.id for task in flat(pages)] == sorted(ids, reverse=order is Order.DESC)


@pytest.mark.parametrize("order", Order)
async def test_undated_tasks_come_last_and_page_by_their_ids(
    repository: TaskRepository, user_id: str, order: Order
) -> None:
    dated = [
        await repository.add(a_task(user_id, task_id=UUID(int=n), due_date=due))
        for n, due in ((9, date(1, 1, 2)), (8, date(9999, 12, 31)))
    ]
    undated = [await repository.add(a_task(user_id, task_id=UUID(int=n))) for n in (20, 1, 15, 2)]

    pages = await walk(repository, user_id, TaskQuery(sort=Sort.DUE_DATE, order=order, limit=1))

    descending = order is Order.DESC
    assert flat(pages)[:2] == (dated[::-1] if descending else dated)
    assert flat(pages)[2:] == sorted(undated, key=lambda task: task.id, reverse=descending)


async def test_due_dates_of_different_kinds_share_one_scale(repository: TaskRepository, user_id: str) -> None:
    in_order = [
        date(2026, 7, 1),
        datetime(2026, 7, 1, 0, 0, 0, 1),  # noqa: DTZ001
        datetime(2026, 7, 1, 0, 0, 0, 2, tzinfo=UTC),
        datetime(2026, 7, 1, 23, 59),  # noqa: DTZ001
        date(2026, 7, 2),
    ]
    for due_date in reversed(in_order):
        await repository.add(a_task(user_id, due_date=due_date))

    page = await repository.page(user_id, TaskQuery(sort=Sort.DUE_DATE, order=Order.ASC))

    assert [task.due_date for task in page.tasks] == in_order


async def test_titles_sort_by_code_point_without_case_and_accents(repository: TaskRepository, user_id: str) -> None:
    in_order = [" 10", "2", "Ärger", "argon", "straße", "STRASSF", "Ω", "ω2", "日本", "\U0001f600"]
    for title in reversed(in_order):
        await repository.add(a_task(user_id, title=title))

    page = await repository.page(user_id, TaskQuery(sort=Sort.TITLE, order=Order.ASC))

    assert [task.title for task in page.tasks] == in_order


async def test_creation_orders_by_the_microsecond(repository: TaskRepository, user_id: str) -> None:
    moments = [NOW.replace(microsecond=n) for n in (2, 0, 1)]
    for created_at in moments:
        await repository.add(a_task(user_id, created_at=created_at))

    page = await repository.page(user_id, TaskQuery())

    assert [task.created_at.microsecond for task in page.tasks] == [2, 1, 0]
