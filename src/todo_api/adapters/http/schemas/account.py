"""The account."""

from datetime import datetime, timedelta

from pydantic import BaseModel, Field

from todo_api.adapters.http.schemas import fields
from todo_api.application.batches import MAX_OPERATIONS
from todo_api.application.services import Limits
from todo_api.domain import account
from todo_api.domain.idempotency import KEY_LIFETIME
from todo_api.domain.listing import MAX_PAGE_SIZE
from todo_api.domain.task_list import MAX_LISTS


class Counts(BaseModel):
    """Task counts. Tasks in the trash only count for `trash`."""

    all: fields.Int32
    pending: fields.Int32
    completed: fields.Int32
    overdue: fields.Int32 = Field(description="Pending and due before now; a day is over at its end in UTC.")
    trash: fields.Int32


class AccountLimits(BaseModel):
    """The limits of the account, and how long data is kept."""

    tasks: fields.Int32 = Field(description="Tasks that are not in the trash.", examples=[10_000])
    lists: fields.Int32 = Field(description="Lists that are not in the trash.", examples=[500])
    page_size: fields.Int32 = Field(description="The highest `limit` of a list.", examples=[1_000])
    batch_operations: fields.Int32 = Field(description="Operations of one batch.", examples=[100])
    event_streams: fields.Int32 = Field(description="Open streams of events, for each process.", examples=[10])
    body_bytes: fields.Int64 = Field(description="Bytes of a request's body; in an import, of each task.")
    trash_days: fields.Int32 = Field(description="Days after which a task in the trash is purged.", examples=[30])
    sync_days: fields.Int32 = Field(description="Days for which a sync token is valid, at least.", examples=[90])
    idempotency_hours: fields.Int32 = Field(description="Hours for which an Idempotency-Key is stored.", examples=[24])


class Account(BaseModel):
    """The signed-in user's account."""

    user_id: str = Field(description="The `sub` of the token.", examples=["dev-user"])
    first_seen_at: datetime | None = Field(description="When the first task was created; null before that.")
    revision: fields.Revision = Field(description="The user's revision; 0 before the first task.")
    counts: Counts
    limits: AccountLimits

    @classmethod
    def of(cls, found: account.Account, limits: Limits, max_body_bytes: int) -> "Account":
        counts = {name: getattr(found, name) for name in Counts.model_fields if name != "all"}
        return cls(
            user_id=found.user_id,
            first_seen_at=found.first_seen_at,
            revision=found.revision,
            counts=Counts(all=found.pending + found.completed, **counts),
            limits=AccountLimits(
                tasks=limits.tasks,
                lists=MAX_LISTS,
                page_size=MAX_PAGE_SIZE,
                batch_operations=MAX_OPERATIONS,
                event_streams=limits.event_streams,
                body_bytes=max_body_bytes,
                trash_days=limits.trash_days,
                sync_days=limits.tombstone_days,
                idempotency_hours=KEY_LIFETIME // timedelta(hours=1),
            ),
        )
