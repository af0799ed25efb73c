"""The account: what there is of one user."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A user's tasks in figures; by default, those of a user who never wrote.

    Attributes:
        user_id: Whose they are.
        first_seen_at: When the user's first task was written, an instant in UTC; None for a user who never wrote.
        revision: The user's revision, 0 for a user who never wrote.
        pending: How many tasks are not done; those in the trash count for none but `trash`.
        completed: How many are done.
        overdue: How many of the pending ones are due before now; a task that is due on a day has all of it, in UTC.
        trash: How many are in the trash.
    """

    user_id: str
    first_seen_at: datetime | None = None
    revision: int = 0
    pending: int = 0
    completed: int = 0
    overdue: int = 0
    trash: int = 0
