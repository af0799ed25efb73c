"""What an edit can do with tags."""

from todo_api.domain.errors import TagNotFoundError
from todo_api.domain.tags import renamed, tag_key
from todo_api.domain.task_changes import TaskChanges
from todo_api.domain.workspace import Workspace


def retag(workspace: Workspace, key: str, name: str | None) -> None:
    """Rename a tag on all tasks that have it, or remove it if `name` is None.

    Raises:
        InvalidValueError: The name breaks a rule.
        TagNotFoundError: No task has it.
    """
    tagged = [task for task in workspace.tasks.live() if key in map(tag_key, task.tags)]
    if not tagged:
        raise TagNotFoundError
    for task in tagged:
        changed = task.change(TaskChanges(tags=renamed(task.tags, key, name)), now=workspace.now)
        if changed is not task:
            workspace.tasks.write(changed)
