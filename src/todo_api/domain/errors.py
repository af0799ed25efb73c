"""The errors of the domain. `PROBLEMS` in `adapters/http/problems.py` maps each to an HTTP response."""


class TodoError(Exception):
    """The base class of all errors that this service raises deliberately."""


class InvalidValueError(TodoError, ValueError):
    """A value breaks a rule of the task. The message continues the name of the field: "must be ..."."""


class TaskNotFoundError(TodoError):
    """The user has no such task: it never existed, was deleted, or belongs to another user."""


class TaskNotInTrashError(TodoError):
    """The task exists and is not in the trash."""


class TaskExistsError(TodoError):
    """The user already has a task with this id, perhaps in the trash; `current` is its revision."""

    def __init__(self, current: int) -> None:
        super().__init__(f"the task exists already, at revision {current}")
        self.current = current


class TaskInTrashError(TaskExistsError):
    """The task with this id is in the trash."""


class QuotaExceededError(TodoError):
    """The user has reached the quota of tasks; tasks in the trash do not count."""

    def __init__(self, quota: int) -> None:
        super().__init__(f"there are {quota:,} tasks already, the most that a user may have; delete some first")
        self.quota = quota


class IdempotencyKeyReusedError(TodoError):
    """The idempotency key was used for another request."""


class IdempotencyKeyInUseError(TodoError):
    """The first request with this idempotency key is still running."""


class OperationError(TodoError):
    """An operation of a batch failed, and nothing was changed; `index` is its position, from 0."""

    def __init__(self, index: int, error: TodoError) -> None:
        super().__init__(f"operation {index}: {error}")
        self.index = index
        self.error = error


class IncompleteImportError(TodoError):
    """An import failed midway. The tasks before that point are kept: `imported` new, `skipped` existing."""

    def __init__(self, error: TodoError, imported: int, skipped: int) -> None:
        super().__init__(f"{error}; before that, {imported:,} tasks were imported and {skipped:,} skipped")
        self.error = error
        self.imported = imported
        self.skipped = skipped


class ForgottenRevisionError(TodoError):
    """The changes since this revision are not known, or no longer: the client must load everything again."""


class RevisionMismatchError(TodoError):
    """The task is at none of the revisions that the caller required; `current` is its revision."""

    def __init__(self, current: int) -> None:
        super().__init__(f"the task is at revision {current}")
        self.current = current


class ContentionError(TodoError):
    """Too many concurrent changes of the same task; nothing was changed."""


class FeedClosedError(TodoError):
    """The service is stopping, and listeners get no further notifications."""


class RepositoryUnavailableError(TodoError):
    """The storage cannot be reached now; a retry may succeed."""
