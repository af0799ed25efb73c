"""Moves in the manual order."""

from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import MISSING, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from todo_api.adapters.http.schemas.fields import TaskUuid
from todo_api.domain.records import After, Before, End, Place
from todo_api.domain.task_changes import UNSET, Unset

_PLACES = ("before", "after", "to")


def _end(value: object) -> End:
    if value in ("start", "end"):
        return End(value)
    raise ValueError("must be start or end")


def _one_place(schema: dict[str, Any]) -> None:
    schema["oneOf"] = [{"required": [name]} for name in _PLACES]


class Move(BaseModel):
    """Where to move something: before or after another one, or to an end."""

    model_config = ConfigDict(strict=True, extra="forbid", json_schema_extra=_one_place)

    before: TaskUuid | MISSING = Field(MISSING, description="The id of what it is to be directly before.")
    after: TaskUuid | MISSING = Field(MISSING, description="The id of what it is to be directly after.")
    to: Annotated[End, BeforeValidator(_end)] | MISSING = Field(MISSING, description="The end to move to.")

    @model_validator(mode="after")
    def _has_one_place(self) -> Self:
        if sum(name in self.model_fields_set for name in _PLACES) != 1:
            raise ValueError("must have exactly one of before, after and to")
        return self

    @property
    def place(self) -> Place:
        """The place to move to."""
        if self.before is not MISSING:
            return Before(self.before)
        if self.after is not MISSING:
            return After(self.after)
        if self.to is not MISSING:
            return self.to
        raise AssertionError("the validator requires one")


class TaskMove(Move):
    """Where to move a task, and into which list."""

    list_id: TaskUuid | None | MISSING = Field(
        MISSING,
        description="The list to move it into; null is the inbox. By default, the list of `before` or `after`.",
    )

    @property
    def new_list(self) -> UUID | None | Unset:
        """The list to move it into; UNSET without one."""
        return UNSET if self.list_id is MISSING else self.list_id
