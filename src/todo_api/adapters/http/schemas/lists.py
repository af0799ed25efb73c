"""Lists in requests and responses."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import MISSING, AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from todo_api.adapters.http.schemas import fields
from todo_api.domain.task_list import COLOR_PATTERN, ListChanges, clean_color, clean_name
from todo_api.domain.text import LIST_NAME_MAX_LENGTH

_NAME = {
    "type": "string",
    "description": "White space around it is trimmed; then 1 to 100 code points, one of them visible, without NUL.",
    "minLength": 1,
    "maxLength": LIST_NAME_MAX_LENGTH,
    "pattern": r"^[^\x00]*[^\x00\s\x1c-\x1f\x85][^\x00]*$",
    "examples": ["Groceries"],
}
_COLOR = {
    "type": "string",
    "description": "`#` and six hexadecimal digits.",
    "pattern": f"^{COLOR_PATTERN}$",
    "examples": ["#1e90ff"],
}
Name = Annotated[str, AfterValidator(clean_name), WithJsonSchema(_NAME)]
Color = Annotated[str, AfterValidator(clean_color), WithJsonSchema(_COLOR)]


class WritableListFields(BaseModel):
    """The fields that clients set."""

    model_config = ConfigDict(strict=True, extra="forbid")

    name: Name | MISSING = MISSING
    color: Color | None | MISSING = MISSING

    def changes(self) -> ListChanges:
        """Return the fields that are present. A field that ListChanges does not have raises a TypeError."""
        present = self.model_fields_set & WritableListFields.model_fields.keys()
        return ListChanges(**{name: getattr(self, name) for name in present})


class ReadOnlyListFields(BaseModel):
    """The fields that the server sets. They are accepted and ignored, so that clients can send a list back as it is."""

    model_config = ConfigDict(strict=True, extra="forbid")

    id: fields.Ignored | MISSING = MISSING
    user_id: fields.Ignored | MISSING = MISSING
    position: fields.Ignored | MISSING = MISSING
    created_at: fields.Ignored | MISSING = MISSING
    updated_at: fields.Ignored | MISSING = MISSING
    revision: fields.Ignored | MISSING = MISSING


class ListUpdate(WritableListFields, ReadOnlyListFields):
    """The fields to change. Absent fields keep their value, null clears the color."""


class ListCreate(ListUpdate):
    """The fields of a new list."""

    name: Name


class TaskList(BaseModel):
    """A list: a group of tasks, such as a project."""

    id: UUID = Field(description="A UUID, version 7.", examples=["019aa2f3-7c1e-7cc3-98c4-dc0c0c07398f"])
    user_id: str = Field(description="The owner: the `sub` of the token.", examples=["dev-user"])
    name: str = Field(min_length=1, max_length=LIST_NAME_MAX_LENGTH, examples=["Groceries"])
    color: Annotated[str, WithJsonSchema(_COLOR)] | None
    position: str = Field(
        description="Its place in the manual order of the lists: positions are compared by bytes.",
        examples=["m06613db42d4000"],
    )
    created_at: datetime = Field(examples=["2026-11-20T09:30:00.123456Z"])
    updated_at: datetime = Field(
        description="When its name or color last changed.", examples=["2026-11-20T09:30:00.123456Z"]
    )
    revision: fields.Revision = Field(ge=1, description="The owner's revision when the list last changed.")


class TrashedList(TaskList):
    """A list in the trash."""

    deleted_at: datetime = Field(examples=["2026-11-20T09:30:00.123456Z"])


class TasksOfList(StrEnum):
    """What becomes of the tasks of a list that is deleted."""

    TRASH = "trash"
    KEEP = "keep"
