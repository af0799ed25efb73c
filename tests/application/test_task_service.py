"""Use cases of tasks over the in-memory repository; `Interfering` simulates races between load and save."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace
from datetime import datetime
from uuid import UUID, uuid4

import pytest
from tests.domain.builders import NOW, START, a_task, later, stopped_clock

from todo_api.adapters.memory.change_feed import InMemoryChangeFeed
from todo_api.adapters.memory.repository import InMemoryTaskRepository
from todo_api.adapters.memory.store import Store
from todo_api.application.tasks import TaskService
from todo_api.domain.errors import ContentionError, InvalidValueError, RevisionMismatchError, TaskNotFoundError
from todo_api.domain.listing import TaskQuery
from todo_api.domain.task import Task
from todo_api.domain.task_changes import TaskChanges

NEW_ID = UUID(int=42)
FIRST = START + 1


class Interfering(InMemoryTaskRepository):
    """Runs a callback before each save and removal, a given number of times."""

    def __init__(self) -> None:
        super().__init__(Store(stopped_clock))
        self.interfere: Callable[[Task], Awaitable[object]] | None = None
        self.times = 1
        self.writes = 0

    async def save(self, task: Task, successor: Task | None = None, quota: int | None = None) -> Task | None:
        self.writes += 1
        await self._interfered(task.user_id, task.id)
        return await super().save(task, successor, quota)

    async def remove(self, user_id: str, task_id: UUID, revision: int | None = None, *, now: datetime) -> bool:
        self.writes += 1
        await self._interfered(user_id, task_id)
        return await super().remove(user_id, task_id, revision, now=now)

    async def describe(self, task: Task) -> None:
        """Change the description, as another process would."""
        assert await super().save(replace(task, description=f"{task.description or ''}x"))

    async def take_away(self, task: Task) -> None:
        assert await super().remove(task.user_id, task.id, now=NOW)

    async def _interfered(self, user_id: str, task_id: UUID) -> None:
        if self.interfere and self.times:
            self.times -= 1
            await self.interfere(await self.get(user_id, task_id))


@pytest.fixture
def repository() -> Interfering:
    return Interfering()


@pytest.fixture
def service(repository: Interfering) -> TaskService:
    return TaskService(repository, InMemoryChangeFeed(), clock=lambda: later(60), new_id=lambda: NEW_ID)


@pytest.fixture
async def task(repository: Interfering) -> Task:
    return await repository.add(a_task())


async def revision_of(repository: Interfering) -> int:
    return (await repository.page("ada", TaskQuery())).revision


async def test_a_created_task_has_the_id_and_time_of_the_ports(service: TaskService, repository: Interfering) -> None:
    created = await service.create("ada", TaskChanges(title="Buy milk"))

    assert (created.id, created.created_at, created.revision) == (
        NEW_ID,
        later(60),
        FIRST,
    )
    assert await service.get("ada", NEW_ID) == created
    assert (await service.page("ada", TaskQuery())).tasks == [created]
    assert (await service.page("ada", TaskQuery(), [created.revision])).tasks == []


async def test_an_invalid_task_is_not_stored(service: TaskService, repository: Interfering) -> None:
    for values in (TaskChanges(), TaskChanges(title=" ")):
        with pytest.raises(InvalidValueError):
            await service.create("ada", values)
    assert await revision_of(repository) == 0


async def test_a_change_is_stored(service: TaskService, task: Task) -> None:
    changed = await service.change("ada", task.id, TaskChanges(title="Other"))

    assert changed == replace(task, title="Other", updated_at=later(60), revision=FIRST + 1)
    assert await service.get("ada", task.id) == changed


async def test_a_change_that_loses_a_race_is_applied_to_the_winner(
    service: TaskService, repository: Interfering, task: Task
) -> None:
    repository.interfere, repository.times = repository.describe, 3

    changed = await service.change("ada", task.id, TaskChanges(title="Other"))

    assert (changed.title, changed.description, changed.revision) == ("Other", "xxx", task.revision + 4)
    assert repository.writes == 4


async def test_a_toggle_that_loses_a_race_inverts_the_winner(
    service: TaskService, repository: Interfering, task: Task
) -> None:
    async def complete(current: Task) -> None:
        assert await InMemoryTaskRepository.save(repository, current.complete(completed=True, now=NOW))

    repository.interfere = complete

    assert not (await service.complete("ada", task.id, None)).completed


@pytest.mark.parametrize("if_revisions", [{FIRST}, {FIRST, FIRST + 6}, [FIRST]])
async def test_a_change_happens_at_a_required_revision(
    service: TaskService, task: Task, if_revisions: Collection[int]
) -> None:
    assert (await service.change("ada", task.id, TaskChanges(title="Other"), if_revisions)).revision == FIRST + 1


@pytest.mark.parametrize("if_revisions", [(), {START}, {FIRST + 1}, {START, FIRST + 1}])
async def test_a_change_at_another_revision_is_refused(
    service: TaskService, repository: Interfering, task: Task, if_revisions: Collection[int]
) -> None:
    for call in (
        service.change("ada", task.id, TaskChanges(title="Other"), if_revisions),
        service.change("ada", task.id, TaskChanges(title=task.title), if_revisions),  # even if it would change nothing
        service.complete("ada", task.id, None, if_revisions),
        service.delete("ada", task.id, if_revisions),
    ):
        with pytest.raises(RevisionMismatchError) as mismatch:
            await call
        assert mismatch.value.current == task.revision
    assert await service.get("ada", task.id) == task
    assert repository.writes == 0


async def test_a_change_with_a_precondition_that_loses_a_race_is_refused(
    service: TaskService, repository: Interfering, task: Task
) -> None:
    repository.interfere = repository.describe

    with pytest.raises(RevisionMismatchError) as mismatch:
        await service.change("ada", task.id, TaskChanges(title="Other"), {task.revision})

    assert mismatch.value.current == task.revision + 1
    assert (await service.get("ada", task.id)).title == task.title


async def test_a_change_without_effect_writes_nothing(
    service: TaskService, repository: Interfering, task: Task
) -> None:
    assert await service.change("ada", task.id, TaskChanges(title=" Buy milk ", due_date=None)) == task
    assert await service.change("ada", task.id, TaskChanges()) == task
    assert await service.complete("ada", task.id, completed=False) == task

    assert (repository.writes, await revision_of(repository)) == (0, task.revision)


async def test_missing_and_foreign_tasks_are_not_found(service: TaskService, task: Task) -> None:
    for user_id, task_id in (("ada", uuid4()), ("bob", task.id)):
        for if_revisions in (None, {task.revision}):
            for call in (
                service.get(user_id, task_id),
                service.change(user_id, task_id, TaskChanges(title="Other"), if_revisions),
                service.complete(user_id, task_id, None, if_revisions),
                service.delete(user_id, task_id, if_revisions),
            ):
                with pytest.raises(TaskNotFoundError):
                    await call
    assert await service.get("ada", task.id) == task


async def test_a_task_that_is_deleted_during_a_change_is_not_found(
    service: TaskService, repository: Interfering, task: Task
) -> None:
    repository.interfere = repository.take_away

    with pytest.raises(TaskNotFoundError):
        await service.change("ada", task.id, TaskChanges(title="Other"))


async def test_an_invalid_change_writes_nothing(service: TaskService, repository: Interfering, task: Task) -> None:
    with pytest.raises(InvalidValueError):
        await service.change("ada", task.id, TaskChanges(title="\0"))
    assert (repository.writes, await revision_of(repository)) == (0, task.revision)


@pytest.mark.parametrize("if_revisions", [None, {FIRST}])
async def test_a_deleted_task_is_gone(service: TaskService, task: Task, if_revisions: Collection[int] | None) -> None:
    await service.delete("ada", task.id, if_revisions)

    for call in (service.get("ada", task.id), service.delete("ada", task.id, if_revisions)):
        with pytest.raises(TaskNotFoundError):
            await call


async def test_a_deletion_without_a_precondition_ignores_a_concurrent_change(
    service: TaskService, repository: Interfering, task: Task
) -> None:
    repository.interfere = repository.describe

    await service.delete("ada", task.id)

    assert repository.writes == 1
    with pytest.raises(TaskNotFoundError):
        await service.get("ada", task.id)


async def test_a_deletion_with_a_precondition_that_loses_a_race_is_refused(
    service: TaskService, repository: Interfering, task: Task
) -> None:
    repository.interfere = repository.describe

    with pytest.raises(RevisionMismatchError) as mismatch:
        await service.delete("ada", task.id, {task.revision})

    assert mismatch.value.current == task.revision + 1
    assert (await service.get("ada", task.id)).description == "x"


async def test_a_deletion_that_allows_both_revisions_succeeds_after_a_race(
    service: TaskService, repository: Interfering, task: Task
) -> None:
    repository.interfere = repository.describe

    await service.delete("ada", task.id, {task.revision, task.revision + 1})

    assert repository.writes == 2


async def test_a_change_that_always_loses_fails_with_contention(
    service: TaskService, repository: Interfering, task: Task
) -> None:
    repository.interfere, repository.times = repository.describe, 1_000

    with pytest.raises(ContentionError, match="nothing was changed"):
        await service.change("ada", task.id, TaskChanges(title="Other"))
    with pytest.raises(ContentionError, match="nothing was deleted"):
        await service.delete("ada", task.id, range(task.revision, task.revision + 1_000))

    assert (await service.get("ada", task.id)).title == task.title


async def test_concurrent_changes_of_different_fields_are_all_kept(service: TaskService, task: Task) -> None:
    await asyncio.gather(
        service.change("ada", task.id, TaskChanges(title="Other")),
        service.change("ada", task.id, TaskChanges(description="words")),
        service.complete("ada", task.id, completed=True),
    )

    kept = await service.get("ada", task.id)
    assert (kept.title, kept.description, kept.completed, kept.revision) == (
        "Other",
        "words",
        True,
        task.revision + 3,
    )


async def test_an_even_number_of_concurrent_toggles_changes_nothing(
    service: TaskService, repository: Interfering, task: Task
) -> None:
    await asyncio.gather(*(service.complete("ada", task.id, None) for _ in range(100)))

    kept = await service.get("ada", task.id)
    assert (kept.completed, kept.revision) == (False, task.revision + 100)
    assert repository.writes == 100  # serialized changes never lose a race
