"""What can go wrong, in the language of the domain. `adapters/http/problems.py` maps each to an HTTP answer."""


class TodoError(Exception):
    """Everything that this service refuses on purpose."""


class InvalidValueError(TodoError, ValueError):
    """A value breaks a rule of the task; the message says which, in words that finish the sentence "it ..."."""


class TaskNotFoundError(TodoError):
    """The user has no such task: it never was, it was deleted, or it is somebody else's."""


class TaskNotInTrashError(TodoError):
    """The task is there, and not in the trash."""


class TaskExistsError(TodoError):
    """The user has a task of this id already, perhaps in the trash."""

    def __init__(self, current: int) -> None:
        """Take the revision that the task is at."""
        super().__init__(f"the task is there already, at revision {current}")
        self.current = current


class QuotaExceededError(TodoError):
    """The user has as many tasks as one user may have."""

    def __init__(self, quota: int) -> None:
        """Take how many tasks a user may have; those in the trash do not count."""
        super().__init__(f"there are {quota:,} tasks already, which is as many as a user may have")
        self.quota = quota


class IdempotencyKeyReusedError(TodoError):
    """The key came with another request before."""


class IdempotencyKeyInUseError(TodoError):
    """The first request with this key is still running."""


class OperationError(TodoError):
    """An operation of a batch failed, and so nothing of it was done."""

    def __init__(self, index: int, error: TodoError) -> None:
        """Take the place of the operation, from 0, and what went wrong."""
        super().__init__(f"operation {index}: {error}")
        self.index = index
        self.error = error


class IncompleteImportError(TodoError):
    """An import has ended early; the tasks before the place where it did are kept."""

    def __init__(self, error: TodoError, imported: int, skipped: int) -> None:
        """Take what went wrong, how many tasks came to be, and how many were left out because they were there."""
        super().__init__(f"{error}; before that, {imported:,} tasks were imported and {skipped:,} skipped")
        self.error = error
        self.imported = imported
        self.skipped = skipped


class ForgottenRevisionError(TodoError):
    """What has happened since the revision is not known any more, or never was: load everything afresh."""


class RevisionMismatchError(TodoError):
    """The task is not at one of the revisions that the caller asked for."""

    def __init__(self, current: int) -> None:
        """Take the revision that the task is at now."""
        super().__init__(f"the task is at revision {current}")
        self.current = current


class ContentionError(TodoError):
    """Too many others change the same task at the same moment; nothing was changed."""


class FeedClosedError(TodoError):
    """The service is about to stop, and tells of no more changes."""


class RepositoryUnavailableError(TodoError):
    """The tasks cannot be reached now; trying again later may help."""
