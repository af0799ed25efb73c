"""Use cases that read lists. They are changed by operations, which BatchService runs."""

from uuid import UUID

from todo_api.domain.listing import MAX_PAGE_SIZE
from todo_api.domain.ports import ListRepository
from todo_api.domain.task_list import TaskList, TrashedList


class ListService:
    """Reads the lists of the user whose id is the first argument."""

    def __init__(self, repository: ListRepository) -> None:
        self._repository = repository

    async def lists(self, user_id: str) -> tuple[list[TaskList], int]:
        """Return the lists in their manual order, and the user's revision."""
        return await self._repository.lists(user_id)

    async def get(self, user_id: str, list_id: UUID) -> TaskList:
        """Return the list, or raise ListNotFoundError."""
        return await self._repository.get_list(user_id, list_id)

    async def trash(self, user_id: str) -> list[TrashedList]:
        """Return the last 1,000 lists that came into the trash, the most recently deleted first."""
        return await self._repository.trashed_lists(user_id, MAX_PAGE_SIZE)
