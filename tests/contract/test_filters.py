"""Filters of lists; the same for every storage, and the same as the domain's own answer."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.contract.doing import a_list
from tests.domain.builders import NOW, START, a_task, later
from tests.storages import Storage

from todo_api.domain.due_date import FIRST_DUE_INSTANT, DueDate
from todo_api.domain.due_views import DueView
from todo_api.domain.filters import TaskFilter
from todo_api.domain.listing import Order, Sort, Status, TaskQuery
from todo_api.domain.task import Task
from todo_api.domain.task_changes import Priority

ZONES = ("UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Australia/Lord_Howe", "America/Sao_Paulo")
# Around midnight in UTC, and a change of the clock in Lord Howe, by half an hour.
MOMENTS = [
    datetime(2026, 6, 1, 23, 59, 59, 999999, UTC),
    datetime(2026, 6, 2, 0, 1, tzinfo=UTC),
    datetime(2026, 4, 4, 15, 15, tzinfo=UTC),
]


def due_dates() -> Iterator[DueDate | None]:
    yield None
    yield from (date(2, 1, 1), date.max, FIRST_DUE_INSTANT, datetime(9999, 12, 31, 23, 59, 59, 999998, UTC))
    for moment in MOMENTS:
        for step in (-36, -14, -11, -0.5, 0, 0.5, 3, 10, 10.5, 14, 36):
            due = moment + timedelta(hours=step)
            yield from (due.date(), due.replace(tzinfo=None), due, due + timedelta(microseconds=1))


async def found(storage: Storage, user_id: str, **query: Any) -> list[UUID]:
    """Return the ids of a list, read in pages."""
    after, ids = None, []
    while True:
        page = await storage.tasks.page(user_id, TaskQuery(**{"limit": 7, "after": after} | query))
        ids += [task.id for task in page.tasks]
        if page.next is None:
            return ids
        after = page.next


async def test_due_dates_are_found_as_the_domain_says(storage: Storage, user_id: str) -> None:
    tasks = [
        await storage.tasks.add(a_task(user_id, due_date=due_date, completed=number % 3 == 0))
        for number, due_date in enumerate(set(due_dates()))
    ]

    async def compare(wanted: TaskFilter) -> None:
        ids = {task.id for task in tasks if wanted.admits(task)}
        page = await storage.tasks.page(user_id, TaskQuery(filter=wanted))
        assert {task.id for task in page.tasks} == ids, wanted

    for zone, now, view in product(ZONES, MOMENTS, DueView):
        await compare(TaskFilter(due=view, time_zone=zone, now=now))
    bounds = [MOMENTS[0].date(), MOMENTS[0], MOMENTS[2].replace(tzinfo=None)]
    views = (None, DueView.TODAY, DueView.NONE)
    for zone, bound, also in product(ZONES, bounds, views):
        now = MOMENTS[1]
        await compare(TaskFilter(due_from=bound, due=also, time_zone=zone, now=now))
        await compare(TaskFilter(due_before=bound, due=also, time_zone=zone, now=now))
        await compare(TaskFilter(due_from=bound, due_before=bound + timedelta(days=1), time_zone=zone, now=now))
    await compare(TaskFilter(due_from=MOMENTS[0], due_before=MOMENTS[0]))


async def a_variety(storage: Storage, user_id: str) -> tuple[list[Task], UUID]:
    made, other = await a_list(storage, user_id), await a_list(storage, user_id)
    tags = [(), ("Home",), ("home", "Work"), ("WORK",), ("Straße", "e\N{COMBINING ACUTE ACCENT}")]
    tasks = [
        a_task(
            user_id,
            title=f"Task {number}",
            list_id=(None, made.id, other.id)[number % 3],
            priority=tuple(Priority)[number // 3 % 4],
            tags=tags[number % 5],
            completed=number % 2 == 0,
            due_date=None if number % 7 else NOW.date(),
            created_at=later(number),
        )
        for number in range(60)
    ]
    return [await storage.tasks.add(task) for task in tasks], made.id


async def test_filters_combine_with_each_other_and_the_status(storage: Storage, user_id: str) -> None:
    tasks, list_id = await a_variety(storage, user_id)
    lists: list[dict[str, Any]] = [{}, {"list_id": list_id}, {"list_id": None}, {"list_id": uuid4()}]
    tags: list[tuple[str, ...]] = [(), ("home",), ("home", "work"), ("strasse", "é"), ("Home",)]
    priorities = [(), (Priority.HIGH,), (Priority.NONE, Priority.LOW)]
    rest: list[dict[str, Any]] = [{}, {"due": DueView.NONE}, {"due": DueView.ANY}, {"q": "task 1"}]
    for status, where, some, ranks, more in product(Status, lists, tags, priorities, rest):
        query = TaskQuery(
            status=status,
            order=Order.ASC,
            filter=TaskFilter(**where, tags=some, priorities=ranks, **more),
        )
        page = await storage.tasks.page(user_id, query)
        assert page.tasks == [task for task in tasks if query.admits(task)], query


async def test_filters_combine_with_each_sort_and_its_pages(storage: Storage, user_id: str) -> None:
    tasks, list_id = await a_variety(storage, user_id)
    everything = TaskFilter(list_id=list_id, tags=("home",), priorities=tuple(Priority), due=DueView.NONE, q="TASK")
    for wanted in (everything, TaskFilter(tags=("work",)), TaskFilter(q="task 2"), TaskFilter(list_id=None)):
        for sort, order in product(Sort, Order):
            query = TaskQuery(sort=sort, order=order, filter=wanted)
            places = {task.id: (query.position(task).key, task.id) for task in tasks if query.admits(task)}
            in_order = sorted(places, key=lambda task_id: places[task_id], reverse=order is Order.DESC)
            for limit in (1, 7):
                assert await found(storage, user_id, sort=sort, order=order, filter=wanted, limit=limit) == in_order
            assert len(in_order) > 1


async def test_a_filter_shows_nothing_of_the_trash_or_of_others(storage: Storage, user_id: str) -> None:
    stranger = f"{user_id}-2"
    theirs = await a_list(storage, stranger)
    await storage.tasks.add(a_task(stranger, tags=("a",), list_id=theirs.id))
    gone = await storage.tasks.add(a_task(user_id, tags=("a",), priority=Priority.LOW, due_date=NOW.date()))
    kept = await storage.tasks.add(a_task(user_id, tags=("a",), priority=Priority.LOW, due_date=NOW.date()))
    await storage.tasks.remove(user_id, gone.id, now=NOW)
    for wanted in (
        TaskFilter(tags=("a",)),
        TaskFilter(list_id=None),
        TaskFilter(priorities=(Priority.LOW,)),
        TaskFilter(due=DueView.ANY),
        TaskFilter(q="buy"),
    ):
        assert await found(storage, user_id, filter=wanted) == [kept.id]
    assert await found(storage, user_id, filter=TaskFilter(list_id=theirs.id)) == []


async def test_a_page_that_is_known_is_not_read_again(storage: Storage, user_id: str) -> None:
    await storage.tasks.add(a_task(user_id, tags=("a",)))
    query = TaskQuery(filter=TaskFilter(tags=("a",)))
    for known, count in (([], 1), ([START], 1), ([START + 1], 0)):
        page = await storage.tasks.page(user_id, query, known)
        assert (len(page.tasks), page.revision) == (count, START + 1)


async def test_an_empty_list_still_tells_the_revision(storage: Storage, user_id: str) -> None:
    nothing = TaskQuery(filter=TaskFilter(q="..."))
    assert (await storage.tasks.page(user_id, nothing)).revision == 0
    await storage.tasks.add(a_task(user_id))
    page = await storage.tasks.page(user_id, nothing)
    assert (page.tasks, page.revision, page.next) == ([], START + 1, None)


@pytest.mark.parametrize("sort", [Sort.PRIORITY, Sort.UPDATED])
async def test_new_sorts_follow_what_is_saved(storage: Storage, user_id: str, sort: Sort) -> None:
    tasks = [await storage.tasks.add(a_task(user_id)) for _ in range(4)]
    for number, priority in ((1, Priority.LOW), (3, Priority.HIGH), (0, Priority.MEDIUM)):
        changed = replace(tasks[number], priority=priority, updated_at=later(priority.rank))
        assert await storage.tasks.save(changed)
    wanted = [tasks[number].id for number in (3, 0, 1, 2)]
    assert await found(storage, user_id, sort=sort, order=sort.default_order, limit=1) == wanted
    assert await found(storage, user_id, sort=sort, order=Order.ASC, limit=3) == wanted[::-1]
