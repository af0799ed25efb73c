"""Counts of tasks by view, list and tag; the same for every storage, and the same as counting the lists."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tests.contract.doing import a_list, do
from tests.contract.test_filters import MOMENTS, ZONES, due_dates
from tests.domain.builders import NOW, a_task
from tests.storages import Storage

from todo_api.domain.due_views import DueView
from todo_api.domain.filters import TaskFilter
from todo_api.domain.listing import Status, TaskQuery
from todo_api.domain.operations import DeleteList
from todo_api.domain.overview import Counts, DueViews, TagCount
from todo_api.domain.task import Task

VIEWS = DueViews.at(NOW, "UTC")


NONE = Counts(pending=0, completed=0, overdue=0, today=0, upcoming=0, without_date=0, trash=0, lists={}, tags=[])


async def test_a_user_without_tasks_has_none(storage: Storage, user_id: str) -> None:
    assert await storage.accounts.counts(user_id, VIEWS) == NONE
    assert await storage.accounts.tags(user_id) == []
    empty = await a_list(storage, user_id)
    await storage.tasks.add(a_task(f"{user_id}-2", tags=("a",)))
    assert await storage.accounts.counts(user_id, VIEWS) == replace(NONE, lists={empty.id: (0, 0)})
    assert await storage.accounts.tags(user_id) == []


async def test_views_count_what_their_lists_contain(storage: Storage, user_id: str) -> None:
    for number, due_date in enumerate(set(due_dates())):
        task = await storage.tasks.add(a_task(user_id, due_date=due_date, completed=number % 4 == 0))
        if number % 9 == 0:
            await storage.tasks.remove(user_id, task.id, now=NOW)

    async def length(view: DueView, zone: str, now: datetime) -> int:
        wanted = TaskQuery(status=Status.PENDING, filter=TaskFilter(due=view, time_zone=zone, now=now))
        return len((await storage.tasks.page(user_id, wanted)).tasks)

    for zone in ZONES:
        for now in MOMENTS:
            counts = await storage.accounts.counts(user_id, DueViews.at(now, zone))
            assert counts.overdue == await length(DueView.OVERDUE, zone, now)
            assert counts.today == await length(DueView.TODAY, zone, now)
            assert counts.upcoming == await length(DueView.UPCOMING, zone, now)
            assert counts.without_date == await length(DueView.NONE, zone, now)
            account = await storage.accounts.account(user_id, now)
            assert (counts.pending, counts.completed, counts.trash) == (
                account.pending,
                account.completed,
                account.trash,
            )
    assert counts.overdue
    assert counts.upcoming
    assert counts.trash


async def test_today_and_overdue_count_a_task_twice(storage: Storage, user_id: str) -> None:
    """What has passed of this day is in both views."""
    for due in (NOW - timedelta(hours=1), NOW + timedelta(hours=1), NOW.date(), NOW.date() - timedelta(1)):
        await storage.tasks.add(a_task(user_id, due_date=due))
    counts = await storage.accounts.counts(user_id, VIEWS)
    assert (counts.overdue, counts.today, counts.upcoming, counts.pending) == (2, 3, 0, 4)
    far = DueViews.at(datetime(9999, 12, 31, 23, 59, tzinfo=UTC), "Pacific/Kiritimati")
    assert (await storage.accounts.counts(user_id, far)).overdue == 4


async def test_each_list_and_the_inbox_are_counted(storage: Storage, user_id: str) -> None:
    made, empty, gone = [await a_list(storage, user_id) for _ in range(3)]
    for number in range(7):
        list_id = (made.id, None, gone.id)[number % 3]
        await storage.tasks.add(a_task(user_id, list_id=list_id, completed=number < 3))
    await do(storage, user_id, DeleteList(gone.id))
    counts = await storage.accounts.counts(user_id, VIEWS)
    assert counts.lists == {made.id: (3, 2), empty.id: (0, 0), None: (2, 1)}
    assert (counts.pending, counts.completed, counts.trash) == (3, 2, 2)


async def test_tags_are_counted_over_their_spellings(storage: Storage, user_id: str) -> None:
    async def add(*tags: str, completed: bool = False) -> Task:
        return await storage.tasks.add(a_task(user_id, tags=tags, completed=completed))

    await add("home", "Zoo")
    await add("Home", "e\N{COMBINING ACUTE ACCENT}", completed=True)
    await add("HOME", "É", 'quotes " and \\')
    gone = await add("home", "gone")
    await storage.tasks.remove(user_id, gone.id, now=NOW)
    wanted = [
        TagCount("home", "HOME", 3, 2),
        TagCount('quotes " and \\', 'quotes " and \\', 1, 1),
        TagCount("zoo", "Zoo", 1, 1),
        TagCount("é", "e\N{COMBINING ACUTE ACCENT}", 2, 1),
    ]
    assert await storage.accounts.tags(user_id) == wanted
    assert (await storage.accounts.counts(user_id, VIEWS)).tags == wanted
    for task in (await storage.tasks.page(user_id, TaskQuery())).tasks:
        assert await storage.tasks.save(replace(task, tags=()))
    assert await storage.accounts.tags(user_id) == []


async def test_tags_are_ordered_by_code_point(storage: Storage, user_id: str) -> None:
    tags = ("b", "ä", "\uffee", "\U0001f600", "10", "9", "a b", "a", "ab", "a-b")
    await storage.tasks.add(a_task(user_id, tags=tags))
    assert [tag.key for tag in await storage.accounts.tags(user_id)] == sorted(tags)
    assert [tag.key for tag in (await storage.accounts.counts(user_id, VIEWS)).tags] == sorted(tags)
