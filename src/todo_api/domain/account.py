"""The account: figures about one user's tasks."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Figures about a user's tasks. The defaults describe a user who has never written.

    Attributes:
        user_id: The user.
        first_seen_at: When the user's first task was written (UTC); None for a user who has never written.
        revision: The user's current revision; 0 for a user who has never written.
        pending: Tasks that are not completed. Tasks in the trash only count for `trash`.
        completed: Completed tasks.
        overdue: Pending tasks that are past their due date. A due day ends at midnight UTC.
        trash: Tasks in the trash.
    """

    user_id: str
    first_seen_at: datetime | None = None
    revision: int = 0
    pending: int = 0
    completed: int = 0
    overdue: int = 0
    trash: int = 0
