"""What an edit can do with lists."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from todo_api.domain.errors import (
    ListExistsError,
    ListInTrashError,
    ListNotFoundError,
    ListNotInTrashError,
    QuotaExceededError,
)
from todo_api.domain.records import Place, require_revision
from todo_api.domain.task import TrashedTask
from todo_api.domain.task_changes import TaskChanges
from todo_api.domain.task_list import MAX_LISTS, ListChanges, TaskList, TrashedList
from todo_api.domain.workspace import Workspace


def create_list(workspace: Workspace, list_id: UUID, values: ListChanges) -> TaskList:
    """Create a list and return it.

    Raises:
        InvalidValueError: There is no name, or a value breaks a rule.
        ListExistsError: The user has a list with this id, perhaps in the trash.
        QuotaExceededError: The user has 500 lists.
    """
    if taken := workspace.lists.find(list_id):
        raise (ListInTrashError if isinstance(taken, TrashedList) else ListExistsError)(taken.revision)
    created = TaskList.create(list_id=list_id, user_id=workspace.user_id, values=values, now=workspace.now)
    return _add(workspace, created)


def adopt_list(workspace: Workspace, task_list: TaskList) -> bool:
    """Add a list unchanged, in the trash or not; return False if a list with its id exists.

    Raises:
        QuotaExceededError: The user has 500 lists.
    """
    if workspace.lists.find(task_list.id):
        return False
    if isinstance(task_list, TrashedList):
        workspace.lists.write(task_list)
    else:
        _add(workspace, task_list)
    return True


def change_list(
    workspace: Workspace, list_id: UUID, changes: ListChanges, if_revisions: Collection[int] | None = None
) -> TaskList:
    """Change a list and return it.

    Raises:
        InvalidValueError: A value breaks a rule.
        ListNotFoundError: The user has no such list.
        RevisionMismatchError: It is at none of `if_revisions`, where they are given.
    """
    found = live_list(workspace, list_id, if_revisions)
    changed = found.change(changes, now=workspace.now)
    return found if changed is found else workspace.lists.write(changed)


def delete_list(
    workspace: Workspace, list_id: UUID, *, keep_tasks: bool, if_revisions: Collection[int] | None = None
) -> None:
    """Move a list to the trash, and its tasks with it; with `keep_tasks`, they move to the inbox.

    Raises:
        ListNotFoundError: The user has no such list.
        RevisionMismatchError: It is at none of `if_revisions`, where they are given.
    """
    found = live_list(workspace, list_id, if_revisions)
    now = _moment_of_its_own(workspace, list_id)
    for task in workspace.tasks.live():
        if task.list_id == list_id and keep_tasks:
            workspace.tasks.write(task.change(TaskChanges(list_id=None), now=workspace.now))
        elif task.list_id == list_id:
            workspace.discard(task, now)
    workspace.lists.write(found.discard(now=now))


def restore_list(workspace: Workspace, list_id: UUID, if_revisions: Collection[int] | None = None) -> TaskList:
    """Restore a list from the trash, with the tasks that went with it and are still in the trash; return the list.

    Raises:
        ListNotFoundError: The user has no such list, or it has been purged.
        ListNotInTrashError: The list is not in the trash.
        RevisionMismatchError: It is at none of `if_revisions`, where they are given.
        QuotaExceededError: There are too many lists, or too many tasks.
    """
    found = workspace.lists.find(list_id)
    if not isinstance(found, TrashedList):
        raise ListNotFoundError if found is None else ListNotInTrashError
    require_revision(found, if_revisions)
    went_with_it = [
        task
        for task in workspace.tasks.all()
        if isinstance(task, TrashedTask) and task.list_id == list_id and task.deleted_at == found.deleted_at
    ]
    workspace.require_room(len(went_with_it))
    restored = _add(workspace, found.restore())
    for task in went_with_it:
        workspace.add(task.restore())
    return restored


def move_list(
    workspace: Workspace, list_id: UUID, place: Place, if_revisions: Collection[int] | None = None
) -> TaskList:
    """Move a list in the manual order of the lists and return it.

    Raises:
        ListNotFoundError: The user has no such list.
        RevisionMismatchError: It is at none of `if_revisions`, where they are given.
        InvalidFieldError: It is to be moved next to itself.
        NeighbourNotFoundError: The neighbour does not exist, or is in the trash.
    """
    found = live_list(workspace, list_id, if_revisions)
    return workspace.lists.move(found, place)


def live_list(workspace: Workspace, list_id: UUID, if_revisions: Collection[int] | None = None) -> TaskList:
    """Return a list that is not in the trash, or raise ListNotFoundError or RevisionMismatchError."""
    found = workspace.lists.find(list_id)
    if found is None or isinstance(found, TrashedList):
        raise ListNotFoundError
    require_revision(found, if_revisions)
    return found


def _moment_of_its_own(workspace: Workspace, list_id: UUID) -> datetime:
    """Return the time of the edit, or a moment later if it has deleted tasks of the list before.

    The tasks that go with a list are those of the same time: restoring it brings them back, and no others.
    """
    trash = (task for task in workspace.tasks.all() if isinstance(task, TrashedTask))
    taken = {task.deleted_at for task in trash if task.list_id == list_id}
    now = workspace.now
    while now in taken:
        now += timedelta(microseconds=1)
    return now


def _add(workspace: Workspace, task_list: TaskList) -> TaskList:
    if len(workspace.lists.live()) >= MAX_LISTS:
        raise QuotaExceededError(MAX_LISTS, "lists")
    return workspace.lists.write(task_list)
