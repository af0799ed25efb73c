"""Stored tasks are returned unchanged, and only to their owner."""

import random
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import pytest
from tests.domain.builders import NOW, START, a_task, later

from todo_api.domain.due_date import DueDate
from todo_api.domain.errors import TaskNotFoundError
from todo_api.domain.listing import Order, Sort, Status, TaskQuery
from todo_api.domain.ports import TaskRepository
from todo_api.domain.task import Task

RANDOM = random.Random()  # unseeded: workers share a database, and these texts are user ids too

DUE_DATES: list[DueDate | None] = [
    None,
    date(2026, 12, 31),
    date.min,
    date.max,
    datetime(2026, 12, 31, 17, 0, 0, 1),  # noqa: DTZ001 - a floating time has no zone
    datetime.min,  # noqa: DTZ901
    datetime.max,  # noqa: DTZ901
    datetime(2026, 12, 31, 17, 0, tzinfo=UTC),
    datetime.min.replace(tzinfo=UTC),
    datetime.max.replace(tzinfo=UTC),
]


def four_byte_characters(count: int) -> str:
    """Return different characters, so that compression cannot shorten the text."""
    return "".join(chr(RANDOM.randrange(0x20000, 0x2A6D0)) for _ in range(count))


async def only_task(repository: TaskRepository, user_id: str, **query: object) -> Task:
    page = await repository.page(user_id, TaskQuery(**query))  # type: ignore[arg-type] # names as in TaskQuery
    (task,) = page.tasks
    return task


async def test_every_field_comes_back_from_get_and_page(repository: TaskRepository, user_id: str) -> None:
    task = a_task(
        user_id,
        task_id=UUID("01890a5d-ac96-774b-bcce-b302099a8057"),
        title="Käse & 'Brot' \"für\" 100 % \\ 🧀",
        description="two\nlines\tand a tab; %s :name $1",
        completed=True,
        completed_at=later(5),
        due_date=date(2026, 12, 31),
        created_at=NOW,
        updated_at=later(7),
    )

    added = await repository.add(task)

    assert added == replace(task, revision=START + 1)
    kept = await repository.get(user_id, task.id)
    assert kept == added
    for field in fields(Task):  # equal is not enough: a text equals a member of a StrEnum
        assert isinstance(getattr(kept, field.name), type(getattr(task, field.name))), field.name
    assert await only_task(repository, user_id) == added


@pytest.mark.parametrize("due_date", DUE_DATES, ids=repr)
async def test_a_due_date_comes_back_in_its_kind(
    repository: TaskRepository, user_id: str, due_date: DueDate | None
) -> None:
    added = await repository.add(a_task(user_id, due_date=due_date))
    kept = await repository.get(user_id, added.id)

    assert kept == added
    assert type(kept.due_date) is type(due_date)
    assert await only_task(repository, user_id, sort=Sort.DUE_DATE) == added


@pytest.mark.parametrize("due_date", DUE_DATES, ids=repr)
async def test_a_saved_due_date_comes_back_in_its_kind(
    repository: TaskRepository, user_id: str, due_date: DueDate | None
) -> None:
    for before in (None, date(2030, 1, 1)):
        added = await repository.add(a_task(user_id, due_date=before))
        saved = await repository.save(replace(added, due_date=due_date))
        kept = await repository.get(user_id, added.id)

        assert kept == saved
        assert kept.due_date == due_date
        assert type(kept.due_date) is type(due_date)


async def test_every_field_but_identity_and_creation_can_be_saved(repository: TaskRepository, user_id: str) -> None:
    added = await repository.add(a_task(user_id, description="old"))
    changed = replace(
        added,
        title="New title",
        description=None,
        completed=True,
        completed_at=later(1),
        due_date=date(2027, 1, 1),
        updated_at=later(2),
    )

    saved = await repository.save(changed)

    assert saved == replace(changed, revision=START + 2)
    assert await repository.get(user_id, added.id) == saved


@pytest.mark.parametrize("status", [Status.ALL, Status.PENDING])
@pytest.mark.parametrize("sort", Sort)
async def test_the_longest_texts_fit(repository: TaskRepository, sort: Sort, status: Status) -> None:
    user_id, title = four_byte_characters(255), four_byte_characters(500)
    task = await repository.add(a_task(user_id, title=title, description=four_byte_characters(10_000)))

    assert await repository.get(user_id, task.id) == task
    assert await only_task(repository, user_id, sort=sort, status=status) == task


async def test_the_widest_letters_fit(repository: TaskRepository, user_id: str) -> None:
    title = "\ufdfa" * 500  # one code point that decomposes into eighteen
    task = await repository.add(a_task(user_id, title=title))

    assert await only_task(repository, user_id, sort=Sort.TITLE) == task


async def test_instants_of_creation_keep_their_microseconds_over_all_years(
    repository: TaskRepository, user_id: str
) -> None:
    first, last = datetime(1, 1, 1, 0, 0, 0, 1, UTC), datetime(9999, 12, 31, 23, 59, 59, 999998, UTC)
    tasks = [await repository.add(a_task(user_id, created_at=created)) for created in (first, last)]

    page = await repository.page(user_id, TaskQuery(order=Order.ASC))

    assert page.tasks == tasks
    assert [task.created_at.utcoffset() for task in page.tasks] == [UTC.utcoffset(None)] * 2


async def test_an_unknown_task_is_not_found(repository: TaskRepository, user_id: str) -> None:
    with pytest.raises(TaskNotFoundError):
        await repository.get(user_id, uuid4())
    await repository.add(a_task(user_id))
    with pytest.raises(TaskNotFoundError):
        await repository.get(user_id, uuid4())


async def test_another_users_task_does_not_exist(repository: TaskRepository, new_user_id: Callable[[], str]) -> None:
    owner, stranger = new_user_id(), new_user_id()
    task = await repository.add(a_task(owner))
    await repository.add(a_task(stranger))  # a user with an account at the same revision

    with pytest.raises(TaskNotFoundError):
        await repository.get(stranger, task.id)
    assert await repository.save(replace(task, user_id=stranger, title="Mine")) is None
    assert not await repository.remove(stranger, task.id, now=NOW)
    assert not await repository.remove(stranger, task.id, task.revision, now=NOW)
    page = await repository.page(stranger, TaskQuery())
    assert task.id not in {other.id for other in page.tasks}

    assert await repository.get(owner, task.id) == task
    assert page.revision == (await repository.page(owner, TaskQuery())).revision == START + 1


async def test_two_users_may_have_tasks_of_one_id(repository: TaskRepository, new_user_id: Callable[[], str]) -> None:
    task_id, users = uuid4(), (new_user_id(), new_user_id())
    tasks = [await repository.add(a_task(user, task_id=task_id, title=user)) for user in users]

    assert await repository.remove(users[0], task_id, now=NOW)
    assert await repository.get(users[1], task_id) == tasks[1]


async def test_user_ids_are_compared_exactly(repository: TaskRepository, user_id: str) -> None:
    task = await repository.add(a_task(user_id))

    for other in (user_id.upper(), f"{user_id} ", f" {user_id}", user_id[:-1]):
        with pytest.raises(TaskNotFoundError):
            await repository.get(other, task.id)


async def test_a_storage_that_works_passes_the_check(repository: TaskRepository) -> None:
    await repository.check()
