"""The errors of the domain. `PROBLEMS` in `adapters/http/problems.py` maps each to an HTTP response."""


class TodoError(Exception):
    """The base class of all errors that this service raises deliberately."""


class InvalidValueError(TodoError, ValueError):
    """A value breaks a rule of the task. The message continues the name of the field: "must be ..."."""


class InvalidFieldError(InvalidValueError):
    """A value breaks a rule that concerns more than this field, or what is stored."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(f"{field} {detail}")
        self.field = field
        self.detail = detail


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


class ListNotFoundError(TodoError):
    """The user has no such list: it never existed, was deleted, or belongs to another user."""


class ListNotInTrashError(TodoError):
    """The list exists and is not in the trash."""


class ListExistsError(TaskExistsError):
    """The user already has a list with this id, perhaps in the trash; `current` is its revision."""


class ListInTrashError(ListExistsError):
    """The list with this id is in the trash."""


class NeighbourNotFoundError(TodoError):
    """What something was to be moved next to is not there, or no longer."""


class OccurrenceExistsError(TodoError):
    """Another task is this occurrence of the series."""


class NotRecurringError(TodoError):
    """The task has no recurrence, or has been completed, so there is no date to skip."""


class TagNotFoundError(TodoError):
    """None of the user's tasks outside the trash has the tag."""


class QuotaExceededError(TodoError):
    """The user has reached the quota of tasks or lists; those in the trash do not count."""

    def __init__(self, quota: int, kind: str = "tasks") -> None:
        super().__init__(f"there are {quota:,} {kind} already, the most that a user may have; delete some first")
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
    """An import failed midway. What came before is kept: `imported` new tasks, `skipped` existing ones, and lists."""

    def __init__(
        self, error: TodoError, imported: int, skipped: int, *, imported_lists: int = 0, skipped_lists: int = 0
    ) -> None:
        super().__init__(f"{error}; before that, {imported:,} tasks were imported and {skipped:,} skipped")
        self.error = error
        self.imported = imported
        self.skipped = skipped
        self.imported_lists = imported_lists
        self.skipped_lists = skipped_lists


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
