"""The port that notifies listeners of changes as they happen."""

from collections.abc import Collection
from contextlib import AbstractContextManager
from typing import Protocol


class Listener(Protocol):
    """Waits for changes of one user's tasks."""

    async def wait(self) -> None:
        """Return when something may have changed since the last call, or since the listener was opened.

        Raises:
            FeedClosedError: The service is stopping; there will be no further notifications.
        """
        ...


class ChangeFeed(Protocol):
    """Notifies listeners that a user's tasks have changed. They read the changes themselves.

    A change of this process is announced at once, a change of another process within about a second.
    """

    @property
    def users(self) -> Collection[str]:
        """The ids of the users who have listeners in this process."""
        ...

    def announce(self, user_id: str) -> None:
        """Wake the user's listeners."""
        ...

    def listen(self, user_id: str) -> AbstractContextManager[Listener]:
        """Open a listener for the duration of a `with` block; it misses no change inside the block."""
        ...

    def close(self) -> None:
        """Make every wait, current and future, raise FeedClosedError."""
        ...
