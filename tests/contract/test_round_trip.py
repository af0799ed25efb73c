"""Stored tasks are returned unchanged, and only to their owner."""

import random
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import pytest
from tests.contract.doing import a_list
from tests.domain.builders import NOW, START, a_task, later
from tests.storages import Storage

from todo_api.domain.changes import SyncPoint
from todo_api.domain.checklist import CHECKLIST_MAX_ITEMS, ChecklistItem
from todo_api.domain.due_date import DueDate, DueKind
from todo_api.domain.errors import TaskNotFoundError
from todo_api.domain.filters import TaskFilter
from todo_api.domain.listing import Order, Sort, Status, TaskQuery
from todo_api.domain.ports import TaskRepository
from todo_api.domain.positions import position_at
from todo_api.domain.recurrence import CountedFrom, Occurrence, Recurrence
from todo_api.domain.repetition import Repetition
from todo_api.domain.selection import Selection
from todo_api.domain.tags import MAX_TAGS, tag_key
from todo_api.domain.task import Task
from todo_api.domain.task_changes import Priority
from todo_api.domain.text import TAG_MAX_LENGTH
from todo_api.domain.workspace import Workspace

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


A_REPETITION = Repetition(
    Recurrence.parse(
        "FREQ=MONTHLY;BYDAY=-1FR;UNTIL=20301231", CountedFrom.COMPLETION, "America/Argentina/Buenos_Aires"
    ),
    Occurrence(
        sequence=7,
        kind=DueKind.INSTANT,
        anchor=datetime(2026, 1, 30, 23, 59, 59, 999999),  # noqa: DTZ001 - a wall-clock time
        slot=datetime(2026, 7, 31, 23, 59, 59, 999999),  # noqa: DTZ001
    ),
    spawned_at=2**53 + 1,
)


def four_byte_characters(count: int) -> str:
    """Return different characters, so that compression cannot shorten the text."""
    return "".join(chr(RANDOM.randrange(0x20000, 0x2A6D0)) for _ in range(count))


def as_in(other: Task, task: Task) -> set[str]:
    """Return the fields that have the same value in both."""
    return {field.name for field in fields(Task) if getattr(task, field.name) == getattr(other, field.name)}


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
        priority=Priority.HIGH,
        tags=("Käse", "quotes '\" and \\ slashes", "100 % :name $1 {a,b}", "\U0001f9c0"),
        checklist=(
            ChecklistItem(id=UUID(int=2), title='"quoted" \\ \', [null] {}', completed=True),
            ChecklistItem(id=UUID(int=1), title="null", completed=False),
        ),
        recurrence=A_REPETITION,
        series_id=UUID(int=3),
        previous_id=UUID(int=4),
        next_id=UUID(int=5),
        created_at=NOW,
        updated_at=later(7),
    )

    assert as_in(a_task(user_id), task) == {"user_id", "list_id", "position", "created_at", "revision"}
    added = await repository.add(task)

    assert added == replace(task, revision=START + 1, position=position_at(START + 1))
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


async def test_every_field_but_identity_and_creation_can_be_saved(storage: Storage, user_id: str) -> None:
    repository, made = storage.tasks, await a_list(storage, user_id)
    added = await repository.add(a_task(user_id, description="old"))
    changed = replace(
        added,
        title="New title",
        description=None,
        completed=True,
        completed_at=later(1),
        due_date=date(2027, 1, 1),
        list_id=made.id,
        priority=Priority.LOW,
        tags=("b", "a"),
        checklist=(ChecklistItem(id=uuid4(), title="Step", completed=False),),
        recurrence=A_REPETITION,
        series_id=uuid4(),
        previous_id=uuid4(),
        next_id=uuid4(),
        updated_at=later(2),
    )

    assert as_in(added, changed) == {"id", "user_id", "position", "created_at", "revision"}
    saved = await repository.save(changed)

    assert saved == replace(changed, revision=START + 3)
    assert await repository.get(user_id, added.id) == saved
    emptied = {field.name: getattr(added, field.name) for field in fields(Task) if field.name != "revision"}
    again = await repository.save(replace(saved, **emptied))
    assert again == replace(added, revision=START + 4)
    assert await repository.get(user_id, added.id) == again


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


def the_largest(user_id: str) -> Task:
    """A task whose texts are all as long as they may be."""
    return a_task(
        user_id,
        title=four_byte_characters(500),
        description=four_byte_characters(10_000),
        tags=tuple(four_byte_characters(TAG_MAX_LENGTH) for _ in range(MAX_TAGS)),
        checklist=tuple(
            ChecklistItem(id=uuid4(), title=four_byte_characters(500), completed=number % 2 > 0)
            for number in range(CHECKLIST_MAX_ITEMS)
        ),
        due_date=date(9999, 12, 31),
        recurrence=A_REPETITION,
        series_id=uuid4(),
    )


async def test_the_most_tags_and_steps_fit_on_every_way(storage: Storage, user_id: str) -> None:
    repository, task = storage.tasks, the_largest(user_id)
    added = await repository.add(task)
    saved = await repository.save(replace(added, title="Shorter"))
    adopted, trashed = the_largest(user_id), the_largest(user_id).discard(now=NOW)

    def adopt(workspace: Workspace) -> list[bool]:
        return [workspace.adopt(one) for one in (adopted, trashed)]

    await repository.edit(user_id, Selection.of(adopted.id, trashed.id), adopt, now=NOW, new_id=uuid4)

    for wanted in (saved, replace(adopted, revision=START + 3, position=position_at(START + 3))):
        assert wanted
        assert await repository.get(user_id, wanted.id) == wanted
        tag = TaskFilter(tags=(tag_key(wanted.tags[-1]),))
        assert await only_task(repository, user_id, filter=tag) == wanted
    (gone,) = (await repository.trash(user_id, 2)).tasks
    assert gone == replace(trashed, revision=START + 3, position=gone.position)
    assert len(await storage.accounts.tags(user_id)) == 2 * MAX_TAGS
    assert {one.id: one for one in (await repository.changes(user_id, SyncPoint(), 9)).tasks}[added.id] == saved
    restored = await repository.restore(user_id, gone.id)
    assert restored == replace(gone.restore(), revision=START + 4)


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
