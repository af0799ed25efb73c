"""A client's copy of a user's tasks and lists, which follows the changes."""

from uuid import UUID

from todo_api.domain.changes import Change, Changes, SyncPoint
from todo_api.domain.ports import TaskRepository
from todo_api.domain.task import Task
from todo_api.domain.task_list import TaskList


class Copy:
    """The tasks and lists after the changes so far. A change that is repeated or out of order fails."""

    def __init__(self, repository: TaskRepository, user_id: str, since: SyncPoint | None = None) -> None:
        self._repository = repository
        self._user_id = user_id
        self.since = since or SyncPoint()
        self.tasks: dict[UUID, Task] = {}
        self.lists: dict[UUID, TaskList] = {}
        self.told: list[tuple[int, UUID]] = []

    async def follow(self, limit: int) -> Changes:
        """Apply the next page of changes."""
        page = await self._repository.changes(self._user_id, self.since, limit)
        changes: list[Change] = [*page.tasks, *page.deleted, *page.lists, *page.deleted_lists]
        news = sorted((change.revision, change.id) for change in changes)
        assert len(news) <= limit
        assert all(place > (self.since.revision, self.since.id) for place in news)
        assert all(place <= (page.next.revision, page.next.id) for place in news)
        self.told += news
        self.tasks |= {task.id: task for task in page.tasks}
        for gone in page.deleted:
            self.tasks.pop(gone.id, None)
        self.lists |= {task_list.id: task_list for task_list in page.lists}
        for gone_list in page.deleted_lists:
            self.lists.pop(gone_list.id, None)
        self.since = page.next
        return page

    async def catch_up(self, limit: int) -> None:
        """Follow until there are no more changes."""
        while (await self.follow(limit)).more:
            pass
