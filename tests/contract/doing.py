"""Run operations as a batch does, and read what is stored."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from tests.domain.builders import NOW, later
from tests.storages import Storage

from todo_api.adapters.memory.change_feed import InMemoryChangeFeed
from todo_api.application.tasks import TaskService
from todo_api.domain.due_date import DueDate
from todo_api.domain.listing import Order, Sort, TaskQuery
from todo_api.domain.operations import (
    Complete,
    Create,
    CreateList,
    Operation,
    Result,
)
from todo_api.domain.recurrence import Recurrence
from todo_api.domain.selection import Selection
from todo_api.domain.task import Task
from todo_api.domain.task_changes import TaskChanges
from todo_api.domain.task_list import ListChanges, TaskList
from todo_api.domain.workspace import Workspace


async def do(
    storage: Storage,
    user_id: str,
    *operations: Operation,
    now: datetime = NOW,
    new_id: Callable[[], UUID] = uuid4,
    quota: int | None = None,
) -> list[Any]:
    """Run the operations in one edit and return their results."""

    def decide(workspace: Workspace) -> list[Result]:
        return [operation.apply(workspace) for operation in operations]

    selection = Selection.union(operation.selection for operation in operations)
    edited = await storage.tasks.edit(user_id, selection, decide, now=now, new_id=new_id, quota=quota)
    return edited.result


async def a_list(storage: Storage, user_id: str, name: str = "Errands", list_id: UUID | None = None) -> TaskList:
    """Create a list."""
    (made,) = await do(storage, user_id, CreateList(list_id or uuid4(), ListChanges(name=name)))
    assert isinstance(made, TaskList)
    return made


async def in_order(storage: Storage, user_id: str) -> list[Task]:
    """Return all tasks in their manual order."""
    page = await storage.tasks.page(user_id, TaskQuery(sort=Sort.POSITION, order=Order.ASC))
    assert page.next is None
    return page.tasks


async def trashed(storage: Storage, user_id: str) -> set[UUID]:
    """Return the ids of the tasks in the trash."""
    return {task.id for task in (await storage.tasks.trash(user_id, 1000)).tasks}


TODAY = NOW.date()
DAILY = Recurrence.parse("FREQ=DAILY")


def service_of(storage: Storage, quota: int | None = None) -> TaskService:
    return TaskService(storage.tasks, InMemoryChangeFeed(), clock=lambda: later(1), new_id=uuid4, quota=quota)


async def a_series(
    storage: Storage, user_id: str, recurrence: Recurrence = DAILY, due_date: DueDate = TODAY, **values: object
) -> Task:
    (made,) = await do(
        storage,
        user_id,
        Create(
            uuid4(),
            TaskChanges(title="Water", due_date=due_date, recurrence=recurrence, **values),  # type: ignore[arg-type]
        ),
    )
    assert isinstance(made, Task)
    return made


async def complete(storage: Storage, user_id: str, task: Task, *, in_batch: bool, completed: bool = True) -> Task:
    if not in_batch:
        return await service_of(storage).complete(user_id, task.id, completed)
    (done,) = await do(storage, user_id, Complete(task.id, completed), now=later(1))
    assert isinstance(done, Task)
    return done
