"""Use cases that run several operations at once, or one operation at most once."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeAlias, TypeVar
from uuid import UUID

from todo_api.application.change_feed import ChangeFeed
from todo_api.domain.errors import OperationError, TodoError
from todo_api.domain.idempotency import Edited, IdempotencyKey
from todo_api.domain.operations import Operation, Result
from todo_api.domain.ports import TaskRepository
from todo_api.domain.selection import Selection
from todo_api.domain.workspace import Workspace

MAX_OPERATIONS = 100

# The result of an operation: the task or list as it is now, None if it was deleted, or the error.
Outcome: TypeAlias = Result | TodoError

T = TypeVar("T")


class BatchService:
    """Runs operations in one transaction, with an idempotency key if the client sent one."""

    def __init__(
        self,
        repository: TaskRepository,
        feed: ChangeFeed,
        *,
        clock: Callable[[], datetime],
        new_id: Callable[[], UUID],
        quota: int | None = None,
    ) -> None:
        self._repository = repository
        self._announce = feed.announce
        self._clock = clock
        self._new_id = new_id
        self._quota = quota

    async def run(
        self,
        user_id: str,
        operations: Sequence[Operation],
        respond: Callable[[Sequence[Outcome], int], T],
        *,
        atomic: bool = True,
        key: IdempotencyKey[T] | None = None,
    ) -> Edited[T]:
        """Run the operations in order, in one transaction and at one revision.

        Args:
            user_id: The owner of the tasks.
            operations: The operations; later ones see the changes of earlier ones.
            respond: Builds the result from the outcomes of the operations and the user's revision after them.
            atomic: Whether one failure undoes all operations; otherwise failed operations are skipped.
            key: The idempotency key, if the client sent one. A retry gets the result of the first request.

        Raises:
            OperationError: An operation failed, and nothing was changed.
            IdempotencyKeyReusedError: The key was used for another request.
            IdempotencyKeyInUseError: The first request with this key is still running.
        """
        now = self._clock()

        def decide(workspace: Workspace) -> T:
            outcomes = [_outcome(workspace, *numbered, atomic=atomic) for numbered in enumerate(operations)]
            return respond(outcomes, workspace.revision)

        edited = await self._repository.edit(
            user_id,
            Selection.union(operation.selection for operation in operations),
            decide,
            now=now,
            new_id=self._new_id,
            quota=self._quota,
            key=key,
        )
        if not edited.replayed:
            self._announce(user_id)
        return edited


def _outcome(workspace: Workspace, index: int, operation: Operation, *, atomic: bool) -> Outcome:
    try:
        return operation.apply(workspace)
    except TodoError as error:
        if atomic:
            raise OperationError(index, error) from error
        return error
